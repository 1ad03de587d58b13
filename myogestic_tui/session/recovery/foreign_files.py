"""What stands where a session has something else: folders for files, files for folders, FIFOs, sockets, links."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ...errors import SessionError
from ..format.journal import EVENTS, SUFFIX
from ..format.json_files import Int64, as_type, decode_json
from ..format.layout import (
    BALLAST,
    JOURNAL,
    LABELS,
    LOCK,
    MANIFEST,
    META,
    ORIGINAL_LABELS,
    PARTIAL,
    ZARR_JSON,
    is_storable,
)
from ..format.regular_files import read_regular

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_FILES = frozenset({META, LABELS, ORIGINAL_LABELS, MANIFEST, BALLAST, ZARR_JSON})
_LOSSES = frozenset({META, LABELS, ORIGINAL_LABELS, JOURNAL, f"{JOURNAL}/{EVENTS}"})
_N_DIMENSIONS = {"_timestamps.zarr": 1, "_overview.zarr": 3}


class Misplaced(NamedTuple):
    """Something in a session folder that is not what belongs there."""

    key: str
    what: str
    """``a folder``, ``a file``, ``a link to emg``, ``no file``."""
    leads: bool = False
    """It is a link, in a place of the session's own, and what it leads to is there."""

    @property
    def text(self) -> str:
        """What it is, for a finding."""
        return f"{self.key} was {self.what}; it is set aside in the trash"

    @property
    def is_loss(self) -> bool:
        """Whether something that cannot be told from elsewhere belongs there."""
        return self.key in _LOSSES or (self.key.startswith(f"{JOURNAL}/") and self.key.endswith(SUFFIX))


def misplaced_in(folder: Path, n_dimensions: Mapping[str, int] | None = None) -> list[Misplaced]:
    """Everything in a session folder that is in the way of reading, recovering or packing it; nothing is opened.

    Parameters
    ----------
    folder
        The session.
    n_dimensions
        How many each array has, by the name of its folder, where that is known; else its ``zarr.json`` tells.

    Raises
    ------
    OSError
        The folder cannot be read.
    """
    return list(_in_folder(folder, n_dimensions or {}))


def _in_folder(folder: Path, n_dimensions: Mapping[str, int]) -> Iterator[Misplaced]:
    for entry in _entries(folder):
        name = entry.name
        if name == LOCK:
            continue  # it is held, or moved out of the way by whoever takes it
        is_array, is_journal = name.endswith(".zarr"), name in (JOURNAL, JOURNAL + PARTIAL)
        ours = is_array or is_journal or name in _FILES
        is_file = None if not ours and not name.endswith(PARTIAL) else not (is_array or is_journal)
        found = _wrong(entry, name, is_file, ours=ours)
        if found is not None:
            yield found
        elif is_array:
            yield from _in_array(Path(entry.path), name, n_dimensions.get(name))
        elif is_journal:
            yield from _in_plain(Path(entry.path), name, SUFFIX)
        elif entry.is_dir():
            yield from _in_plain(Path(entry.path), name, "")


def _in_array(array: Path, name: str, depth: int | None) -> Iterator[Misplaced]:
    for entry in _entries(array):
        key = f"{name}/{entry.name}"
        is_chunks, is_json = entry.name == "c", entry.name == ZARR_JSON
        is_file = not is_chunks if is_chunks or is_json or entry.name.endswith(PARTIAL) else None
        found = _wrong(entry, key, is_file, ours=is_chunks or is_json)
        if found is not None:
            yield found
        elif is_chunks:
            yield from _in_chunks(Path(entry.path), key, depth or _n_dimensions(array))
        elif entry.is_dir():
            yield from _in_plain(Path(entry.path), key, "")


def _in_chunks(chunks: Path, prefix: str, depth: int) -> Iterator[Misplaced]:
    for entry in _entries(chunks):
        key, is_number = f"{prefix}/{entry.name}", entry.name.isdecimal()
        is_file = depth == 1 if is_number else True if entry.name.endswith(PARTIAL) else None
        found = _wrong(entry, key, is_file, ours=is_number)
        if found is not None:
            yield found
        elif is_number and depth > 1:
            yield from _in_chunks(Path(entry.path), key, depth - 1)
        elif entry.is_dir():
            yield from _in_plain(Path(entry.path), key, "")


def _in_plain(folder: Path, prefix: str, files: str) -> Iterator[Misplaced]:
    """A folder without an order of its own, in which names that end with `files` are those of files."""
    for entry in _entries(folder):
        key, is_ours = f"{prefix}/{entry.name}", bool(files) and entry.name.endswith(files)
        found = _wrong(entry, key, True if is_ours else None, ours=is_ours)
        if found is not None:
            yield found
        elif entry.is_dir():
            yield from _in_plain(Path(entry.path), key, files)


def _wrong(entry: os.DirEntry[str], key: str, is_file: bool | None, *, ours: bool) -> Misplaced | None:
    """What is wrong with an entry; ``is_file`` is what belongs there, None where anything goes that can be packed."""
    if not is_storable(entry.name):
        return Misplaced(key, "of a name that is no text")
    if entry.is_symlink():
        leads = ours and os.path.exists(entry.path)
        return Misplaced(key, f"a link to {os.readlink(entry.path)}", leads)
    if entry.is_dir(follow_symlinks=False):
        return Misplaced(key, "a folder") if is_file else None
    if entry.is_file(follow_symlinks=False):
        return Misplaced(key, "a file") if is_file is False else None
    return Misplaced(key, "no file")


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        return sorted(entries, key=lambda entry: entry.name)


def _n_dimensions(array: Path) -> int:
    """How many an array has, by its ``zarr.json``, or by what its name says that it is."""
    try:
        said = as_type(
            decode_json(read_regular(array / ZARR_JSON), where=ZARR_JSON), dict[str, object], where=ZARR_JSON
        )
        shape = as_type(said.get("shape"), list[Int64], where=ZARR_JSON)
    except (OSError, SessionError):
        shape = []
    if 1 <= len(shape) <= 3:
        return len(shape)
    return next((n for suffix, n in _N_DIMENSIONS.items() if array.name.endswith(suffix)), 2)
