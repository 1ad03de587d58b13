"""Things that may stand anywhere in a sessions folder, and the places where they may stand."""

from __future__ import annotations

import json
import os
import shutil
import socket
import sqlite3
import stat
import tempfile
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

_TARGET_NAME, _TARGET = "mt-target-", b"somebody else's\n"
"""The file that a link to a file leads to."""

Thing = Callable[[Path], object]


def _text(content: bytes) -> Thing:
    return lambda path: path.write_bytes(content)


def _folder(*names: str) -> Thing:
    def make(path: Path) -> None:
        path.mkdir()
        for name in names:
            inner = path / name
            inner.parent.mkdir(parents=True, exist_ok=True)
            inner.write_bytes(name.encode())

    return make


def _array(**said: object) -> Thing:
    def make(path: Path) -> None:
        path.mkdir()
        (path / "zarr.json").write_text(json.dumps({"zarr_format": 3, "node_type": "array", **said}))

    return make


def _node(kind: int, major: int, minor: int) -> Thing:
    return lambda path: os.mknod(path, kind | 0o666, os.makedev(major, minor))


def _socket(path: Path) -> None:
    """Bound by a short way: the path of a socket has a hundred characters at most."""
    fd = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with socket.socket(socket.AF_UNIX) as one:
            one.bind(f"/proc/self/fd/{fd}/{path.name}")
    finally:
        os.close(fd)


def _sparse(path: Path) -> None:
    with open(path, "wb") as file:
        file.truncate(1 << 40)


def _zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("readme.txt", b"no session")


def _database(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE sessions (x)")
    connection.close()


def _unnameable(path: Path) -> None:
    path.mkdir()
    Path(os.fsdecode(os.fsencode(path) + b"/caf\xe9")).write_bytes(b"x")


def _link_to_a_file(path: Path) -> None:
    """To one that is made for it, outside of everything: whoever writes through the link harms nobody else."""
    fd, target = tempfile.mkstemp(prefix=_TARGET_NAME)
    os.write(fd, _TARGET)
    os.close(fd)
    path.symlink_to(target)


def is_whole(odd: Path) -> Callable[[], bool]:
    """Of a thing that was just made: tells later whether what a link to a file leads to is as it was, and ends it."""
    target = Path(os.readlink(odd)) if odd.is_symlink() else odd
    if not target.name.startswith(_TARGET_NAME):
        return lambda: True

    def whole() -> bool:
        content = target.read_bytes()
        target.unlink()
        return content == _TARGET

    return whole


def _locked(path: Path) -> None:
    path.write_bytes(b"x")
    path.chmod(0)


def _sessions_folder(path: Path) -> None:
    (path / ".myogestic").mkdir(parents=True)
    (path / "x.session.zip").write_bytes(b"x")


THINGS: dict[str, Thing] = {
    "an empty file": _text(b""),
    "a text": _text(b"hello\n"),
    "zeros": _text(bytes(4096)),
    "noise": _text(bytes(range(256)) * 20),
    "no UTF-8": _text(b'{"name": "\xff\xfe"}'),
    "JSON that is a list": _text(b"[]"),
    "JSON that is an object": _text(b"{}"),
    "JSON that is a number": _text(b"1e400"),
    "JSON that is null": _text(b"null"),
    "JSON of odd types": _text(b'{"shape": "x", "class_names": 7, "take": 1' + b"0" * 40 + b', "streams": {"emg": 3}}'),
    "nesting without end": _text(b"[" * 100_000),
    "an empty folder": _folder(),
    "a folder of files": _folder("a", "b/c", "zarr.json"),
    "a folder of metadata": _folder("meta.json", "labels.json"),
    "a folder of chunks": _folder("c/0", "c/1/0"),
    "a folder of a journal": _folder("journal/@events.journal", "journal/emg.00000001.journal"),
    "a folder whose names are no text": _unnameable,
    "a folder of sessions": _sessions_folder,
    "a FIFO": os.mkfifo,
    "a folder with a FIFO": lambda path: (path.mkdir(), os.mkfifo(path / "meta.json"), os.mkfifo(path / ".lock")),
    "a socket": _socket,
    "a link that leads nowhere": lambda path: path.symlink_to("nowhere-at-all"),
    "a link in a circle": lambda path: path.symlink_to(path.name),
    "a link to its folder": lambda path: path.symlink_to("."),
    "a link to a file": _link_to_a_file,
    "a link to a device": lambda path: path.symlink_to("/dev/zero"),
    "a link to a folder": lambda path: path.symlink_to("/usr/share/zoneinfo"),
    "a link to a process": lambda path: path.symlink_to("/proc/self"),
    "/dev/null": _node(stat.S_IFCHR, 1, 3),
    "/dev/zero": _node(stat.S_IFCHR, 1, 5),
    "/dev/full": _node(stat.S_IFCHR, 1, 7),
    "a block device": _node(stat.S_IFBLK, 7, 250),
    "a terabyte": _sparse,
    "a file that nobody may read": _locked,
    "a folder that nobody may read": lambda path: (path.mkdir(), path.chmod(0)),
    "an array of text": _array(shape=[3], data_type={"name": "fixed_length_utf32"}),
    "an array without a shape": _array(shape=[], chunk_grid={"name": "regular", "configuration": {"chunk_shape": []}}),
    "an array without a type": _array(data_type={}, shape=[1]),
    "a group": lambda path: (path.mkdir(), (path / "zarr.json").write_text('{"zarr_format": 3, "node_type": "group"}')),
    "an old array": _folder(".zarray", "0.0"),
    "a zip": _zip,
    "half a zip": lambda path: path.write_bytes(b"PK\3\4" + bytes(30)),
    "a database": _database,
}
"""How to make each."""


def inodes(base: Path) -> dict[tuple[int, int], str]:
    """All that stands in a folder, by what it is for the file system, whatever it is called."""
    found = {}
    for where, folders, files in os.walk(base):
        for name in (*folders, *files):
            path = os.path.join(where, name)
            with suppress(FileNotFoundError):
                status = os.lstat(path)
                found[status.st_dev, status.st_ino] = path
    return found


def remove(path: Path) -> None:
    """Take away what a test put there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    elif os.path.lexists(path):
        path.unlink()
