"""What a stream gives of its newest samples, and how often it looks for them."""

from __future__ import annotations

import threading
from abc import abstractmethod
from typing import TYPE_CHECKING, Any
from weakref import ref

import numpy as np

from ..errors import ConfigError
from ..info import samples_in

if TYPE_CHECKING:
    from typing import Unpack

    from numpy.typing import NDArray

    from ..info import StreamInfo
    from ..session.windowing.recipe import WindowOptions
    from .live_windows import LiveWindows
    from .ring import RingBuffer

POLL_SECONDS = 0.2
"""How often a worker looks for samples where nobody watches (wake-ups dominate the cost)."""


class RingReading:
    """Windows of a stream's ring.

    Attributes
    ----------
    poll_s
        Seconds between looks for samples, which nothing else overrides; None leaves it to the recorder and to those
        who read `windows`.
    """

    name: str
    info: StreamInfo | None
    window_seconds: float
    poll_s: float | None
    _ring: RingBuffer | None

    def __init__(self, poll_s: float | None) -> None:
        if poll_s is not None and not 0 < poll_s < np.inf:
            raise ConfigError(f"poll_s is {poll_s!r}; give seconds, more than 0, or None")
        self.poll_s = poll_s
        self.recorder_poll_s = POLL_SECONDS
        """What the recorder asks for: less while somebody watches."""
        self._listeners: tuple[ref[LiveWindows], ...] = ()
        self._joining = threading.Lock()

    @property
    def poll_interval(self) -> float:
        """Seconds between looks for samples, as they are now."""
        if self.poll_s is not None:
            return self.poll_s
        return min([self.recorder_poll_s, *(one.poll_s for one in self._listening())])

    @property
    def ring(self) -> RingBuffer | None:
        """Its newest samples; None until it has connected."""
        return self._ring

    @property
    @abstractmethod
    def n_received(self) -> int:
        """Samples that its source has given since it connected first."""

    @property
    @abstractmethod
    def ended(self) -> bool:
        """Whether it was stopped."""

    @abstractmethod
    def _look_soon(self) -> None:
        """Let the worker look for samples at once."""

    def windows(self, win_s: float, hop_s: float, **options: Unpack[WindowOptions]) -> LiveWindows:
        """Windows from now on, each hop once: ``for window, timestamps in stream.windows(0.2, 0.1)``.

        They are cut as `session.windows` cuts recorded ones: ``channels`` (by name or number), ``filter``, ``resample``
        and ``on_nan`` (``"drop"`` unless given) are those of `WindowOptions`. The source is asked for samples four
        times a hop meanwhile, at least.

        Parameters
        ----------
        win_s, hop_s
            Length of a window, and from the start of one to the start of the next, in seconds.

        Raises
        ------
        ConfigError
            A length or an option is not usable; for what depends on the stream's layout, once that is known.
        """
        from ..session.signal.window_bounds import Cut
        from ..session.windowing.recipe import PLAIN, Recipe
        from .live_windows import LiveWindows, check_live

        recipe = Recipe.of(self.name, Cut(win_s, hop_s), None, options, {**PLAIN, "on_nan": "drop"})
        check_live(recipe)
        return LiveWindows(self, recipe)

    def listen(self, listener: LiveWindows) -> None:
        """Tell it from now on that samples came, as long as it is held by somebody."""
        with self._joining:
            self._listeners = (*map(ref, self._listening()), ref(listener))
        self._look_soon()

    def unlisten(self, listener: LiveWindows) -> None:
        """Tell it no more."""
        with self._joining:
            self._listeners = tuple(ref(one) for one in self._listening() if one is not listener)

    def _listening(self) -> list[LiveWindows]:
        return [one for listener in self._listeners if (one := listener()) is not None]

    def _tell_listeners(self) -> None:
        for listener in self._listening():
            listener.more.set()

    def get_window(self, seconds: float | None = None) -> tuple[NDArray[Any], NDArray[np.float64]]:
        """The newest samples, channels first, and their time stamps: both of the same instant.

        They move on whenever the worker looks for samples (`poll_interval`: every 0.2 s, every 0.1 s while somebody
        watches, every 0.05 s under screens of this process, or every ``poll_s``), so that a script that asks more often
        gets the same again. `windows` gives each hop once.

        Parameters
        ----------
        seconds
            How much, in seconds of the nominal rate (of the stamps, where the rate is irregular); None is
            ``window_seconds``.

        Returns
        -------
        data
            ``(n_channels, n_samples)``, a copy; fewer samples while the ring fills, ``(0, 0)`` until it has connected.
        timestamps
            ``(n_samples,)`` raw, in seconds on the source's clock.
        """
        if self._ring is None or self.info is None:
            return np.empty((0, 0)), np.empty(0)
        data, timestamps = self._newest(self._ring, self.info, seconds)
        return np.ascontiguousarray(data.T), timestamps

    def get_timestamps(self, seconds: float | None = None) -> NDArray[np.float64]:
        """Raw time stamps ``(n_samples,)`` of what `get_window` gives now, in seconds on the source's clock.

        Of another instant than a window that was got before: take those that came with it.
        """
        if self._ring is None or self.info is None:
            return np.empty(0)
        return self._newest(self._ring, self.info, seconds)[1]

    def _newest(
        self, ring: RingBuffer, info: StreamInfo, seconds: float | None
    ) -> tuple[NDArray[Any], NDArray[np.float64]]:
        wanted = self.window_seconds if seconds is None else seconds
        if info.is_regular:
            return ring.newest(samples_in(wanted, info.fs))
        return ring.newest_lasting(wanted)
