"""A recorded stream as a live one: same samples, same spacing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ..clock import local_clock
from ..errors import ConfigError, SessionError, StreamNotFoundError
from ..stream.source import ClockEstimate
from .playback import Playback

if TYPE_CHECKING:
    from os import PathLike

    from numpy.typing import NDArray

    from ..info import StreamInfo
    from ..session import SessionReader


class ReplaySource:
    """A stream of a session as a `Source`, to run a prediction path on what was recorded.

    Parameters
    ----------
    session_path
        Folder or archive, in any state.
    stream_name
        One of its streams.
    speed
        1.0 is real time; 2.0 twice as fast; 0 hands out a block of about 4 s with every read, as fast as it is asked.
    loop
        Begin again at the end. Otherwise reads are empty from there on and `finished` is true.
    gaps
        Keep silent for as long as the recording has gaps. Otherwise they are closed, and the streams of one session
        no longer keep step with each other.
    timestamps
        ``"new"``: the recorder's clock, as if samples were taken now; at speed 0 the recorded spacing from now on.
        ``"recorded"``: the raw ones, with the recorded clock offsets as estimates. They step back when it begins again.
    start_at
        Instant (recorder's clock) that the beginning of the session's first stream falls on, to keep several streams
        in step; None: the first sample of this stream is due when `connect` is called.

    Raises
    ------
    ConfigError
        The speed is negative or no number, or ``timestamps`` is neither.
    """

    def __init__(
        self,
        session_path: str | PathLike[str],
        stream_name: str,
        speed: float = 1.0,
        loop: bool = True,
        *,
        gaps: bool = False,
        timestamps: Literal["new", "recorded"] = "new",
        start_at: float | None = None,
    ) -> None:
        try:
            usable = 0.0 <= speed < np.inf
        except TypeError:
            usable = False
        if not usable:
            raise ConfigError(f"speed is {speed!r}; give 1 for real time, 0 for as fast as possible")
        if timestamps not in ("new", "recorded"):
            raise ConfigError(f"timestamps is {timestamps!r}; use 'new' or 'recorded'")
        self._path, self._name = session_path, stream_name
        self._speed, self._loop, self._gaps = speed, loop, gaps
        self._recorded, self._start_at = timestamps == "recorded", start_at
        self._session: SessionReader | None = None
        self._estimates: list[ClockEstimate] = []
        self.finished = False
        """True once a replay without ``loop`` has handed out its last sample."""

    def connect(self) -> StreamInfo:
        """Open the session and start the clock; called again, it starts from the beginning.

        Raises
        ------
        StreamNotFoundError
            The session cannot be read, or has no such stream.
        """
        from ..session import open_session_store

        self.disconnect()
        try:
            self._session = open_session_store(self._path)
            stream = self._session.stream_data(self._name)
        except (SessionError, OSError) as error:
            self.disconnect()
            raise StreamNotFoundError(f"cannot replay {self._name}: {error}") from error
        origin = session_start(self._session) if self._start_at is not None else None
        self._playback = Playback(stream, origin, close_gaps=not self._gaps)
        self._length = self._playback.length() if self._loop else np.inf
        self._start = local_clock() if self._start_at is None else self._start_at
        self._estimates = _estimates(self._session, self._name) if self._recorded else []
        self._dtype, self.finished = stream.info, False
        return stream.info

    def read(self) -> tuple[NDArray[Any], NDArray[np.float64]]:
        """Take the samples that are due, at most about 4 s of them; see `Source.read`."""
        if self._session is None or self.finished:
            return self._nothing()
        elapsed = (local_clock() - self._start) * self._speed if self._speed else np.inf
        batch = self._playback.due(elapsed)
        if batch is None:
            if not self._loop or self._length <= 0:
                self.finished = True
                return self._nothing()
            self._playback.rewind()
            self._start += self._length / (self._speed or 1.0)
            return self._nothing() if self._speed else self.read()
        data, offsets, recorded = batch
        stamps = recorded if self._recorded else self._start + offsets / (self._speed or 1.0)
        return data.copy(), stamps.copy()

    def disconnect(self) -> None:
        """Close the session. May be called twice."""
        session, self._session = self._session, None
        if session is not None:
            session.close()

    def take_clock_estimates(self) -> list[ClockEstimate]:
        """The recorded ones, once, where the recorded stamps are handed out; see `ClockedSource`."""
        estimates, self._estimates = self._estimates, []
        return estimates

    def _nothing(self) -> tuple[NDArray[Any], NDArray[np.float64]]:
        if self._session is None:
            return np.empty((0, 0)), np.empty(0)
        return np.empty((0, self._dtype.n_channels), self._dtype.np_dtype), np.empty(0)


def session_start(session: SessionReader) -> float:
    """Corrected time of the earliest first sample of all streams; 0.0 where there is none."""
    firsts = []
    for name in session.streams:
        stream = session.stream_data(name)
        if stream.n_samples:
            firsts.append(float(stream.times(0, 1)[0]))
    return min((first for first in firsts if np.isfinite(first)), default=0.0)


def _estimates(session: SessionReader, name: str) -> list[ClockEstimate]:
    clock = session.stream(name).clock
    return [] if clock is None else [ClockEstimate(*row) for row in clock.rows(0, clock.n_rows).tolist()]
