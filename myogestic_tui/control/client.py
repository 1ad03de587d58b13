"""A recorder at the other end of a socket: the `Recorder` that the screens and commands of another process hold."""

from __future__ import annotations

import contextlib
import logging
import secrets
import selectors
import socket
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec
from msgspec.structs import replace

from .. import __version__
from ..app.interface import (
    AddLabel,
    AddNote,
    AnyCommand,
    Discard,
    Envelope,
    Problem,
    Reply,
    Shutdown,
    Start,
    StartProtocol,
    Status,
    Stop,
    View,
)
from ..clock import local_clock
from ..errors import ControlError, ProtocolVersionError, RecorderGoneError
from . import address
from .channel import Channel, ConnectionEnded
from .connection import Process, open_socket, receive_by, refusal
from .framing import Framed, FramingError
from .messages import (
    MAX_REQUEST,
    MAX_UPDATE,
    PROTOCOL,
    Bye,
    EnvelopeUpdate,
    Execute,
    Executed,
    Hello,
    Refused,
    StatusUpdate,
    Subscribe,
    ToViewer,
    Welcome,
)

_log = logging.getLogger(__name__)

CONNECT_SECONDS = 5.0
EXECUTE_SECONDS = 15.0
LONG_SECONDS = 60.0
GRACE_SECONDS = 3.0
"""How long a lost connection is sought again before the recorder counts as gone."""
_RETRY_SECONDS = 0.05
_LAST_WORDS_SECONDS = 0.3
"""How long a connection that takes nothing any more is read on: why it ended may still stand there."""
_VIEW_SECONDS = 1.0
"""A view that nobody has asked for in this time is not sent any more."""
_MOST_VIEWS = 4
_LONG = (Start, Stop, Discard, StartProtocol, Shutdown)

Locate = Callable[[], Path]


@dataclass(eq=False)
class _Pending:
    """A command that is not answered yet."""

    number: int
    command: AnyCommand
    sent_on: int = 0
    """The connection that it last left on; 0: on none yet."""
    reply: Reply | None = None


@dataclass(eq=False)
class _Look:
    """A view that is asked for."""

    number: int
    asked_at: float
    envelope: Envelope | None = None


