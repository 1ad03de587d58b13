"""The metadata in an archive's comment, so that listing thousands of archives takes one read of each."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from ...clock.thresholds import MODEL
from ...errors import DiskError
from ..archive import zip_format as zb
from ..archive.summary_comment import decode_comment
from ..archive.zip_index import find_end, read_tail
from ..format.regular_files import open_regular
from ..format.summary import StreamSummary

if TYPE_CHECKING:
    from ..format.summary import Summary


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
    if summary is None:
        return _opened(path)
    streams = {name: _by_present_rules(stream) for name, stream in summary.streams.items()}
    return replace(summary, path=str(path), bytes=size, streams=streams)


def _by_present_rules(stream: StreamSummary) -> StreamSummary:
    """What earlier recorders counted as gaps, and as rate, is not what opening the session tells."""
    if stream.time_model == MODEL:
        return stream
    unknown = StreamSummary(**{key: getattr(stream, key) for key in ("n_samples", "n_channels", "fs", "dtype")})
    return replace(unknown, gaps=None, lost_samples=None)


def _end_of(path: Path) -> tuple[bytes, int]:
    try:
        with open(open_regular(path), "rb", buffering=0) as file:
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
