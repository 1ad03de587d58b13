"""A session while it is being recorded: journals, events, the threads behind them; what a failing disk does to it."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Any

from ...clock import local_clock
from ...errors import DiskError, SessionClosedError, StreamChangedError
from ..format.commit import commit
from ..format.consolidated import consolidate
from ..format.create_file import on_set_aside, place, set_aside
from ..format.event_log import EventLog
from ..format.events import AnyEvent, ChannelMarked, EventAdded, Joined, SessionRecord
from ..format.finalize import anchor_at, conclusion, drop_journal, write_clock
from ..format.layout import DERIVED, JOURNAL, LABELS, META, array_name, choose_stem, sync_folder
from ..format.meta import (
    ENDED_BY,
    SET_ASIDE,
    Anchor,
    EventRecord,
    LabelEvent,
    Meta,
    StreamMeta,
    encode_labels,
    encode_meta,
)
from ..format.zarr_format import ArraySpec, create_array
from ..recovery.foreign_files import misplaced_in
from .checkpoint import Action, Threads, sync_all
from .disk_reserve import Ballast
from .journal_writer import StreamJournal
from .measure_streams import measured_streams, offsets_of
from .zarr_committer import StreamCommitter

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ...info import StreamInfo
    from ..format.commit import Shape
    from ..format.lock import FileLock

_log = logging.getLogger(__name__)

_CLOCK_EVERY = 8
"""Checkpoints between two writes of the clock estimates, which the journal has meanwhile: about a minute."""
_LOOK_EVERY = 2
"""Checkpoints between two looks at what the stamps tell, which nobody but `Session.snapshot` is shown."""


class Recording:
    """The live side of a `Session`.

    Parameters
    ----------
    folder
        The session's folder, empty but for its lock.
    lock
        That lock; released at the end.
    meta
        What is known at the start.

    Raises
    ------
    OSError
        The disk refused.
    """

    def __init__(self, folder: Path, lock: FileLock, meta: Meta) -> None:
        self.folder = folder
        self.record = SessionRecord(meta)
        self.labels: list[LabelEvent] = []
        """In time order; replaced, never changed."""
        self.committers: dict[str, StreamCommitter] = {}
        """By stem; replaced, never changed."""
        self.error: DiskError | None = None
        self.on_error: Callable[[DiskError], Any] | None = None
        self.on_failure: Callable[[DiskError], Any] | None = None
        """Called as soon as the disk has refused, in the thread that met it: it must not wait for anything."""
        self.on_commit: Callable[[], Any] | None = None
        """Called in the checkpointer's thread after the arrays have grown."""
        self.over = threading.Event()
        """Set once the threads are through, with all or with what was possible."""
        self._lock = lock
        self._record_lock = threading.Lock()
        self._meta_lock = threading.Lock()  # whoever replaces meta.json; the checkpointer does so last
        self._concluding = False
        self._join_lock = threading.RLock()  # always taken before _end_lock
        self._end_lock = threading.Lock()
        self._early_marks: dict[str, dict[int, bool]] = {}
        self._labels_stored: list[LabelEvent] = []
        self._n_clock_stored: dict[str, int] = {}
        self._n_checkpoints = 0
        self._ending: Future[None] | None = None
        self._stopped: Anchor | None = None
        self._ballast = Ballast(folder)
        self._synced_at = time.monotonic()
        self._n_dimensions: dict[str, int] = {}
        """Of each array, by the name of its folder."""
        self._in_the_way: deque[str] = deque()
        on_set_aside(folder, self._in_the_way.append)
        (folder / JOURNAL).mkdir()
        self._events = EventLog(folder)
        place(folder, LABELS, encode_labels([]), sync=True)
        place(folder, META, encode_meta(meta), sync=True)
        sync_folder(folder / JOURNAL)
        self._threads = Threads(self, folder.name)
        self._threads.start()

    # ------------------------------------------------------------ events

    def record_event(self, make: Callable[[SessionRecord], AnyEvent], *, sync: bool = False) -> None:
        """Journal the event that ``make`` makes and let it happen; wait until it is on the disk if ``sync``.

        Raises
        ------
        SessionClosedError
            The session is finished.
        DiskError
            The disk refused; the session is being finished.
        """
        try:
            with self._record_lock:
                event = make(self.record)
                self._events.append(event)
                self.record.apply(event)
                self.labels = self.record.label_track
            if sync:
                self._events.sync()
        except DiskError as error:
            self.fail(error)
            raise

    def store_meta(self) -> None:
        """Replace ``meta.json`` with what is known by now.

        Raises
        ------
        SessionClosedError
            The session is being finished.
        DiskError
            The disk refused; the session is being finished.
        """
        try:
            with self._meta_lock:
                if self._concluding:
                    raise SessionClosedError(f"{self.folder.name} is finished; start a new session")
                with self._record_lock:
                    meta = encode_meta(self.record.meta)
                place(self.folder, META, meta, sync=True)
        except OSError as error:
            failure = DiskError(f"{self.folder}: metadata cannot be written: {error.strerror}")
            self.fail(failure)
            raise failure from error

    # ------------------------------------------------------------ streams

    def add_stream(self, name: str, info: StreamInfo, joined_at: float | None, began: float | None = None) -> str:
        """A stream joins; its stem is returned. One that is there already must look the same.

        Raises
        ------
        StreamChangedError
            It is there with another layout.
        SessionClosedError
            The session is finished.
        DiskError
            The disk refused; the session is being finished.
        """
        with self._join_lock:
            for stem, committer in self.committers.items():
                if self.own_names[stem] == name:
                    _check_same(name, committer.journal.info, info)
                    return stem
            stem = choose_stem(name, self.committers)
            meta = StreamMeta.of(info, name=name, joined_at=joined_at)
            began = next((at for at in (began, joined_at) if at is not None), local_clock())
            self.record_event(lambda _: Joined(stem, meta, began), sync=True)
            try:
                journal = self._make_files(stem, info, began)
            except OSError as error:
                failure = DiskError(f"{name}: its files cannot be made: {error.strerror}")
                self.fail(failure)
                raise failure from error
            self.committers = {**self.committers, stem: StreamCommitter(journal)}
        self._ballast.fit(committer.journal.info for committer in self.committers.values())
        for channel, bad in self._early_marks.pop(name, {}).items():
            self.mark_channel(name, channel, bad)
        self.store_meta()
        return stem

    def _make_files(self, stem: str, info: StreamInfo, began: float) -> StreamJournal:
        samples = [ArraySpec.data(info), ArraySpec.timestamps(info)]
        specs = [*samples, ArraySpec.clock(), ArraySpec.overview(info), ArraySpec.arrival()]
        for derived, spec in zip(("", *DERIVED), specs, strict=True):
            if not (info.is_string and derived == "_overview"):
                create_array(self.folder, array_name(stem, derived), spec)
                self._n_dimensions[array_name(stem, derived)] = len(spec.chunk_shape)
        journal = StreamJournal(self.folder, stem, info, began)
        sync_folder(self.folder / JOURNAL)
        return journal

    @property
    def own_names(self) -> dict[str, str]:
        """The streams' own names by stem."""
        streams = self.record.meta.all_streams
        return {stem: streams[stem].name for stem in self.committers}

    def mark_channel(self, name: str, channel: int, bad: bool) -> None:
        """Mark a channel, of a stream that may join only later."""
        stems = [stem for stem, own in self.own_names.items() if name in (stem, own)]
        if stems:
            self.record_event(lambda _: ChannelMarked(stems[0], channel, bad))
        else:
            self._early_marks.setdefault(name, {})[channel] = bad

    # ------------------------------------------------------------ for the threads

    def sync(self) -> None:
        """Bring the journal to the disk."""
        self._lock.keep()
        self._enter_set_aside()
        began = time.monotonic()
        sync_all([self._events, *(committer.journal for committer in self.committers.values())])
        self._synced_at = began

    def _enter_set_aside(self) -> None:
        """Enter what was in the way among the events: whoever met it may have held locks."""
        while self._in_the_way:
            event = EventRecord(local_clock(), SET_ASIDE, self._in_the_way.popleft())
            try:
                self.record_event(lambda _, event=event: EventAdded(event))  # type: ignore[misc]
            except SessionClosedError:
                with self._record_lock:
                    self.record.meta.add_event(event)

    def _clear(self) -> None:
        """Set aside what others put into the folder, and what would keep it from being verified or packed."""
        try:
            for one in misplaced_in(self.folder, self._n_dimensions):
                set_aside(self.folder, one.key)
        except (OSError, DiskError) as error:
            _log.warning("%s is not tidy, and may have to be recovered before it is packed: %s", self.folder, error)

    @property
    def unsynced_s(self) -> float:
        """Age in seconds of the oldest sample that a power cut would take now; 0 where there is none."""
        waiting = any(committer.journal.is_unsynced for committer in self.committers.values())
        return time.monotonic() - self._synced_at if waiting else 0.0

    def checkpoint(self, action: Action) -> None:
        """Bring whole chunks into Zarr; with ``"flush"`` all samples, with ``"finish"`` for good."""
        try:
            self._checkpoint(action)
            if action == "finish":
                drop_journal(self.folder)
        finally:
            if action == "finish":
                self._release()

    def _checkpoint(self, action: Action) -> None:
        self._lock.keep()
        tail = action != "checkpoint"
        committers = list(self.committers.values())
        for committer in committers:
            committer.pump()
            if tail or self._n_checkpoints % _LOOK_EVERY == 0:
                committer.look(offsets_of(self.record, committer.stem))
            if tail:
                committer.write_tail()
            if action == "finish":
                committer.end()
        shapes = [shape for committer in committers for shape in committer.shapes(tail=tail)]
        arrivals = [committer.write_arrivals(tail=tail) for committer in committers]
        shapes += [shape for shape in arrivals if shape is not None]
        if tail or self._n_checkpoints % _CLOCK_EVERY == _CLOCK_EVERY - 1:
            shapes += self._write_clocks()
        self._n_checkpoints += 1
        labels = self.labels
        files = {LABELS: encode_labels(labels)} if labels is not self._labels_stored else {}
        if action == "finish":
            with self._meta_lock:
                self._concluding = True
            self._clear()
            self._enter_set_aside()
            files = self._conclusion()
        if shapes or files:
            commit(self.folder, shapes, files)
        if action == "finish":
            consolidate(self.folder)
        self._labels_stored = labels
        for committer in committers:
            committer.committed(tail=tail, last=action == "finish")
        if self.on_commit is not None:
            self.on_commit()

    def _write_clocks(self) -> list[Shape]:
        with self._record_lock:
            rows = {stem: list(rows) for stem, rows in self.record.clock.items()}
        shapes = []
        for stem in self.committers:
            done = self._n_clock_stored.get(stem, 0)
            if len(rows.get(stem, ())) > done:
                shapes.append(write_clock(self.folder, stem, rows[stem], done))
                self._n_clock_stored[stem] = len(rows[stem])
        return shapes

    def _conclusion(self) -> dict[str, bytes]:
        with self._record_lock:
            meta = self.record.meta
            stopped = self.record.stopped or self._stopped
            assert stopped is not None, "asked for by whoever ends it"
            meta.anchors = [*meta.anchors[:1], stopped]
            meta.duration_s = stopped.lsl - meta.anchors[0].lsl
            if self.error is not None:
                why = f"stopped by the recorder: {self.error}"
                meta.extra = {**meta.extra, ENDED_BY: why}
                meta.add_event(EventRecord(stopped.lsl, "stopped", why))
            return conclusion(meta, self.labels, measured_streams(self.record, self.committers), "finished")

    # ------------------------------------------------------------ the end

    def run(self, action: Action) -> None:
        """Have a checkpoint made now, and wait for it; DiskError where the disk refuses."""
        self._threads.request(action).result()

    def finish(self, timeout: float | None) -> None:
        """Take no more, bring everything into Zarr, drop the journal, let go of the folder.

        Raises
        ------
        DiskError
            The disk refuses; or it takes longer than ``timeout`` seconds, and continues in the background.
        """
        try:
            self._end(SessionClosedError(f"{self.folder.name} is finished; start a new session")).result(timeout)
        except FutureTimeoutError:
            raise DiskError(f"{self.folder.name} is still being written; the disk is slow") from None

    def _end(self, reason: Exception) -> Future[None]:
        with self._join_lock, self._end_lock:
            if self._ending is None:
                self._stopped = anchor_at()
                self._events.close(reason)
                for committer in self.committers.values():
                    if not isinstance(reason, DiskError):
                        with suppress(DiskError):  # the samples are safe, and their arrivals but for the end
                            committer.journal.mark_end(self._stopped.lsl)
                    committer.journal.close(reason)
                self._ballast.drop()
                self._ending = self._threads.request("finish")
            return self._ending

    def fail(self, error: DiskError) -> None:
        """The disk refused: end the session with what is safe, in the background."""
        with self._end_lock:
            first = self.error is None
            if first:
                self.error = error
        if first:
            if self.on_failure is not None:
                self.on_failure(error)
            self._end(error).add_done_callback(lambda _: self.on_error(error) if self.on_error else None)

    def _release(self) -> None:
        on_set_aside(self.folder, None)
        with ExitStack() as last_first:  # each of it, whatever a disk that is gone says to the others
            last_first.callback(self.over.set)
            last_first.callback(self._lock.release)
            for committer in self.committers.values():
                last_first.callback(committer.journal.release)
            last_first.callback(self._events.release)
            last_first.callback(self._threads.stop_syncing)


def _check_same(name: str, old: StreamInfo, new: StreamInfo) -> None:
    for field in ("n_channels", "fs", "dtype", "channel_names", "units"):
        before, after = getattr(old, field), getattr(new, field)
        if before != after:
            raise StreamChangedError(
                f"{name} came back with {field} {after!r} instead of {before!r}; add it as a new stream"
            )
