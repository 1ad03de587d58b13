"""Carries out commands: the one place where keys, scripts and the socket meet."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from ..errors import MyoGesticError, NotAllowedError
from . import trial_commands
from .interface import commands as c
from .job_queue import check_storable
from .montage_commands import describe_montage, set_montage

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..session import Session
    from ..stream import Stream
    from .interface import TakeStatus
    from .parts import Parts
    from .protocol import ProtocolRunner

_log = logging.getLogger(__name__)
LITTLE_ROOM_SECONDS = 60.0
"""A recording that the disk has room for so little is started only by somebody who knows."""


def execute(parts: Parts, command: c.AnyCommand) -> c.Reply:
    """Carry out a command; every refusal is a `Reply` with the reason, never an exception."""
    _log.info("%s: %s", command.actor or "script", command)
    try:
        return _HANDLERS[type(command)](parts, command)
    except (MyoGesticError, OSError) as error:
        parts.message.set(str(error))
        return c.Reply(ok=False, message=str(error))


def _done(parts: Parts, ok: bool = True) -> c.Reply:
    session = parts.recordings.session
    return c.Reply(ok=ok, message=parts.message.text, path=str(session.path) if session is not None else "")


def _start(parts: Parts, command: c.Start) -> c.Reply:
    check_storable(command.base_path or "", command.name or "", command.fleet_id)
    reasons = _against_start(parts)
    if reasons and not command.confirmed:
        return _question(reasons)
    if command.rehearse:
        return _rehearsed(parts)
    fields = {"fleet_id": command.fleet_id} if command.fleet_id else {}
    parts.recorder.start(_folder(command), name=command.name, who=_who(command), fields=fields)
    _started_although(parts, command, reasons)
    return _done(parts)


def _rehearsed(parts: Parts) -> c.Reply:
    if parts.recordings.state != "idle":
        return c.Reply(ok=False, message="already recording; stop first")
    if not parts.streams.selected():
        return c.Reply(ok=False, message="no stream is selected to be recorded")
    if shortage := parts.disk.shortage():
        return c.Reply(ok=False, message=shortage)
    return c.Reply(ok=True, message="ready to start")


def _folder(command: c.Start) -> Path | None:
    return None if command.base_path is None else Path(command.base_path)


def _who(command: c.AnyCommand) -> str:
    return command.actor or "script"


def _question(text: str) -> c.Reply:
    return c.Reply(ok=False, message=f"not done: {text}", confirm=text)


def _against_start(parts: Parts) -> str:
    """What the operator should know before a recording starts; empty where there is nothing, or one runs."""
    if parts.recordings.state == "recording":
        return ""
    parts.takes.settle()
    reasons = []
    left = parts.disk.measure().left_s
    if parts.recorder.stopped is not None:
        reasons.append(f"the last recording was stopped by the recorder: {parts.recorder.stopped.text}")
    if left is not None and left < LITTLE_ROOM_SECONDS:
        reasons.append(f"there is room for {left:.0f} s")
    if parts.takes.exists():
        reasons.append(_taken_words(parts, parts.takes.sheet))
    return "; ".join(reasons)


def _taken_words(parts: Parts, take: TakeStatus) -> str:
    return f"{take_words(take)} is there already, {parts.takes.next_free(take):02d} is the next"


def _started_although(parts: Parts, command: c.AnyCommand, reasons: str) -> None:
    """A recording was started all the same: the events keep why that was asked about."""
    parts.recorder.acknowledge()
    if reasons:
        parts.recordings.add_event("started", f"started although {reasons}", who=_who(command))


def take_words(take: TakeStatus) -> str:
    """``take 04 of P07 grasp``."""
    whose = " ".join(part for part in (take.subject, take.task) if part)
    return f"take {take.take:02d}" + (f" of {whose}" if whose else "")


def _stop(parts: Parts, command: c.Stop) -> c.Reply:
    return _done(parts, parts.recorder.stop(who=_who(command), wanted=command.session))


def _discard(parts: Parts, command: c.Discard) -> c.Reply:
    return _done(parts, parts.recorder.discard(who=_who(command), wanted=command.session))


def _run_command(parts: Parts, command: c.RunCommand) -> c.Reply:
    parts.hooks.run(command.name)
    parts.recordings.add_event("command", f"{command.name} was run", who=_who(command))
    return c.Reply(ok=True, message=f"{command.name}: started")


def _acknowledge(parts: Parts, _: c.Acknowledge) -> c.Reply:
    parts.recorder.acknowledge()
    return c.Reply(ok=True, message="acknowledged")


def _live(parts: Parts, command: c.OfSession) -> Session:
    return parts.recordings.require_running(command.session)


def _label(parts: Parts, command: c.AddLabel) -> c.Reply:
    if command.session is not None:
        _live(parts, command)
    label = parts.labels.add(
        command.class_index, command.timestamp, source=command.source, uncertainty_s=command.uncertainty_s
    )
    name = parts.labels.class_name(command.class_index)
    if label is None:
        idle = parts.recordings.running is None
        return c.Reply(ok=True, message=f"the next session starts with {name}" if idle else f"{name} is active already")
    parts.labels.came_from(command.actor or command.source)
    return c.Reply(ok=True, message=f"label {name}")


def _undo(parts: Parts, command: c.UndoLabel) -> c.Reply:
    _live(parts, command)
    undone = parts.labels.undo()
    if undone is None:
        return c.Reply(ok=False, message="there is no label to undo")
    words = f"undone: {parts.labels.class_name(undone.class_index)}"
    parts.recordings.add_event("undo", words, who=_who(command))
    return c.Reply(ok=True, message=words)


def _note(parts: Parts, command: c.AddNote) -> c.Reply:
    if command.path is not None:
        return _edit_job(parts, command.path, {"note": command.text})
    _live(parts, command).add_note(command.text, command.timestamp, uncertainty_s=command.uncertainty_s)
    return c.Reply(ok=True, message="noted")


def _mark_channel(parts: Parts, command: c.MarkChannel) -> c.Reply:
    parts.labels.mark_channel(parts.streams.find(command.stream), command.channel, command.bad)
    return c.Reply(
        ok=True, message=f"{command.stream} channel {command.channel + 1} {'bad' if command.bad else 'good'}"
    )


def _set_take(parts: Parts, command: c.SetTake) -> c.Reply:
    given: dict[str, Any] = {
        key: value
        for key in ("subject", "task", "take", "name", "fields")
        if (value := getattr(command, key)) is not None
    }
    from ..session.recording.start_metadata import check_take

    check_take(command.take)
    texts = (value for value in (command.subject, command.task, command.name) if value is not None)
    check_storable(*texts, *(command.fields or {}), *(command.fields or {}).values())
    wanted = msgspec.structs.replace(parts.takes.sheet, **given)
    if (
        "take" in given
        and not command.confirmed
        and wanted.take != parts.takes.sheet.take
        and parts.takes.exists(wanted)
    ):
        return _question(_taken_words(parts, wanted))
    parts.takes.fill_in(given)
    when = "; it is for the next recording" if parts.recordings.running is not None else ""
    return c.Reply(ok=True, message=f"take sheet kept: {take_words(parts.takes.sheet)}{when}")


def _set_gestures(parts: Parts, command: c.SetGestures) -> c.Reply:
    if parts.recordings.running is not None:
        raise NotAllowedError("gestures are fixed while recording; stop first")
    parts.labels.class_names = command.names
    parts.labels.keys = command.keys or ()
    return c.Reply(ok=True, message=f"{len(command.names)} gestures")


def _connect(parts: Parts, command: c.ConnectStream) -> c.Reply:
    stream = parts.selection.connect(command.key)
    parts.selection.select(stream, True, who=_who(command))
    return c.Reply(ok=True, message=f"connecting {stream.name}")


def _connect_all(parts: Parts, command: c.ConnectAll) -> c.Reply:
    added = parts.selection.connect_all(who=_who(command))
    return c.Reply(ok=True, message=f"connecting {', '.join(added)}" if added else "no stream is left to connect")


def _forget(parts: Parts, command: c.ForgetStream) -> c.Reply:
    parts.selection.forget(command.key)
    return c.Reply(ok=True, message="forgotten")


def _reconnect(parts: Parts, command: c.ReconnectStream) -> c.Reply:
    stream, chosen = parts.selection.reconnect(command.key, command.outlet)
    if chosen is None:
        return c.Reply(ok=True, message=f"reconnecting {stream.name}")
    return c.Reply(ok=True, message=f"{stream.name} is the one with uid {chosen.uid[:8]}; that is remembered")


def _select(parts: Parts, command: c.TickStream) -> c.Reply:
    if command.session is not None:
        _live(parts, command)
    stream = parts.selection.connect(command.key) if command.record else parts.streams.find(command.key)
    if not command.record and stream.recording and command.confirmed < (2 if stream.required else 1):
        return _question(_leaving_words(stream, command.confirmed))
    parts.selection.select(stream, command.record, who=_who(command))
    return c.Reply(ok=True, message=f"{stream.name} {'in' if command.record else 'out of'} the recording")


def _leaving_words(stream: Stream, confirmed: int) -> str:
    if confirmed:
        return f"{stream.name} is required: really continue without it?"
    return f"take {stream.name} out of the running recording?"


def _describe(parts: Parts, command: c.DescribeStream) -> c.Reply:
    stream = parts.streams.find(command.key)
    if stream.info is None:
        raise NotAllowedError(f"{stream.name} is not connected: its metadata is not known")
    return c.Reply(ok=True, message=f"{stream.name}: as it was sent", text=stream.info.desc_xml)


def _start_protocol(parts: Parts, command: c.StartProtocol) -> c.Reply:
    plan = parts.protocols.plan(command)
    reasons = _against_start(parts)
    if reasons and not command.confirmed:
        return _question(reasons)
    parts.run_protocol(plan, who=_who(command))
    _started_although(parts, command, reasons)
    return c.Reply(ok=True, message=f"protocol {plan.name}: {len(plan.cues)} cues in {plan.total_s:g} s")


def _protocol(parts: Parts, command: c.OfSession) -> ProtocolRunner:
    if command.session is not None:
        _live(parts, command)
    return parts.protocols.active


def _pause(parts: Parts, command: c.PauseProtocol) -> c.Reply:
    _protocol(parts, command).pause(command.paused)
    return c.Reply(ok=True, message="paused" if command.paused else "resumed")


def _skip(parts: Parts, command: c.SkipCue) -> c.Reply:
    _protocol(parts, command).skip()
    return c.Reply(ok=True, message="on to the next cue")


def _abort(parts: Parts, command: c.AbortProtocol) -> c.Reply:
    _protocol(parts, command).abort()
    return c.Reply(ok=True, message="protocol ended; the recording continues")


def _start_generator(parts: Parts, command: c.StartGenerator) -> c.Reply:
    parts.generators.start(command.n_channels, command.fs)
    return c.Reply(ok=True, message="starting a synthetic EMG outlet; it appears in a second or two")


def _stop_generator(parts: Parts, command: c.StopGenerator) -> c.Reply:
    if not command.confirmed and parts.recordings.running is not None and parts.generators.running:
        return _question("end the synthetic generator while recording?")
    parts.generators.stop()
    return c.Reply(ok=True, message="the synthetic generator has ended")


def _start_job(parts: Parts, command: c.StartJob) -> c.Reply:
    ids = [parts.jobs.add(command.kind, Path(path), dict(command.options)) for path in command.paths]
    if not ids:
        raise NotAllowedError(f"nothing to {command.kind}: no session is chosen")
    many = f" of {len(ids)} sessions" if len(ids) > 1 else ""
    return c.Reply(ok=True, message=f"{command.kind}{many} queued", job=ids[0])


def _cancel_job(parts: Parts, command: c.CancelJob) -> c.Reply:
    n = parts.jobs.cancel(command.id)
    return c.Reply(ok=True, message="cancelled" if n == 1 else f"{n} jobs cancelled", job=command.id)


def _edit_job(parts: Parts, path: str, changes: dict[str, str]) -> c.Reply:
    job = parts.jobs.add("edit", Path(path), changes)
    return c.Reply(ok=True, message="editing", path=path, job=job)


def _edit(parts: Parts, command: c.EditSession) -> c.Reply:
    return _edit_job(parts, command.path, dict(command.changes))


def _trash(_: Parts, command: c.TrashSession) -> c.Reply:
    from ..session.recovery.trash import restore_session, trash_session

    check_storable(command.path)
    path = Path(command.path)
    where = restore_session(path) if command.restore else trash_session(path)
    word = "restored" if command.restore else "in the trash"
    return c.Reply(ok=True, message=f"{path.name} {word}", path=str(where))


def _shutdown(parts: Parts, _: c.Shutdown) -> c.Reply:
    parts.ending.set()
    return c.Reply(ok=True, message="the recorder ends once everything is on disk")


_HANDLERS: dict[type, Callable[[Parts, Any], c.Reply]] = {
    c.Start: _start,
    c.Stop: _stop,
    c.Discard: _discard,
    c.Acknowledge: _acknowledge,
    c.RunCommand: _run_command,
    c.AddLabel: _label,
    c.UndoLabel: _undo,
    c.AddNote: _note,
    c.MarkTrial: trial_commands.mark_trial,
    c.Relabel: trial_commands.relabel,
    c.MoveLabel: trial_commands.move_label,
    c.MarkChannel: _mark_channel,
    c.SetMontage: set_montage,
    c.DescribeMontage: describe_montage,
    c.SetTake: _set_take,
    c.SetGestures: _set_gestures,
    c.ConnectStream: _connect,
    c.ConnectAll: _connect_all,
    c.ForgetStream: _forget,
    c.ReconnectStream: _reconnect,
    c.TickStream: _select,
    c.DescribeStream: _describe,
    c.StartProtocol: _start_protocol,
    c.PauseProtocol: _pause,
    c.SkipCue: _skip,
    c.AbortProtocol: _abort,
    c.StartGenerator: _start_generator,
    c.StopGenerator: _stop_generator,
    c.StartJob: _start_job,
    c.CancelJob: _cancel_job,
    c.EditSession: _edit,
    c.TrashSession: _trash,
    c.Shutdown: _shutdown,
}
