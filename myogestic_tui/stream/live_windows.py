"""Windows of a live stream, each hop once: what a decoder is fed with."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, Any

from ..errors import ConfigError
from .hop_cutter import HopCutter

if TYPE_CHECKING:
    from typing import Self

    import numpy as np
    from numpy.typing import NDArray

    from ..session.windowing.recipe import Recipe
    from .ring_reading import RingReading

_LOOK_SECONDS = 0.5


class LiveWindows:
    """An iterator over ``(window, timestamps)`` of a stream from now on; `Stream.windows` makes one.

    It waits for the next window, and ends when the stream is stopped or ``close`` is called; nobody needs to close one
    that is not read any more. Every window has the time
    stamps of its own samples. None contains a gap: behind it windows restart.

    Attributes
    ----------
    missed
        Windows that were never handed out, because their samples were overwritten before they were asked for.
    """

    def __init__(self, stream: RingReading, recipe: Recipe) -> None:
        self._stream, self._recipe = stream, recipe
        self.more = threading.Event()
        self._cutter: HopCutter | None = None
        self._index = stream.n_received
        self._closed = False
        self._n_lost = 0
        self._ready: deque[tuple[NDArray[Any], NDArray[np.float64]]] = deque()
        stream.listen(self)

    @property
    def missed(self) -> int:
        """See the class."""
        return 0 if self._cutter is None else -(-self._n_lost // self._hop_samples)

    @property
    def gaps(self) -> int:
        """Gaps, and jumps of the stamps, so far; what was missed counts as one."""
        return 0 if self._cutter is None else self._cutter.gaps

    @property
    def dropped(self) -> int:
        """Windows that were left out for values that are no finite numbers."""
        return 0 if self._cutter is None else self._cutter.dropped

    @property
    def poll_s(self) -> float:
        """How often the source is to be asked for these windows, in seconds."""
        return max(0.01, self._recipe.cut.hop_seconds / 4)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> tuple[NDArray[Any], NDArray[np.float64]]:
        """``(n_channels, n)``, a copy; and ``(n,)`` raw stamps in seconds on the source's clock."""
        while not self._closed:
            if self._ready:
                return self._ready.popleft()
            self.more.clear()
            if self._read():
                continue
            if self._stream.ended:
                break
            self.more.wait(_LOOK_SECONDS)
        self.close()
        raise StopIteration

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Wait for no more windows; the iteration ends. May be called by any thread."""
        self._closed = True
        self.more.set()
        self._stream.unlisten(self)

    def _read(self) -> bool:
        """Take what came since the last look; whether there was anything."""
        ring, info = self._stream.ring, self._stream.info
        if ring is None or info is None:
            return False
        if self._cutter is None:  # before there are samples: what does not fit is told at once
            self._cutter = HopCutter(self._recipe, info)
            self._hop_samples = self._recipe.cut.lengths(self._recipe.stream, info)[1]
        if ring.written == self._index:
            return False
        first, data, stamps = ring.since(self._index)
        if first > self._index:
            self._n_lost += first - self._index
            self._cutter.interrupt()
        self._index = first + len(stamps)
        self._ready.extend(self._cutter.feed(data, stamps))
        return True


def check_live(recipe: Recipe) -> None:
    """Raise ConfigError for what only recorded windows can be cut with."""
    if recipe.wanted.skip_s or recipe.wanted.delay_s or recipe.channels == "good":
        raise ConfigError("a live stream has no labels and no marks yet: give channels by name, and no skip or delay")
