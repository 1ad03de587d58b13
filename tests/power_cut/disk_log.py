"""What a disk holds after a power cut, worked out from a log of what a program did with names, contents and syncs.

POSIX promises no more than this: a file has the content it had when it was last synced, a folder the names. Of what
came after, any part may have reached the disk, in any order, names before contents and the reverse.
"""

from __future__ import annotations

import builtins
import io
import itertools
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from myogestic_tui.session.format import commit

ROOT = 0
FRESH_NS = 50_000_000
"""A file changed so recently may change again without a new time stamp: its content is looked at."""


class Name(NamedTuple):
    """A folder's name leads to another node, or to none any more."""

    group: int
    """Names that change in one call, which a disk changes all at once."""
    call: str
    folder: int
    name: str
    node: int | None


class Content(NamedTuple):
    """A file has a content."""

    node: int
    data: bytes


class Sync(NamedTuple):
    """A file or folder is on the disk; None: everything is."""

    call: str
    node: int | None
    path: str


class Read(NamedTuple):
    """A file is read, or dropped from memory (``drop``) from `start` on, for `length` bytes; 0 is all of it."""

    call: str
    node: int
    path: str
    start: int
    length: int


class Mark(NamedTuple):
    """What the program promised to its caller by now."""

    promised: Any


Event = Name | Content | Sync | Read | Mark
State = dict[str, bytes | None]
"""Content of each file by its path; None is a folder, which comes before what is in it."""
Keep = Callable[[int], bool]
Choose = Callable[[bytes, bytes], bytes]


