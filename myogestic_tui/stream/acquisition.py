"""A stream: its source, the thread that reads it, the ring of its newest samples, and the recording it goes into."""

from __future__ import annotations

import contextlib
import logging
import math
import threading
from typing import TYPE_CHECKING, Any

import numpy as np

from ..clock import local_clock
from ..errors import ConfigError, MyoGesticError, NotAllowedError, SourceError, StreamChangedError
from .capture_control import Taking
from .channel_settings import ChannelSettings
from .chunks import Chunk, check_chunk, check_same_layout, n_bytes
from .envelope import Envelopes
from .health import HealthMeter, StreamHealth
from .live_quality import LiveQuality
from .ring_reading import RingReading
from .source import ClockedSource, Condition, MonitoredSource, OwnedSource, ReconnectingSource

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from ..grid_layout import GridLayout
    from ..info import StreamInfo
    from .quality import Quality
    from .source import Source

_log = logging.getLogger(__name__)
_DRAIN_POLL_SECONDS = 0.01
_RETRY_SECONDS = (0.25, 0.5, 1.0, 2.0)
_FAULT_SECONDS = 30.0
"""How long a fault that has passed stays in `Stream.message`."""


class Stream(Taking, RingReading):
    """A named stream that is read in a thread of its own.

    Whatever its source does, that thread continues: a chunk that is not what `StreamInfo` says is refused whole, and a
    source that raises is reconnected, and `message` says so.

    Parameters
    ----------
    name
        Its name in sessions.
    source
        Where the samples come from.
    window_seconds
        What `get_window` gives by default.
    buffer_seconds
        What the ring holds, at least ``window_seconds``.
    record
        Whether the next recording takes it.
    required
        Whether its absence is an error.
    counter
        Channel that counts samples: its name, ``"channel 65"`` or 65 (from 1). Losses are then exact, also those that
        time stamps cannot tell. A stream without that channel is recorded all the same, and `message` says so.
    montage
        Where its electrodes are: a `GridLayout` for each array. A stream that it does not fit is recorded without, and
        `message` says so. Empty: as the source's `StreamInfo` has it.
    poll_s
        Seconds between looks for samples, whoever watches; None leaves it to the recorder, which looks every 0.2 s,
        every 0.1 s while somebody watches, and every 0.05 s under screens of its own process.

    Attributes
    ----------
    info
        Its layout; None until it has connected once.
    told
        Counter and montage, as they were given.
    message
        What is wrong with it, empty where nothing is.

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
        counter: str | int | None = None,
        montage: Iterable[GridLayout] = (),
        poll_s: float | None = None,
    ) -> None:
        if not name:
            raise ConfigError("a stream needs a name")
        if window_seconds <= 0 or buffer_seconds <= 0:
            raise ConfigError(f"{name}: window_seconds and buffer_seconds must be more than 0")
        RingReading.__init__(self, poll_s)
        Taking.__init__(self, name, compared=isinstance(source, ClockedSource))
        self.source = source
        self.window_seconds = window_seconds
        self.buffer_seconds = max(buffer_seconds, window_seconds)
        self.record = record
        self.required = required
        self.told = ChannelSettings(name, counter, montage)
        # Asked once: isinstance with a protocol costs more than reading a chunk.
        self._clocked = source if isinstance(source, ClockedSource) else None
        self._monitored = source if isinstance(source, MonitoredSource) else None
        self._reconnecting = source if isinstance(source, ReconnectingSource) else None
        if isinstance(source, OwnedSource):
            source.owner = name
        self._refused = ""
        self._logged = ""
        self._n_failures = 0
        self._n_bad_chunks = 0
        self._envelopes: Envelopes | None = None
        self._quality: LiveQuality | None = None
        self._end = threading.Event()

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
        self._look_soon()
        self._tell_listeners()
        if self._thread is None:
            return True
        self._thread.join(timeout)
        return not self._thread.is_alive()

    @property
    def ended(self) -> bool:
        """Whether it was stopped."""
        return self._end.is_set()

    def _look_soon(self) -> None:
        self._wake.set()

    def reconnect(self, uid: str = "") -> None:
        """Reconnect to its outlet, also while it is recorded; what comes meanwhile is missing.

        Parameters
        ----------
        uid
            The outlet that it is to be at from now on; empty: the one that it is at, or its successor.

        Raises
        ------
        NotAllowedError
            Its source is none of LSL.
        """
        if self._reconnecting is None:
            raise NotAllowedError(f"{self.name} is no LSL stream; only those can be reconnected")
        self._interruption = "reconnected by the operator"
        self._reconnecting.reconnect(uid)
        self._wake.set()

    def _run(self) -> None:
        try:
            # Devices send NaN, Inf and huge values; NumPy need not mention it on the terminal.
            with np.errstate(all="ignore"):
                while not self._end.is_set():
                    self._turn()
                    self._wait()
        finally:
            self._disconnect()

    def _turn(self) -> None:
        try:
            if self._connected or self._connect():
                self._poll()
            self._watch_end()
        except Exception as error:
            _log.exception("%s", self.name)
            self.message = f"{self.name}: internal error: {type(error).__name__}: {error}"
            self._message_until = local_clock() + _FAULT_SECONDS

    def _wait(self) -> None:
        if not self._connected:
            seconds = _RETRY_SECONDS[min(self._n_failures, len(_RETRY_SECONDS)) - 1]
        else:
            take = self._take
            seconds = _DRAIN_POLL_SECONDS if take is not None and take.end is not None else self.poll_interval
        self._wake.wait(seconds)
        self._wake.clear()

    # ---------------------------------------------------------------- connecting

    def _connect(self) -> bool:
        asked_at = local_clock()
        try:
            info = self.source.connect()
            if self.info is not None:
                check_same_layout(self.name, self.info, info)
        except StreamChangedError as error:
            self._refused = str(error)
            self._lose(self._refused)
            return False
        except Exception as error:
            self._lose(self._told("connect() failed", error))
            return False
        info = self.told.added_to(info)
        if self._ring is None:
            self._reads.began = asked_at
            self._prepare(info)
        self._refused, self._n_failures, self.heard_since = "", 0, None
        self.asked_at = asked_at
        self._times.restart()
        if self._message_until is None:
            self.message = self.told.message
        with self._cutting:
            self.info, self._connected = info, True
            self._join(local_clock())
        return True

    def set_montage(self, montage: Iterable[GridLayout]) -> None:
        """Say where its electrodes are from now on; nothing: as its source has it.

        Raises
        ------
        NotAllowedError
            It is being recorded.
        ConfigError
            It does not fit the stream's channels; what was before stays.
        """
        with self._cutting:
            if self.recording:
                raise NotAllowedError(f"{self.name} is being recorded; stop first, then change its montage")
            before = self.told.message
            self.info = self.told.set_montage(montage) or self.info
            if self.message == before:
                self.message = self.told.message

    def _prepare(self, info: StreamInfo) -> None:
        self._ring = self._make_ring(info)
        self._health = HealthMeter(info)
        self._quality = LiveQuality(info, self._ring)
        self._envelopes = None if info.is_string else Envelopes(info, self._ring)
        self._restart_counts()

    def _lose(self, message: str) -> None:
        """Not connected any more, or not yet: say why, and try again after a while."""
        self._disconnect()
        self._n_failures += 1
        self.message, self._message_until = message, None

    def _disconnect(self) -> None:
        if self._connected:
            self._interruption = "source was lost"
        self._connected = False
        with contextlib.suppress(Exception):
            self.source.disconnect()

    def _told(self, what: str, error: Exception) -> str:
        if isinstance(error, MyoGesticError) and not isinstance(error, SourceError):
            return str(error)
        if isinstance(error, SourceError):
            return f"{self.name}: SourceError: {str(error).removeprefix(f'{self.name}: ')}"
        words = f"{self.name}: SourceError: {what}: {type(error).__name__}: {error}"
        if words != self._logged:  # a device that is away raises the same at every try
            self._logged = words
            _log.warning("%s: %s", self.name, what, exc_info=error)
        return words

    # ---------------------------------------------------------------- one look for samples

    def _poll(self) -> None:
        assert self.info is not None
        read_at = local_clock()
        ends = self._take is not None and self._take.end is not None
        self._held_back = ends and self._reconnecting is not None and self._reconnecting.release()
        try:
            data, timestamps = self.source.read()
        except SourceError as error:
            self._refuse_chunk(error, read_at)
        except Exception as error:
            told = self._told("read() failed", error)
            self._lose(told)
            self._message_until = read_at + _FAULT_SECONDS
            return
        else:
            self._check_and_take(data, timestamps, read_at)
        self._look_after(read_at)

    def _check_and_take(self, data: Any, timestamps: Any, read_at: float) -> None:
        assert self.info is not None
        try:
            data, timestamps = check_chunk(self.name, self.info, data, timestamps)
        except SourceError as error:
            self._refuse_chunk(error, read_at)
            return
        self._take_estimates()
        if len(timestamps):
            self._take_samples(data, timestamps, read_at)

    def _take_estimates(self) -> None:
        new = self._clocked.take_clock_estimates() if self._clocked is not None else []
        if new:
            with self._cutting:
                self._clock.add(new)
                self._store_estimates(new)

    def _refuse_chunk(self, error: SourceError, now: float) -> None:
        self._n_bad_chunks += 1
        count = f" ({self._n_bad_chunks} times)" if self._n_bad_chunks > 1 else ""
        self.message = self._told("read() failed", error) + count
        self._message_until = now + _FAULT_SECONDS

    def _take_samples(self, data: NDArray[Any], timestamps: NDArray[np.float64], read_at: float) -> None:
        assert self._ring is not None
        assert self._health is not None
        now = local_clock()
        times = self._times.of(timestamps, now)
        self._note_first(times, now)
        with self._cutting:
            self._explain_gap(timestamps)
            self._keep(data, timestamps, now)
            kept = self._record(Chunk(data, timestamps, times, read_at, now))
            self._note_recorded(self._ring.written - len(timestamps), kept)
            self._health.feed(timestamps, n_bytes(data), now, kept, self._counted(data))
        self._last_stamp = float(timestamps[-1])
        self._tell_listeners()

    def _look_after(self, now: float) -> None:
        """What is due at every poll, samples or none: a source that brought some need not be asked how it is."""
        assert self._health is not None
        came = bool(self._reads) and self._reads.newest_at >= now
        condition = None if came or self._monitored is None else self._monitored.condition()
        if condition is not None and condition.state != "live":
            self._interruption = condition.cause or condition.message or "stream was lost"
        if self._message_until is not None and now > self._message_until:
            self.message, self._message_until, self._n_bad_chunks = "", None, 0
        if self._health.tick(now, self._clock) and self._quality is not None:
            self._quality.tick(now, self._arrived_at)

    @property
    def _arrived_at(self) -> float:
        return self._reads.newest_at if self._reads else -math.inf

    # ---------------------------------------------------------------- looking at it

    def health(self) -> StreamHealth:
        """A snapshot of how it is; never blocks for long."""
        if self._health is None:
            return StreamHealth()
        return self._health.snapshot(local_clock(), self._clock, lag_s=self.lag_s)

    def pace(self) -> tuple[float | None, float | None]:
        """``age_s`` and ``measured_fs`` of `health`, at a fraction of its cost."""
        return (None, None) if self._health is None else self._health.pace(local_clock())

    def quality(self) -> tuple[Quality, ...]:
        """Signal quality of each channel over the last second; empty until there is one, and while nothing comes.

        Measured each second while somebody asks, and else when somebody asks again.
        """
        return () if self._quality is None else self._quality.ask(local_clock(), self._arrived_at)

    def condition(self) -> Condition:
        """How the connection to its source is: live, lost, or refused, and why."""
        if self._refused:
            return Condition("refused", self._refused)
        if self._connected and self._monitored is not None:
            return self._monitored.condition()
        return Condition("live") if self._connected or self.info is None else Condition("lost", self.message)

    @property
    def envelopes(self) -> Envelopes | None:
        """Draws its newest samples; None until it has connected, and where they are text."""
        return self._envelopes
