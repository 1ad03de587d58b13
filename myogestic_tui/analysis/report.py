"""A session, judged: each channel at rest and active, the hum, the gaps, the clocks, and one verdict."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from ..config import QualityConfig
from ..errors import ConfigError, SessionDamagedError
from ..session.format.layout import LABELS, MANIFEST, META, ORIGINAL_LABELS
from ..session.format.stream_names import public_names
from ..session.reading.facts import class_facts, read_facts
from ..session.reading.label_table import label_rows
from ..session.reading.overview import session_start
from ..session.signal.gapless_runs import UNLABELLED, find_runs
from ..stream.quality import LEAST_FS, LEAST_SAMPLES
from .channel_report import channel_reports, fatigue_reports
from .channel_statistics import LEAST_WINDOW_S, ChannelStatistics
from .report_types import ClassReport, GapReport, GridReport, Report, StreamReport
from .trial_report import trial_issues
from .verdict import issues_of, to_check, verdict_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ..session import SessionReader
    from ..session.format.meta import LabelEvent
    from ..session.reading.facts import StreamFacts
    from ..session.signal.streamdata import StreamData

    Progress = Callable[[int, int], None]

_JITTER_BLOCK = 1 << 16
_GAPS_LEFT_OUT = (0.001, 0.999)


def report_session(
    session: SessionReader, limits: QualityConfig | None = None, progress: Progress | None = None
) -> Report:
    """Judge an open session; nothing is written.

    Parameters
    ----------
    session
        Finished, cut off, or being recorded.
    limits
        Thresholds, and which class is at rest; the defaults where None.
    progress
        Called with the bytes done and the bytes in all; what it raises ends the work.

    Raises
    ------
    ConfigError
        No class is called as the one at rest.
    SessionDamagedError
        Time stamps cannot be read; of samples that cannot be it tells how many seconds.
    """
    limits = limits or QualityConfig()
    rest = _rest_index(session, limits)
    facts = read_facts(session)
    names = public_names({stem: session.stream(stem).meta.name for stem in session.streams})
    total = sum(_bytes_of(session, stem) for stem in names)
    done = 0
    streams = []
    for (stem, name), told in zip(names.items(), facts.streams, strict=True):
        share = None if progress is None else _shifted(progress, done, total)
        streams.append(_stream_report(session, stem, name, told, rest, limits, share))
        done += _bytes_of(session, stem)
    classes = [
        ClassReport(name=one.name, trials=one.trials, bad=one.bad, seconds=one.seconds) for one in class_facts(session)
    ]
    issues = issues_of(streams, classes, limits)
    meta = session.meta
    return Report(
        path=str(session.path),
        verdict=verdict_of(issues),
        issues=issues,
        name=meta.name,
        subject=meta.subject,
        task=meta.task,
        take=meta.take,
        fields=meta.fields,
        created=meta.created,
        duration_s=session.duration_s,
        state=session.state,
        rest=_class_name(session, rest),
        classes=classes,
        labels=[(row.start_s, row.name, row.bad) for row in label_rows(session)],
        labels_edited=session.view.label_history.words,
        streams=streams,
        notes=list(facts.notes),
        hashes=_hashes(session),
        thresholds={name: value for name, value in msgspec.to_builtins(limits).items() if type(value) in (int, float)},
    )


def _rest_index(session: SessionReader, limits: QualityConfig) -> int:
    names = session.class_names
    if not limits.rest:
        return next((place for place, name in enumerate(names) if name.casefold() == "rest"), 0)
    if limits.rest not in names:
        there = ", ".join(names) or "none"
        raise ConfigError(f"quality.rest is {limits.rest!r}; the classes of the session are {there}")
    return names.index(limits.rest)


def _class_name(session: SessionReader, index: int) -> str:
    names = session.class_names
    return names[index] if 0 <= index < len(names) else f"class {index}"


def is_judged(session: SessionReader, stem: str, limits: QualityConfig) -> bool:
    """Whether the channels of a stream are judged: numbers, as fast as EMG, and not left out by name."""
    info = session.stream_info(stem)
    skipped = {stem, session.stream(stem).meta.name} & {*limits.skip}
    return not info.is_string and info.fs >= LEAST_FS and not skipped


def _bytes_of(session: SessionReader, stem: str) -> int:
    info = session.stream_info(stem)
    return session.n_samples(stem) * (8 if info.is_string else info.n_channels * info.np_dtype.itemsize)


def _shifted(progress: Progress, done: int, total: int) -> Progress:
    return lambda here, _: progress(done + here, total)


def _stream_report(
    session: SessionReader,
    stem: str,
    name: str,
    told: StreamFacts,
    rest: int,
    limits: QualityConfig,
    progress: Progress | None,
) -> StreamReport:
    info, measured = session.stream_info(stem), session.measured(stem)
    time = measured.time
    stream = session.stream_data(stem, whole=False)
    found = _statistics(session, stream, progress) if is_judged(session, stem, limits) else None
    numbers = None if found is None else found.numbers()
    names = {index: _class_name(session, index) for index in {label.class_index for label in session.label_track}}
    marked = frozenset(session.meta.bad_channels.get(stem, ()))
    channels = [] if numbers is None else channel_reports(info, numbers, names, rest, marked)
    known = {one.channel for one in channels if to_check(one, limits)}
    unit = next(iter({*info.units}), "") if info.units and len({*info.units}) == 1 else ""
    summary = session.summary().streams[name]
    return StreamReport(
        name=name,
        type=info.type,
        unit=unit,
        fs=info.fs,
        measured_fs=summary.measured_fs,
        n_channels=info.n_channels,
        n_samples=stream.n_samples,
        coverage=_coverage(session, told, stream),
        lost_samples=summary.lost_samples or 0,
        gaps=[GapReport(at_s=at, seconds=seconds, why=why) for at, seconds, why in told.gaps],
        jitter_ms=_jitter_ms(stream),
        basis=summary.basis,
        error_ms=None if time is None or time.error_s is None else 1e3 * time.error_s,
        offset_ms=None if told.offset_s is None else 1e3 * told.offset_s,
        drift_ppm=told.drift_ppm,
        remarks=list(told.remarks),
        unreadable_s=0.0 if found is None else found.unreadable_s,
        judged_s=0.0 if numbers is None else float(len(numbers.times)),
        channels=channels,
        trial_issues=[] if numbers is None else trial_issues(name, numbers, names, rest, known),
        fatigue=[] if numbers is None else fatigue_reports(numbers, names, rest, marked),
        grids=[
            GridReport(
                label=grid.label, channels=[[0 if one is None else one + 1 for one in row] for row in grid.cells]
            )
            for grid in info.channel_grids or ()
        ],
    )


def _coverage(session: SessionReader, told: StreamFacts, stream: StreamData) -> float | None:
    """What the gaps, and what comes before the first sample and after the last one, leave of the session."""
    if not stream.info.is_regular or session.duration_s <= 0:
        return None
    if not stream.n_samples:
        return 0.0
    missing = sum(seconds for _, seconds, _ in told.gaps)
    return max(0.0, 1.0 - missing / session.duration_s)


def _jitter_ms(stream: StreamData) -> float | None:
    """From blocks all over the stream: a step of the stamps is as long as the sample before it, or it is jitter."""
    if not stream.info.is_regular or stream.n_samples < LEAST_SAMPLES:
        return None
    last = max(0, stream.n_samples - _JITTER_BLOCK)
    ends = [(start, min(stream.n_samples, start + _JITTER_BLOCK)) for start in sorted({0, last // 2, last})]
    steps = np.concatenate([np.diff(stream.raw_times(*one)) for one in ends])
    steps = steps[np.isfinite(steps)]
    if not len(steps):
        return None
    usual = np.clip(steps, *np.quantile(steps, _GAPS_LEFT_OUT))  # a gap, or a clock that was set, is none
    return float(1e3 * np.sqrt(np.mean(np.square(usual - np.median(steps)))))


def _statistics(session: SessionReader, stream: StreamData, progress: Progress | None) -> ChannelStatistics:
    """All seconds of a stream that lie under one label and have no gap; of labels shorter than that what there is."""
    fs, start = stream.info.fs, session_start(session)
    n, least = round(fs), max(LEAST_SAMPLES, round(LEAST_WINDOW_S * fs))
    statistics = ChannelStatistics(stream.info)
    track = session.label_track if stream.timeline.basis != "none" else []
    row_bytes = stream.info.n_channels * stream.info.np_dtype.itemsize
    numbers = [0 if one.class_index < 0 else n for one, n in _counted(track)]
    for run in find_runs(stream, [label.timestamp for label in track]):
        label = track[run.label] if run.label >= 0 else None
        index = UNLABELLED if label is None or label.bad else label.class_index
        for first, last in _windows(run.start, run.stop, n, least):
            try:
                samples = stream.rows(first, last)
            except SessionDamagedError:
                statistics.unreadable_s += (last - first) / fs
                continue
            at = float(stream.times(first, first + 1)[0]) - start + (last - first) / fs / 2
            statistics.add(samples, at, index, 0 if label is None or label.bad else numbers[run.label])
            if progress is not None:
                progress(last * row_bytes, stream.n_samples * row_bytes)
    return statistics


def _counted(track: Sequence[LabelEvent]) -> Iterator[tuple[LabelEvent, int]]:
    """Each label with the number of trials up to it."""
    n = 0
    for one in track:
        n += one.class_index > UNLABELLED
        yield one, n


def _windows(start: int, stop: int, n: int, least: int) -> Iterator[tuple[int, int]]:
    yield from ((first, first + n) for first in range(start, stop - n + 1, n))
    if least <= stop - start < n:
        yield start, stop


def _hashes(session: SessionReader) -> dict[str, str]:
    found = {}
    for key in (MANIFEST, META, LABELS, ORIGINAL_LABELS):
        data = session.view.members.read(key)
        if data is not None:
            found[key] = sha256(data).hexdigest()
    return found
