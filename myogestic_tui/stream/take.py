"""One recording of one stream: which of its samples belong to it, and where they go."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import numpy as np

from ..clock import local_clock

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..info import StreamInfo
    from ..session import Session
    from .source import ClockEstimate

_QUIET_SECONDS = 0.15
"""How long nothing must come, after the end, from a stream that promises no rate."""
_SLOW_FS = 5.0


class Take:
    """Cuts a stream at two instants of the recorder's clock, and appends what lies between to the session.

    A stream whose stamps are not in the LSL clock is cut by arrival.

    Parameters
    ----------
    session
        Where the samples go.
    name
        The stream's name there.
    start
        First instant, seconds on the recorder's clock.
    """

    def __init__(self, session: Session, name: str, start: float) -> None:
        self.session = session
        self.name = name
        self.start = start
        self.end: float | None = None
        self.done = threading.Event()
        self.drained = False
        self._joined = False
        self._running = False

    def join(self, info: StreamInfo, joined_at: float | None = None) -> None:
        """Make the stream's arrays; called again, it checks that the layout is the same.

        Raises
        ------
        StreamChangedError
            The session has the stream with another layout.
        SessionError
            The session cannot take it.
        """
        if not self._joined:
            self.session.init_stream(self.name, info, joined_at)
            self._joined = True

    def add(self, data: NDArray[Any], timestamps: NDArray[np.float64], offset: float, foreign: bool) -> None:
        """Append what belongs to the recording.

        Parameters
        ----------
        data, timestamps
            ``(n, n_channels)`` and ``(n,)``, raw, as read.
        offset
            Seconds to add to a stamp to have it on the recorder's clock.
        foreign
            The stamps are in no clock that can be compared.
        """
        first, last = 0, len(timestamps)
        if not self._running:
            first = last if foreign else _first_from(timestamps + offset, self.start)
            self._running = foreign or first < last
        if self.end is not None and not foreign:
            last = _first_after(timestamps + offset, self.end)
            if last < len(timestamps):
                self._finish(drained=True)
        if first < last:
            self.session.append(self.name, data[first:last], timestamps[first:last])

    def is_over(self, info: StreamInfo | None, age_s: float | None, deadline: float) -> bool:
        """Whether nothing more is to be waited for; ``deadline`` is on the recorder's clock."""
        if self.end is None or self.done.is_set():
            return self.done.is_set()
        now = local_clock()
        promised = info is not None and info.fs >= _SLOW_FS and age_s is not None and age_s < 1.0
        if not promised and now - self.end >= _QUIET_SECONDS:
            self._finish(drained=True)
        elif now >= deadline:
            self._finish(drained=False)
        return self.done.is_set()

    def _finish(self, *, drained: bool) -> None:
        self.drained = drained
        self.done.set()


def _first_from(times: NDArray[np.float64], instant: float) -> int:
    late = np.flatnonzero(times >= instant)
    return int(late[0]) if late.size else len(times)


def _first_after(times: NDArray[np.float64], instant: float) -> int:
    late = np.flatnonzero(times > instant)
    return int(late[0]) if late.size else len(times)
