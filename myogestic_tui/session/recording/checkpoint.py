"""The two threads behind a session: one syncs the journal each second, one turns it into Zarr every few seconds."""

from __future__ import annotations

import errno
import queue
import threading
import time
from concurrent.futures import Future
from typing import TYPE_CHECKING, Literal, Protocol

from ...errors import DiskError, SessionClosedError
from ...process_limits import is_file_limit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SYNC_SECONDS = 1.0
"""How much a power cut may take."""

CHECKPOINT_SECONDS = 8.0


class _Log(Protocol):
    @property
    def is_unsynced(self) -> bool: ...

    def sync(self) -> None: ...


Action = Literal["checkpoint", "flush", "finish"]


class Checkpointed(Protocol):
    """What the threads work on."""

    def sync(self) -> None:
        """Bring the journal to the disk."""
        ...

    def checkpoint(self, action: Action) -> None:
        """Bring whole chunks into Zarr; with ``"flush"`` all samples, with ``"finish"`` for good."""
        ...

    def fail(self, error: DiskError) -> None:
        """The disk refused."""
        ...


class Threads:
    """Runs `Checkpointed` until told to finish.

    Parameters
    ----------
    work
        What is to be done.
    name
        Ends up in the threads' names.
    """

    def __init__(self, work: Checkpointed, name: str) -> None:
        self._work = work
        self._requests: queue.SimpleQueue[tuple[Action, Future[None]]] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._over = False
        self._stop_sync = threading.Event()
        self._syncer = threading.Thread(target=self._sync_loop, name=f"sync {name}", daemon=True)
        self._checkpointer = threading.Thread(target=self._checkpoint_loop, name=f"checkpoint {name}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._syncer.start()
        self._checkpointer.start()

    def request(self, action: Action) -> Future[None]:
        """Ask for a checkpoint; the future is done when it is, with its error if the disk refused."""
        future: Future[None] = Future()
        with self._lock:
            if self._over:
                future.set_exception(SessionClosedError("the session is finished"))
            else:
                self._requests.put((action, future))
        return future

    def stop_syncing(self) -> None:
        """End the other thread, from the checkpointer's; wait for what it is doing."""
        self._stop_sync.set()
        self._syncer.join()

    def _sync_loop(self) -> None:
        while not self._stop_sync.wait(SYNC_SECONDS):
            if not self._attempt(self._work.sync):
                return

    def _checkpoint_loop(self) -> None:
        due = time.monotonic() + CHECKPOINT_SECONDS
        while True:
            try:
                action, future = self._requests.get(timeout=max(0.0, due - time.monotonic()))
            except queue.Empty:
                action, future = "checkpoint", Future()
            ok = self._attempt(lambda action=action: self._work.checkpoint(action), future)  # type: ignore[misc]
            if action == "finish":
                self._refuse_rest()
                return
            due = time.monotonic() + (CHECKPOINT_SECONDS if ok else 1e9)

    def _refuse_rest(self) -> None:
        with self._lock:
            self._over = True
        while not self._requests.empty():
            self._requests.get()[1].set_exception(SessionClosedError("the session is finished"))

    def _attempt(self, work: Callable[[], None], future: Future[None] | None = None) -> bool:
        error: Exception | None = None
        try:
            work()
        except OSError as refusal:
            error = DiskError(_words_of(refusal))
        except Exception as other:  # whatever it is must reach the one who waits, and the operator
            error = other if isinstance(other, DiskError) else DiskError(f"a checkpoint failed: {other!r}")
        if isinstance(error, DiskError):
            self._work.fail(error)
        if future is not None:
            future.set_exception(error) if error is not None else future.set_result(None)
        return error is None


def _words_of(refusal: OSError) -> str:
    """What the system refused, and of which file."""
    of = f" ({refusal.filename})" if refusal.filename else ""
    if is_file_limit(refusal):
        return f"too many files are open{of}: raise the limit (ulimit -n); the disk itself is not the reason"
    if refusal.errno == errno.EIO:
        return f"the disk failed to read or write{of}: {refusal.strerror}"
    return f"the disk refused a write{of}: {refusal.strerror or refusal}"


def sync_all(logs: Sequence[_Log]) -> None:
    """Sync logs all at once: on a slow disk each would take as long as all of them. Raises what the first one does."""
    logs = [log for log in logs if log.is_unsynced]
    if not logs:
        return
    errors: list[Exception] = []

    def sync(log: _Log) -> None:
        try:
            log.sync()
        except (DiskError, OSError) as error:
            errors.append(error)

    others = [threading.Thread(target=sync, args=(log,), name="fdatasync", daemon=True) for log in logs[1:]]
    for thread in others:
        thread.start()
    sync(logs[0])
    for thread in others:
        thread.join()
    if errors:
        raise errors[0]
