"""What is known about an open session without reading its samples: streams, classes with seconds, notes, fields."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..format.chain import chain_link, chain_words
from ..format.meta import BEFORE
from ..format.seconds_before import before_s, before_words
from ..format.stream_names import public_names
from ..format.time_remarks import note_words, time_details, time_remarks
from ..format.time_summary import recorder_host
from ..format.wall_clock import start_anchor
from .label_counts import ClassTally, tally
from .label_table import trial_numbers
from .overview import SampleClock, session_start

if TYPE_CHECKING:
    from .reader import SessionReader


class StreamFacts(NamedTuple):
    """One stream; times in seconds since the session's start."""

    name: str
    type: str
    hostname: str
    gaps: tuple[tuple[float, float, str], ...]
    """When, how long in seconds, and the reason where one is known."""
    offset_s: float | None
    """Median of what its clock is to be corrected by; None where it was never compared."""
    drift_ppm: float | None
    joined_at: float | None
    remarks: tuple[str, ...] = ()
    """Remarks on its time, a sentence each."""


class ClassFacts(NamedTuple):
    """One class, with what was recorded of it."""

    class_index: int
    name: str
    trials: int
    seconds: float
    bad: int


class SessionFacts(NamedTuple):
    """One session."""

    streams: tuple[StreamFacts, ...]
    classes: tuple[ClassFacts, ...]
    notes: tuple[tuple[str, str], ...]
    """Time of day, and text."""
    bad_channels: tuple[tuple[str, tuple[int, ...]], ...]
    """Of which stream which, from 1."""
    bad_trials: tuple[int, ...]
    """From 1, as the screens count them."""
    fields: tuple[tuple[str, str], ...]
    """Name and value of what ``meta.json`` says of the whole."""


def read_facts(session: SessionReader) -> SessionFacts:
    """Everything that the metadata and the labels of an open session tell."""
    meta = session.meta
    names = public_names({stem: session.stream(stem).meta.name for stem in session.streams})
    return SessionFacts(
        streams=tuple(_stream_facts(session, stem, name) for stem, name in names.items()),
        classes=class_facts(session),
        notes=tuple(
            (_time_of_day(session, note.timestamp), note_words(note.text, note.uncertainty_s)) for note in session.notes
        ),
        bad_channels=tuple(
            (names.get(stem, stem), tuple(one + 1 for one in sorted(bad)))
            for stem, bad in meta.bad_channels.items()
            if bad
        ),
        bad_trials=trial_numbers(session.label_track, meta.bad_trials),
        fields=_fields(session),
    )


def class_facts(session: SessionReader) -> tuple[ClassFacts, ...]:
    """Trials, seconds and bad trials of each class; classes never used count 0."""
    start = session_start(session)
    known = dict(enumerate(session.class_names))
    found = {index: ClassTally() for index in known}
    found |= tally(session.label_track, start, start + session.summary().duration_s).classes
    return tuple(
        ClassFacts(index, known.get(index, f"class {index}"), one.trials, one.seconds, one.bad)
        for index, one in sorted(found.items())
    )


def _stream_facts(session: SessionReader, stem: str, name: str) -> StreamFacts:
    meta, clock = session.measured(stem), session.stream(stem).clock
    offset, drift = None, None
    if clock is not None and clock.n_rows:
        rows = clock.rows(0, clock.n_rows)
        offset = float(np.median(rows[:, 1]))
        seconds = float(rows[-1, 0] - rows[0, 0])
        drift = float(rows[-1, 1] - rows[0, 1]) / seconds * 1e6 if seconds > 0 else None
    places = SampleClock(session, stem).all_gaps if meta.gaps else ()
    gaps = tuple((*place, gap.reason or gap.kind) for place, gap in zip(places, meta.gaps, strict=True))
    joined = None if meta.joined_at is None else meta.joined_at - session_start(session, meta.joined_at)
    remarks = time_remarks(meta, session.duration_s, recorder_host(session.meta))
    return StreamFacts(name, meta.type, meta.hostname, gaps, offset, drift, joined, (*remarks, *time_details(meta)))


def _time_of_day(session: SessionReader, timestamp: float) -> str:
    """``14:31:02`` where the recorder stood, by the session's first anchor; seconds into it where it has none."""
    start = start_anchor(session.meta.anchors)
    try:
        if start is None:
            return f"{timestamp:.1f} s"
        at = datetime.fromisoformat(start.utc) + timedelta(seconds=timestamp - start.lsl)
        zone = datetime.fromisoformat(session.meta.created).tzinfo
    except (ValueError, OverflowError):
        return f"{timestamp:.1f} s"
    return at.astimezone(zone).strftime("%H:%M:%S")


def _electrodes(session: SessionReader) -> str:
    """Where they are, a grid each; empty where nobody said so."""
    names = public_names({stem: session.stream(stem).meta.name for stem in session.streams})
    grids = [(name, grid) for stem, name in names.items() for grid in session.stream_info(stem).channel_grids or ()]
    return "; ".join(f"{name} {grid.words()}" for name, grid in grids)


def _fields(session: SessionReader) -> tuple[tuple[str, str], ...]:
    meta = session.meta
    own = {
        "created": meta.created.replace("T", " ")[:19],
        "subject": meta.subject,
        "task": meta.task,
        "take": meta.take,
        "name": meta.name,
        "app": meta.app_name,
        "electrodes": _electrodes(session),
        "recorder": f"{meta.recorder.host} {meta.recorder.version}".strip(),
    }
    plain = {key: value for key, value in meta.extra.items() if isinstance(value, (str, int, float)) and key != BEFORE}
    said = {"chain": chain_words(chain_link(meta)), "start": before_words(before_s(meta))}
    return tuple((key, str(value)) for key, value in {**own, **said, **plain}.items() if value not in (None, ""))
