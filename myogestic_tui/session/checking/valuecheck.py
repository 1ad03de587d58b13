"""What the values of a stream show that a person should know and that real devices do: gaps, steps back, NaN."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ...clock.gaps import GapTracker
from ..format.findings import Finding, observation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

_BLOCK_ROWS = 1 << 16


class Count:
    """How often something was seen, and at which sample first."""

    def __init__(self) -> None:
        self.n = 0
        self.first = -1

    def add(self, where: NDArray[np.bool_], first_sample: int) -> None:
        """Count the True ones of ``(n,)`` samples, the first of which is `first_sample`."""
        n = int(np.count_nonzero(where))
        if n and not self.n:
            self.first = first_sample + int(np.argmax(where))
        self.n += n

    def finding(self, stream: str, member: str, what: str) -> Iterator[Finding]:
        """An observation with the count, if there is anything to tell."""
        if self.n:
            text = f"{stream}: {what}: {self.n}, the first is sample {self.first}"
            yield observation(text, stream=stream, member=member)


class SampleCheck:
    """NaN and infinite values among samples."""

    def __init__(self) -> None:
        self._nan, self._inf = Count(), Count()

    def feed(self, first: int, rows: NDArray[Any]) -> None:
        """Look at ``(n, n_channels)`` samples, the first of which is sample `first`."""
        if rows.dtype.kind != "f":
            return
        for start in range(0, len(rows), _BLOCK_ROWS):
            block = rows[start : start + _BLOCK_ROWS]
            if not np.isfinite(block).all():
                self._nan.add(np.isnan(block).any(axis=1), first + start)
                self._inf.add(np.isinf(block).any(axis=1), first + start)

    def findings(self, stream: str, member: str) -> Iterator[Finding]:
        """What was seen."""
        yield from self._nan.finding(stream, member, "samples with NaN")
        yield from self._inf.finding(stream, member, "samples with infinite values")


class StampCheck:
    """Gaps, repeats, steps back and non-numbers among time stamps, fed in order; holes between are no gaps.

    Parameters
    ----------
    fs
        Nominal rate in Hz; 0 for irregular.
    """

    def __init__(self, fs: float) -> None:
        self.fs = fs
        self.first: float | None = None
        """The first finite stamp, seconds on the source's clock."""
        self.last: float | None = None
        self.n_gaps, self.gap_seconds, self._first_gap = 0, 0.0, -1
        self._repeats, self._back, self._unusable = Count(), Count(), Count()
        self._expected = self._base = 0
        self._previous = np.empty(0)
        self._tracker = GapTracker(fs)

    def feed(self, first: int, stamps: NDArray[np.float64]) -> None:
        """Look at ``(n,)`` stamps, the first of which is that of sample `first`."""
        if first != self._expected:
            self._restart(first)
        steps = np.diff(stamps, prepend=self._previous)
        offset = first + 1 - len(self._previous)
        self._repeats.add(steps == 0, offset)
        self._back.add(steps < 0, offset)
        self._unusable.add(~np.isfinite(stamps), first)
        self._count_gaps(self._tracker.feed(stamps))
        self._note_range(stamps)
        self._expected, self._previous = first + len(stamps), stamps[-1:]

    def finish(self) -> None:
        """Decide on the last seconds; call it after the last stamps."""
        self._count_gaps(self._tracker.flush())

    def findings(self, stream: str, member: str) -> Iterator[Finding]:
        """What was seen."""
        if self.n_gaps:
            more = " or more" if self._tracker.overrun else ""
            text = (
                f"gaps: {self.n_gaps}{more}, {self.gap_seconds:.3f} s in all, the first before sample {self._first_gap}"
            )
            yield observation(f"{stream}: {text}", stream=stream, member=member)
        if self.fs > 0:
            yield from self._repeats.finding(stream, member, "time stamps that repeat the one before")
        yield from self._back.finding(stream, member, "time stamps that step back")
        yield from self._unusable.finding(stream, member, "time stamps that are NaN or infinite")

    def _restart(self, first: int) -> None:
        self.finish()
        self._tracker, self._base, self._previous = GapTracker(self.fs), first, np.empty(0)

    def _count_gaps(self, gaps: list[Any]) -> None:
        if gaps and not self.n_gaps:
            self._first_gap = self._base + gaps[0].index
        self.n_gaps += len(gaps)
        self.gap_seconds += sum(gap.seconds for gap in gaps)

    def _note_range(self, stamps: NDArray[np.float64]) -> None:
        usable = stamps[np.isfinite(stamps)]
        if len(usable):
            self.first = float(usable[0]) if self.first is None else self.first
            self.last = float(usable[-1])
