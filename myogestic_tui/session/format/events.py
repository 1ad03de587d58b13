"""What happens in a session besides samples: journalled one by one, and replayed into the same state they made."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec
from msgspec import UNSET, Struct, UnsetType

from ...errors import ConfigError
from ...msgspec_types import prepared
from .json_files import Int64  # noqa: TC001  (msgspec resolves annotations at run time)
from .layout import is_stem
from .meta import Anchor, EventRecord, LabelEvent, Meta, Note, StreamMeta  # noqa: TC001  (msgspec resolves annotations at run time)
from .time_records import GapRecord  # noqa: TC001  (msgspec resolves annotations at run time)


class Event(Struct, frozen=True, tag=True, omit_defaults=True):
    """Base of all events; the struct's name is its tag in the journal."""


class Labelled(Event, frozen=True, tag=True):
    """`Session.add_label`; ``number`` counts labels of the session from 0, undone ones too."""

    number: Int64
    label: LabelEvent


class Undone(Event, frozen=True, tag=True):
    """`Session.undo_label`: label ``number`` was undone."""

    number: Int64


class TrialMarked(Event, frozen=True, tag=True):
    """`Session.mark_trial`."""

    number: Int64
    bad: bool


class Relabelled(Event, frozen=True, tag=True):
    """`Session.relabel`: label ``number`` is of another class."""

    number: Int64
    class_index: Int64


class LabelMoved(Event, frozen=True, tag=True):
    """`Session.move_label`: label ``number`` is at another time."""

    number: Int64
    timestamp: float


class ChannelMarked(Event, frozen=True, tag=True):
    """`Session.mark_channel`; channels count from 0."""

    stem: str
    channel: Int64
    bad: bool


class Noted(Event, frozen=True, tag=True):
    """`Session.add_note`."""

    note: Note


class Joined(Event, frozen=True, tag=True):
    """`Session.init_stream`: a stream is part of the session, its samples since ``began`` (recorder's clock, s)."""

    stem: str
    stream: StreamMeta
    began: float | None = None


class ClockEstimated(Event, frozen=True, tag=True):
    """`Session.add_clock_estimates`: rows of (collected_at, offset, uncertainty, remote time)."""

    stem: str
    rows: list[tuple[float, float, float, float]]


class GapExplained(Event, frozen=True, tag=True):
    """`Session.add_gap_reason`: why time is missing before sample ``index``."""

    stem: str
    index: Int64
    reason: str


class StopRequested(Event, frozen=True, tag=True):
    """`Session.request_stop`: the instant at which the recording ends, though its last samples are still to come."""

    at: Anchor


class FieldsSet(Event, frozen=True, tag=True):
    """Fields of ``meta.json`` that changed: app_name, class_names, name, subject, task, take, others."""

    fields: dict[str, Any]


class EventAdded(Event, frozen=True, tag=True):
    """`Session.add_event`: something happened to the recording."""

    event: EventRecord


AnyEvent = (
    Labelled
    | Undone
    | TrialMarked
    | Relabelled
    | LabelMoved
    | ChannelMarked
    | Noted
    | Joined
    | ClockEstimated
    | GapExplained
    | StopRequested
    | FieldsSet
    | EventAdded
)


class _Fields(Struct, omit_defaults=True):
    """Those fields of ``meta.json`` that a `FieldsSet` may change and that have a type."""

    app_name: str | UnsetType = UNSET
    class_names: list[str] | UnsetType = UNSET
    name: str | UnsetType = UNSET
    subject: str | UnsetType = UNSET
    task: str | UnsetType = UNSET
    take: Int64 | UnsetType | None = UNSET


