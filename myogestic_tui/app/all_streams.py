"""What is done with all streams of a recording at once: since when they are heard, how they begin and end."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ..session import Session
    from ..stream import Stream

DRAIN_SECONDS = 1.0
_MOST_DRAIN_SECONDS = 15.0
"""What is waited for samples of a stream that come late, once the recording is to end."""
_SAME_SECONDS = 1.0
"""Streams whose first samples are no further apart begin together."""


def all_heard_since(streams: Iterable[Stream], asked: float) -> float:
    """Since when all of the streams that are connected have been heard; ``asked`` where none is."""
    regular = [stream for stream in streams if stream.info is not None and stream.info.is_regular]
    return max((at for stream in regular if (at := stream.heard_since) is not None), default=asked)


def held_since(streams: Iterable[Stream], asked: float, before_s: float) -> float:
    """The first instant of the ``before_s`` seconds before ``asked`` that any of the streams still holds."""
    if not before_s:
        return asked
    held = [at for stream in streams if (at := stream.held_since) is not None]
    return min(max(asked - before_s, min(held, default=asked)), asked)


def begin_all(streams: list[Stream], session: Session, at: float, *, since_connected: bool, held: bool) -> None:
    """Have all streams recorded from ``at`` on, at once: what they hold waits in memory until it is written.

    One that does not hold what came at ``at`` joins when it does.
    """

    def begin(stream: Stream) -> None:
        since = stream.held_since if held and not since_connected else None
        late = since is not None and since > at + _SAME_SECONDS
        asked_at = stream.asked_at if since_connected else None
        stream.begin(session, since if late and since is not None else at, late=late, since=asked_at)

    if not streams:
        return
    with ThreadPoolExecutor(len(streams), thread_name_prefix="begin") as pool:
        list(pool.map(begin, streams))


def await_all(streams: list[Stream], drain: Callable[[Stream], bool]) -> list[str]:
    """Wait for all streams at once; return the names of those that did not answer."""
    if not streams:
        return []
    with ThreadPoolExecutor(len(streams), thread_name_prefix="drain") as pool:
        drained = list(pool.map(drain, streams))
    return [stream.name for stream, ok in zip(streams, drained, strict=True) if not ok]


def drain_seconds(stream: Stream) -> float:
    """How long to wait for samples that were taken before the stop."""
    return min(DRAIN_SECONDS + stream.lag_s, _MOST_DRAIN_SECONDS)
