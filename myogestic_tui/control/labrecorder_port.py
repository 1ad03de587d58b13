"""The lines that control LabRecorder over TCP, so that a stimulus program which knows them can drive this recorder.

The lines are those of LabRecorder's ``RemoteControlSocket``: ``start``, ``stop``, ``update``, ``select all``,
``select none``, ``select QUERY``, ``filename {key:value} …``; ``status``, ``label``, ``note`` and ``token`` are ours.
Each is answered by one line that starts with ``OK`` or ``ERROR`` (LabRecorder says ``OK`` to everything). It is off by
default, and on loopback by default; beyond that the first line has to be the token. A connection that sends anything
else (a browser's request, say) ends at once.
"""

from __future__ import annotations

import hmac
import re
from functools import partial
from typing import TYPE_CHECKING

from msgspec.structs import replace

from ..app.interface import (
    AddLabel,
    AddNote,
    AnyCommand,
    ConnectAll,
    Recorder,
    Reply,
    SetTake,
    Start,
    Status,
    Stop,
    TakeStatus,
    TickStream,
    confirmed,
)
from .framing import FramingError, Lines
from .messages import Executed, Message, Refused, Request, Task
from .stream_query import select_matching

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

_FIELD = re.compile(r"\{\s*(\w+)\s*:([^{}]*)\}")
_KNOWN = ("root", "template", "participant", "session", "task", "run", "acquisition", "acq", "modality")
_PLACEHOLDERS = {
    "%p": "participant",
    "%s": "session",
    "%b": "task",
    "%n": "run",
    "%r": "run",
    "%a": "acquisition",
    "%m": "modality",
}


class RemoteLines(Lines):
    """LabRecorder's remote control as a dialect of the control server."""

    name = "remote"

    def __init__(self, token: str = "") -> None:
        super().__init__()
        self._token = token

    def feed(self, data: bytes) -> list[Request]:
        """See `framing.Dialect`; raises `FramingError` at the first line that is none of these."""
        return [Task(id=0, run=self._action(line.decode("utf-8", "replace"))) for line in self.split(data)]

    def _action(self, line: str) -> Callable[[Recorder, str], Reply]:
        word, _, rest = line.strip().partition(" ")
        if word == "token":
            if self._token and not hmac.compare_digest(rest.strip().encode(), self._token.encode()):
                raise FramingError("that is not the token; it stands under [remote] of the configuration")
            self._token = ""
            return lambda _recorder, _who: Reply(ok=True)
        if self._token:
            raise FramingError("say `token …` first; it stands under [remote] of the configuration")
        return _action(line)

    def encode(self, message: Message) -> bytes:
        """See `framing.Dialect`."""
        if isinstance(message, Executed):
            word = "OK" if message.reply.ok else "ERROR"
            return f"{word} {_one_line(message.reply.message)}".strip().encode() + b"\n"
        if isinstance(message, Refused):
            return f"ERROR {_one_line(message.reason)}\n".encode()
        return b""


def remote_lines(_: socket.socket, token: str = "") -> RemoteLines:
    """The dialect of every connection to the remote port; with a token that must come first."""
    return RemoteLines(token)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _action(line: str) -> Callable[[Recorder, str], Reply]:
    word, _, rest = line.partition(" ")
    match word, rest.strip():
        case "start", "":
            return start_ticked
        case "stop", "":
            return _plain(Stop())
        case "update", "":
            return lambda _recorder, _who: Reply(ok=True)  # discovery never rests here
        case "status", "":
            return lambda recorder, _who: Reply(ok=True, message=describe(recorder.status()))
        case "select", "all":
            return _plain(ConnectAll())
        case "select", "none":
            return _select_none
        case "select", query if query:
            return partial(select_matching, query=query)
        case "label", name:
            return partial(_label, name=name)
        case "note", text if text:
            return _plain(AddNote(text=text))
        case "filename", fields:
            return lambda recorder, who: _filename(recorder, who, fields)
    raise FramingError(f"{line[:80]!r} is none of start, stop, update, select, filename, status, label, note")


def _plain(command: AnyCommand) -> Callable[[Recorder, str], Reply]:
    return lambda recorder, who: recorder.execute(replace(command, actor=who))


