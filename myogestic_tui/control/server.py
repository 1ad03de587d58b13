"""The recorder's side of the socket: one thread for all clients, which never waits for any of them."""

from __future__ import annotations

import logging
import os
import secrets
import selectors
import threading
import time
from collections import deque
from functools import partial
from typing import TYPE_CHECKING

from ..app.interface import Recorder, Reply, Shutdown
from ..errors import ControlError
from ..version import __version__
from .admission import MOST_CLIENTS, admit, why_incompatible
from .attachment import Attachment, Choose
from .channel import Channel, ConnectionEnded
from .executor import Executor, Ledger
from .framing import FramingError, JsonLines
from .listening_sockets import ListeningSockets
from .messages import (
    PROTOCOL,
    Bye,
    Execute,
    Executed,
    GetStatus,
    Hello,
    Misread,
    Refusal,
    Refused,
    Request,
    StatusUpdate,
    Subscribe,
    Task,
    Welcome,
)
from .publisher import Publisher
from .waker import Waker

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from pathlib import Path

_log = logging.getLogger(__name__)

PATIENCE_SECONDS = 10.0
"""For the rest of a message that is half there."""
_HOUSEKEEPING_SECONDS = 1.0
_LAST_WORDS_SECONDS = 0.5


class ControlServer:
    """Serves a `Recorder` to viewers and scripts on a Unix socket, and on TCP ports where asked to.

    Parameters
    ----------
    recorder
        What is served. Its `status` and `envelope` are called on the server's thread and must not block; its
        `execute` on another, one command at a time.
    locate
        Says where to listen; asked again when the socket has vanished with its folder.
    on_bound
        Told the path whenever the socket was made, the first time included.
    on_viewers
        Told the number of programs that watch, whenever it changes.
    on_shutdown
        Called (on the executor's thread) after a client asked for `Shutdown` and the recorder agreed.
    on_tidy
        Called every second.
    """

    def __init__(
        self,
        recorder: Recorder,
        locate: Callable[[], Path],
        *,
        on_bound: Callable[[Path], object] = lambda _path: None,
        on_viewers: Callable[[int], object] = lambda _viewers: None,
        on_shutdown: Callable[[], object] = lambda: None,
        on_tidy: Callable[[], object] = lambda: None,
        most_clients: int = MOST_CLIENTS,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        self._on_viewers, self._on_shutdown, self._on_tidy = on_viewers, on_shutdown, on_tidy
        self._most_clients, self._patience = most_clients, patience
        self._instance = secrets.token_hex(8)
        self._publisher = Publisher(recorder)
        self._executor = Executor(recorder)
        self._ledger = Ledger()
        self._attachments: list[Attachment] = []
        self._newest: dict[str, Attachment] = {}
        self._answers: deque[tuple[Attachment, int, Reply]] = deque()
        self._selector = selectors.DefaultSelector()
        self._listening = ListeningSockets(self._selector, self._accept, locate, on_bound)
        self._waker = Waker()
        self._left_at = self._beat = time.monotonic()
        self._retiring = False
        self._closing: str | None = None
        self._thread = threading.Thread(target=self._run, name="control-server", daemon=True)

    # ---------------------------------------------------------------- for the process around it

    def start(self) -> None:
        """Bind the socket and start the threads; raises `ControlError` where the socket cannot be bound."""
        self._selector.register(self._waker, selectors.EVENT_READ, lambda _: self._waker.clear())
        self._listening.bind()
        self._executor.start()
        self._thread.start()

    def open_port(self, host: str, port: int, choose: Choose) -> int:
        """Listen on a TCP port too, before `start`; as `ListeningSockets.open_port`."""
        return self._listening.open_port(host, port, choose)

    def changed(self) -> None:
        """Tell viewers at once that something happened. From any thread."""
        self._publisher.changed()
        self._waker.wake()

    @property
    def path(self) -> Path | None:
        """Where it listens; None before `start`."""
        return self._listening.path

    @property
    def lonely_s(self) -> float:
        """Seconds since the last program left; 0 while one is attached."""
        return 0.0 if self._attachments else time.monotonic() - self._left_at

    @property
    def beat_age_s(self) -> float:
        """Seconds since the loop last came round; more than a few mean that it hangs."""
        return time.monotonic() - self._beat

    def retire(self) -> None:
        """Take nobody new: who comes now waits for the next recorder. Those who are attached stay."""
        self._retiring = True
        self._waker.wake()

    def close(self, reason: str = "the recorder has ended", timeout: float = 5.0) -> None:
        """Finish the commands that are queued, tell every client why, and close; bounded by ``timeout``."""
        if not self._thread.ident:
            self._say_goodbye(reason)
            return
        self._executor.close(timeout)
        self._closing = reason
        self._waker.wake()
        self._thread.join(timeout)

    def _run(self) -> None:
        tidy_at = due = time.monotonic()
        while self._closing is None:
            timeout = max(0.0, min(due, tidy_at) - time.monotonic())
            for key, events in self._selector.select(timeout):
                self._guarded(key.data, events)
            self._deliver()
            now = self._beat = time.monotonic()
            if now >= tidy_at or self._retiring:
                self._tidy(now)
                tidy_at = now + _HOUSEKEEPING_SECONDS
            due = self._publish(now)
            for one in [*self._attachments]:
                self._resume(one)
                if one.inbox and not one.is_full:
                    due = now
        self._say_goodbye(self._closing)

    def _resume(self, one: Attachment) -> None:
        try:
            self._work_off(one)
        except ControlError as error:
            self._refuse(one, str(error))
        self._flush(one)

    def _publish(self, now: float) -> float:
        try:
            return self._publisher.publish(self._attachments, now)
        except Exception:
            _log.exception("the recorder gives no status")
            return now + _HOUSEKEEPING_SECONDS

    def _guarded(self, handler: Callable[[int], None], events: int) -> None:
        """A fault in one client's handling must not end the service for all."""
        try:
            handler(events)
        except Exception:
            _log.exception("control server")

    def _tidy(self, now: float) -> None:
        self._on_tidy()
        if self._retiring:
            self._listening.unbind()
        else:
            self._listening.restore()
        for one in [*self._attachments]:
            if one.half_since is not None and now - one.half_since > self._patience:
                self._refuse(one, f"half a message, and nothing for {self._patience:.0f} s", "silence")

    def _accept(self, listener: socket.socket, choose: Choose, _: int) -> None:
        """Take all who wait, so that a crowd does not have to queue for rounds of the loop."""
        for _ in range(self._most_clients):
            try:
                connection, remote = listener.accept()
            except OSError:
                return
            self._admit(connection, remote, choose)

    def _admit(self, connection: socket.socket, remote: object, choose: Choose) -> None:
        if len(self._attachments) >= 2 * self._most_clients:
            connection.close()
            return
        who, refusal = admit(connection, remote, attached=len(self._attachments), most=self._most_clients)
        connection.setblocking(False)
        one = Attachment(connection, choose, who, refusal)
        self._attachments.append(one)
        self._watch(one)

    def _watch(self, one: Attachment) -> None:
        """Tell the selector what this client is good for now."""
        events = one.wanted_events
        if events == one.events:
            return
        if one.events == 0:
            self._selector.register(one.socket, events, partial(self._serve, one))
        elif events == 0:
            self._selector.unregister(one.socket)
        else:
            self._selector.modify(one.socket, events, partial(self._serve, one))
        one.events = events

    def _drop(self, one: Attachment, why: str) -> None:
        if one not in self._attachments:
            return
        self._attachments.remove(one)
        if self._newest.get(one.client) is one:
            del self._newest[one.client]
        if one.events:
            self._selector.unregister(one.socket)
        one.socket.close()
        self._left_at = time.monotonic()
        if one.greeted:
            _log.info("%s left: %s", one.actor, why)
        self._count_viewers()

    def _refuse(self, one: Attachment, reason: str, kind: Refusal = "message") -> None:
        """Say why, as far as the socket takes it now, and drop it."""
        _log.info("%s refused: %s", one.actor, reason)
        if one.channel is None:
            one.channel = Channel(one.socket, JsonLines())
        one.channel.post(Refused(reason=reason, kind=kind))
        self._flush(one)
        self._drop(one, "refused")

    def _count_viewers(self) -> None:
        viewers = sum(one.is_viewer for one in self._attachments)
        if viewers != self._publisher.viewers:
            self._publisher.viewers = viewers
            self._publisher.changed()
            self._on_viewers(viewers)

    def _flush(self, one: Attachment) -> None:
        if one.channel is None or one not in self._attachments:
            return
        try:
            one.channel.flush()
        except ConnectionEnded as error:
            self._drop(one, str(error))
        else:
            self._watch(one)

    def _serve(self, one: Attachment, events: int) -> None:
        if not events & selectors.EVENT_READ:
            return  # the loop flushes
        try:
            self._read(one)
        except ConnectionEnded as error:
            self._drop(one, str(error))
        except (ControlError, FramingError) as error:
            self._refuse(one, str(error))

    def _read(self, one: Attachment) -> None:
        if one.channel is None and not self._begin(one):
            return
        assert one.channel is not None
        one.inbox.extend(one.channel.receive())
        half = one.channel.dialect.partial
        one.half_since = (one.half_since or time.monotonic()) if half else None
        self._work_off(one)

    def _begin(self, one: Attachment) -> bool:
        """Choose the dialect by the first byte; False where the connection ended over it."""
        try:
            one.open_channel()
        except OSError as error:
            self._drop(one, str(error))
            return False
        if one.refusal is not None:
            self._refuse(one, one.refusal.reason, one.refusal.kind)
            return False
        return True

    def _work_off(self, one: Attachment) -> None:
        while one.inbox and not one.is_full and one in self._attachments:
            self._handle(one, one.inbox.popleft())

    def _handle(self, one: Attachment, request: Request) -> None:
        assert one.channel is not None
        if isinstance(request, Hello):
            self._greet(one, request)
            return
        if not one.greeted and one.channel.dialect.name == "framed":
            raise ControlError("the first message must be Hello")
        one.greeted = True
        match request:
            case Execute() | Task():
                self._submit(one, request)
            case Subscribe():
                one.subscribe(request, time.monotonic())
                self._inform(one)
                self._count_viewers()
            case GetStatus():
                self._inform(one)
            case Misread():
                one.channel.post(Executed(id=request.id, reply=Reply(ok=False, message=request.reason)))
            case Bye():
                self._drop(one, request.reason or "bye")

    def _greet(self, one: Attachment, hello: Hello) -> None:
        assert one.channel is not None
        one.program = "".join(filter(str.isprintable, hello.program))[:40]
        if reason := why_incompatible(hello, one.program):
            self._refuse(one, reason, "version")
            return
        one.greeted = True
        one.client = hello.client[:80]
        if one.client:
            self._newest[one.client] = one
        _log.info("%s attached", one.actor)
        one.channel.post(Welcome(protocol=PROTOCOL, version=__version__, pid=os.getpid(), instance=self._instance))

    def _submit(self, one: Attachment, request: Execute | Task) -> None:
        if one.client and not self._ledger.begin(one.client, request.id):
            if (reply := self._ledger.reply(one.client, request.id)) is not None and one.channel is not None:
                one.channel.post(Executed(id=request.id, reply=reply))
            return
        one.outstanding += 1
        ends = isinstance(request, Execute) and isinstance(request.command, Shutdown)
        self._executor.submit(request, one.actor, partial(self._answer, one, ends))

    def _answer(self, one: Attachment, ends: bool, number: int, reply: Reply) -> None:
        """On the executor's thread."""
        self._publisher.changed()  # before the answer is there: the status that goes ahead of it must be a newer one
        self._answers.append((one, number, reply))
        self._waker.wake()
        if ends and reply.ok:
            self._on_shutdown()

    def _deliver(self) -> None:
        """Hand answers to whoever asked, on its newest connection.

        A viewer gets the status with the command's effect first: once `execute` has returned, it shows.
        """
        informed = set()
        for _ in range(len(self._answers)):  # those that come meanwhile need a newer status
            one, number, reply = self._answers.popleft()
            one.outstanding -= 1
            if one.client:
                self._ledger.finish(one.client, number, reply)
            asker = self._newest.get(one.client, one)
            if asker.channel is None or asker not in self._attachments:
                continue
            if asker.is_viewer and asker not in informed:
                informed.add(asker)
                self._guarded(partial(self._inform, asker), 0)
            asker.channel.post(Executed(id=number, reply=reply))

    def _inform(self, one: Attachment, _: int = 0) -> None:
        assert one.channel is not None
        one.channel.post(StatusUpdate(status=self._publisher.status(time.monotonic())))

    def _say_goodbye(self, reason: str) -> None:
        self._deliver()
        for one in self._attachments:
            if one.channel is not None:
                one.channel.post(Bye(reason=reason))
        until = time.monotonic() + _LAST_WORDS_SECONDS
        while time.monotonic() < until:
            for one in [*self._attachments]:
                self._flush(one)
            if not any(one.channel is not None and one.channel.wants_write for one in self._attachments):
                break
            self._selector.select(0.02)
        for one in [*self._attachments]:
            self._drop(one, "the recorder ends")
        self._listening.close()
        self._waker.close()
        self._selector.close()
