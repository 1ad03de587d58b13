"""A recorder at the other end of a socket: the `Recorder` that the screens and commands of another process hold."""

from __future__ import annotations

import logging
import secrets
import selectors
import threading
import time
from collections.abc import Callable
from pathlib import Path

from msgspec.structs import replace

from ..app.interface import (
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
from ..errors import ControlError, RecorderGoneError
from . import address
from .admission import check_protocol
from .channel import Channel, ConnectionEnded
from .connection import RecorderProcess, open_socket, receive_by, refusal
from .framing import Framed, FramingError
from .messages import (
    MAX_UPDATE,
    PROTOCOL,
    Bye,
    EnvelopeUpdate,
    Executed,
    Hello,
    Refused,
    StatusUpdate,
    Subscribe,
    ToViewer,
    Welcome,
)
from .pending_commands import PendingCommands, stamp, why_unsendable
from .requested_views import RequestedViews
from .waker import Waker

_log = logging.getLogger(__name__)

CONNECT_SECONDS = 5.0
EXECUTE_SECONDS = 15.0
LONG_SECONDS = 60.0
ENVELOPES_PER_SECOND = 5.0
"""A sweep moves by a cell or two in that time; twice as many cost recorder and screens twice as much."""
GRACE_SECONDS = 3.0
"""How long a lost connection is sought again before the recorder counts as gone."""
_RETRY_SECONDS = 0.05
_LAST_WORDS_SECONDS = 0.3
"""How long a connection that takes nothing any more is read on: why it ended may still stand there."""
_LONG = (Start, Stop, Discard, StartProtocol, Shutdown)

Locate = Callable[[], Path]


class RecorderClient:
    """Attached to a recorder; satisfies the `Recorder` protocol.

    Parameters
    ----------
    where
        The socket, or a function that finds it again whenever it is connected to.
    program
        For the recorder's log: "tui", "ctl".
    timeout
        For attaching.
    on_update
        Called (on the client's thread) after each status, and when the recorder is gone or back.

    Attributes
    ----------
    on_envelope
        Called (on the client's thread) after envelopes; those that come together are one.

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
        self.on_envelope: Callable[[], object] = lambda: None
        self._name = secrets.token_hex(8)
        self._changed = threading.Condition()
        self._status: Status | None = None
        self._gone: str | None = None
        self._lost: str | None = None
        self._fps = ENVELOPES_PER_SECOND
        self._views = RequestedViews()
        self._resubscribe = False
        self._pending = PendingCommands()
        self._welcome = Welcome(protocol=PROTOCOL)
        self._channel: Channel[ToViewer] | None = None
        self._connections = 0
        self._process: RecorderProcess | None = None
        self._closing = False
        self._waker = Waker()
        self._thread = threading.Thread(target=self._run, name="control-client", daemon=True)
        try:
            self._connect(time.monotonic() + timeout)
        except BaseException:
            self._waker.close()
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
        with self._changed:
            if self._views.request(view, time.monotonic()):
                self._subscribe_again()
            return self._views.envelope(view)

    def execute(self, command: AnyCommand, timeout: float | None = None) -> Reply:
        """Send a command and wait for what comes of it.

        A label or note without a time gets this moment's. Where the connection is lost before the answer, the command
        is sent again as soon as it is back (it is never carried out twice); where it stays lost, or another recorder
        answers, the reply says whether the command had been sent.
        """
        command = stamp(command)
        if unsendable := why_unsendable(command):
            return Reply(ok=False, message=f"not done: {type(command).__name__} cannot be sent: {unsendable}")
        if timeout is None:
            timeout = LONG_SECONDS if isinstance(command, _LONG) else EXECUTE_SECONDS
        with self._changed:
            if self._gone is not None or self._closing:
                return Reply(ok=False, message=f"not done: {self._gone or 'this program has detached'}")
            pending = self._pending.add(command)
            self._waker.wake()
            if not self._changed.wait_for(lambda: pending.reply is not None, timeout):
                self._pending.expire(pending, f"the recorder did not answer within {timeout:.0f} s")
            assert pending.reply is not None
            return pending.reply

    def close(self) -> None:
        """Detach; the recorder continues."""
        with self._changed:
            self._closing = True
        self._waker.wake()
        if self._thread.ident and self._thread is not threading.current_thread():
            self._thread.join(2.0)
        self._waker.close()

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
                self._subscribe_again()

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
        self._process = RecorderProcess(address.peer(connection).pid)
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
        check_protocol(welcome)
        with self._changed:
            if welcome.instance != self._welcome.instance:
                self._status = None
                self._give_up("the recorder that it was meant for has ended")
            self._welcome = welcome

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
            selector.register(self._waker, selectors.EVENT_READ)
            selector.register(channel, selectors.EVENT_READ)
            while not self._closing:
                self._send_waiting(channel)
                channel.flush()
                wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if channel.wants_write else 0)
                selector.modify(channel, wanted)
                for key, events in selector.select():
                    if key.fileobj is self._waker:
                        self._waker.clear()
                    elif events & selectors.EVENT_READ:
                        self._hear(channel)
            channel.post(Bye())
            channel.flush()

    def _send_waiting(self, channel: Channel[ToViewer]) -> None:
        with self._changed:
            if self._resubscribe:
                self._resubscribe = False
                channel.post(self._subscription())
            for request in self._pending.to_send(self._connections):
                channel.post(request)

    def _hear(self, channel: Channel[ToViewer]) -> None:
        messages = channel.receive()
        for message in messages:
            if isinstance(message, Refused | Bye):
                raise refusal(message)
            self._take(message)
        if any(isinstance(message, EnvelopeUpdate) for message in messages):
            self.on_envelope()

    def _take(self, message: ToViewer) -> None:
        with self._changed:
            match message:
                case StatusUpdate():
                    self._status = message.status
                    if self._views.drop_old(time.monotonic()):
                        self._subscribe_again()
                case EnvelopeUpdate():
                    self._views.store(message.view, message.envelope)
                case Executed():
                    self._pending.answer(message.id, message.reply)
            self._changed.notify_all()
        if isinstance(message, StatusUpdate):
            self._on_update()

    def _subscription(self) -> Subscribe:
        return Subscribe(views=self._views.by_number, fps=self._fps)

    def _subscribe_again(self) -> None:
        self._resubscribe = True
        self._waker.wake()

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
                return self._process.why_gone
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
        self._pending.fail_all(why)
        self._changed.notify_all()
