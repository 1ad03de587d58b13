"""What all time stamps and clock offsets of a stream tell together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from msgspec.structs import replace

from ...clock import fit_offsets
from ...errors import SessionDamagedError
from ..format.arrays import chunk_spans
from ..format.measure import CLOCK_SET, GapWatch
from ..format.meta import GapRecord
from ..signal.correction import Correction
from ..signal.gaps import GapFinder

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from ..format.arrays import Rows
    from ..format.meta import StreamMeta


def measure_stream(
    meta: StreamMeta, stamps: Rows, clock: Rows | None, report: Callable[[str], None] | None = None
) -> StreamMeta:
    """``meta`` with its samples, their first and last stamp, and its gaps.

    Parameters
    ----------
    meta
        What the stream declares.
    stamps
        ``(n_samples,)`` seconds, raw.
    clock
        ``(k, 4)`` clock estimates, if there are any.
    report
        Told which stamps cannot be read, a sentence each; they are left out then. Without it they raise.

    Raises
    ------
    SessionDamagedError
        Stamps cannot be read.
    """
    known = stamps if report is None else _KnownStamps(stamps, report)
    n, length = stamps.n_rows, stamps.spec.chunk_length
    watch = GapWatch(meta.name, meta.fs)
    finder = GapFinder(meta.fs, watch) if meta.fs > 0 else None
    correct = Correction(fit_offsets(np.empty((0, 4)) if clock is None else clock.rows(0, clock.n_rows)), known)
    ends = [np.nan, np.nan]
    for start in range(0, n, length):
        raw = known.rows(start, min(start + length, n))
        if finder is not None:
            finder.feed(start, raw, correct(raw, start))
        ends = [float(raw[0]) if start == 0 else ends[0], float(raw[-1])]
    first, last = (None if np.isnan(end) else end for end in ends)
    gaps = [] if finder is None else _records(watch, finder)
    return replace(meta, n_samples=n, first_timestamp=first, last_timestamp=last, gaps=gaps)


def _records(watch: GapWatch, finder: GapFinder) -> list[GapRecord]:
    """Gaps as ``meta.json`` lists them: with those that are none because the source's clock was set."""
    real = {gap.index: GapRecord(gap.index, gap.seconds) for gap in finder.gaps()}
    leaps = {gap.index: GapRecord(gap.index, gap.seconds, CLOCK_SET) for gap in watch.gaps if gap.index not in real}
    return [record for _, record in sorted({**leaps, **real}.items())]


class _KnownStamps:
    """Time stamps, of which those that cannot be read are NaN and told once."""

    def __init__(self, stamps: Rows, report: Callable[[str], None]) -> None:
        self.spec, self.n_rows, self.n_stored = stamps.spec, stamps.n_rows, stamps.n_stored
        self._stamps, self._report = stamps, report
        self._told: set[int] = set()

    def rows(self, start: int, stop: int) -> NDArray[Any]:
        """See `Rows.rows`."""
        rows = np.full(stop - start, np.nan)
        for number, first, last in chunk_spans(self.spec, start, stop):
            try:
                rows[first - start : last - start] = self._stamps.rows(first, last)
            except SessionDamagedError as error:
                if number not in self._told:
                    self._report(f"the time stamps of samples {first}–{last - 1} cannot be read: {error}")
                self._told.add(number)
        return rows
