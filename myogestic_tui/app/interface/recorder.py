"""The `Recorder` that screens, scripts and the control socket are written against."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from msgspec.structs import replace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from .commands import AnyCommand, Reply
    from .status import Envelope, RecorderState, Status, View

_MOST_QUESTIONS = 3


def confirmed(recorder: Recorder, command: AnyCommand) -> Reply:
    """Carry out a command where nobody can be asked: every question is answered with yes, and stands in the reply."""
    reply = recorder.execute(command)
    asked: list[str] = []
    while reply.confirm and len(asked) < _MOST_QUESTIONS:
        asked.append(reply.confirm)
        reply = recorder.execute(replace(command, confirmed=len(asked)))
    return replace(reply, message="; ".join([reply.message, *asked])) if reply.ok and asked else reply


class Recorder(Protocol):
    """What the screens hold. `status` and `envelope` never block; `execute` may, for a bounded time."""

    def status(self) -> Status:
        """The newest snapshot."""
        ...

    def envelope(self, view: View) -> Envelope | None:
        """The newest envelope for what is looked at; None until there is one."""
        ...

    def execute(self, command: AnyCommand) -> Reply:
        """Carry out a command; call it off the event loop, one at a time, so that order is kept."""
        ...

    def close(self) -> None:
        """The viewer goes; the recorder stays."""
        ...


@runtime_checkable
class RemoteRecorder(Recorder, Protocol):
    """A recorder of another process: it tells when an envelope came, on a thread of its own."""

    on_envelope: Callable[[], object]


class HostedRecorder(Recorder, Protocol):
    """A recorder of this process that others may attach to."""

    sessions_dir: Path

    def set_viewers(self, viewers: int) -> None:
        """So many programs watch from outside."""
        ...

    def stop(self) -> None:
        """Ask it to end."""
        ...


@runtime_checkable
class ScriptContext(Protocol):
    """What the widgets need of the `Context` that a script's ``ui(ctx)`` gets."""

    @property
    def app(self) -> Recorder:
        """The recorder that they show and drive."""
        ...

    @property
    def state(self) -> RecorderState:
        """Idle or recording."""
        ...

    def offer_class_names(self, names: Iterable[str]) -> None:
        """Take class names from a widget."""
        ...


class ScriptedRecorder(Recorder, Protocol):
    """A recorder whose main screen a script composes."""

    @property
    def ctx(self) -> ScriptContext:
        """What the script's function is given."""
        ...

    @property
    def ui_function(self) -> Callable[[Any], object] | None:
        """The script's function."""
        ...
