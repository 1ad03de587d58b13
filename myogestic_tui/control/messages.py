"""What travels between a viewer and the recorder: typed, versioned, the same in msgpack frames and in lines of JSON.

The opening is fixed for all versions, so that any two can at least refuse each other clearly: `Hello` and `Refused`
keep their first fields for good. `docs/control-protocol.md` is the specification for other languages.
"""

from __future__ import annotations

# msgspec reads the annotations at run time, so their names must be there.
# ruff: noqa: TC001, TC003
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from ..app.interface import AnyCommand, Envelope, Recorder, Reply, Status, View

PROTOCOL = 1
"""Raised when an older program could misread a newer one. Optional fields may be added without raising it."""

MAX_REQUEST = 1 << 20
"""Bytes of one message to the recorder: enough for a job on 5,000 sessions."""

MAX_LINE = 64 << 10
"""Bytes of one line of JSON or of remote control."""

MAX_UPDATE = 16 << 20
"""Bytes of one message to a viewer."""

Number = Annotated[int, Meta(ge=0, lt=2**53)]
"""What every language can count."""

Refusal = Literal["version", "user", "full", "message", "silence"]


class Message(Struct, frozen=True, kw_only=True, omit_defaults=True, tag=True):
    """Base of all messages. The struct's name is its tag on the wire."""


# ---------------------------------------------------------------- to the recorder


class Hello(Message, frozen=True, kw_only=True):
    """Opens a framed connection; optional in JSON lines."""

    protocol: int
    program: str = ""
    """For the log: "tui", "ctl", "stimulus"."""
    client: str = ""
    """A random name that the program keeps when it connects again. With it, an `Execute` of an ``id`` that was heard
    before is answered again, not carried out again."""


class Subscribe(Message, frozen=True, kw_only=True):
    """From now on send statuses, and envelopes of these views; replaces the subscription before it."""

    status: bool = True
    views: dict[int, View] = field(default_factory=dict)
    """By a number of the viewer's choice, which each `EnvelopeUpdate` carries."""
    fps: float = 10.0
    """Most envelopes of each view per second."""


class GetStatus(Message, frozen=True, kw_only=True):
    """Send one status."""


class Execute(Message, frozen=True, kw_only=True):
    """Carry out a command; `Executed` of the same ``id`` answers."""

    id: Number
    command: AnyCommand


# ---------------------------------------------------------------- to the viewer


class Welcome(Message, frozen=True, kw_only=True):
    """Answers `Hello`."""

    protocol: int
    version: str = ""
    pid: int = 0
    instance: str = ""
    """Differs between two runs of the recorder: what one had not answered, the next knows nothing of."""


class StatusUpdate(Message, frozen=True, kw_only=True):
    """The newest status; some are left out for a viewer that reads slowly."""

    status: Status


class EnvelopeUpdate(Message, frozen=True, kw_only=True):
    """The newest envelope of a view; some are left out for a viewer that reads slowly."""

    view: int
    envelope: Envelope


class Executed(Message, frozen=True, kw_only=True):
    """What came of a command."""

    id: int
    reply: Reply


class Refused(Message, frozen=True, kw_only=True):
    """The recorder ends this connection, and says why."""

    reason: str
    kind: Refusal = "message"
    protocol: int = PROTOCOL


# ---------------------------------------------------------------- both ways


class Bye(Message, frozen=True, kw_only=True):
    """The sender ends the connection on purpose."""

    reason: str = ""


ToRecorder = Hello | Subscribe | GetStatus | Execute | Bye
ToViewer = Welcome | StatusUpdate | EnvelopeUpdate | Executed | Refused | Bye


# ---------------------------------------------------------------- what a dialect makes of what it reads


@dataclass(frozen=True, slots=True)
class Task:
    """Something to do with the recorder that is not one plain command; answered like one."""

    id: int
    run: Callable[[Recorder, str], Reply]
    """Called with the recorder and the name of who asks."""


@dataclass(frozen=True, slots=True)
class Misread:
    """A message that is well formed and means nothing; it is answered by a refusal, and the connection continues."""

    id: int
    reason: str


Request = ToRecorder | Task | Misread
"""What a connection of the recorder hands on."""