@dataclass
class SessionRecord:
    """All metadata of a session, as its events made it."""

    meta: Meta
    labels: dict[int, LabelEvent] = field(default_factory=dict)
    """By number, in the order in which they were added."""
    n_labelled: int = 0
    undone: list[LabelEvent] = field(default_factory=list)
    """Labels that were undone."""
    former: dict[int, list[LabelEvent]] = field(default_factory=dict)
    """By number, what labels of another class or time now were before."""
    unmarked: set[int | tuple[str, int]] = field(default_factory=set)
    """Trials and channels that were marked good again."""
    clock: dict[str, list[tuple[float, float, float, float]]] = field(default_factory=dict)
    began: dict[str, float] = field(default_factory=dict)
    """When the recording of each stream began, on the recorder's clock."""
    stopped: Anchor | None = None
    """The requested stop."""
    gap_reasons: dict[str, dict[int, str]] = field(default_factory=dict)

    @property
    def label_track(self) -> list[LabelEvent]:
        """The labels in time order; those of the same time in the order in which they were added."""
        return sorted(self.labels.values(), key=lambda label: label.timestamp)

    def number_of(self, position: int) -> int:
        """Number of the label at ``position`` of `label_track`; IndexError where there is none."""
        numbers = sorted(self.labels, key=lambda number: self.labels[number].timestamp)
        return numbers[position]

    def apply(self, event: AnyEvent) -> None:
        """Let an event happen. Any order of events is taken, so that one that is lost does no further harm."""
        match event:
            case Labelled(number, label):
                self.labels[number] = label
                self.n_labelled = max(self.n_labelled, number + 1)
            case Undone(number):
                if number in self.labels:
                    self.undone.append(self.labels.pop(number))
            case TrialMarked(number, bad):
                self.unmarked |= set() if bad else {number}
                if number in self.labels:
                    self.labels[number] = msgspec.structs.replace(self.labels[number], bad=bad)
            case Relabelled(number, class_index):
                self._replace_label(number, class_index=class_index)
            case LabelMoved(number, timestamp):
                self._replace_label(number, timestamp=timestamp)
            case ChannelMarked(stem, channel, bad):
                self._mark_channel(stem, channel, bad)
            case Noted(note):
                self.meta.notes = [*self.meta.notes, note]
            case Joined(stem, stream, began):
                if not is_stem(stem):
                    raise ConfigError(f"no files can be called {stem[:80]!r}")
                there = self.meta.all_streams.get(stem)
                kept = stream if there is None else msgspec.structs.replace(stream, extra=there.extra | stream.extra)
                self.meta.add_stream(stem, kept)
                if began is not None:
                    self.began[stem] = began
            case ClockEstimated(stem, rows):
                self.clock.setdefault(stem, []).extend(rows)
            case GapExplained(stem, index, reason):
                self.gap_reasons.setdefault(stem, {})[index] = reason
            case StopRequested(at):
                self.stopped = self.stopped or at
            case FieldsSet(fields):
                self.set_fields(fields)
            case EventAdded(entry):
                self.meta.add_event(entry)

    def _replace_label(self, number: int, **fields: float) -> None:
        if number in self.labels:
            self.former.setdefault(number, []).append(self.labels[number])
            self.labels[number] = msgspec.structs.replace(self.labels[number], **fields)

    def _mark_channel(self, stem: str, channel: int, bad: bool) -> None:
        self.unmarked |= set() if bad else {(stem, channel)}
        marked = set(self.meta.bad_channels.get(stem, ())) - {channel}
        marked |= {channel} if bad else set()
        others = {other: channels for other, channels in self.meta.bad_channels.items() if other != stem}
        self.meta.bad_channels = {**others, stem: sorted(marked)} if marked else others

    def set_fields(self, fields: dict[str, Any]) -> None:
        """Enter fields of ``meta.json``; unknown ones stand beside the known.

        Raises
        ------
        ConfigError
            A known one has a type that it cannot have; nothing is changed.
        """
        try:
            known = msgspec.convert(fields, prepared(_Fields))
        except msgspec.ValidationError as error:
            raise ConfigError(f"fields of the session: {error}") from error
        for key in _Fields.__struct_fields__:
            if (value := getattr(known, key)) is not UNSET:
                setattr(self.meta, key, value)
        further = {key: value for key, value in fields.items() if key not in _Fields.__struct_fields__}
        self.meta.extra = {**self.meta.extra, **further}

    def with_reasons(self, stem: str, gaps: list[GapRecord]) -> list[GapRecord]:
        """``gaps`` with the reasons that are known for them: noted at that sample, or within a second of it."""
        reasons = self.gap_reasons.get(stem, {})
        stream = self.meta.all_streams.get(stem)
        fs = 0.0 if stream is None else stream.fs

        def reason(gap: GapRecord) -> str:
            near = min(reasons, key=lambda index: abs(index - gap.index), default=None)
            return gap.reason if near is None or abs(near - gap.index) > fs else reasons[near]

        return [msgspec.structs.replace(gap, reason=reason(gap)) for gap in gaps]
