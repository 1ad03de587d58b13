"""The metadata of a merged session: what all of its parts say, on the first one's clock, and how well that is known."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from msgspec.structs import replace

from ...plural import count_of
from ..format.findings import observation
from ..format.json_files import replace_file
from ..format.layout import LABELS, META
from ..format.lock import lock_session
from ..format.meta import MERGED, MOST_EVENTS, Anchor, Note, decode_meta, encode_labels, encode_meta
from ..imported_time import measured_again, store_arrivals

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ..format.meta import EventRecord, Meta
    from .clock_graph import Recorded
    from .clock_relation import Relation
    from .merged_labels import LabelTrack
    from .rebase import StreamTimes

_LATER_S = 0.050
"""A box that began so much later than the first one came later."""


class Part(NamedTuple):
    """One of the sessions, how its clock lies to the first one's, and its streams by their stem in the merged one."""

    recorded: Recorded
    relation: Relation
    streams: dict[str, StreamTimes]

    @property
    def ends(self) -> tuple[float, float]:
        """Start and stop on the first clock."""
        return self.relation.one(self.recorded.start), self.relation.one(self.recorded.stop)

    @property
    def meta(self) -> Meta:
        """That of the session."""
        return self.recorded.session.meta


def set_merged_meta(folder: Path, parts: Sequence[Part], track: LabelTrack) -> None:
    """Give a finished session, whose streams were all appended just now, what its parts tell."""
    for part in parts:
        for stem, times in part.streams.items():
            store_arrivals(folder, stem, times.arrivals)
    with lock_session(folder, purpose="editing"):
        meta = decode_meta((folder / META).read_bytes())
        _set_session(meta, parts)
        for part in parts:
            _set_streams(meta, part, meta.anchors[0].lsl)
        meta.class_names = track.class_names
        meta.bad_trials = [place for place, label in enumerate(track.labels) if label.bad]
        meta.extra = {**meta.extra, MERGED: _record(parts, track)}
        replace_file(folder / LABELS, encode_labels(track.labels))
        replace_file(folder / META, encode_meta(meta))
        replace_file(folder / META, encode_meta(measured_again(folder, meta)))


def _set_session(meta: Meta, parts: Sequence[Part]) -> None:
    first = parts[0].meta
    start, stop = min(part.ends[0] for part in parts), max(part.ends[1] for part in parts)
    meta.anchors = [_anchor(first, start), _anchor(first, stop)]
    meta.created = _earlier(first.created, parts[0].ends[0] - start)
    meta.duration_s, meta.recorder, meta.app_name = stop - start, first.recorder, first.app_name
    metas = [part.meta for part in parts]
    for name, nothing in (("name", ""), ("subject", ""), ("task", ""), ("take", None)):
        alike = len({getattr(one, name) for one in metas}) == 1
        setattr(meta, name, getattr(first, name) if alike else nothing)
    same = {key: text for key, text in first.fields.items() if all(one.fields.get(key) == text for one in metas)}
    meta.extra = {**meta.extra, **same}
    notes = [_note(part, note) for part in parts for note in part.meta.notes]
    meta.notes = sorted(notes, key=lambda note: note.timestamp)
    events = sorted((_event(part, one) for part in parts for one in part.meta.events), key=lambda one: one.timestamp)
    meta.set_events([msgspec.to_builtins(one) for one in events[-MOST_EVENTS:]])
    meta.bad_channels = {
        new: list(part.meta.bad_channels[old])
        for part in parts
        for new, old in zip(part.streams, part.recorded.session.view.streams, strict=True)
        if old in part.meta.bad_channels
    }


def _set_streams(meta: Meta, part: Part, start: float) -> None:
    began = part.ends[0]
    for stem, times in part.streams.items():
        joined = times.meta.joined_at
        if joined is None and began - start > _LATER_S:
            joined = began
        name = meta.all_streams[stem].name
        meta.add_stream(stem, replace(times.meta, name=name, joined_at=joined))


def _anchor(first: Meta, at: float) -> Anchor:
    """An instant of the first clock, by that session's own idea of the wall clock."""
    known = min(first.anchors, key=lambda anchor: abs(anchor.lsl - at))
    try:
        utc = datetime.fromisoformat(known.utc) + timedelta(seconds=at - known.lsl)
    except (ValueError, OverflowError):
        return Anchor(known.utc, at)
    return Anchor(utc.isoformat(), at)


def _earlier(created: str, seconds: float) -> str:
    try:
        return (datetime.fromisoformat(created) - timedelta(seconds=round(seconds))).isoformat(timespec="seconds")
    except (ValueError, OverflowError):
        return created


def _note(part: Part, note: Note) -> Note:
    uncertainty = note.uncertainty_s + part.relation.error_s
    return Note(part.relation.one(note.timestamp), f"{part.recorded.name}: {note.text}", uncertainty)


def _event(part: Part, event: EventRecord) -> EventRecord:
    return replace(event, timestamp=part.relation.one(event.timestamp), text=f"{part.recorded.name}: {event.text}")


def _record(parts: Sequence[Part], track: LabelTrack) -> dict[str, Any]:
    findings = [finding for part in parts[1:] for finding in _findings(part, parts[0])]
    return {
        "at": datetime.now(UTC).isoformat(),
        "clock": parts[0].recorded.name,
        "labels_from": track.source,
        "sessions": [_entry(part) for part in parts],
        "findings": [msgspec.to_builtins(finding) for finding in findings],
    }


def _entry(part: Part) -> dict[str, Any]:
    start, stop = part.ends
    return {
        "file": part.recorded.session.path.name,
        "host": part.recorded.name,
        "created": part.meta.created,
        "streams": list(part.streams),
        "start": start,
        "stop": stop,
        "clock_offset_s": start - part.recorded.start,
        "clock_error_s": part.relation.error_s,
        "clock_comparisons": part.relation.n_compared,
        "clock_compared": list(part.relation.steps),
    }


def _findings(part: Part, first: Part) -> list[Any]:
    relation, name = part.relation, part.recorded.name
    if relation.is_same:
        known = f"{name} counts in the same clock as {first.recorded.name}"
    else:
        by = count_of(relation.n_compared or 0, "comparison")
        known = f"the clock of {name} is known by {by} ({', '.join(relation.steps)}), ±{relation.error_s * 1e3:.2f} ms"
    found = [observation(known)]
    for stem, times in part.streams.items():
        if times.lost_place:
            text = "its time rested on wall-clock time, which does not tell how it lies to the other box"
            found.append(observation(f"{stem}: {text}", stream=stem))
    return found
