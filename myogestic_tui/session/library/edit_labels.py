"""Editing the labels of a finished session: the first version stays, and every change says who, when, old and new.

Samples and time stamps are never touched. In a folder the steps, each of which a kill may interrupt, are::

    labels.original.json   the labels as they were recorded, before the first edit
    meta.json              with an entry in ``edits``: it counts once ``labels.json`` is what it says
    labels.json            replaced: from here on the edit has happened

A new archive is written with the three beside the old one, read back, compared, and takes its place in one step.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ...errors import ConfigError
from ..checking.content_check import LABEL_SLACK_S
from ..format.account import user_name
from ..format.json_files import MAX_JSON, MAX_JSON_MEMORY, memory_of_json
from ..format.label_edits import EDITS, LabelChange, LabelEdit, digest, drop_unfinished
from ..format.layout import LABELS, META, ORIGINAL_LABELS
from ..format.meta import LabelEvent, Meta, decode_labels, decode_meta, encode_labels, encode_meta
from ..reading.reader import open_session_store
from .edit import change_files
from .label_changes import Change, Track, in_order

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Sequence

    from ..format.progress import Progress


class LabelsEdited(NamedTuple):
    """What an edit did."""

    path: Path
    """Of the session."""
    what: list[str]
    """Each change in words; empty where nothing was different."""


def edit_labels(
    path: str | os.PathLike[str], changes: Sequence[Change], *, who: str = "", progress: Progress | None = None
) -> LabelsEdited:
    """Change the labels of a finished session.

    Parameters
    ----------
    path
        An archive, or a finished folder that nobody holds.
    changes
        `Shift`, `Relabel`, `MarkBad`, `Drop`, `Split`: they speak of trials and times as they are now, and take effect
        together.
    who
        Who does it; the name of the account where it is empty.
    progress
        Called with the bytes done and the bytes in all.

    Raises
    ------
    ConfigError
        A change names what is not there, or would put labels outside the recording; nothing is changed.
    SessionLockedError
        Another process is at the session; one that is being recorded is labelled through its recorder.
    SessionError
        It is not finished, or damaged.
    DiskError
        No room for a second copy, or the disk refused; the session stays as it is.
    """
    return _edit(Path(path), lambda meta, labels, known: _changed(meta, labels, known, changes), who, progress)


def replace_labels(
    path: str | os.PathLike[str],
    labels: Sequence[LabelEvent],
    *,
    what: str = "labels replaced",
    who: str = "",
    progress: Progress | None = None,
) -> LabelsEdited:
    """Let a finished session have these labels; parameters and errors as `edit_labels`."""
    wanted = sorted(labels, key=lambda label: label.timestamp)

    def change(meta: Meta, old: list[LabelEvent], _: list[float]) -> _Changed:
        _check_inside(meta, old, wanted)
        return _Changed(wanted, _difference(old, wanted), [what], [])

    return _edit(Path(path), change, who, progress)


def first_labels(path: str | os.PathLike[str]) -> list[LabelEvent]:
    """The labels of a session as they were recorded, whatever was edited since; errors as `open_session_store`."""
    with open_session_store(path) as session:
        data = session.view.members.read(ORIGINAL_LABELS) if session.label_edits else None
        return list(session.label_track) if data is None else decode_labels(data, where=ORIGINAL_LABELS)


class _Changed(NamedTuple):
    labels: list[LabelEvent]
    changes: list[LabelChange]
    words: list[str]
    bad_trials: list[int]
    """Places that ``meta.json`` alone says are bad, as another recorder's may."""


def _changed(meta: Meta, labels: list[LabelEvent], known: list[float], changes: Sequence[Change]) -> _Changed:
    track = Track(labels, meta.class_names, meta.anchors[0].lsl if meta.anchors else 0.0, known)
    for change in in_order(changes):
        track.change(change)
    result, slots = track.result(), track.slots
    _check_inside(meta, labels, result)
    pairs = [
        LabelChange(old if place == 0 else None, new)
        for old, slot in zip(labels, slots, strict=True)
        for place, new in enumerate(slot or [None])
        if (old if place == 0 else None) != new
    ]
    origins = [place for place, slot in enumerate(slots) for _ in slot]
    only_meta = {place for place in meta.bad_trials if 0 <= place < len(labels) and not labels[place].bad}
    return _Changed(result, pairs, track.words, [new for new, old in enumerate(origins) if old in only_meta])


