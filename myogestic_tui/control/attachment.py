"""One attached program, as the server sees it: what it speaks, what it watches, what it still waits for."""

from __future__ import annotations

import math
import selectors
import socket
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..errors import ControlError
from .channel import Channel
from .framing import Dialect, Framed, JsonLines
from .messages import Refused, Request, Subscribe, ToRecorder

if TYPE_CHECKING:
    from ..app.interface import Envelope, View

MOST_VIEWS = 4
MOST_COLUMNS = 4096
MOST_CELLS = 1 << 18
"""Channels times columns of one envelope: 2 MB."""
MOST_SECONDS = 3600.0
MOST_FPS = 60.0
MOST_OUTSTANDING = 64
"""Commands and answers of one client under way; beyond, nothing more is read from it."""

Choose = Callable[[socket.socket], Dialect[Request] | None]
"""Picks the dialect by the first byte; None where it is none."""


def by_first_byte(connection: socket.socket) -> Dialect[Request] | None:
    """Lines of JSON start with a brace, frames with the high byte of a length below 16 MB: zero."""
    first = connection.recv(1, socket.MSG_PEEK)
    if first == b"{":
        return JsonLines()
    return Framed(ToRecorder) if first in (b"\0", b"") else None


@dataclass(eq=False)
class Attachment:
    """The server's side of one connection; only its loop touches it."""

    socket: socket.socket
    choose: Choose
    who: str
    """The process id, or the address: what the log calls it together with ``program``."""
    refusal: Refused | None = None
    """Given as soon as it is known how it speaks."""
    channel: Channel[Request] | None = None
    program: str = ""
    greeted: bool = False
    client: str = ""
    """The name by which its numbered commands are remembered; empty: they are not."""
    inbox: deque[Request] = field(default_factory=deque)
    outstanding: int = 0
    """Commands under way."""
    subscription: Subscribe | None = None
    due: dict[int, float] = field(default_factory=dict)
    """When the next envelope of each view may go."""
    sent: dict[int, Envelope] = field(default_factory=dict)
    half_since: float | None = None
    """When the message that is half read began."""
    events: int = 0
    """What the selector watches it for."""

    @property
    def actor(self) -> str:
        """What the log calls it."""
        return f"{self.program or 'script'} {self.who}"

    @property
    def is_viewer(self) -> bool:
        """True where it watches."""
        return self.subscription is not None and self.subscription.status

    @property
    def is_full(self) -> bool:
        """True where it has to read, or wait, before more is taken from it."""
        return self.outstanding + (self.channel.unsent if self.channel else 0) >= MOST_OUTSTANDING

    @property
    def wanted_events(self) -> int:
        """What its socket is to be watched for now."""
        read = 0 if self.inbox or self.is_full else selectors.EVENT_READ
        write = selectors.EVENT_WRITE if self.channel is not None and self.channel.wants_write else 0
        return read | write

    def open_channel(self) -> None:
        """Choose the dialect by the first byte; raises `ControlError` where it is none, and OSError."""
        dialect = self.choose(self.socket)
        if dialect is None:
            raise ControlError("this is neither a framed message nor a line of JSON; see docs/control-protocol.md")
        self.channel = Channel(self.socket, dialect)

    def subscribe(self, wanted: Subscribe, now: float) -> None:
        """Replace what it watches; raises `ControlError` where that is out of bounds."""
        if len(wanted.views) > MOST_VIEWS:
            raise ControlError(f"{len(wanted.views)} views; at most {MOST_VIEWS} at a time")
        if not 0.0 < wanted.fps <= MOST_FPS:
            raise ControlError(f"fps is {wanted.fps}; give more than 0, at most {MOST_FPS:.0f}")
        for view in wanted.views.values():
            check_view(view)
        before = self.subscription.views if self.subscription is not None else {}
        for number in [*self.due]:
            if wanted.views.get(number) != before.get(number):
                self.due.pop(number)
                self.sent.pop(number, None)
                if self.channel is not None:
                    self.channel.withdraw(number)
        self.due = {number: self.due.get(number, now) for number in wanted.views}
        self.subscription = wanted


def check_view(view: View) -> None:
    """Raise `ControlError` where a view asks for nothing, or for more than a screen could show."""
    numbers = (view.seconds, view.until, view.highpass_hz, view.notch_hz)
    if not all(math.isfinite(number) for number in numbers if number is not None):
        raise ControlError("a view with a number that is not finite")
    if not 0.0 < view.seconds <= MOST_SECONDS:
        raise ControlError(f"a view of {view.seconds} s; give more than 0, at most {MOST_SECONDS:.0f}")
    if not (0 < view.columns <= MOST_COLUMNS and view.first_channel >= 0 and view.n_channels > 0):
        raise ControlError(f"a view of {view.columns} columns, {view.n_channels} channels from {view.first_channel}")
    if view.rms_every < 0 or (view.rms_every and view.columns % view.rms_every):
        raise ControlError(f"the RMS of every {view.rms_every} of {view.columns} columns; give a divisor")
    if view.columns * view.n_channels > MOST_CELLS:
        raise ControlError(f"a view of {view.columns} columns x {view.n_channels} channels; ask for fewer")
