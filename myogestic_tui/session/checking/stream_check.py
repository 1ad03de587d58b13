"""Checks one stream: its arrays against its metadata, and what cannot be read of them, in samples and seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...errors import ConfigError, MyoGesticError
from ...info import NUMERIC_DTYPES
from ..format.findings import Finding, damage, observation
from ..format.layout import DERIVED, META, ZARR_JSON, array_name
from ..format.zarr_format import ArraySpec, decode_chunk, parse_array_json
from .array_check import ArrayCheck
from .arrival_check import ArrivalCheck
from .overview_check import OverviewCheck
from .timestamp_check import StampCheck
from .value_check import SampleCheck

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...clock import Evidence
    from ..archive.tree import Tree
    from ..format.meta import Meta, StreamMeta
    from .array_check import Hole

MAX_ARRAY_JSON = 1 << 20
"""Bytes of a ``zarr.json`` beyond which it is refused unread."""

SAMPLES, STAMPS, CLOCK, OVERVIEW, ARRIVAL = "", *DERIVED


class StreamCheck:
    """The arrays of one stream.

    Parameters
    ----------
    tree
        The session's files.
    stem
        What the arrays are called after.
    meta
        The stream in ``meta.json``; None where it is not there.
    has_arrivals
        Whether ``STEM_arrival.zarr`` is its arrival record, where it is there; in older sessions it may be a stream.
    """

    def __init__(self, tree: Tree, stem: str, meta: StreamMeta | None, *, has_arrivals: bool = True) -> None:
        self.stem = stem
        self.arrays: dict[str, ArrayCheck] = {}
        """By what follows the stem in their names: nothing for the samples."""
        self.stamps = StampCheck(meta.fs if meta else 0.0)
        self._tree = tree
        self._meta = meta
        self._samples = SampleCheck()
        self._arrivals = ArrivalCheck()
        self._derived = (SAMPLES, *DERIVED) if has_arrivals else (SAMPLES, STAMPS, CLOCK, OVERVIEW)
        self._overview: OverviewCheck | None = None
        self._finished = False

    @property
    def n_samples(self) -> int:
        """Samples that the data array says it has."""
        return self.arrays[SAMPLES].n_rows if SAMPLES in self.arrays else 0

    def open(self) -> Iterator[Finding]:
        """Read each array's ``zarr.json``; what is wrong with it."""
        for derived in self._derived:
            name = array_name(self.stem, derived)
            key = f"{name}/{ZARR_JSON}"
            if key not in self._tree and derived not in (SAMPLES, STAMPS):
                continue
            try:
                spec, n_rows = parse_array_json(self._tree.read(key, MAX_ARRAY_JSON), where=key)
                self.arrays[derived] = ArrayCheck(name, spec, n_rows)
            except KeyError:
                yield damage(f"{self.stem}: member {key} is missing", stream=self.stem, member=key)
            except MyoGesticError as error:
                yield damage(f"{self.stem}: {error}", stream=self.stem, member=key)
        if {SAMPLES, OVERVIEW} <= self.arrays.keys():
            self._overview = OverviewCheck(self._tree, self.arrays[OVERVIEW], self.arrays[SAMPLES])

    def contradictions(self, *, finished: bool) -> Iterator[Finding]:
        """Where the arrays and ``meta.json`` do not agree. Its sample count holds once a session is `finished`."""
        self._finished = finished
        for text in (*self._between_arrays(), *self._with_meta(finished=finished)):
            yield damage(f"{self.stem}: {text}", stream=self.stem, member=array_name(self.stem))

    def _between_arrays(self) -> Iterator[str]:
        data, stamps = self.arrays.get(SAMPLES), self.arrays.get(STAMPS)
        if data and stamps and data.n_rows != stamps.n_rows:
            yield f"{data.n_rows} samples, but {stamps.n_rows} time stamps"
        if data and not (data.spec.is_string or data.spec.dtype in NUMERIC_DTYPES):
            yield f"the samples are {data.spec.dtype}, which no stream can have; salvage keeps them beside the streams"
        if stamps and (stamps.spec.dtype, stamps.spec.row_shape) != ("float64", ()):
            yield f"the time stamps are {_layout(stamps.spec)}, not float64 numbers"

    def _with_meta(self, *, finished: bool) -> Iterator[str]:
        if not self._meta:
            return
        try:
            info = self._meta.info()
        except ConfigError as error:
            yield f"{META} describes no stream: {error}"
            return
        expected = {
            SAMPLES: ArraySpec.data(info),
            CLOCK: ArraySpec.clock(),
            OVERVIEW: ArraySpec.overview(info),
            ARRIVAL: ArraySpec.arrival(),
        }
        for derived in self.arrays.keys() & expected.keys():
            is_, means = self.arrays[derived].spec, expected[derived]
            if (is_.dtype, is_.row_shape) != (means.dtype, means.row_shape):
                yield f"{array_name(self.stem, derived)} holds {_layout(is_)}, where {META} means {_layout(means)}"
        if finished and SAMPLES in self.arrays and self._meta.n_samples not in (None, self.n_samples):
            yield f"{self.n_samples} samples, where {META} says {self._meta.n_samples}"

    def feed(self, derived: str, number: int, data: bytes) -> None:
        """Take chunk `number` of one of the arrays."""
        array = self.arrays[derived]
        rows = array.feed(number, data)
        if rows is None or not len(rows):
            return
        first, _ = array.rows_of(number, number + 1)
        if derived == SAMPLES:
            self._samples.feed(first, rows)
            if self._overview:
                self._overview.feed(number, rows)
        elif derived == STAMPS and rows.dtype == np.float64 and rows.ndim == 1:
            self.stamps.feed(first, rows)
        elif derived == ARRIVAL and rows.dtype == np.float64 and rows.shape[1:] == (2,):
            self._arrivals.feed(first, rows)
            self.stamps.feed_evidence(ARRIVAL, rows)
        elif derived == CLOCK and rows.dtype == np.float64 and rows.shape[1:] == (4,):
            self.stamps.feed_evidence(CLOCK, rows)

    def finish(self, meta: Meta, session: Evidence, *, ours: bool) -> Iterator[Finding]:
        """What is missing or bad, and what the values show. Where a session is not `ours`, absence is ambiguous."""
        for derived, array in self.arrays.items():
            for hole in array.holes():
                yield self._finding(derived, array, hole, ours=ours)
        member = array_name(self.stem)
        yield from self.stamps.findings(self.stem, member, self._meta, meta, session)
        yield from self._samples.findings(self.stem, member)
        if self._overview and self._overview.is_ours and ours:
            yield from self._overview_findings(self._overview)
        arrivals = self.arrays.get(ARRIVAL)
        if arrivals and self._is_read(arrivals):
            yield from self._arrivals.findings(self.stem, arrivals.name, self.n_samples, finished=self._finished)

    def _overview_findings(self, overview: OverviewCheck) -> Iterator[Finding]:
        member, what = self.arrays[OVERVIEW].name, f"{self.stem}: the overview (not the signal)"
        if overview.wrong:
            first, stop = (self._overview_samples(row) for row in (overview.wrong[0], overview.wrong[1] + 1))
            text = f"{what} of samples {first}–{stop - 1}{_span(self._times(first, stop))} is not what they are"
            yield damage(text, stream=self.stem, member=member)
        if self._finished and overview.n_missing:
            rows, n = self.arrays[OVERVIEW].n_rows, self.arrays[SAMPLES].n_chunks
            yield observation(f"{what} has {rows} rows, where the samples need {n}", stream=self.stem, member=member)

    def _is_read(self, arrivals: ArrayCheck) -> bool:
        """Whether its chunks were looked into: a quick verification does not."""
        return arrivals.n_rows == 0 or self._arrivals.n_read is not None

    def _finding(self, derived: str, array: ArrayCheck, hole: Hole, *, ours: bool) -> Finding:
        first, stop = array.rows_of(hole.first, hole.stop)
        if derived in (CLOCK, ARRIVAL):
            what = "clock offsets" if derived == CLOCK else "rows of the arrival record"
            text = f"{self.stem}: {what} {first}–{stop - 1} are unreadable: {hole.reason}"
            return damage(text, stream=self.stem, member=hole.member)
        if derived == OVERVIEW:
            first, stop = self._overview_samples(first), self._overview_samples(stop)
        times = self._times(first, stop)
        what = {SAMPLES: "", STAMPS: "time stamps of ", OVERVIEW: "the overview (not the signal) of "}[derived]
        verdict = f"are unreadable: {hole.reason}"
        if hole.missing and not ours:
            verdict = f"are absent, all zeros or lost, which this format does not tell apart: {hole.reason}"
        return Finding(
            kind="observation" if hole.missing and not ours else "damage",
            text=f"{self.stem}: {what}samples {first}–{stop - 1}{_span(times)} {verdict}",
            stream=self.stem,
            member=hole.member,
            first_sample=first,
            stop_sample=stop,
            first_time=times[0] if times else None,
            stop_time=times[1] if times else None,
        )

    def _overview_samples(self, row: int) -> int:
        data = self.arrays.get(SAMPLES)
        return min(row * data.spec.chunk_length, data.n_rows) if data else row

    def _times(self, first: int, stop: int) -> tuple[float, float] | None:
        """Seconds from the stream's first sample to the first one, and to the end of the last one, of a range."""
        fs = self.stamps.fs
        period = 1.0 / fs if fs > 0 else 0.0
        origin, start, end = (self._stamp(sample) for sample in (0, first, stop - 1))
        if None not in (origin, start, end):
            return start - origin, end - origin + period  # type: ignore[operator]
        return (first * period, stop * period) if fs > 0 else None

    def _stamp(self, sample: int) -> float | None:
        array = self.arrays.get(STAMPS)
        if array is None or array.spec.dtype != "float64" or array.spec.row_shape:
            return None
        number, row = divmod(sample, array.spec.chunk_length)
        try:
            data = self._tree.read(array.key(number))
            stamp = float(decode_chunk(array.spec, data, where=array.key(number))[row])
        except (KeyError, MyoGesticError):
            return None
        return stamp if np.isfinite(stamp) else None


def _layout(spec: ArraySpec) -> str:
    return f"{spec.dtype} rows of shape {spec.row_shape}"


def _span(times: tuple[float, float] | None) -> str:
    if times is None:
        return ""
    digits = 1 if times[1] - times[0] >= 0.5 else 3
    return f" ({times[0]:.{digits}f}–{times[1]:.{digits}f} s)"
