"""A stream: its source, the thread that reads it, the ring of its newest samples, and the recording it goes into."""

from __future__ import annotations

import contextlib
import logging
import threading
from typing import TYPE_CHECKING, Any

from ..clock import local_clock
from ..errors import ConfigError, MyoGesticError, SessionError, SourceError, StreamChangedError
from .chunks import check_chunk, check_same_layout
from .envelope import EnvelopeTracker
from .health import HealthMeter, StreamHealth
from .quality import QualityMeter
from .ring import RingBuffer
from .source import ClockedSource, ClockEstimate, Condition, MonitoredSource
from .take import Take

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ..info import StreamInfo
    from ..session import Session
    from .envelope import ViewLike
    from .quality import Quality
    from .source import Source

_log = logging.getLogger(__name__)
POLL_SECONDS = 0.2
"""How often a worker looks for samples where nobody watches (wake-ups dominate the cost)."""
_DRAIN_POLL_SECONDS = 0.01
_RETRY_SECONDS = 0.5
_KEPT_ESTIMATES = 720
FOREIGN_SECONDS = 60.0
"""Stamps further than this from now are in no clock that can be compared."""


class Stream:
    """A named stream that is read in a thread of its own.

    Parameters
    ----------
    name
        Its name in sessions.
    source
        Where the samples come from.
    window_seconds
        What `get_window` gives by default.
    buffer_seconds
        What the ring holds.
    record
        Whether the next recording takes it.
    required
        Whether its absence is an error.

    Attributes
    ----------
    info
        Its layout; None until it has connected once.
    message
        What is wrong with it, empty where nothing is.
    poll_interval
        Seconds between looks for samples.

    Raises
    ------
    ConfigError
        The name is empty, or a duration is not positive.
    """

    def __init__(
        self,
        name: str,
        source: Source,
        window_seconds: float = 1.0,
        buffer_seconds: float = 10.0,
        *,
        record: bool = True,
        required: bool = False,
    ) -> None:
        if not name:
            raise ConfigError("a stream needs a name")
        if window_seconds <= 0 or buffer_seconds <= 0:
            raise ConfigError(f"{name}: window_seconds and buffer_seconds must be more than 0")
        self.name = name
        self.source = source
        self.window_seconds = window_seconds
        self.buffer_seconds = max(buffer_seconds, window_seconds)
        self.record = record
        self.required = required
        self.info: StreamInfo | None = None
        self.message = ""
        self.poll_interval = POLL_SECONDS
        self._connected = False
        self._ring: RingBuffer | None = None
        self._health: HealthMeter | None = None
        self._quality: QualityMeter | None = None
        self._envelope: EnvelopeTracker | None = None
        self._estimates: list[ClockEstimate] = []
        self._foreign = False
        self._take: Take | None = None
        self._deadline = 0.0
        self._recording = threading.Lock()
        self._wake = threading.Event()
        self._end = threading.Event()
        self._thread: threading.Thread | None = None

    # ---------------------------------------------------------------- life

    def start(self) -> None:
        """Start the worker; it connects, and keeps trying. Starting twice does nothing."""
        if self._thread is not None and self._thread.is_alive():
            return
        self._end.clear()
        self._thread = threading.Thread(target=self._run, name=f"stream-{self.name}", daemon=True)
        self._thread.start()

    def stop(self, timeout: float = 3.0) -> bool:
        """End the worker and disconnect; False where the source did not return in time."""
        self._end.set()
        self._wake.set()
        if self._thread is None:
            return True
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            while not self._end.is_set():
                if self._connected or self._connect():
                    self._read_once()
                    self._settle()
                    self._wait(_DRAIN_POLL_SECONDS if self._ending() else self.poll_interval)
                else:
                    self._settle()
                    self._wait(_RETRY_SECONDS)
        finally:
            self._disconnect()

    def _wait(self, seconds: float) -> None:
        self._wake.wait(seconds)
        self._wake.clear()

    def _connect(self) -> bool:
        try:
            info = self.source.connect()
            if self.info is not None:
                check_same_layout(self.name, self.info, info)
        except StreamChangedError as error:
            self._disconnect()
            self.message = str(error)
            return False
        except Exception as error:
            self._fault("cannot connect", error)
            return False
        if self._ring is None:
            self._prepare(info)
        self.info, self._connected, self.message = info, True, ""
        with self._recording:
            self._join(self._take)
        return True

    def _prepare(self, info: StreamInfo) -> None:
        self._ring = RingBuffer(info, self.buffer_seconds)
        self._health = HealthMeter(info)
        self._quality = QualityMeter(info)
        self._envelope = EnvelopeTracker(info, self._ring)

    def _disconnect(self) -> None:
        self._connected = False
        with contextlib.suppress(Exception):
            self.source.disconnect()

    def _fault(self, what: str, error: Exception) -> None:
        known = isinstance(error, MyoGesticError)
        if not known:
            _log.warning("%s: %s", self.name, what, exc_info=error)
        self._disconnect()
        self.message = str(error) if known else f"{self.name}: {what}: {type(error).__name__}: {error}"

    # ---------------------------------------------------------------- one look for samples

    def _read_once(self) -> None:
        assert self.info is not None
        try:
            data, timestamps = self.source.read()
            data, timestamps = check_chunk(self.name, self.info, data, timestamps)
        except SourceError as error:
            self.message = str(error)
            return
        except Exception as error:
            self._fault("read() failed", error)
            return
        self._take_estimates()
        if len(timestamps):
            self._take_samples(data, timestamps)

    def _take_samples(self, data: NDArray[Any], timestamps: NDArray[np.float64]) -> None:
        assert self.info is not None
        assert self._ring is not None
        assert self._health is not None
        assert self._quality is not None
        now = local_clock()
        if self._ring.written == 0:
            self._foreign = abs(float(timestamps[0]) + self.clock_offset - now) > FOREIGN_SECONDS
        self._ring.write(data, timestamps)
        self._health.feed(timestamps, data.nbytes, now)
        self._quality.feed(data)
        with self._recording:
            if self._take is not None:
                self._record(self._take, data, timestamps)

    def _record(self, take: Take, data: NDArray[Any], timestamps: NDArray[np.float64]) -> None:
        try:
            take.add(data, timestamps, self.clock_offset, self._foreign)
        except SessionError as error:
            self._drop_take(take, error)

    def _drop_take(self, take: Take, error: MyoGesticError) -> None:
        self.message = f"{self.name} is not recorded any more: {error}"
        _log.warning("%s", self.message)
        take.done.set()
        self._take = None

    def _take_estimates(self) -> None:
        if not isinstance(self.source, ClockedSource):
            return
        new = self.source.take_clock_estimates()
        if not new:
            return
        self._estimates = [*self._estimates, *new][-_KEPT_ESTIMATES:]
        if self._health is not None:
            self._health.clock(self._estimates)
        with self._recording:
            if self._take is not None and self.info is not None:
                self._store_estimates(self._take, new)

    def _store_estimates(self, take: Take, estimates: list[ClockEstimate]) -> None:
        try:
            take.session.add_clock_estimates(self.name, estimates)
        except SessionError as error:
            self._drop_take(take, error)

    @property
    def clock_offset(self) -> float:
        """The newest clock offset: ``recorder time = stamp + offset``, seconds; 0 where there is none."""
        return self._estimates[-1].offset if self._estimates else 0.0

    # ---------------------------------------------------------------- recording

    @property
    def recording(self) -> bool:
        """Whether it belongs to a recording now, connected or not."""
        return self._take is not None

    def begin(self, session: Session, at: float) -> None:
        """From now on append every sample stamped at or after ``at`` (recorder's clock, s) to the session.

        A stream that has not connected yet joins when it does.
        """
        take = Take(session, self.name, at)
        with self._recording:
            if self._take is not None:
                return
            self._take = take
            if self.info is not None:
                self._join(take, late=False)
        self._wake.set()

    def _join(self, take: Take | None, *, late: bool = True) -> None:
        if take is None or self.info is None:
            return
        try:
            take.join(self.info, local_clock() if late else None)
            if self._estimates:
                self._store_estimates(take, self._estimates)
        except (SessionError, StreamChangedError) as error:
            self._drop_take(take, error)

    def finish(self, at: float, timeout: float = 1.0) -> bool:
        """Append what was stamped up to ``at`` (recorder's clock, s), then leave the session.

        Returns
        -------
        bool
            True where the stream was heard beyond ``at``, or has nothing more to say; False where ``timeout`` seconds
            passed first. What had arrived by then is stored either way.
        """
        take = self._take
        if take is None:
            return True
        self._deadline = at + timeout
        take.end = at
        self._wake.set()
        take.done.wait(timeout + 2 * self.poll_interval)
        with self._recording:
            self._take = None
        return take.drained

    def _ending(self) -> bool:
        take = self._take
        return take is not None and take.end is not None

    def _settle(self) -> None:
        take = self._take
        if take is not None and take.end is not None:
            take.is_over(self.info if self._connected else None, self.health().age_s, self._deadline)

    # ---------------------------------------------------------------- looking at it

    def get_window(self, seconds: float | None = None) -> NDArray[Any]:
        """The newest samples, channels first.

        Parameters
        ----------
        seconds
            How much, in seconds of the nominal rate (an irregular stream gives everything it holds); None is
            ``window_seconds``.

        Returns
        -------
        array
            ``(n_channels, n_samples)``, a copy; fewer samples while the ring fills, ``(0, 0)`` until it has connected.
        """
        import numpy as np

        if self._ring is None or self.info is None:
            return np.empty((0, 0))
        return np.ascontiguousarray(self._ring.newest(self._count(seconds))[0].T)

    def get_timestamps(self, seconds: float | None = None) -> NDArray[np.float64]:
        """Raw time stamps ``(n_samples,)`` of what `get_window` gives, in seconds on the source's clock."""
        import numpy as np

        if self._ring is None:
            return np.empty(0)
        return self._ring.newest(self._count(seconds))[1]

    def _count(self, seconds: float | None) -> int:
        assert self.info is not None
        assert self._ring is not None
        wanted = self.window_seconds if seconds is None else seconds
        return round(wanted * self.info.fs) if self.info.is_regular else self._ring.capacity

    def health(self) -> StreamHealth:
        """A snapshot of how it is; never blocks."""
        return self._health.snapshot(local_clock(), foreign=self._foreign) if self._health is not None else StreamHealth()

    def quality(self) -> tuple[Quality, ...]:
        """Signal quality of each channel over the last second; empty until there is one."""
        return self._quality.latest if self._quality is not None else ()

    def condition(self) -> Condition:
        """What its source says of itself."""
        if isinstance(self.source, MonitoredSource):
            return self.source.condition()
        return Condition("live" if self._connected or self.info is None else "lost")

    def envelope(self, view: ViewLike) -> tuple[float, NDArray[np.float32], NDArray[np.float32]]:
        """Least and greatest values per column; see `EnvelopeTracker.draw`."""
        import numpy as np

        if self._envelope is None:
            nothing = np.full((0, view.columns), np.nan, dtype=np.float32)
            return 0.0, nothing, nothing
        return self._envelope.draw(view)
