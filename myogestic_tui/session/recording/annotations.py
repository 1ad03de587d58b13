"""What is reported about a session while it is recorded: labels, notes, marks, clock comparisons. Each is one event."""

from __future__ import annotations

import math
import operator
from typing import TYPE_CHECKING, Protocol

import msgspec

from ...clock import local_clock
from ...errors import ConfigError
from ...info import MOST_CLASSES
from ..format import events as ev
from ..format.finalize import anchor_at
from ..format.meta import EventRecord, LabelEvent, Note
from ..format.stream_names import find_stem

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .active_session import Recording


class ClockEstimateLike(Protocol):
    """One comparison of a source's clock with the recorder's, in seconds; see `stream.source.ClockEstimate`."""

    @property
    def collected_at(self) -> float: ...  # noqa: D102
    @property
    def offset(self) -> float: ...  # noqa: D102
    @property
    def uncertainty(self) -> float: ...  # noqa: D102
    @property
    def remote_time(self) -> float: ...  # noqa: D102


class Annotated:
    """The part of `Session` that takes labels, notes and marks. All its methods are thread-safe.

    They raise SessionClosedError once the session is finished, and DiskError where the disk refuses; the session is
    then finished with what is safe, in the background.
    """

    def _must_record(self) -> Recording:
        """The recording; SessionClosedError where there is none."""
        raise NotImplementedError

    @property
    def label_track(self) -> list[LabelEvent]:
        """All labels so far, in time order; a list that is replaced, never changed."""
        raise NotImplementedError

    def add_label(
        self, class_index: int, timestamp: float | None = None, *, source: str = "script", uncertainty_s: float = 0.0
    ) -> LabelEvent:
        """From ``timestamp`` (default: now) on, class ``class_index`` holds; -1 ends a label. On the disk on return.

        Parameters
        ----------
        class_index
            From 0, or -1.
        timestamp
            Seconds on the recorder's LSL clock.
        source
            ``"key"``, ``"protocol"``, ``"marker"``, ``"input"`` or ``"script"``.
        uncertainty_s
            How far off the time stamp may be.

        Raises
        ------
        ConfigError
            No class can have that index, or the time is no number.
        SessionClosedError
            The session is finished.
        DiskError
            The disk refused.
        """
        at, index = _seconds(timestamp, "a label"), _whole(class_index, "the class of a label")
        if not -1 <= index < MOST_CLASSES:
            raise ConfigError(f"a label of class {index}: classes count from 0, and -1 ends a label")
        label = LabelEvent(
            at, index, uncertainty_s=_seconds(uncertainty_s, "the uncertainty"), source=plain_text(source)
        )
        self._must_record().record_event(lambda record: ev.Labelled(record.n_labelled, label), sync=True)
        return label

    def undo_label(self) -> LabelEvent | None:
        """Take back the label that was added last, and return it; None where there is none."""
        undone: list[LabelEvent] = []

        def take_back(record: ev.SessionRecord) -> ev.AnyEvent:
            number = max(record.labels, default=-1)
            undone.extend(label for label in [record.labels.get(number)] if label is not None)
            return ev.Undone(number)

        if self.label_track:
            self._must_record().record_event(take_back, sync=True)
        return undone[0] if undone else None

    def mark_trial(self, index: int, bad: bool = True) -> None:
        """Mark the trial that begins with label ``index`` of `label_track` as bad, or as good again.

        Raises
        ------
        ConfigError
            There is no such label.
        """

        def mark(record: ev.SessionRecord) -> ev.AnyEvent:
            try:
                return ev.TrialMarked(record.number_of(index), bad)
            except IndexError:
                raise ConfigError(f"there is no label {index}; the session has {len(record.labels)}") from None

        self._must_record().record_event(mark, sync=True)

    def relabel(self, index: int, class_index: int) -> LabelEvent:
        """Let label ``index`` of `label_track` be of another class, and return it as it is now; -1 is no label.

        Raises
        ------
        ConfigError
            There is no such label, or no class can have that index.
        SessionClosedError, DiskError
            As `add_label`.
        """
        wanted = _whole(class_index, "the class of a label")
        if not -1 <= wanted < MOST_CLASSES:
            raise ConfigError(f"a label of class {wanted}: classes count from 0, and -1 ends a label")
        found: list[LabelEvent] = []

        def change(record: ev.SessionRecord) -> ev.AnyEvent:
            try:
                number = record.number_of(index)
            except IndexError:
                raise ConfigError(f"there is no label {index}; the session has {len(record.labels)}") from None
            found.append(msgspec.structs.replace(record.labels[number], class_index=wanted))
            return ev.Relabelled(number, wanted)

        self._must_record().record_event(change, sync=True)
        return found[0]

    def move_label(self, index: int, timestamp: float) -> LabelEvent:
        """Let label ``index`` of `label_track` begin at another time, and return it as it is now.

        Raises
        ------
        ConfigError
            There is no such label, the time is no number, or it is not between the labels before and after.
        SessionClosedError, DiskError
            As `add_label`.
        """
        at = _seconds(timestamp, "a label")
        found: list[LabelEvent] = []

        def change(record: ev.SessionRecord) -> ev.AnyEvent:
            track = record.label_track
            if not 0 <= index < len(track):
                raise ConfigError(f"there is no label {index}; the session has {len(track)}")
            low = track[index - 1].timestamp if index else record.meta.anchors[0].lsl if record.meta.anchors else at
            high = track[index + 1].timestamp if index + 1 < len(track) else local_clock()
            if not low <= at <= high:
                raise ConfigError("a label stays between the one before and the one after it, or now")
            number = record.number_of(index)
            found.append(msgspec.structs.replace(record.labels[number], timestamp=at))
            return ev.LabelMoved(number, at)

        self._must_record().record_event(change, sync=True)
        return found[0]

    def mark_channel(self, name: str, channel: int, bad: bool = True) -> None:
        """Mark a channel (from 0) of a stream as bad, or as good again; the stream may join later.

        Raises
        ------
        ConfigError
            No stream can have such a channel.
        """
        number = _whole(channel, "channel")
        if not 0 <= number < MOST_CLASSES:
            raise ConfigError(f"channel {number}: channels count from 0")
        self._must_record().mark_channel(plain_text(name), number, bad)

    def add_note(self, text: str, timestamp: float | None = None, *, uncertainty_s: float = 0.0) -> Note:
        """Keep a free text with its time (default: now) on the recorder's LSL clock, which may be off by so much.

        Raises
        ------
        ConfigError
            The time is no number.
        SessionClosedError, DiskError
            As `add_label`.
        """
        at = _seconds(timestamp, "a note")
        note = Note(at, plain_text(text), _seconds(uncertainty_s, "the uncertainty"))
        self._must_record().record_event(lambda _: ev.Noted(note), sync=True)
        return note

    def add_event(
        self, kind: str, text: str, *, who: str = "", stream: str = "", timestamp: float | None = None
    ) -> EventRecord:
        """Keep what happened to the recording, at ``timestamp`` (default: now): ``events`` of ``meta.json``.

        Raises
        ------
        SessionClosedError, DiskError
            As `add_label`.
        """
        at = local_clock() if timestamp is None else float(timestamp)
        event = EventRecord(at, plain_text(kind), plain_text(text), plain_text(who), plain_text(stream))
        self._must_record().record_event(lambda _: ev.EventAdded(event))
        return event

    def add_clock_estimates(self, name: str, estimates: Iterable[ClockEstimateLike]) -> None:
        """Keep comparisons of a stream's clock with the recorder's (``emg_clock.zarr``).

        Raises
        ------
        SessionClosedError, DiskError, UnknownStreamError
            As `append`.
        """
        rows = [
            (float(one.collected_at), float(one.offset), float(one.uncertainty), float(one.remote_time))
            for one in estimates
        ]
        finite = [row for row in rows if all(map(math.isfinite, row))]
        stem = self._stem(name)
        if finite:
            self._must_record().record_event(lambda _: ev.ClockEstimated(stem, finite))

    def request_stop(self, at: float | None = None) -> None:
        """The recording ends at an instant (recorder's LSL clock, s; None is now); what was under way still comes.

        ``anchors`` in ``meta.json`` end there, however long the last samples take, also where a kill prevents `finish`.
        The first call counts. Without any it is `finish` that says when the recording ended.

        Raises
        ------
        SessionClosedError, DiskError
            As `add_label`.
        """
        anchor = anchor_at(at)
        self._must_record().record_event(lambda _: ev.StopRequested(anchor), sync=True)

    def add_gap_reason(self, name: str, index: int, reason: str) -> None:
        """Say why time is missing before sample ``index`` of a stream; entered in ``meta.json`` at the end.

        Raises
        ------
        SessionClosedError, DiskError, UnknownStreamError
            As `append`.
        """
        stem = self._stem(name)
        at, why = _whole(index, "sample"), plain_text(reason)
        self._must_record().record_event(lambda _: ev.GapExplained(stem, at, why))

    def _stem(self, name: str) -> str:
        return find_stem(self._must_record().own_names, name)


def plain_text(text: str) -> str:
    """Text that JSON can hold: a lone surrogate is spelt out."""
    return str(text).encode("utf-8", "backslashreplace").decode()


def _seconds(value: float | None, what: str) -> float:
    """A time on the recorder's LSL clock, now for None; ConfigError where it is none."""
    try:
        seconds = local_clock() if value is None else float(value)
    except (TypeError, ValueError, OverflowError):
        seconds = math.nan
    if not math.isfinite(seconds):
        raise ConfigError(f"{what} at {value!r}: give seconds on the recorder's LSL clock")
    return seconds


def _whole(value: int, what: str) -> int:
    try:
        return operator.index(value)
    except TypeError as error:
        raise ConfigError(f"{what} is {value!r}; give a whole number") from error