class RecorderClient:
    """Attached to a recorder; satisfies the `Recorder` protocol.

    Parameters
    ----------
    where
        The socket, or a function that finds it anew whenever it is connected to.
    program
        For the recorder's log: "tui", "ctl".
    timeout
        For attaching.
    on_update
        Called (on the client's thread) after each status, and when the recorder is gone or back.

    Raises
    ------
    RecorderGoneError
        No recorder answers.
    ProtocolVersionError
        It is of another version.
    NotAllowedError
        It refuses this user, or has no place left.
    """

    def __init__(
        self,
        where: Path | Locate,
        *,
        program: str = "tui",
        timeout: float = CONNECT_SECONDS,
        on_update: Callable[[], object] = lambda: None,
    ) -> None:
        self._locate: Locate = where if callable(where) else lambda: where
        self._program = program
        self._on_update = on_update
        self._name = secrets.token_hex(8)
        self._changed = threading.Condition()
        self._status: Status | None = None
        self._gone: str | None = None
        self._lost: str | None = None
        self._fps = 10.0
        self._looks: dict[View, _Look] = {}
        self._last_look = 0
        self._resubscribe = False
        self._pending: OrderedDict[int, _Pending] = OrderedDict()
        self._last_number = 0
        self._welcome = Welcome(protocol=PROTOCOL)
        self._channel: Channel[ToViewer] | None = None
        self._connections = 0
        self._process: Process | None = None
        self._closing = False
        self._wake_end, self._wake = socket.socketpair()
        for end in (self._wake_end, self._wake):
            end.setblocking(False)
        self._thread = threading.Thread(target=self._run, name="control-client", daemon=True)
        try:
            self._connect(time.monotonic() + timeout)
        except BaseException:
            self._wake_end.close()
            self._wake.close()
            raise
        self._thread.start()

    # ---------------------------------------------------------------- what a Recorder offers

    def status(self) -> Status:
        """The newest status received; while the recorder does not answer, with that as its first problem."""
        with self._changed:
            status = self._status or Status(at=local_clock(), message="the recorder is starting")
            trouble = self._gone or self._lost
        if trouble is None:
            return status
        problem = Problem(severity="error", subject="recorder", text=trouble)
        return replace(status, message=trouble, problems=(problem, *status.problems))

    def envelope(self, view: View) -> Envelope | None:
        """The newest envelope received of this view; asking is what makes the recorder send it."""
        now = time.monotonic()
        with self._changed:
            look = self._looks.get(view)
            if look is None:
                self._last_look += 1
                look = self._looks[view] = _Look(self._last_look, now)
                while len(self._looks) > _MOST_VIEWS:
                    del self._looks[min(self._looks, key=lambda other: self._looks[other].asked_at)]
                self._subscribe_anew()
            look.asked_at = now
            return look.envelope

    def execute(self, command: AnyCommand, timeout: float | None = None) -> Reply:
        """Send a command and wait for what comes of it.

        A label or note without a time gets this moment's. Where the connection is lost before the answer, the command
        is sent again as soon as it is back (it is never carried out twice); where it stays lost, or another recorder
        answers, the reply says whether the command had been sent.
        """
        command = _stamped(command)
        if unsendable := _unsendable(command):
            return Reply(ok=False, message=f"not done: {type(command).__name__} cannot be sent: {unsendable}")
        timeout = timeout if timeout is not None else LONG_SECONDS if isinstance(command, _LONG) else EXECUTE_SECONDS
        with self._changed:
            if self._gone is not None or self._closing:
                return Reply(ok=False, message=f"not done: {self._gone or 'this program has detached'}")
            self._last_number += 1
            pending = self._pending[self._last_number] = _Pending(self._last_number, command)
            self._wake_up()
            self._changed.wait_for(lambda: pending.reply is not None, timeout)
            if pending.reply is None:
                del self._pending[pending.number]
                pending.reply = _unanswered(pending, f"the recorder did not answer within {timeout:.0f} s")
            return pending.reply

    def close(self) -> None:
        """Detach; the recorder continues."""
        with self._changed:
            self._closing = True
        self._wake_up()
        if self._thread.ident and self._thread is not threading.current_thread():
            self._thread.join(2.0)
        self._wake_end.close()
        self._wake.close()

    def __enter__(self) -> RecorderClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ---------------------------------------------------------------- what only a client has

    @property
    def gone(self) -> str | None:
        """Why there is no recorder any more, in words; None while there is one. `reconnect` tries again."""
        with self._changed:
            return self._gone

    @property
    def pid(self) -> int:
        """The recorder's process."""
        return self._welcome.pid

    @property
    def fps(self) -> float:
        """Envelopes per second that are asked for."""
        return self._fps

    @fps.setter
    def fps(self, fps: float) -> None:
        with self._changed:
            if fps != self._fps:
                self._fps = fps
                self._subscribe_anew()

    def wait_for(self, reached: Callable[[Status], bool], timeout: float | None = None) -> Status | None:
        """Wait until a status satisfies ``reached`` and return it; None at the time-out.

        Raises
        ------
        RecorderGoneError
            The recorder went away first.
        """
        with self._changed:

            def settled() -> bool:
                return self._gone is not None or (self._status is not None and reached(self._status))

            if not self._changed.wait_for(settled, timeout):
                return None
            if self._gone is not None:
                raise RecorderGoneError(self._gone)
            return self._status

    def reconnect(self, timeout: float = CONNECT_SECONDS) -> None:
        """Attach again after the recorder was gone; raises what the constructor raises."""
        if self.gone is None:
            return
        self._thread.join(timeout)
        self._connect(time.monotonic() + timeout)
        with self._changed:
            self._gone = None
        self._thread = threading.Thread(target=self._run, name="control-client", daemon=True)
        self._thread.start()

    # ---------------------------------------------------------------- connecting

    def _connect(self, deadline: float) -> None:
        """Open the connection, and return once the recorder has welcomed it and told its status."""
        connection = open_socket(self._locate(), deadline)
        channel: Channel[ToViewer] = Channel(connection, Framed(ToViewer, MAX_UPDATE))
        channel.post(Hello(protocol=PROTOCOL, program=self._program, client=self._name))
        try:
            self._greet(channel, deadline)
        except (ConnectionEnded, FramingError) as error:
            channel.close()
            raise RecorderGoneError(f"the recorder ended the connection: {error}") from None
        except BaseException:
            channel.close()
            raise
        self._process = Process(address.peer(connection).pid)
        self._channel = channel
        self._connections += 1

    def _greet(self, channel: Channel[ToViewer], deadline: float) -> None:
        """Say hello, be welcomed, subscribe, and wait for a first status."""
        welcome: Welcome | None = None
        channel.flush()
        while welcome is None or self._status is None:
            for message in receive_by(channel, deadline):
                if isinstance(message, Refused | Bye):
                    raise refusal(message)
                if isinstance(message, Welcome):
                    welcome = message
                    self._meet(welcome)
                    channel.post(self._subscription())
                    channel.flush()
                else:
                    self._take(message)

    def _meet(self, welcome: Welcome) -> None:
        """Another run of the recorder knows nothing of what its predecessor was sent."""
        if welcome.protocol != PROTOCOL:
            raise ProtocolVersionError(
                f"the recorder (version {welcome.version}) speaks protocol {welcome.protocol}, this program "
                f"({__version__}) speaks {PROTOCOL}; update the older of the two, or stop the recorder"
            )
        with self._changed:
            if welcome.instance != self._welcome.instance:
                self._status = None
                self._give_up("the recorder that it was meant for has ended")
            self._welcome = welcome

    # ---------------------------------------------------------------- the thread

    def _run(self) -> None:
        while self._channel is not None and not self._closing:
            why = self._talk(self._channel)
            self._channel.close()
            self._channel = None
            if not self._closing:
                self._seek(why)
        with self._changed:
            if self._closing:
                self._give_up("this program has detached")

    def _talk(self, channel: Channel[ToViewer]) -> str:
        """Read and write until the connection ends; return why it did, empty where nobody said."""
        try:
            try:
                self._exchange(channel)
            except ConnectionEnded as error:
                _log.info("connection to the recorder: %s", error)
                until = time.monotonic() + _LAST_WORDS_SECONDS
                while time.monotonic() < until:
                    self._hear(channel)
                    time.sleep(_RETRY_SECONDS)
        except (ConnectionEnded, FramingError) as error:
            _log.info("connection to the recorder: %s", error)
        except ControlError as error:
            return str(error)
        return ""

    def _exchange(self, channel: Channel[ToViewer]) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._wake_end, selectors.EVENT_READ)
            selector.register(channel, selectors.EVENT_READ)
            while not self._closing:
                self._send_waiting(channel)
                channel.flush()
                wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if channel.wants_write else 0)
                selector.modify(channel, wanted)
                for key, events in selector.select():
                    if key.fileobj is self._wake_end:
                        self._wake_end.recv(4096)
                    elif events & selectors.EVENT_READ:
                        self._hear(channel)
            channel.post(Bye())
            channel.flush()

    def _send_waiting(self, channel: Channel[ToViewer]) -> None:
        with self._changed:
            if self._resubscribe:
                self._resubscribe = False
                channel.post(self._subscription())
            for pending in self._pending.values():
                if pending.sent_on != self._connections:
                    pending.sent_on = self._connections
                    channel.post(Execute(id=pending.number, command=pending.command))

    def _hear(self, channel: Channel[ToViewer]) -> None:
        for message in channel.receive():
            if isinstance(message, Refused | Bye):
                raise refusal(message)
            self._take(message)

    def _take(self, message: ToViewer) -> None:
        with self._changed:
            match message:
                case StatusUpdate():
                    self._status = message.status
                    self._drop_old_views()
                case EnvelopeUpdate():
                    for look in self._looks.values():
                        if look.number == message.view:
                            look.envelope = message.envelope
                case Executed():
                    if (pending := self._pending.pop(message.id, None)) is not None:
                        pending.reply = message.reply
            self._changed.notify_all()
        if isinstance(message, StatusUpdate):
            self._on_update()

    def _drop_old_views(self) -> None:
        oldest = time.monotonic() - _VIEW_SECONDS
        kept = {view: look for view, look in self._looks.items() if look.asked_at >= oldest}
        if len(kept) < len(self._looks):
            self._looks = kept
            self._subscribe_anew()

    def _subscribe_anew(self) -> None:
        self._resubscribe = True
        self._wake_up()

    def _subscription(self) -> Subscribe:
        return Subscribe(views={look.number: view for view, look in self._looks.items()}, fps=self._fps)

    def _wake_up(self) -> None:
        with contextlib.suppress(OSError):
            self._wake.send(b"\0")

    # ---------------------------------------------------------------- lost, found, gone

    def _seek(self, why: str) -> None:
        """The connection ended: seek the recorder again for a moment, unless it said goodbye or its process is dead."""
        with self._changed:
            self._lost = "the connection to the recorder is lost; seeking it"
            self._changed.notify_all()
        self._on_update()
        why = why or self._seek_for(GRACE_SECONDS)
        with self._changed:
            self._lost = None
            if why and not self._closing:
                _log.info("%s", why)
                self._gone = why
                self._give_up(why)
            self._changed.notify_all()
        self._on_update()

    def _seek_for(self, seconds: float) -> str:
        """Attach again, or say why not; empty where that worked or is not wanted any more."""
        until = time.monotonic() + seconds
        while not self._closing and not self._found():
            if self._process is not None and self._process.has_ended():
                return (
                    f"the recorder (pid {self._process.pid}) ended without a word: it was killed or crashed. "
                    "What it recorded is on disk; start it again to recover it"
                )
            if time.monotonic() > until:
                return "the recorder does not answer any more; look at its log, or start it again"
            with self._changed:
                self._changed.wait_for(lambda: self._closing, _RETRY_SECONDS)
        return ""

    def _found(self) -> bool:
        try:
            self._connect(time.monotonic() + CONNECT_SECONDS)
        except (ControlError, OSError) as error:
            _log.info("not attached again yet: %s", error)
            return False
        return True

    def _give_up(self, why: str) -> None:
        """Answer everything that waits; called with the lock held."""
        for pending in self._pending.values():
            pending.reply = _unanswered(pending, why)
        self._pending.clear()
        self._changed.notify_all()


def _stamped(command: AnyCommand) -> AnyCommand:
    """A label or note gets its time here, not when it arrives (a note on a finished session has none)."""
    if isinstance(command, AddLabel) or (isinstance(command, AddNote) and command.path is None):
        return command if command.timestamp is not None else replace(command, timestamp=local_clock())
    return command


def _unsendable(command: AnyCommand) -> str:
    """Why the recorder could not take a command: one that ends the connection would end it each time it is sent."""
    try:
        size = len(msgspec.msgpack.encode(Execute(id=2**63, command=command)))
    except (TypeError, ValueError, OverflowError) as error:
        return str(error)
    return f"it has {size} bytes; at most {MAX_REQUEST} are taken" if size > MAX_REQUEST else ""


def _unanswered(pending: _Pending, why: str) -> Reply:
    name = type(pending.command).__name__
    if pending.sent_on:
        return Reply(ok=False, message=f"{name} was sent but not acknowledged: {why}")
    return Reply(ok=False, message=f"{name} was not delivered: {why}")