def start_ticked(recorder: Recorder, who: str) -> Reply:
    """Start recording what is selected; refused where nothing is, since nobody may be there to see it.

    What the recorder would ask about (little room, a take number that is used) does not hold it up: a recording that is
    short, or has another one's number, is better than none. Reply, log and the session's events tell.
    """
    if not any(stream.record for stream in recorder.status().streams):
        return Reply(ok=False, message='no stream is selected; select some on the Streams screen, or send "select all"')
    return confirmed(recorder, Start(actor=who))


def _select_none(recorder: Recorder, who: str) -> Reply:
    for stream in recorder.status().streams:
        if stream.record:
            reply = recorder.execute(TickStream(key=stream.key, record=False, actor=who))
            if not reply.ok:
                return reply
    return Reply(ok=True)


def _label(recorder: Recorder, who: str, name: str) -> Reply:
    """A gesture by its name, or its number from 0, begins now, or at ``@ SECONDS`` of the recorder's LSL clock."""
    name, _, at = (part.strip() for part in name.rpartition("@")) if "@" in name else (name, "", "")
    names = [gesture.name for gesture in recorder.status().gestures]
    index = -1 if name in ("", "-") else names.index(name) if name in names else int(name) if name.isdecimal() else None
    if index is None:
        return Reply(ok=False, message=f"no gesture {name!r}; there are: {', '.join(names) or 'none'}")
    try:
        timestamp = float(at) if at else None
    except ValueError:
        return Reply(ok=False, message=f"{at!r} is no time; give seconds of the recorder's LSL clock")
    return recorder.execute(AddLabel(class_index=index, timestamp=timestamp, source="script", actor=who))


def describe(status: Status) -> str:
    """One line of ``key=value``; the session's path comes last, since it may hold spaces."""
    selected = [stream for stream in status.streams if stream.record]
    words = [
        f"state={status.state}",
        f"streams={sum(stream.state in ('live', 'slow') for stream in selected)}/{len(selected)}",
        f"take={status.take.take}",
    ]
    if status.state == "recording" and status.session is not None:
        session = status.session
        words += [f"elapsed={session.elapsed_s:.1f}", f"lost={session.lost_samples}", f"session={session.path}"]
    return " ".join(words)


def _filename(recorder: Recorder, who: str, text: str) -> Reply:
    given = {key.lower(): value.strip() for key, value in _FIELD.findall(text)}
    unknown = [key for key in given if key not in _KNOWN]
    if not given or unknown:
        what = f"no field {', '.join(unknown)}" if unknown else "give {key:value} fields"
        return Reply(ok=False, message=f"{what}; there are {', '.join(_KNOWN)}")
    if "acq" in given:
        given["acquisition"] = given.pop("acq")
    return confirmed(recorder, take_sheet(given, recorder.status().take, who))


def take_sheet(given: dict[str, str], take: TakeStatus, who: str = "") -> SetTake:
    """What a ``filename`` line fills in.

    ``participant``, ``task`` and a ``run`` that is a number become subject, task and take; the rest are fields of the
    sheet. The last part of the template, filled in, becomes the session's name. Root and folders are kept as fields
    only: where sessions are written is the recorder's to say.
    """
    run = given.get("run", "")
    fields: dict[str, str] = {
        key: given[key] for key in ("root", "template", "session", "acquisition", "modality") if key in given
    }
    if run and not run.isdecimal():
        fields["run"] = run
    return SetTake(
        subject=given.get("participant"),
        task=given.get("task"),
        take=int(run) if run.isdecimal() and int(run) > 0 else None,
        name=_name(given) if "template" in given else None,
        fields={**take.fields, **fields} if fields else None,
        actor=who,
    )


def _name(given: dict[str, str]) -> str:
    """The file name that the template makes, without folders, ending and placeholders that nothing fills."""
    last = re.split(r"[\\/]", given["template"])[-1]
    filled = re.sub(r"%\w", lambda found: given.get(_PLACEHOLDERS.get(found[0], ""), ""), last)
    return re.sub(r"\.xdfz?$", "", filled, flags=re.IGNORECASE).strip(" _-.")
