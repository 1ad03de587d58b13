"""A session on the network again: every stream as an LSL outlet, in step with the others."""

from __future__ import annotations

import dataclasses
import threading
from typing import TYPE_CHECKING

import numpy as np

from ..clock import local_clock
from ..errors import ConfigError
from .outlet import Outlet
from .playback import Playback
from .replay_source import session_start

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..session import SessionReader

SUFFIX = "-replay"
"""Follows the name and the source_id of every stream, so that nobody takes a replay for the device."""

_TICK_S = 0.01
_LINGER_S = 1.0
"""Outlets stay up this long after the last sample, so that inlets can take it."""


class _Channel:
    """One outlet with what is to be sent through it."""

    def __init__(self, session: SessionReader, name: str, origin: float, suffix: str, keep_gaps: bool) -> None:
        stream = session.stream_data(name)
        own_name = session.stream(name).meta.name or name
        info = dataclasses.replace(stream.info, source_id=f"{stream.info.source_id or own_name}{suffix}")
        self.playback = Playback(stream, origin if keep_gaps else None, close_gaps=not keep_gaps)
        self.outlet = Outlet(f"{own_name}{suffix}", info)
        self.sent = 0
        self.ended = False

    def send(self, start: float, elapsed: float, speed: float) -> None:
        """Push what is due by now."""
        while not self.ended:
            batch = self.playback.due(elapsed)
            if batch is None:
                self.ended = True
                return
            data, offsets, _ = batch
            if not len(offsets):
                return
            stamps = start + offsets / speed
            if self.outlet.info.is_string:
                self.outlet.push_text(data.tolist(), stamps.tolist())
            else:
                self.outlet.push(data, stamps)
            self.sent += len(stamps)


class Replay:
    """Publishes a session as LSL outlets: same names with a suffix, same layout, units and rate.

    Time stamps are new, with the spacing of the recorded ones on the recorder's clock: streams keep step as they
    did. Outlets are on the network from the constructor on; `run` sends.

    Parameters
    ----------
    session
        An open session, which stays the caller's to close.
    streams
        Which of its streams; None is all.
    speed
        1.0 is real time. The announced rate stays the recorded one.
    loop
        Begin again at the end of the longest stream.
    suffix
        Follows name and source_id.
    gaps
        Stay silent in gaps, as the device did. Otherwise each stream closes its own, and they lose step.

    Raises
    ------
    ConfigError
        The speed is not positive, or there is nothing to replay.
    UnknownStreamError
        The session has no such stream.
    StreamError
        An outlet cannot be opened.
    """

    def __init__(
        self,
        session: SessionReader,
        streams: Sequence[str] | None = None,
        *,
        speed: float = 1.0,
        loop: bool = False,
        suffix: str = SUFFIX,
        gaps: bool = True,
    ) -> None:
        if not 0.0 < speed < np.inf:
            raise ConfigError(f"speed is {speed!r}; give 1 for real time, 2 for twice as fast")
        names = session.streams if streams is None else list(streams)
        if not names:
            raise ConfigError(f"{session.path.name} has no stream to replay")
        origin = session_start(session)
        self._speed, self._loop = speed, loop
        self._channels: list[_Channel] = []
        try:
            for name in names:
                self._channels.append(_Channel(session, name, origin, suffix, gaps))
        except BaseException:
            self.close()
            raise
        self._length = max(channel.playback.length() for channel in self._channels)

    @property
    def names(self) -> list[str]:
        """Names of the outlets."""
        return [channel.outlet.name for channel in self._channels]

    @property
    def sent(self) -> dict[str, int]:
        """Samples sent so far, by the outlet's name."""
        return {channel.outlet.name: channel.sent for channel in self._channels}

    @property
    def length_s(self) -> float:
        """Seconds of signal in one turn, at speed 1."""
        return self._length

    def wait_for_consumers(self, timeout: float) -> bool:
        """Wait until an inlet is subscribed to every outlet; False if not within ``timeout`` seconds."""
        deadline = local_clock() + timeout
        waits = [channel.outlet.wait_for_consumers(max(0.0, deadline - local_clock())) for channel in self._channels]
        return all(waits)

    def run(self, stop: threading.Event | None = None, progress: Callable[[float], object] | None = None) -> None:
        """Send until the end, or until ``stop`` is set; ``progress`` is called with the seconds of signal sent.

        Raises
        ------
        SessionDamagedError
            A chunk cannot be read.
        """
        stop = threading.Event() if stop is None else stop
        start = local_clock()
        while not stop.is_set():
            elapsed = (local_clock() - start) * self._speed
            for channel in self._channels:
                channel.send(start, elapsed, self._speed)
            if progress is not None:
                progress(min(elapsed, self._length))
            if all(channel.ended for channel in self._channels):
                if not self._loop or self._length <= 0:
                    stop.wait(_LINGER_S)
                    return
                start += self._length / self._speed
                self._rewind()
            stop.wait(_TICK_S)

    def close(self) -> None:
        """Take the outlets off the network. May be called twice."""
        for channel in self._channels:
            channel.outlet.close()

    def __enter__(self) -> Replay:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _rewind(self) -> None:
        for channel in self._channels:
            channel.playback.rewind()
            channel.ended = False
