"""Which archive took the place of a session folder."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ...errors import MyoGesticError
from ..archive.archive import Archive
from ..archive.manifest import ManifestReader
from ..format.layout import ARCHIVE_SUFFIX, MANIFEST

if TYPE_CHECKING:
    from pathlib import Path


def archives_of(folder: Path) -> list[Path]:
    """The archives that were packed from a folder of that name, beside it, by their manifests."""
    return [path for path in archives_named(folder.parent, folder.name) if packed_folder_name(path) == folder.name]


def packed_path(folder: Path) -> Path:
    """The archive that has replaced a folder; the folder where there is none."""
    archives = archives_of(folder) if folder.parent.is_dir() else []
    return archives[0] if archives else folder


def archives_named(sessions_dir: Path, start: str) -> list[Path]:
    """Archives whose file names begin with `start`, sorted."""
    with os.scandir(sessions_dir) as entries:
        names = [
            entry.name for entry in entries if entry.name.startswith(start) and entry.name.endswith(ARCHIVE_SUFFIX)
        ]
    return [sessions_dir / name for name in sorted(names)]


def packed_folder_name(path: Path) -> str:
    """Name of the folder that an archive was packed from; empty where it does not say."""
    try:
        with Archive(path) as archive:
            return ManifestReader(archive.blocks(MANIFEST)).head.session if MANIFEST in archive else ""
    except (OSError, MyoGesticError):
        return ""
