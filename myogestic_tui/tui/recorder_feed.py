"""Between the screens and their recorder: the newest snapshot, commands in order, another recorder after the first."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec.structs import replace

from ..app.interface import AnyCommand, Recorder, RemoteRecorder, Reply, SetGestures, StartJob, Status
from ..app.protocol import foreseen
from ..clock import local_clock
from ..config import DEFAULT_GESTURES
from ..errors import MyoGesticError
from ..widgets.frame import Frame

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterator

    from ..app.interface import ProtocolStatus

TREND_SECONDS = 60
Then = Callable[[AnyCommand, Reply], None]
Submit = Callable[[AnyCommand, Then], None]


class Trends:
    """What each stream did in each of the last 60 s: RMS of a signal, events of markers; NaN where nothing came."""

    def __init__(self) -> None:
        self._values: dict[str, deque[float]] = {}
        self._samples: dict[str, int] = {}
        self._second = 0

    def of(self, key: str) -> tuple[float, ...]:
        """Oldest first."""
        return tuple(self._values.get(key, ()))

    def take(self, status: Status) -> None:
        """Look at a snapshot; once a second is enough."""
        second = int(status.at)
        if second == self._second:
            return
        self._second = second
        for stream in status.streams:
            values = self._values.setdefault(stream.key, deque(maxlen=TREND_SECONDS))
            came = stream.n_samples - self._samples.get(stream.key, stream.n_samples)
            self._samples[stream.key] = stream.n_samples
            if stream.state in ("seen", "wanted", "connecting", "ended", "refused"):
                continue
            if stream.state == "lost":
                values.append(float("nan"))
            elif stream.fs > 0 and stream.dtype != "string":
                if not stream.quality:  # it was not judged yet: how many samples came is no RMS
                    continue
                good = [one.rms for one in stream.quality if one.rms == one.rms and not set(one.flags) & set("CNx")]
                values.append((sum(rms * rms for rms in good) / len(good)) ** 0.5 if good else 0.0)
            else:
                values.append(float(max(came, 0)))


class Feed:
    """Holds the newest `Frame`, and sends commands.

    Parameters
    ----------
    recorder
        What is shown and driven.
    actor
        Who asks, for the recorder's log.
    embedded
        The recorder lives in this process.
    greeted
        Hears the replies to what a recorder is greeted with.
    """

    def __init__(self, recorder: Recorder, actor: str, *, embedded: bool, greeted: Then = lambda _, __: None) -> None:
        self.recorder = recorder
        self.actor = actor
        self.trends = Trends()
        self.frame = Frame(Status(at=time.monotonic()))
        self.went = False
        """The recorder has stopped to answer since the last poll."""
        self._embedded = embedded
        self._greeted = False
        self._heard_greeting = greeted
        self._before: Status | None = None
        self._submit: Submit | None = None
        self._on_envelope: Callable[[], object] | None = None

    def start(self, submit: Submit, on_envelope: Callable[[], object] | None = None) -> None:
        """Begin to send commands through ``submit``, which hands on the replies.

        ``on_envelope`` is called, from any thread, where the recorder tells of an envelope.
        """
        self._submit, self._on_envelope = submit, on_envelope
        self._listen()

    def _listen(self) -> None:
        if self._on_envelope is not None and isinstance(self.recorder, RemoteRecorder):
            self.recorder.on_envelope = self._on_envelope

    @property
    def ended(self) -> bool:
        """Whether the recorder (in this process) was told to end."""
        stopping = getattr(self.recorder, "stopping", None)
        return stopping is not None and bool(stopping.is_set())

    def poll(self, screen: str, fps: float, *, slowed: bool = False) -> Frame:
        """Take the newest snapshot."""
        try:
            status, gone = self.recorder.status(), str(getattr(self.recorder, "gone", None) or "")
        except MyoGesticError as error:
            status, gone = self.frame.status, str(error)
        self.went = bool(gone) and not self.frame.gone
        status = foreseen(status, local_clock())
        if not gone:
            self.trends.take(status)
        wall = time.strftime("%H:%M")
        self.frame = Frame(status, screen=screen, at=status.at, wall=wall, fps=fps, slowed=slowed, gone=gone)
        if not gone and not self._greeted and status.app_name and self._submit is not None:  # it is up
            self._greeted = True
            for command in greeting(status, self._before, embedded=self._embedded):
                self.execute(command, self._heard_greeting)
        return self.frame

    def execute(self, command: AnyCommand, then: Then) -> None:
        """Send a command of this viewer's; its reply goes to ``then``, in the event loop."""
        if self._submit is not None:
            self._submit(replace(command, actor=self.actor), then)

    def reconnect(self, start: Callable[[], Recorder]) -> None:
        """Find or start a recorder in place of the one that went; called in a thread of its own."""
        self._before, fresh = self.frame.status, start()
        if fresh is not self.recorder:
            self.recorder.close()
            self.recorder = fresh
            self._listen()
        self._greeted = False


class CommandRunner:
    """Executes commands one at a time, in the order in which they were given.

    Parameters
    ----------
    feed
        Whose recorder carries them out.
    loop
        The event loop that hears of the replies.
    """

    def __init__(self, feed: Feed, loop: asyncio.AbstractEventLoop) -> None:
        self._feed = feed
        self._loop = loop
        self._queue: queue.SimpleQueue[tuple[AnyCommand, Then] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="viewer-commands", daemon=True)
        self._thread.start()

    def submit(self, command: AnyCommand, then: Then) -> None:
        """Queue a command; ``then`` is called in the event loop with its reply. Never blocks."""
        self._queue.put((command, then))

    def close(self, timeout: float = 2.0) -> None:
        """Carry out what is queued, then end; waits at most ``timeout`` seconds."""
        self._queue.put(None)
        self._thread.join(timeout)

    def _run(self) -> None:
        while (item := self._queue.get()) is not None:
            command, then = item
            try:
                reply = self._feed.recorder.execute(command)
            except (MyoGesticError, OSError) as error:
                reply = Reply(ok=False, message=str(error))
            with contextlib.suppress(RuntimeError):  # the loop has ended; nobody is left to hear of it
                self._loop.call_soon_threadsafe(then, command, reply)


def greeting(now: Status, before: Status | None, *, embedded: bool) -> Iterator[AnyCommand]:
    """Commands for a recorder, the first or (``before``: what the last one told) another one in its place.

    Where no configuration names gestures, a recorder of its own gets those of the last one, or some to begin with.
    A session that was cut off is recovered.
    """
    if not now.gestures and now.state == "idle" and not embedded:
        known = before.gestures if before is not None else ()
        names = tuple(gesture.name for gesture in known) or DEFAULT_GESTURES
        keys = tuple(gesture.key for gesture in known) or None
        yield SetGestures(names=names, keys=keys)
    if before is None or before.state != "recording" or before.session is None or now.state == "recording":
        return
    yield StartJob(kind="recover", paths=(before.session.path,))


class CueBell:
    """Tells, from one snapshot to the next, that a cue began; the first snapshot tells nothing, nor does a pause."""

    def __init__(self) -> None:
        self._cue: int | None = None

    def began(self, protocol: ProtocolStatus | None) -> bool:
        """Whether a cue began since the last snapshot."""
        cue = protocol.cue if protocol is not None and protocol.state in ("running", "paused") else 0
        before, self._cue = self._cue, cue
        return cue > 0 and before is not None and cue != before
