"""Commands of all clients, one after the other on one thread, and none twice."""

from __future__ import annotations

import logging
import queue
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from ..app.interface import Recorder, Reply
from ..errors import MyoGesticError
from .framing import check_numbers
from .messages import Execute, Task

_log = logging.getLogger(__name__)

REMEMBERED_CLIENTS = 256
REMEMBERED_REPLIES = 512
"""Per client; one sends again only what was not answered, and `server.MOST_OUTSTANDING` bounds that."""

Answer = Callable[[int, Reply], None]


class Ledger:
    """What each client's numbered commands came to, so that one which is sent again is not carried out again."""

    def __init__(self) -> None:
        self._clients: OrderedDict[str, OrderedDict[int, Reply | None]] = OrderedDict()

    def begin(self, client: str, number: int) -> bool:
        """Note a command; False where it was heard before."""
        replies = self._clients.setdefault(client, OrderedDict())
        self._clients.move_to_end(client)
        if len(self._clients) > REMEMBERED_CLIENTS:
            self._clients.popitem(last=False)
        if number in replies:
            return False
        replies[number] = None
        if len(replies) > REMEMBERED_REPLIES:
            replies.popitem(last=False)
        return True

    def finish(self, client: str, number: int, reply: Reply) -> None:
        """Note what came of it."""
        if client in self._clients:
            self._clients[client][number] = reply

    def reply(self, client: str, number: int) -> Reply | None:
        """What came of it; None while it is under way."""
        return self._clients.get(client, OrderedDict()).get(number)


@dataclass(frozen=True, slots=True)
class _Job:
    request: Execute | Task
    actor: str
    answer: Answer


class Executor:
    """Carries out requests in the order they came in, on a thread of its own."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._queue: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="control-executor", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def submit(self, request: Execute | Task, actor: str, answer: Answer) -> None:
        """Queue a request; ``answer(id, reply)`` is called on the executor's thread."""
        self._queue.put(_Job(request, actor, answer))

    def close(self, timeout: float) -> bool:
        """End once everything queued is done; False where that took longer."""
        self._queue.put(None)
        if self._thread.is_alive():
            self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while (job := self._queue.get()) is not None:
            reply = self._carry_out(job)
            if not reply.ok:
                _log.info("%s: refused: %s", job.actor, reply.message)
            job.answer(job.request.id, reply)

    def _carry_out(self, job: _Job) -> Reply:
        try:
            if isinstance(job.request, Task):
                return job.request.run(self._recorder, job.actor)
            if wrong := check_numbers(job.request.command):
                return Reply(ok=False, message=wrong)
            command = msgspec.structs.replace(job.request.command, actor=job.actor)
            return self._recorder.execute(command)
        except MyoGesticError as error:
            return Reply(ok=False, message=str(error))
        except Exception as error:
            _log.exception("%s: %s", job.actor, job.request)
            return Reply(ok=False, message=f"internal error: {type(error).__name__}: {error}; the log has more")
