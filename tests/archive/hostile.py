"""Archives that mean harm, made from a good one."""

from __future__ import annotations

import json
import stat
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numcodecs.zstd import Zstd

from myogestic_tui.session.archive import zip_format as zb
from myogestic_tui.session.archive.zip_index import MAX_MEMBERS
from myogestic_tui.session.format.json_files import MAX_JSON_MEMORY
from tests.archive.sessions import rewrite

Maker = Callable[[Path, Path], Path]


def _with(**more: object) -> Maker:
    """The good archive with more members: name (``__`` for ``/``, ``DOT`` for ``.``) and content."""

    def make(good: Path, folder: Path) -> Path:
        path = rewrite(good, folder / "hostile.session.zip", lambda _, data: data)
        with zipfile.ZipFile(path, "a") as archive:
            for name, data in more.items():
                archive.writestr(name, data)
        return path

    return make


def _named(name: str) -> Maker:
    return _with(**{name: b"mine"})


def _replaced(member: str, data: Callable[[], bytes]) -> Maker:
    def make(good: Path, folder: Path) -> Path:
        path = folder / "hostile.session.zip"
        return rewrite(good, path, lambda n, d: data() if n == member else d, compression=zipfile.ZIP_DEFLATED)

    return make


def _twice(good: Path, folder: Path) -> Path:
    path = rewrite(good, folder / "hostile.session.zip", lambda _, data: data)
    path.write_bytes(path.read_bytes().replace(b"emg.zarr/c/1/0", b"emg.zarr/c/0/0"))
    return path


def _symlink(good: Path, folder: Path) -> Path:
    path = rewrite(good, folder / "hostile.session.zip", lambda n, d: None if n == "labels.json" else d)
    info = zipfile.ZipInfo("labels.json")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(info, "/etc/passwd")
    return path


def _overlapping(good: Path, folder: Path) -> Path:
    """Ten members that are one and the same kilobyte."""
    data = b"x" * 1000
    body = zb.local_header(b"m0", 0, len(data)) + data
    entries = [zb.central_entry(zb.Member(b"m%d" % i, 0, 0, len(data), len(data), 0)) for i in range(10)]
    path = folder / "hostile.session.zip"
    directory = b"".join(entries)
    path.write_bytes(body + directory + zb.end_records(len(entries), len(directory), len(body), b""))
    return path


def largest_meta(good: Path, folder: Path) -> Path:
    """As much JSON as is read at most, of what takes the most memory."""
    data = b'{"x": [' + b'{"":[]},' * (MAX_JSON_MEMORY // 376 - 2) + b"1]}"
    return _replaced("meta.json", lambda: data)(good, folder)


def _many_claimed(good: Path, folder: Path) -> Path:
    path = folder / "hostile.session.zip"
    path.write_bytes(b"x" * 100 + zb.end_records(1 << 60, 1 << 60, 100, b""))
    return path


def many_members(good: Path, folder: Path) -> Path:
    """As many members as are read at most, all empty, in a directory of 60 MB."""
    one = zb.central_entry(zb.Member(b"member-0000000", 0, 0, 0, 0, 0))
    head = one[:42]
    directory = b"".join([b"%b%bmember-%07d" % (head, (60 * i).to_bytes(4, "little"), i) for i in range(MAX_MEMBERS)])
    path = folder / "hostile.session.zip"
    with open(path, "wb") as file:
        file.truncate(60 * MAX_MEMBERS)
        file.seek(60 * MAX_MEMBERS)
        file.write(directory + zb.end_records(MAX_MEMBERS, len(directory), 60 * MAX_MEMBERS, b""))
    return path


def _encoded(data: np.ndarray) -> bytes:
    return bytes(Zstd(level=1, checksum=True).encode(data))


def _claims_100_gb() -> bytes:
    frame = bytearray(_encoded(np.zeros(1000, np.uint8)))
    return bytes(frame[:4]) + bytes([0xE4]) + struct.pack("<Q", 100 << 30) + bytes(frame[7:])


def _two_frames() -> bytes:
    """A frame as large as the chunk should be, then one of 600 MB."""
    return _encoded(np.zeros(50 * 4, np.float32)) + _encoded(np.zeros(600 << 20, np.uint8))


def _many_strings() -> bytes:
    return _encoded(np.frombuffer(struct.pack("<I", 400_000_000) + b"\0" * 64, np.uint8))


def _array(**changes: object) -> Callable[[], bytes]:
    array = {
        "shape": [480, 4],
        "data_type": "float32",
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [50, 4]}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "fill_value": 0.0,
        "codecs": [{"name": "bytes", "configuration": {"endian": "little"}}, {"name": "zstd", "configuration": {}}],
        "zarr_format": 3,
        "node_type": "array",
    }
    return lambda: json.dumps({**array, **changes}).encode()


def _grid(*shape: int) -> dict[str, object]:
    return {"name": "regular", "configuration": {"chunk_shape": shape}}


ESCAPES: dict[str, Maker] = {
    "absolute": _named("/tmp/escaped"),
    "parent": _named("../escaped"),
    "parent within": _named("a/../../escaped"),
    "drive": _named("C:/escaped"),
    "backslash": _named("..\\escaped"),
    "empty part": _named("a//escaped"),
    "long": _named("n" * 5000),
    "twice": _twice,
    "symlink": _symlink,
    "overlapping": _overlapping,
    "many claimed": _many_claimed,
}
"""Refused on opening."""

BOMBS: dict[str, Maker] = {
    "100 GB chunk": _replaced("emg.zarr/c/1/0", _claims_100_gb),
    "second frame": _replaced("emg.zarr/c/1/0", _two_frames),
    "many strings": _replaced("markers.zarr/c/0/0", _many_strings),
    "inflated chunk": _replaced("emg.zarr/c/1/0", lambda: b"\0" * (300 << 20)),
    "nested meta": _replaced("meta.json", lambda: b"[" * 3_000_000 + b"]" * 3_000_000),
    "huge meta": _replaced("meta.json", lambda: b'{"x": [' + b"[]," * 15_000_000 + b"1]}"),
    "huge labels": _replaced("labels.json", lambda: b"[" + b"{}," * 15_000_000 + b"1]"),
    "nested array": _replaced("emg.zarr/zarr.json", lambda: b'{"a":' * 2_000_000 + b"1" + b"}" * 2_000_000),
    "huge array": _replaced("emg.zarr/zarr.json", lambda: b'{"x": [' + b"{}," * 3_000_000 + b"1]}"),
    "endless array": _replaced("emg.zarr/zarr.json", _array(shape=[1 << 61, 4])),
    "wide array": _replaced("emg.zarr/zarr.json", _array(shape=[480, 1 << 40], chunk_grid=_grid(50, 1 << 40))),
}
"""What would fill the memory of a reader that believes it."""
