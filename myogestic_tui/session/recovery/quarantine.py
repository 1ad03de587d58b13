"""What recovery cannot make use of: kept in the trash, as ``NAME-damaged``, before it goes or is replaced."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec

from ..format.commit import sync_disk
from ..format.consolidated import CONSOLIDATED
from ..format.journal import EVENTS, SUFFIX, list_segments
from ..format.layout import JOURNAL, LABELS, META, ZARR_JSON, free_path, make_folders
from ..format.regular_files import is_regular, read_regular
from ..format.trash_slots import new_place

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from ..format.zarr_format import ArraySpec
    from ..reading.session_view import SessionView


class Aside:
    """Takes files of a session folder that is being recovered; its place in the trash is made when it is needed.

    Every method raises OSError or DiskError where the disk refuses; then nothing is lost yet.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._place: Path | None = None

    def _for(self, key: str) -> Path:
        if self._place is None:
            self._place = new_place(self._folder.parent, f"{self._folder.name}-damaged")
        path = self._place / key
        make_folders(path.parent)
        return path

    def _copy(self, key: str) -> None:
        copy = self._for(key)
        if not os.path.lexists(copy):
            _link(self._folder / key, copy)

    def _copy_all(self, keys: Iterable[str]) -> None:
        """Copy files of the session, which may go once this has returned: the copies are on the disk."""
        for key in keys:
            self._copy(key)
        if self._place is not None:
            sync_disk(self._place)

    def copy_segments(self, view: SessionView, left: Iterable[str]) -> None:
        """Of the journal: that of streams that are `left` as they are or partly damaged, and files that are none."""
        segments = list_segments(self._folder)
        ours = {path.name for paths in segments.values() for path in paths} | {EVENTS}
        kept = [path.name for stem in left for path in segments.get(stem, [])]
        for stem, stream in view.streams.items():
            tail = stream.tail
            if tail is not None and (tail.unused or any(finding.kind == "damage" for finding in tail.findings)):
                kept += [path.name for path in segments.get(stem, [])]
        self._copy_all(f"{JOURNAL}/{name}" for name in dict.fromkeys(kept))
        for path in [path for path in (self._folder / JOURNAL).glob("*") if path.name not in ours]:
            self.move(f"{JOURNAL}/{path.name}")

    def move(self, key: str) -> None:
        """Whatever it is that stands in the way."""
        (self._folder / key).rename(free_path(self._for(key)))

    def copy_chunks(self, name: str, spec: ArraySpec, numbers: Iterable[int]) -> None:
        """Chunks that are going to be replaced by something else than their continuation."""
        keys = (f"{name}/{spec.chunk_key(number)}" for number in numbers)
        self._copy_all(key for key in keys if (self._folder / key).is_file())

    def move_chunks_from(self, name: str, first: int) -> None:
        """Chunks from number ``first`` on: written and never published, or without a partner in the other array."""
        chunks = self._folder / name / "c"
        for entry in list(os.scandir(chunks)) if chunks.is_dir() else ():
            if entry.name.isdecimal() and int(entry.name) >= first:
                self.move(f"{name}/c/{entry.name}")

    def take_broken(self, members: set[str]) -> None:
        """Damaged segments and metadata."""
        segments = [f"{JOURNAL}/{member}" for member in members if member.endswith(SUFFIX)]
        keys = (*segments, *(members & {META, LABELS}))
        self._copy_all(key for key in keys if is_regular(self._folder / key))

    def copy_what_says_more(self, files: dict[str, bytes]) -> None:
        """Another recorder's files that say more than those which are going to replace them."""
        self._copy_all(key for key, data in files.items() if self._says_more(key, data))

    def _says_more(self, key: str, data: bytes) -> bool:
        path = self._folder / key
        taken = self._place is not None and (self._place / key).exists()
        copied = {CONSOLIDATED} if key == ZARR_JSON else set()  # the arrays say it themselves
        return is_regular(path) and not taken and not _holds(msgspec.json.decode(data), read_regular(path), copied)


def _link(source: Path, copy: Path) -> None:
    """A second name for a file that is going to be replaced or removed, never changed; a copy where there is none."""
    try:
        os.link(source, copy, follow_symlinks=False)
    except OSError:
        shutil.copyfile(source, copy, follow_symlinks=False)
        with suppress(OSError):  # modes and times are not what is to be kept
            shutil.copystat(source, copy, follow_symlinks=False)


def _holds(new: Any, old: bytes, copied: set[str]) -> bool:
    """Whether all that a file says is in what replaces it, but for fields that are copied from elsewhere."""
    try:
        told = msgspec.json.decode(old)
        if isinstance(told, dict):
            told = {name: value for name, value in told.items() if name not in copied}
        return _covers(new, told)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False


def _covers(new: Any, old: Any) -> bool:
    """Whether every field of `old` is in `new`; null says nothing."""
    if isinstance(old, dict):
        return isinstance(new, dict) and all(_covers(new.get(key), value) for key, value in old.items())
    if isinstance(old, list):
        return isinstance(new, list) and len(new) == len(old) and all(map(_covers, new, old))
    return old is None or new == old
