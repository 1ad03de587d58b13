"""The comment of an archive: its summary, so that listing thousands of archives takes one read of each."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
from msgspec.structs import replace

from ..errors import DiskError
from . import zipbytes as zb
from .summary import StreamSummary, Summary  # noqa: TC001 (msgspec needs the types)
from .zipindex import find_end, read_tail

_FORMAT = "myogestic_tui"


class _Comment(msgspec.Struct, frozen=True):
    format: str
    summary: Summary
    abridged: bool = False


def comment_bytes(summary: Summary) -> bytes:
    """The comment for a session; without its streams and labels where those would not fit into 64 kB."""
    plain = replace(summary, path="", bytes=0, verified=msgspec.UNSET)
    whole = msgspec.json.encode(_Comment(_FORMAT, plain))
    if len(whole) <= zb.MAX_COMMENT:
        return whole
    streams: dict[str, StreamSummary] = {}
    short = replace(plain, streams=streams, labels={}, name=plain.name[:1000])
    return msgspec.json.encode(_Comment(_FORMAT, short, abridged=True))


def read_archive_summary(path: str | os.PathLike[str]) -> Summary:
    """What an archive says about itself: one read of its end. Foreign zips, and over-long summaries, are opened.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    SessionError
        It cannot be read, or is no archive.
    """
    path = Path(path)
    tail, size = _end_of(path)
    at = find_end(tail)
    summary = decode_comment(tail[at + zb.END.size :]) if at >= 0 else None
    return _opened(path) if summary is None else replace(summary, path=str(path), bytes=size)


def decode_comment(data: bytes) -> Summary | None:
    """The summary in a comment; None where it is not one of ours, or abridged."""
    try:
        comment = msgspec.json.decode(data, type=_Comment)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    return comment.summary if comment.format == _FORMAT and not comment.abridged else None


def _end_of(path: Path) -> tuple[bytes, int]:
    try:
        with open(path, "rb", buffering=0) as file:
            size = os.fstat(file.fileno()).st_size
            return read_tail(lambda n, at: os.pread(file.fileno(), n, at), size), size
    except FileNotFoundError:
        raise
    except OSError as error:
        raise DiskError(f"{path} cannot be read: {error.strerror}") from error


def _opened(path: Path) -> Summary:
    from .reader import open_session_store

    with open_session_store(path) as session:
        return session.summary()
