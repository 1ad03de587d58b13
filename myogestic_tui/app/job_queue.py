"""Background jobs on sessions, each in a niced child process, throttled while recording.

They run one after the other, but for replays, which run beside them and each other.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec

from ..errors import ConfigError, NotAllowedError
from ..session.format.layout import is_storable, printable
from .interface import JobStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ..session import Session
    from ..session.library.jobs import Job

_log = logging.getLogger(__name__)

JobState = Literal["waiting", "running", "done", "failed", "cancelled"]
_KEPT = 50
"""Ended jobs that are remembered."""
_TOLD = 100
"""Waiting jobs that a status lists; the others are counted."""
_POLL_SECONDS = 0.05
_CHANGING = ("pack", "recover", "salvage", "edit", "labels", "link")
THROTTLED_BYTES_PER_S = 20e6
"""What a job may read and write while a recording runs: an SD card takes that beside 64 channels."""


@dataclass(slots=True)
class _Entry:
    id: int
    kind: str
    path: Path
    options: dict[str, str] = field(default_factory=dict)
    state: JobState = "waiting"
    job: Job | None = None
    message: str = ""
    result: str = ""
    throttled: bool = False

    @property
    def open(self) -> bool:
        return self.state in ("waiting", "running")

    @property
    def beside(self) -> bool:
        from ..session.library.job_kinds import KINDS

        return KINDS[self.kind].beside


class JobQueue:
    """Runs one job at a time, in the order they came.

    Parameters
    ----------
    is_recording
        Asked now and then: jobs are slowed down while it says yes.
    on_end
        Called with every job that has ended.
    """

    def __init__(self, is_recording: Callable[[], bool], on_end: Callable[[JobStatus], None]) -> None:
        self._is_recording = is_recording
        self._on_end = on_end
        self._entries: list[_Entry] = []
        self._next_id = 1
        self._lock = threading.RLock()
        self._folders: tuple[Path, ...] = ()
        self._unfinished: tuple[str, ...] = ()

    # ---------------------------------------------------------------- what is to be done

    def add(self, kind: str, path: Path, options: dict[str, str] | None = None) -> int:
        """Queue a job and return its id; one that waits or runs already is not queued again.

        Raises
        ------
        NotAllowedError
            There is no such kind of job.
        """
        from ..session.library.job_kinds import KINDS

        if kind not in KINDS:
            raise NotAllowedError(f"no job {kind!r}; there are: {', '.join(sorted(KINDS))}")
        check_storable(str(path), *itertools.chain.from_iterable((options or {}).items()))
        with self._lock:
            same = (entry for entry in self._entries if entry.open and (entry.kind, entry.path) == (kind, path))
            entry = next((entry for entry in same if entry.options == (options or {})), None)
            if entry is None:
                entry = _Entry(self._next_id, kind, path, options or {})
                self._next_id += 1
                ended = [old.id for old in self._entries if not old.open]
                forgotten = set(ended[:-_KEPT])
                self._entries = [*(old for old in self._entries if old.id not in forgotten), entry]
        self.poll()
        return entry.id

    def pack(self, session: Session) -> int:
        """Queue the packing of a finished session."""
        return self.add("pack", Path(session.path))

    def cancel(self, job_id: int) -> int:
        """End a job, or all with id 0; what it had made so far goes. Returns how many.

        Raises
        ------
        NotAllowedError
            No such job is waiting or running.
        """
        with self._lock:
            found = [entry for entry in self._entries if entry.open and job_id in (0, entry.id)]
            for entry in found:
                if entry.job is None:
                    entry.state = "cancelled"
                else:
                    entry.job.cancel()
        if not found:
            which = f"no job {job_id}" if job_id else "no job"
            raise NotAllowedError(f"{which} is waiting or running")
        return len(found)

    # ---------------------------------------------------------------- looking after it

    def poll(self) -> None:
        """Look how the running jobs are, and start those whose turn it is."""
        with self._lock:
            for entry in self._running():
                try:
                    self._look_at(entry)
                except Exception as error:
                    self._fail(entry, error)
            busy = any(not entry.beside for entry in self._running())
            for entry in [entry for entry in self._entries if entry.state == "waiting"]:
                if entry.beside or not busy:
                    self._start(entry)
                    busy = busy or (entry.state == "running" and not entry.beside)
            self._throttle()

    def _running(self) -> list[_Entry]:
        return [entry for entry in self._entries if entry.state == "running"]

    def _start(self, entry: _Entry) -> None:
        from ..session.library.jobs import start_job

        try:
            entry.job = start_job(entry.kind, entry.path, entry.options)
        except Exception as error:
            self._fail(entry, error)
            return
        entry.state = "running"

    def _fail(self, entry: _Entry, error: Exception) -> None:
        """Whatever is wrong with one job, the others are not kept from theirs."""
        _log.warning("%s of %s", entry.kind, entry.path, exc_info=error)
        entry.state, entry.message = "failed", f"{entry.path.name}: {error}"

    def _throttle(self) -> None:
        wanted = self._is_recording()
        for entry in self._running():
            if entry.job is not None and wanted != entry.throttled and not entry.beside:
                entry.job.limit(THROTTLED_BYTES_PER_S if wanted else 0)
                entry.throttled = wanted

    def _look_at(self, entry: _Entry) -> None:
        assert entry.job is not None
        now = entry.job.poll()
        if now.state in ("running", "paused"):
            return
        entry.state = "cancelled" if now.state == "cancelled" else "failed" if now.state == "failed" else "done"
        entry.message = now.message
        entry.result = msgspec.json.encode(now.result).decode() if now.result is not None else ""
        try:
            self._on_end(_status(entry))
        except Exception:
            _log.exception("after %s of %s", entry.kind, entry.path)
        if entry.kind in _CHANGING:
            self.look_for_unfinished()

    def finish(self, timeout: float | None = None, *, hurry: Callable[[], bool] = lambda: False) -> bool:
        """Wait until every session is packed; other jobs are cancelled.

        Parameters
        ----------
        timeout
            Seconds after which packing is cancelled too (the next start does it); None waits as long as it takes.
        hurry
            Asked again and again: True ends the wait at once, as the time-out does.

        Returns
        -------
        bool
            False where something was left to the next start.
        """
        self._cancel(lambda entry: entry.kind not in ("pack", "recover", "link"))
        until = float("inf") if timeout is None else time.monotonic() + timeout
        while self.busy:
            self.poll()
            if time.monotonic() > until or hurry():
                return not self._cancel(lambda _: True)
            time.sleep(_POLL_SECONDS)
        return True

    def _cancel(self, which: Callable[[_Entry], bool]) -> bool:
        """Cancel the open jobs that are meant; True where there were some."""
        with self._lock:
            meant = [entry for entry in self._entries if entry.open and which(entry)]
            for entry in meant:
                level = logging.INFO if entry.kind == "report" else logging.WARNING  # nobody asked for that one
                _log.log(level, "%s of %s is cancelled: the recorder ends", entry.kind, entry.path)
                self.cancel(entry.id)
        return bool(meant)

    @property
    def busy(self) -> bool:
        """True while a job waits or runs."""
        return any(entry.open for entry in self._entries)

    @property
    def failed(self) -> bool:
        """True where a session could not be packed."""
        return any(entry.state == "failed" and entry.kind == "pack" for entry in self._entries)

    @property
    def n_waiting(self) -> int:
        """How many jobs wait."""
        return sum(entry.state == "waiting" for entry in self._entries)

    def statuses(self) -> tuple[JobStatus, ...]:
        """Jobs, oldest first: those that run, the next ones that wait, the last ones that ended."""
        waiting = [entry.id for entry in self._entries if entry.state == "waiting"]
        left_out = set(waiting[_TOLD:])
        return tuple(_status(entry) for entry in self._entries if entry.id not in left_out)

    # ---------------------------------------------------------------- what an earlier run left

    def resume(self, folder: Path, places: Iterable[Path] = ()) -> None:
        """Finish packings that were cut off in a sessions folder; find what is to be recovered there and elsewhere."""
        from ..session import unpacked_sessions
        from ..session.packing.interrupted_work import clean_up

        self._folders = tuple(dict.fromkeys(place.resolve() for place in (folder, *places) if place.is_dir()))
        if folder.is_dir():
            with _reported(f"cleaning up {folder}"):
                clean_up(folder)
            with _reported(f"looking for sessions to pack in {folder}"):
                for path in unpacked_sessions(folder):
                    with _reported(f"packing {path}"):
                        self.add("pack", path)
        self.look_for_unfinished()

    def look_for_unfinished(self) -> None:
        """Find sessions that no live recorder holds and that were not finished."""
        from ..session import unfinished_sessions

        found: list[str] = []
        for folder in self._folders:
            with _reported(f"looking for unfinished sessions in {folder}"):
                found += [printable(str(path)) for path in unfinished_sessions(folder)]
        self._unfinished = tuple(found)

    @property
    def unfinished(self) -> tuple[str, ...]:
        """Sessions that recovery would finish."""
        return self._unfinished


@contextlib.contextmanager
def _reported(what: str) -> Iterator[None]:
    """Nothing that stands in a folder may end more than the look at it."""
    try:
        yield
    except Exception:
        _log.exception("%s", what)


def check_storable(*texts: str) -> None:
    """Refuse text that no argument, file name or JSON can hold.

    Raises
    ------
    ConfigError
        A NUL, or bytes that are not UTF-8.
    """
    for text in texts:
        if not is_storable(text):
            raise ConfigError(
                f"{text[:200]!a} has a NUL or bytes that are not UTF-8 in it; rename it, or take them out"
            )


def outcome_words(job: JobStatus) -> str:
    """What a job that has ended comes to, for the message line; empty where there is nothing to say."""
    name = Path(job.path).name
    if job.state == "failed":
        return f"{job.kind}: {job.message}"
    if job.state == "cancelled":
        return f"{job.kind} of {name} was cancelled"
    result = msgspec.json.decode(job.result) if job.result else {}
    match job.kind:
        case "verify" | "quick-verify":
            damage = [finding["text"] for finding in result["findings"] if finding["kind"] == "damage"]
            found = "ok" if result["ok"] else f"DAMAGED, f repairs it: {damage[0] if damage else 'see the details'}"
            return f"{result['level']} verify of {name}: {found}"
        case "empty-trash":
            return f"the trash is empty: {result['bytes'] / 1e6:.0f} MB freed"
        case "replay":
            return f"replay of {name} has ended"
        case "recover":
            return f"recovered: {result['path']}{'; DAMAGED: ' + result['damage'] if result['damage'] else ''}"
        case "link":
            return f"recovered: {result['path']}; {result['text']}"
        case "report":
            first = f" ({result['first']})" if result["first"] else ""
            return f"{name}: {result['verdict']}{first}"
        case "labels":
            return f"labels of {name}: {result['what']}"
        case "edit":
            return f"changed: {result['path']}"
        case kind:
            past = {"copy": "copied to", "export": "exported to", "salvage": "salvaged:", "pack": "packed:"}
            damage = result.get("damage", "")
            return f"{past[kind]} {result['path']}{'; DAMAGED: ' + damage if damage else ''}"


def _status(entry: _Entry) -> JobStatus:
    status = JobStatus(
        id=entry.id,
        kind=entry.kind,
        path=str(entry.path),
        state=entry.state,
        fraction=1.0 if entry.state == "done" else 0.0,
        message=entry.message,
        result=entry.result,
    )
    if entry.state != "running" or entry.job is None:
        return status
    progress = entry.job.poll()
    return JobStatus(
        id=entry.id,
        kind=entry.kind,
        path=str(entry.path),
        state="running",
        fraction=progress.fraction,
        bytes_per_s=progress.bytes_per_s,
        left_s=progress.left_s,
    )
