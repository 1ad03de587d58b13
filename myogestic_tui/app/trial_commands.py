"""What is done to a trial of the running session: marked, relabelled, moved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import NotAllowedError
from .interface import commands as c

if TYPE_CHECKING:
    from ..session import LabelEvent
    from .parts import Parts


def mark_trial(parts: Parts, command: c.MarkTrial) -> c.Reply:
    """Mark it bad or good."""
    session = parts.recordings.require_running(command.session)
    track = session.label_track
    index = _trial_index(track, command)
    bad = not track[index].bad if command.bad is None else command.bad
    session.mark_trial(index, bad)
    return _changed(parts, command, f"{_trial_words(parts, track, index)} marked {'bad' if bad else 'good'}")


def relabel(parts: Parts, command: c.Relabel) -> c.Reply:
    """Give it another class."""
    session = parts.recordings.require_running(command.session)
    parts.labels.check_class(command.class_index)
    track = session.label_track
    index = _trial_index(track, command)
    before, wanted = _trial_words(parts, track, index), parts.labels.class_name(command.class_index)
    if track[index].class_index == command.class_index:
        return c.Reply(ok=True, message=f"{before} is that already")
    session.relabel(index, command.class_index)
    if index == len(track) - 1:
        parts.show_gesture(command.class_index)
    return _changed(parts, command, f"{before} relabelled {wanted}")


def move_label(parts: Parts, command: c.MoveLabel) -> c.Reply:
    """Let it begin earlier or later."""
    session = parts.recordings.require_running(command.session)
    track = session.label_track
    index = _trial_index(track, command)
    words = _trial_words(parts, track, index)
    session.move_label(index, track[index].timestamp + command.seconds)
    return _changed(parts, command, f"{words} moved by {command.seconds:+.3f} s")


def _changed(parts: Parts, command: c.AnyCommand, words: str) -> c.Reply:
    parts.recordings.add_event("trial", words, who=command.actor or "script")
    parts.message.set(words)
    return c.Reply(ok=True, message=words)


def _trial_words(parts: Parts, track: list[LabelEvent], index: int) -> str:
    """``trial 2 Fist (running)``."""
    number = sum(label.class_index >= 0 for label in track[: index + 1])
    running = " (running)" if index == len(track) - 1 else ""
    return f"trial {number} {parts.labels.class_name(track[index].class_index)}{running}"


def _trial_index(track: list[LabelEvent], command: c.MarkTrial | c.Relabel | c.MoveLabel) -> int:
    """Place of the trial that is meant: the given one, the running one, or else the last."""
    trials = [place for place, label in enumerate(track) if label.class_index >= 0]
    if command.trial is not None:
        meant = trials[command.trial - 1 : command.trial] if command.trial > 0 else []
    elif command.timestamp is not None:
        meant = [place for place in trials if track[place].timestamp == command.timestamp]
    elif command.index is not None:
        meant = [place for place in trials if place == command.index]
    else:
        meant = trials
    if meant:
        return meant[-1]
    if (command.index, command.timestamp, command.trial) == (None, None, None):
        raise NotAllowedError("there is no trial to mark yet")
    raise NotAllowedError(f"no such trial; there are {len(trials)}")
