"""What the chunks of an XDF file tell without being decoded: headers and footers verbatim, and where a file was cut."""

from __future__ import annotations

import gzip
import struct
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, cast

from ...errors import ConfigError, SessionDamagedError
from ...lsl_header import decode_text

if TYPE_CHECKING:
    from pathlib import Path

_HEADER_TAG, _FOOTER_TAG = 2, 6


@dataclass
class Chunks:
    """The parts of a file."""

    headers: dict[int, str] = field(default_factory=dict)
    """The headers' XML by stream, which pyxdf gives only taken apart."""
    footers: dict[int, str] = field(default_factory=dict)
    cut_off: bool = False
    """The file ends within a chunk, or in what is none."""
    end: int = 4
    """Where its last whole chunk ends."""


def look_through(path: Path) -> Chunks:
    """Go over the chunks of a file.

    Raises
    ------
    ConfigError
        There is no such file.
    SessionDamagedError
        It is no XDF file.
    """
    if not path.is_file():
        raise ConfigError(f"{path} is not there")
    found = Chunks()
    with open_xdf(path) as file:
        if _magic(file) != b"XDF:":
            raise SessionDamagedError(f"{path} is no XDF file")
        try:
            while size := file.read(1):
                found.cut_off = not _pass_chunk(file, size[0], found)
                if found.cut_off:
                    break
                found.end = file.tell()
        except (OSError, EOFError, ValueError, OverflowError):  # also of a .xdfz that was cut off
            found.cut_off = True
    return found


def open_xdf(path: Path) -> IO[bytes]:
    """The file's content, unpacked."""
    return cast("IO[bytes]", gzip.open(path, "rb") if path.suffix == ".xdfz" else open(path, "rb"))


def _magic(file: IO[bytes]) -> bytes:
    try:
        return file.read(4)
    except (OSError, EOFError):
        return b""


def _pass_chunk(file: IO[bytes], size: int, found: Chunks) -> bool:
    """Go behind a chunk whose length takes ``size`` bytes; False where the file ends within it."""
    length = int.from_bytes(file.read(size), "little")
    tag = file.read(2)
    if size not in (1, 4, 8) or len(tag) < 2 or length < 2:
        return False
    kind = struct.unpack("<H", tag)[0]
    if kind not in (_HEADER_TAG, _FOOTER_TAG):
        file.seek(max(length - 3, 0), 1)
        return length == 2 or bool(file.read(1))
    content = file.read(length - 2)
    if len(content) < length - 2 or len(content) < 4:
        return False
    texts = found.headers if kind == _HEADER_TAG else found.footers
    texts[struct.unpack("<I", content[:4])[0]] = decode_text(content[4:])
    return True
