"""From a command to what it does: the one place where keys, scripts and the socket meet."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from ..errors import MyoGesticError, NotAllowedError
from . import interface as r
from .from_config import make_plan_of
from .job_queue import check_storable
from .protocol import ProtocolRunner

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..session import LabelEvent, Session
    from ..stream import Stream
    from .app import App

_log = logging.getLogger(__name__)
LITTLE_ROOM_SECONDS = 60.0
"""A recording that the disk has room for so little is started only by somebody who knows."""


def carry_out(app: App, command: r.AnyCommand) -> r.Reply:
    """Carry out a command; every refusal is a `Reply` with the reason, never an exception."""
    _log.info("%s: %s", command.actor or "script", command)
    try:
        return _HANDLERS[type(command)](app, command)
    except (MyoGesticError, OSError) as error:
        app.say(str(error))
        return r.Reply(ok=False, message=str(error))


def _done(app: App, ok: bool = True) -> r.Reply:
    session = app.ctx.session
    return r.Reply(ok=ok, message=app.ctx.status_message, path=str(session.path) if session is not None else "")


def _start(app: App, command: r.Start) -> r.Reply:
    check_storable(command.base_path or "", command.name or "")
    reasons = _against_start(app)
    if reasons and not command.confirmed:
        return _question(reasons)
    app.start_recording(command.base_path, name=command.name, who=_who(command))
    _started_although(app, command, reasons)
    return _done(app)


def _who(command: r.AnyCommand) -> str:
    return command.actor or "script"


def _question(text: str) -> r.Reply:
    return r.Reply(ok=False, message=f"not done: {text}", confirm=text)


def _against_start(app: App) -> str:
    """What the operator should know before a recording starts; empty where there is nothing, or one runs."""
    if app.recordings.state == "recording":
        return ""
    app.takes.settle()
    reasons = []
    left = app.disk().left_s
    if app.stopped is not None:
        reasons.append(f"the last recording was stopped by the recorder: {app.stopped.text}")
    if left is not None and left < LITTLE_ROOM_SECONDS:
        reasons.append(f"there is room for {left:.0f} s")
    if app.takes.exists():
        reasons.append(f"{take_words(app.take)} is there already, {app.takes.next_free(app.take):02d} is the next")
    return "; ".join(reasons)


def _started_although(app: App, command: r.AnyCommand, reasons: str) -> None:
    """A recording was started all the same: the events keep why that was asked about."""
    app.acknowledge()
    if reasons:
        app.add_event("started", f"started although {reasons}", who=_who(command))


def take_words(take: r.TakeStatus) -> str:
    """``take 04 of P07 grasp``."""
    whose = " ".join(part for part in (take.subject, take.task) if part)
    return f"take {take.take:02d}" + (f" of {whose}" if whose else "")


def _stop(app: App, command: r.Stop) -> r.Reply:
    return _done(app, app.stop_recording(who=_who(command), wanted=command.session))


def _discard(app: App, command: r.Discard) -> r.Reply:
    return _done(app, app.discard_recording(who=_who(command), wanted=command.session))


def _acknowledge(app: App, _: r.Acknowledge) -> r.Reply:
    app.acknowledge()
    return r.Reply(ok=True, message="acknowledged")


def _live(app: App, command: r.OfSession) -> Session:
    return app.recordings.must_run(command.session)


def _label(app: App, command: r.AddLabel) -> r.Reply:
    if command.session is not None:
        _live(app, command)
    label = app.add_label(
        command.class_index, command.timestamp, source=command.source, uncertainty_s=command.uncertainty_s
    )
    name = _class_name(app, command.class_index)
    if label is None:
        idle = app.ctx.state != "recording"
        return r.Reply(ok=True, message=f"the next session starts with {name}" if idle else f"{name} is active already")
    app.labels_come_from(command.actor or command.source)
    return r.Reply(ok=True, message=f"label {name}")


def _class_name(app: App, class_index: int) -> str:
    names = app.ctx.class_names
    if class_index < 0:
        return "no label"
    return names[class_index] if class_index < len(names) else f"class {class_index}"


def _undo(app: App, command: r.UndoLabel) -> r.Reply:
    _live(app, command)
    undone = app.undo_label()
    if undone is None:
        return r.Reply(ok=False, message="there is no label to undo")
    words = f"undone: {_class_name(app, undone.class_index)}"
    app.add_event("undo", words, who=_who(command))
    return r.Reply(ok=True, message=words)


def _note(app: App, command: r.AddNote) -> r.Reply:
    if command.path is not None:
        return _edit_job(app, command.path, {"note": command.text})
    _live(app, command).add_note(command.text, command.timestamp, uncertainty_s=command.uncertainty_s)
    return r.Reply(ok=True, message="noted")


def _mark_trial(app: App, command: r.MarkTrial) -> r.Reply:
    session = _live(app, command)
    track = session.label_track
    index = _trial_index(track, command)
    bad = not track[index].bad if command.bad is None else command.bad
    session.mark_trial(index, bad)
    return _changed(app, command, f"{_trial_words(app, track, index)} marked {'bad' if bad else 'good'}")


def _relabel(app: App, command: r.Relabel) -> r.Reply:
    session = _live(app, command)
    app.check_class(command.class_index)
    track = session.label_track
    index = _trial_index(track, command)
    before, wanted = _trial_words(app, track, index), _class_name(app, command.class_index)
    if track[index].class_index == command.class_index:
        return r.Reply(ok=True, message=f"{before} is that already")
    session.relabel(index, command.class_index)
    if index == len(track) - 1:
        app.generators.gesture(command.class_index)
    return _changed(app, command, f"{before} relabelled {wanted}")


def _changed(app: App, command: r.AnyCommand, words: str) -> r.Reply:
    app.add_event("trial", words, who=_who(command))
    app.say(words)
    return r.Reply(ok=True, message=words)


def _trial_words(app: App, track: list[LabelEvent], index: int) -> str:
    """``trial 2 Fist (running)``."""
    number = sum(label.class_index >= 0 for label in track[: index + 1])
    running = " (running)" if index == len(track) - 1 else ""
    return f"trial {number} {_class_name(app, track[index].class_index)}{running}"


def _trial_index(track: list[LabelEvent], command: r.MarkTrial | r.Relabel) -> int:
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


def _mark_channel(app: App, command: r.MarkChannel) -> r.Reply:
    app.mark_channel(command.stream, command.channel, command.bad)
    return r.Reply(
        ok=True, message=f"{command.stream} channel {command.channel + 1} {'bad' if command.bad else 'good'}"
    )


def _set_take(app: App, command: r.SetTake) -> r.Reply:
    given: dict[str, Any] = {
        key: value
        for key in ("subject", "task", "take", "name", "fields")
        if (value := getattr(command, key)) is not None
    }
    from ..session.recording.start_metadata import check_take

    check_take(command.take)
    texts = (value for value in (command.subject, command.task, command.name) if value is not None)
    check_storable(*texts, *(command.fields or {}), *(command.fields or {}).values())
    wanted = msgspec.structs.replace(app.take, **given)
    if "take" in given and not command.confirmed and wanted.take != app.take.take and app.takes.exists(wanted):
        return _question(f"{take_words(wanted)} is there already, {app.takes.next_free(wanted):02d} is the next")
    app.takes.fill_in(given)
    when = "; it is for the next recording" if app.recordings.running is not None else ""
    return r.Reply(ok=True, message=f"take sheet kept: {take_words(app.take)}{when}")


def _set_gestures(app: App, command: r.SetGestures) -> r.Reply:
    if app.ctx.state == "recording":
        raise NotAllowedError("gestures are fixed while recording; stop first")
    app.ctx.class_names = list(command.names)
    app.gesture_keys = command.keys or ()
    return r.Reply(ok=True, message=f"{len(command.names)} gestures")


def _connect(app: App, command: r.ConnectStream) -> r.Reply:
    stream = app.table.connect(command.key)
    app.remember_picked()
    app.tick(stream, True, who=_who(command))
    return r.Reply(ok=True, message=f"connecting {stream.name}")


def _connect_all(app: App, command: r.ConnectAll) -> r.Reply:
    before = [stream.name for stream in app.table.selected()]
    app.table.connect_all()
    app.remember_picked()
    for stream in app.table.streams.values():
        app.tick(stream, True, who=_who(command))
    added = [stream.name for stream in app.table.selected() if stream.name not in before]
    return r.Reply(ok=True, message=f"connecting {', '.join(added) or 'nothing new'}")


def _forget(app: App, command: r.ForgetStream) -> r.Reply:
    app.table.forget(command.key)
    app.remember_picked()
    return r.Reply(ok=True, message="forgotten")


def _reconnect(app: App, command: r.ReconnectStream) -> r.Reply:
    stream, chosen = app.table.reconnect(command.key, command.outlet)
    if chosen is None:
        return r.Reply(ok=True, message=f"connecting {stream.name} anew")
    app.remember_choice(stream.name, chosen)
    return r.Reply(ok=True, message=f"{stream.name} is the one with uid {chosen.uid[:8]}; that is remembered")


def _tick(app: App, command: r.TickStream) -> r.Reply:
    if command.session is not None:
        _live(app, command)
    stream = app.table.connect(command.key) if command.record else app.table.find(command.key)
    if not command.record and stream.recording and command.confirmed < (2 if stream.required else 1):
        return _question(_leaving_words(stream, command.confirmed))
    app.remember_picked()
    app.tick(stream, command.record, who=_who(command))
    return r.Reply(ok=True, message=f"{stream.name} {'in' if command.record else 'out of'} the recording")


def _leaving_words(stream: Stream, confirmed: int) -> str:
    if confirmed:
        return f"{stream.name} is required: really continue without it?"
    return f"take {stream.name} out of the running recording?"


def _describe(app: App, command: r.DescribeStream) -> r.Reply:
    stream = app.table.find(command.key)
    if stream.info is None:
        raise NotAllowedError(f"{stream.name} is not connected: what it says of itself is not known")
    return r.Reply(ok=True, message=f"{stream.name}: as it was sent", text=stream.info.desc_xml)


def _start_protocol(app: App, command: r.StartProtocol) -> r.Reply:
    plan = make_plan_of(app, command)
    reasons = _against_start(app)
    if reasons and not command.confirmed:
        return _question(reasons)
    app.run_protocol(ProtocolRunner(plan, app.cue, app.protocol_ended), who=_who(command))
    _started_although(app, command, reasons)
    return r.Reply(ok=True, message=f"protocol {plan.name}: {len(plan.cues)} cues in {plan.total_s:.0f} s")


def _protocol(app: App, command: r.OfSession) -> ProtocolRunner:
    if command.session is not None:
        _live(app, command)
    if app.protocol is None or not app.protocol.active:
        raise NotAllowedError("no protocol is running; start one first")
    return app.protocol


def _pause(app: App, command: r.PauseProtocol) -> r.Reply:
    _protocol(app, command).pause(command.paused)
    return r.Reply(ok=True, message="paused" if command.paused else "resumed")


def _skip(app: App, command: r.SkipCue) -> r.Reply:
    _protocol(app, command).skip()
    return r.Reply(ok=True, message="on to the next cue")


def _abort(app: App, command: r.AbortProtocol) -> r.Reply:
    _protocol(app, command).abort()
    return r.Reply(ok=True, message="protocol ended; the recording continues")


def _start_generator(app: App, command: r.StartGenerator) -> r.Reply:
    app.generators.start(command.n_channels, command.fs)
    return r.Reply(ok=True, message="starting a synthetic EMG outlet; it appears in a second or two")


def _stop_generator(app: App, command: r.StopGenerator) -> r.Reply:
    if not command.confirmed and app.recordings.running is not None and app.generators.running:
        return _question("end the synthetic generator while recording?")
    app.generators.stop()
    return r.Reply(ok=True, message="the synthetic generator has ended")


def _start_job(app: App, command: r.StartJob) -> r.Reply:
    ids = [app.jobs.add(command.kind, Path(path), dict(command.options)) for path in command.paths]
    if not ids:
        raise NotAllowedError(f"nothing to {command.kind}: no session is chosen")
    many = f" of {len(ids)} sessions" if len(ids) > 1 else ""
    return r.Reply(ok=True, message=f"{command.kind}{many} queued", job=ids[0])


def _cancel_job(app: App, command: r.CancelJob) -> r.Reply:
    n = app.jobs.cancel(command.id)
    return r.Reply(ok=True, message="cancelled" if n == 1 else f"{n} jobs cancelled", job=command.id)


def _edit_job(app: App, path: str, changes: dict[str, str]) -> r.Reply:
    job = app.jobs.add("edit", Path(path), changes)
    return r.Reply(ok=True, message="editing", path=path, job=job)


def _edit(app: App, command: r.EditSession) -> r.Reply:
    return _edit_job(app, command.path, dict(command.changes))


def _trash(_: App, command: r.TrashSession) -> r.Reply:
    from ..session.recovery.trash import restore_session, trash_session

    check_storable(command.path)
    path = Path(command.path)
    where = restore_session(path) if command.restore else trash_session(path)
    word = "restored" if command.restore else "in the trash"
    return r.Reply(ok=True, message=f"{path.name} {word}", path=str(where))


def _shutdown(app: App, _: r.Shutdown) -> r.Reply:
    app.stop()
    return r.Reply(ok=True, message="the recorder ends once everything is on disk")


_HANDLERS: dict[type, Callable[[App, Any], r.Reply]] = {
    r.Start: _start,
    r.Stop: _stop,
    r.Discard: _discard,
    r.Acknowledge: _acknowledge,
    r.AddLabel: _label,
    r.UndoLabel: _undo,
    r.AddNote: _note,
    r.MarkTrial: _mark_trial,
    r.Relabel: _relabel,
    r.MarkChannel: _mark_channel,
    r.SetTake: _set_take,
    r.SetGestures: _set_gestures,
    r.ConnectStream: _connect,
    r.ConnectAll: _connect_all,
    r.ForgetStream: _forget,
    r.ReconnectStream: _reconnect,
    r.TickStream: _tick,
    r.DescribeStream: _describe,
    r.StartProtocol: _start_protocol,
    r.PauseProtocol: _pause,
    r.SkipCue: _skip,
    r.AbortProtocol: _abort,
    r.StartGenerator: _start_generator,
    r.StopGenerator: _stop_generator,
    r.StartJob: _start_job,
    r.CancelJob: _cancel_job,
    r.EditSession: _edit,
    r.TrashSession: _trash,
    r.Shutdown: _shutdown,
}
