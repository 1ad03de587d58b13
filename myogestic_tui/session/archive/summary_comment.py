"""The comment of an archive: its summary, for `archive_summary`."""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from ...msgspec_types import prepared
from ..archive import zip_format as zb
from ..format.summary import StreamSummary, Summary  # noqa: TC001 (msgspec needs the types)

_FORMAT = "myogestic_tui"


class _Comment(msgspec.Struct, frozen=True):
    format: str
    summary: Summary
    abridged: bool = False


def comment_bytes(summary: Summary) -> bytes:
    """The comment for a session; without its streams and labels where those would not fit into 64 kB."""
    plain = replace(summary, path="", bytes=0, verified=msgspec.UNSET, quality=msgspec.UNSET)
    whole = msgspec.json.encode(_Comment(_FORMAT, plain))
    if len(whole) <= zb.MAX_COMMENT:
        return whole
    streams: dict[str, StreamSummary] = {}
    texts = {field: getattr(plain, field)[:1000] for field in ("name", "subject", "task", "created")}
    short = replace(plain, streams=streams, labels={}, **texts)
    return msgspec.json.encode(_Comment(_FORMAT, short, abridged=True))


def decode_comment(data: bytes) -> Summary | None:
    """The summary in a comment; None where it is not one of ours, or abridged."""
    try:
        comment = msgspec.json.decode(data, type=prepared(_Comment))
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    return comment.summary if comment.format == _FORMAT and not comment.abridged else None
