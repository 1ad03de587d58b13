"""``manifest.json``: size and SHA-256 of every member of an archive, and the sample count of every stream.

It is JSON, and laid out so that it is written and checked a line at a time, however many members there are::

    {"format":1,"session":"2026-05-17_14-23-05","streams":{"emg":122880},"comment_sha256":"…","members":{
    "meta.json":{"bytes":1843,"sha256":"…"},
    …
    "emg_timestamps.zarr/c/59":{"bytes":4102,"sha256":"…"}
    }}

Members stand in the order of the archive; the manifest itself, the last of them, is not listed.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple

import msgspec
from msgspec import Struct, field

from ...errors import SessionDamagedError
from ...msgspec_types import prepared
from ..format.layout import MANIFEST, is_stem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

FORMAT = 1

_HEAD_END = b',"members":{\n'
_END_LINE = b"}}"
_MAX_LINE = 1 << 20


class Head(Struct, frozen=True, kw_only=True):
    """The first line of a manifest."""

    format: int
    session: str
    """Name of the folder that was packed."""
    streams: dict[str, int] = field(default_factory=dict)
    """Sample count by stem."""
    comment_sha256: str = ""


class Line(NamedTuple):
    """What the manifest says of one member; `size` in bytes."""

    name: str
    size: int
    sha256: str


class _Entry(Struct, frozen=True):
    bytes: int
    sha256: str


_decode_line = msgspec.json.Decoder(prepared(dict[str, _Entry])).decode


def head_bytes(session: str, streams: dict[str, int], comment: bytes) -> bytes:
    """The manifest up to its first member."""
    head = Head(format=FORMAT, session=session, streams=streams, comment_sha256=hashlib.sha256(comment).hexdigest())
    return msgspec.json.encode(head)[:-1] + _HEAD_END


def line_bytes(line: Line) -> bytes:
    """The manifest's line of one member, without what separates it from the next."""
    return msgspec.json.encode({line.name: _Entry(line.size, line.sha256)})[1:-1]


def manifest_bytes(head: bytes, lines: list[bytes]) -> bytes:
    """A whole manifest."""
    return head + b",\n".join(lines) + b"\n" + _END_LINE + b"\n"


class ManifestReader:
    """Reads a manifest line by line; memory does not grow with the number of members.

    Parameters
    ----------
    blocks
        Its bytes, a piece at a time.

    Raises
    ------
    SessionDamagedError
        It is not as packing writes it.
    """

    def __init__(self, blocks: Iterable[bytes]) -> None:
        self._text = self._split(blocks)
        self.head = self._read_head()

    def lines(self) -> Iterator[Line]:
        """The members, in order; once."""
        for text in self._text:
            if text == _END_LINE:
                break
            yield self._line(text)
        else:
            raise self._damaged()

    def _line(self, text: bytes) -> Line:
        try:
            [(name, entry)] = _decode_line(b"{" + text.removesuffix(b",") + b"}").items()
        except (msgspec.MsgspecError, ValueError) as error:
            raise self._damaged() from error
        return Line(name, entry.bytes, entry.sha256)

    def _read_head(self) -> Head:
        line = next(self._text, b"") + b"\n"
        if not line.endswith(_HEAD_END):
            raise self._damaged()
        try:
            head = msgspec.json.decode(line.removesuffix(_HEAD_END) + b"}", type=prepared(Head))
        except (msgspec.MsgspecError, ValueError) as error:
            raise self._damaged() from error
        if not is_stem(head.session):
            raise SessionDamagedError(f"{MANIFEST} names a session {head.session[:80]!r}; no folder can be called so")
        return head

    def _split(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        rest = b""
        for block in blocks:
            *lines, rest = (rest + block).split(b"\n")
            yield from lines
            if len(rest) > _MAX_LINE:
                break
        if rest:
            raise self._damaged()

    def _damaged(self) -> SessionDamagedError:
        return SessionDamagedError(f"{MANIFEST} is not as packing writes it")
