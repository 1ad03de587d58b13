"""Commands of a client that are not answered yet: each is sent again on a new connection, and answered once."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from ..app.interface import AddLabel, AddNote, AnyCommand, Reply
from ..clock import local_clock
from .messages import MAX_REQUEST, Execute

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(eq=False)
class PendingCommand:
    """A command that is not answered yet."""

    number: int
    command: AnyCommand
    sent_on: int = 0
    """The connection that it last left on; 0: on none yet."""
    reply: Reply | None = None

    def fail(self, why: str) -> Reply:
        """Answer it in the recorder's place; the reply says whether the command had been sent."""
        name = type(self.command).__name__
        fate = "was sent but not acknowledged" if self.sent_on else "was not delivered"
        self.reply = Reply(ok=False, message=f"{name} {fate}: {why}")
        return self.reply


class PendingCommands:
    """The commands under way, in the order they were given; the caller holds a lock."""

    def __init__(self) -> None:
        self._commands: OrderedDict[int, PendingCommand] = OrderedDict()
        self._last_number = 0

    def __iter__(self) -> Iterator[PendingCommand]:
        return iter(self._commands.values())

    def add(self, command: AnyCommand) -> PendingCommand:
        """Number a command and keep it until it is answered."""
        self._last_number += 1
        pending = self._commands[self._last_number] = PendingCommand(self._last_number, command)
        return pending

    def answer(self, number: int, reply: Reply) -> None:
        """Hand a command its reply; one that nobody waits for any more is ignored."""
        if (pending := self._commands.pop(number, None)) is not None:
            pending.reply = reply

    def expire(self, pending: PendingCommand, why: str) -> None:
        """Stop waiting for one command."""
        del self._commands[pending.number]
        pending.fail(why)

    def fail_all(self, why: str) -> None:
        """Stop waiting for all of them."""
        for pending in self:
            pending.fail(why)
        self._commands.clear()

    def to_send(self, connection: int) -> Iterator[Execute]:
        """Those that have not left on this connection yet; they count as sent on it from now on."""
        for pending in self:
            if pending.sent_on != connection:
                pending.sent_on = connection
                yield Execute(id=pending.number, command=pending.command)


def stamp(command: AnyCommand) -> AnyCommand:
    """Give a label or note its time here, not when it arrives (a note on a finished session has none)."""
    if isinstance(command, AddLabel) or (isinstance(command, AddNote) and command.path is None):
        return command if command.timestamp is not None else replace(command, timestamp=local_clock())
    return command


def why_unsendable(command: AnyCommand) -> str:
    """Why the recorder could not take a command: one that ends the connection would end it each time it is sent."""
    try:
        size = len(msgspec.msgpack.encode(Execute(id=2**63, command=command)))
    except (TypeError, ValueError, OverflowError) as error:
        return str(error)
    return f"it has {size} bytes; at most {MAX_REQUEST} are taken" if size > MAX_REQUEST else ""