class DiskLog:
    """Logs what this process does below `root`, which counts as synced at first, until `patch` is undone.

    Contents are read before each change of a name and each sync, so what was written by whatever means is seen.
    """

    passed_on = False
    """Whether syncs reach the disk as well as the log."""

    def __init__(self, root: Path, patch: pytest.MonkeyPatch) -> None:
        self.root = root
        self.events: list[Event] = []
        self._lock = threading.RLock()
        self._groups = itertools.count()
        self._new = itertools.count(ROOT + 1)
        self._nodes: dict[int, int] = {os.stat(root).st_ino: ROOT}
        """Node by inode number."""
        self._names: dict[int, dict[str, int]] = {ROOT: {}}
        self._stats: dict[int, tuple[int, int]] = {}
        self._data: dict[int, bytes] = {}
        self._look("before")
        self.events.append(Sync("before", None, ""))
        self.n_before = len(self.events)
        """Events that tell what was there already."""
        self._watch(patch)

    # ------------------------------------------------------------ watching

    def _watch(self, patch: pytest.MonkeyPatch) -> None:
        for name in ("rename", "replace", "link", "unlink", "remove", "rmdir", "mkdir"):
            patch.setattr(os, name, self._renaming(name, getattr(os, name)))
        for module, name in ((os, "open"), (builtins, "open"), (io, "open")):
            patch.setattr(module, name, self._locked(getattr(module, name)))
        for module, name in ((os, "fsync"), (os, "fdatasync"), (commit._libc, "syncfs")):
            patch.setattr(module, name, self._syncing(name, getattr(module, name)))
        patch.setattr(os, "posix_fadvise", self._advising(os.posix_fadvise))
        patch.setattr(os, "pread", self._reading(os.pread))

    def _renaming(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **more: Any) -> Any:
            with self._lock:
                self._look("write")
                try:
                    return real(*args, **more)
                finally:
                    self._look(name)

        return call

    def _locked(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **more: Any) -> Any:
            with self._lock:  # or the number of a file that is just going could be taken for the new one
                return real(*args, **more)

        return call

    def _syncing(self, name: str, real: Callable[[int], Any]) -> Callable[[int], Any]:
        def call(fd: Any) -> Any:
            with self._lock:
                self._look("write")
                done = real(fd) if self.passed_on else 0
                node, path = self._of(fd if isinstance(fd, int) else fd.fileno())
                if name == "syncfs" or node is not None:
                    self.events.append(Sync(name, None if name == "syncfs" else node, path))
                return done

        return call

    def _advising(self, real: Callable[..., None]) -> Callable[..., None]:
        def call(fd: int, offset: int, length: int, advice: int) -> None:
            real(fd, offset, length, advice)
            if advice == os.POSIX_FADV_DONTNEED:
                self._note_read("drop", fd, offset, length)

        return call

    def _reading(self, real: Callable[..., bytes]) -> Callable[..., bytes]:
        def call(fd: int, n: int, offset: int) -> bytes:
            self._note_read("read", fd, offset, n)
            return real(fd, n, offset)

        return call

    def _note_read(self, what: str, fd: int, start: int, length: int) -> None:
        with self._lock:
            node, path = self._of(fd)
            if node is not None:
                self.events.append(Read(what, node, path, start, length))

    def _of(self, fd: int) -> tuple[int | None, str]:
        path, inode = os.readlink(f"/proc/self/fd/{fd}"), os.fstat(fd).st_ino
        if path != str(self.root) and not path.startswith(f"{self.root}/"):
            return None, path
        if inode not in self._nodes:
            self._look("write")
        return self._nodes.get(inode), path.removeprefix(f"{self.root}")[1:]

    def mark(self, promised: Any) -> None:
        """Note what was promised."""
        with self._lock:
            self._look("write")
            self.events.append(Mark(promised))

    # ------------------------------------------------------------ looking at the folders

    def _look(self, call: str) -> None:
        group, seen = next(self._groups), {os.stat(self.root).st_ino}
        waiting = [(ROOT, str(self.root))]
        while waiting:
            folder, path = waiting.pop()
            entries = {entry.name: entry for entry in os.scandir(path)}
            now = {name: self._node(entry.inode(), seen) for name, entry in entries.items()}
            before = self._names.setdefault(folder, {})
            for name in before.keys() | now.keys():
                if before.get(name) != now.get(name):
                    self.events.append(Name(group, call, folder, name, now.get(name)))
            self._names[folder] = now
            for name, entry in entries.items():
                if entry.is_dir(follow_symlinks=False):
                    waiting.append((now[name], entry.path))
                else:
                    self._look_into(now[name], entry)
        self._nodes = {inode: node for inode, node in self._nodes.items() if inode in seen}

    def _node(self, inode: int, seen: set[int]) -> int:
        seen.add(inode)
        if inode not in self._nodes:
            self._nodes[inode] = next(self._new)
        return self._nodes[inode]

    def _look_into(self, node: int, entry: os.DirEntry[str]) -> None:
        found = entry.stat(follow_symlinks=False)
        stamp = found.st_size, found.st_mtime_ns
        if self._stats.get(node) == stamp and time.time_ns() - found.st_mtime_ns > FRESH_NS:
            return
        self._stats[node] = stamp
        data = b"" if entry.name.startswith(".") else Path(entry.path).read_bytes()
        if self._data.get(node) != data:
            self._data[node] = data
            self.events.append(Content(node, data))

    # ------------------------------------------------------------ what a power cut leaves

    def crash(self, at: int, keep: Keep, choose: Choose) -> State:
        """What a power cut after the first `at` events leaves.

        Parameters
        ----------
        keep
            Asked for each group of names that was not synced whether it reached the disk.
        choose
            Gives the content of a file that has changed since it was synced, from the old and the new one.
        """
        while self._goes_on(at):  # a call changes all of its names, or none
            at += 1
        last: dict[int | None, int] = {}
        for i, event in enumerate(self.events[:at]):
            if isinstance(event, Sync):
                last[event.node] = i
        names: dict[int, dict[str, int]] = {}
        data: dict[int, tuple[bytes, bytes]] = {}
        for i, event in enumerate(self.events[:at]):
            if isinstance(event, Content):
                synced = i < max(last.get(event.node, -1), last[None])
                data[event.node] = (event.data if synced else data.get(event.node, (b"", b""))[0], event.data)
            elif isinstance(event, Name) and (i < max(last.get(event.folder, -1), last[None]) or keep(event.group)):
                names.setdefault(event.folder, {}).pop(event.name, None)
                if event.node is not None:
                    names[event.folder][event.name] = event.node
        return dict(self._below(ROOT, "", names, {node: choose(*both) for node, both in data.items()}))

    def _below(
        self, folder: int, path: str, names: dict[int, dict[str, int]], data: dict[int, bytes]
    ) -> Iterator[tuple[str, bytes | None]]:
        for name, node in names.get(folder, {}).items():
            is_folder = node in self._names
            yield path + name, None if is_folder else data.get(node, b"")
            if is_folder:
                yield from self._below(node, f"{path}{name}/", names, data)

    def promised(self, at: int) -> Any:
        """What had been promised before a power cut after the first `at` events; None: nothing yet."""
        marks = [event.promised for event in self.events[:at] if isinstance(event, Mark)]
        return marks[-1] if marks else None

    def worst(self) -> Iterator[tuple[int, State]]:
        """Power cuts that are hard to survive, at each instant that something has gone or has been promised.

        Of what was not synced nothing is there; or all names are, without the contents; or only what was done last.
        """
        known = set[tuple[int, Any]]()
        for at, keep in self._worst():
            state, promised = self.crash(at, keep, _old), self.promised(at)
            one = hash(tuple(sorted(state.items(), key=lambda item: item[0]))), promised
            if promised is not None and one not in known:
                known.add(one)
                yield at, state

    def _worst(self) -> Iterator[tuple[int, Keep]]:
        for i, event in enumerate(self.events, 1):
            if isinstance(event, Mark):
                yield from ((i, lambda group: False), (i, lambda group: True))
            elif i in self._losses:
                yield from ((i, lambda group: True), (i, lambda group, last=event.group: group == last))

    @cached_property
    def _losses(self) -> set[int]:
        """How many events there are when something has gone; where file after file goes, at the first and the last."""
        found = set[int]()
        ends = [i for i, event in enumerate(self.events, 1) if isinstance(event, Name) and not self._goes_on(i)]
        for call, run in itertools.groupby(ends, lambda i: self._call(i)):
            each = list(run)
            if call in ("rename", "replace"):
                found.update(each)
            elif call == "unlink":
                found |= {each[0], each[-1]}
        return found

    def _goes_on(self, at: int) -> bool:
        """Whether the event at `at` changes names in the same call as the one before."""
        last, following = self.events[at - 1], self.events[at] if at < len(self.events) else None
        return isinstance(last, Name) and isinstance(following, Name) and following.group == last.group

    def _call(self, at: int) -> str:
        """What changed a name; removals of files and folders are one kind."""
        event = self.events[at - 1]
        call = event.call if isinstance(event, Name) else ""
        return "unlink" if call in ("remove", "rmdir") else call


def lay_out(state: State, target: Path) -> Path:
    """The state as files in the new folder `target`."""
    target.mkdir()
    for path, data in state.items():
        if data is None:
            (target / path).mkdir()
        else:
            (target / path).write_bytes(data)
    return target


def _old(synced: bytes, now: bytes) -> bytes:
    return synced


@contextmanager
def without_syncs() -> Iterator[None]:
    """Nothing waits for the disk: for what is done to hundreds of folders that nobody needs afterwards."""
    with pytest.MonkeyPatch.context() as patch:
        for module, name in ((os, "fsync"), (os, "fdatasync"), (commit._libc, "syncfs")):
            patch.setattr(module, name, lambda fd: 0)
        yield
