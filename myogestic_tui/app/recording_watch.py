"""Watches the running recording: streams that join, are lost, come back, or are selected and live and not recorded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .streams import stream_state

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ..session import Session
    from ..stream import Stream

STANDSTILL_SECONDS = 3.0
"""A count that stands still for so long is wrong: samples stamped before the start are kept out for two seconds."""


@dataclass
class _Watched:
    """One stream of the running session."""

    stored: int = 0
    received: int = 0
    unstored_since: float | None = None
    told: bool = False
    joined: bool = False
    lost_since: float | None = None


class Watch:
    """Looks at the streams of the running session twice a second.

    Parameters
    ----------
    tell
        Called with the kind, the words and the stream of what has happened.
    """

    def __init__(self, tell: Callable[[str, str, str], object]) -> None:
        self._tell = tell
        self._session: Session | None = None
        self._streams: dict[str, _Watched] = {}
        self.not_recorded: dict[str, float] = {}
        """Since when (recorder's clock, s) a stream has been selected and live while nothing of it is stored."""

    def compare(self, session: Session | None, streams: Iterable[Stream], now: float) -> None:
        """Compare what comes with what is stored; None while nothing is recorded."""
        if session is None:
            self.not_recorded = {}
        elif session is not self._session:
            self._begin(session, streams)
        else:
            self._compare_streams(session, streams, now)
        self._session = session

    def _begin(self, session: Session, streams: Iterable[Stream]) -> None:
        from_start = {one.name for one in session.meta.all_streams.values() if one.joined_at is None}
        self._streams = {
            stream.name: _Watched(received=stream.n_received, joined=stream.name in from_start) for stream in streams
        }

    def _compare_streams(self, session: Session, streams: Iterable[Stream], now: float) -> None:
        standing = {}
        for stream in streams:
            seen = self._streams.setdefault(stream.name, _Watched(received=stream.n_received))
            stored = session.n_samples(stream.name)
            if not stream.record:
                self._streams[stream.name] = _Watched(stored, stream.n_received)
                continue
            self._compare_counts(stream, seen, stored, now)
            if seen.unstored_since is not None and now - seen.unstored_since > STANDSTILL_SECONDS:
                standing[stream.name] = seen.unstored_since
            self._notice(session, stream, seen, now)
        self.not_recorded = standing

    def _compare_counts(self, stream: Stream, seen: _Watched, stored: int, now: float) -> None:
        received = stream.n_received
        if stored != seen.stored:
            seen.stored, seen.received, seen.unstored_since, seen.told = stored, received, None, False
        elif received > seen.received and seen.unstored_since is None:
            seen.unstored_since = now
        if seen.unstored_since is not None and now - seen.unstored_since > STANDSTILL_SECONDS and not seen.told:
            seen.told = True
            self._tell("not recorded", f"{stream.name} is live, and nothing of it is recorded", stream.name)

    def _notice(self, session: Session, stream: Stream, seen: _Watched, now: float) -> None:
        if not seen.joined and stream.recorded_into(session):
            seen.joined = True
            self._tell("joined", f"{stream.name} joined the recording", stream.name)
        age, state = stream.pace()[0] or 0.0, stream_state(stream)
        if seen.joined and state in ("lost", "refused") and seen.lost_since is None:
            seen.lost_since = now - age
            self._tell("lost", f"{stream.name} lost", stream.name)
        elif seen.lost_since is not None and state in ("live", "slow") and stream.writing_since is None:
            gap, seen.lost_since = max(now - age - seen.lost_since, 0.0), None
            self._tell("back", f"{stream.name} back, gap {gap:.1f} s", stream.name)