def _check_inside(meta: Meta, old: Sequence[LabelEvent], new: Sequence[LabelEvent]) -> None:
    start, stop = _recorded(meta, old)
    were = {label.timestamp for label in old}
    for label in new:
        if label.timestamp not in were and not start - LABEL_SLACK_S <= label.timestamp <= stop + LABEL_SLACK_S:
            begun = meta.anchors[0].lsl
            raise ConfigError(
                f"a label would be at {label.timestamp - begun:+.3f} s, outside the recording of {stop - begun:.3f} s; "
                "nothing was changed. Times are in seconds"
            )


def _recorded(meta: Meta, labels: Sequence[LabelEvent]) -> tuple[float, float]:
    """From when to when was recorded; a script fills a session with hours of samples within seconds."""
    if len(meta.anchors) < 2:
        return float("-inf"), float("inf")
    times = [anchor.lsl for anchor in meta.anchors] + [label.timestamp for label in labels]
    on_its_clock = [one for one in meta.all_streams.values() if one.time is not None and one.time.basis == "uncompared"]
    times += [time for one in on_its_clock for time in (one.first_timestamp, one.last_timestamp) if time is not None]
    return min(times), max(times)


def _difference(old: Sequence[LabelEvent], new: Sequence[LabelEvent]) -> list[LabelChange]:
    """Labels that are in one of the two only; those of the same place in the order are taken to be the same label."""
    if len(old) == len(new):
        return [LabelChange(one, two) for one, two in zip(old, new, strict=True) if one != two]
    gone, come = [one for one in old if one not in new], [one for one in new if one not in old]
    return [*(LabelChange(one, None) for one in gone), *(LabelChange(None, one) for one in come)]


# ---------------------------------------------------------------- files


def _edit(
    path: Path,
    change: Callable[[Meta, list[LabelEvent], list[float]], _Changed],
    who: str,
    progress: Progress | None,
) -> LabelsEdited:
    words: list[str] = []

    def files(read: Callable[[str], bytes | None]) -> dict[str, bytes]:
        meta, now = decode_meta(read(META) or b"{}"), read(LABELS) or b"[]\n"
        original = read(ORIGINAL_LABELS)
        history, labels = drop_unfinished(meta, now), decode_labels(now)
        first = original if original is not None and history.edits else now
        pairs = [pair for edit in history.edits for pair in edit.changes]
        known = {one.timestamp for pair in pairs for one in (pair.old, pair.new) if one is not None}
        changed = change(meta, labels, sorted(known))
        words.extend(changed.words)
        if not changed.changes:
            words.clear()
            return {}
        new = first if decode_labels(first) == changed.labels else encode_labels(changed.labels)
        edit = LabelEdit(
            at=datetime.now(UTC).isoformat(timespec="seconds"),
            who=who or user_name(),
            what=changed.words,
            changes=changed.changes,
            before=digest(now),
            after=digest(new),
        )
        earlier = meta.extra.get(EDITS)
        meta.extra = {**meta.extra, EDITS: [*(earlier if isinstance(earlier, list) else []), edit.entry()]}
        bad = {place for place, label in enumerate(changed.labels) if label.bad}
        meta.bad_trials = sorted(bad | set(changed.bad_trials))
        kept = {} if original is None and history.edits else {ORIGINAL_LABELS: first}
        return {**kept, META: _encoded(meta), LABELS: new}

    return LabelsEdited(change_files(path, files, progress), words)


def _encoded(meta: Meta) -> bytes:
    data = encode_meta(meta)
    if len(data) > MAX_JSON or memory_of_json(data) > MAX_JSON_MEMORY:
        raise ConfigError("the session's edits would grow too large to be read again; nothing was changed")
    return data
