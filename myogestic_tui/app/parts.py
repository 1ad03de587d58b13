"""What an `App` is made of: each part owns its state, and is given the others that it needs."""

from __future__ import annotations

import math
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from ..clock import local_clock
from .channel_quality import QualityRows
from .cue_markers import CueOutlet
from .cued_protocols import CuedProtocols
from .disk_space import DiskRoom
from .generator import Generators
from .gesture_outlets import GestureOutlets
from .hooks import Hooks
from .housekeeping import Housekeeping
from .job_queue import JobQueue, outcome_words
from .label_markers import LabelOutlet
from .labels import Labels
from .montages import Montages
from .mvc import MVC
from .operator_message import OperatorMessage
from .preferences import Preferences, places
from .recording import Recordings
from .recording_watch import Watch
from .session_recorder import SessionRecorder
from .stream_selection import StreamSelection
from .streams import StreamTable
from .takes import Takes

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..config import Config
    from ..stream import Stream
    from .interface import JobStatus
    from .protocol import Plan

_POLL_HERE, _POLL_WATCHED, _POLL_ALONE = 0.05, 0.1, 0.2
"""Seconds between looks at a stream: under screens of this process, while somebody else watches, while nobody does."""
_REST_AFTER_S = 30.0
"""A viewer whose link broke is back by then, and sees what came meanwhile."""


class Parts:
    """The parts of one app.

    Parameters
    ----------
    name
        The app's name, written into every session.
    config
        A loaded configuration.
    sessions_dir
        Where sessions go unless told otherwise.
    """

    def __init__(self, name: str, config: Config, sessions_dir: Path) -> None:
        self.name = name
        self.config = config
        self.sessions_dir = sessions_dir
        self.message = OperatorMessage()
        self.preferences = Preferences(sessions_dir)
        self.montages = Montages(config, self.preferences)
        self.streams = StreamTable(lambda _: self.recordings.reconcile(), self._prepare_stream)
        self.recordings = Recordings(lambda: self.streams.streams.values(), lambda text: self.message.set(text))
        self.takes = Takes(sessions_dir, self.preferences)
        self.generators = Generators(config.lsl, lambda text: self.message.set(text))
        self.label_outlet = LabelOutlet(sessions_dir)
        self.gestures = GestureOutlets(self.streams, f"{name}-gestures", lambda: self.generators.uids)
        self.labels = Labels(self.recordings, self.show_gesture, self.label_outlet)
        self.selection = StreamSelection(self.streams, self.recordings, self.preferences)
        self.protocols = CuedProtocols(config, self.recordings, self.labels, CueOutlet(name), self.message)
        self.jobs = JobQueue(lambda: self.recordings.running is not None, self._job_ended)
        self.mvc = MVC(self.streams, self.preferences, self.message)
        self.disk = DiskRoom(sessions_dir, config.disk, self.recordings, self.streams)
        self.quality_rows = QualityRows()
        self.watch = Watch(self._stream_event)
        self.recorder = SessionRecorder(
            name,
            sessions_dir,
            config.disk,
            record=config.record,
            recordings=self.recordings,
            streams=self.streams,
            takes=self.takes,
            labels=self.labels,
            protocols=self.protocols,
            mvc=self.mvc,
            jobs=self.jobs,
            disk=self.disk,
            message=self.message,
        )
        self.hooks = Hooks(config, self.recordings, self.message)
        self.housekeeping = Housekeeping(
            {
                "jobs": self.jobs.poll,
                "what is selected": self.recordings.reconcile,
                "the streams": self._watch_streams,
                "the disk": self._watch_disk,
                "what nobody looks at": self._let_streams_rest,
                "take numbers": self._scan_takes,
                "whom to tell": self._look_for_hooks,
                "synthetic hands": self.gestures.follow,
            },
            {
                "what earlier recorders left": lambda: self.jobs.resume(sessions_dir, places()),
                "the label stream": self._open_label_outlet,
            },
            lambda text: self.message.set(text),
        )
        self.ending = threading.Event()
        """Set once the app was asked to end."""
        self.viewers = 0
        self._screens_here = self._publishes = self._lean = False
        self._watched_at = -math.inf
        self._watching = threading.Lock()

    # ---------------------------------------------------------------- life

    def start(self, *, discover: bool, publish: bool, lean: bool) -> None:
        """See `App.open`."""
        self.ending.clear()
        self._publishes, self._lean = publish, lean
        if discover:
            self.selection.restore_picked()
        self.streams.start()
        if discover:
            self.streams.discover()
        self.hooks.start()
        self.housekeeping.start()

    def shut(self, pack_s: float | None, *, hurry: Callable[[], bool]) -> None:
        """See `App.shut`."""
        self.recorder.stop_at_end_of_app()
        self.ending.set()
        self.housekeeping.stop()
        self.mvc.finish()
        self.jobs.finish(pack_s, hurry=hurry)
        self.hooks.stop()
        self.streams.stop()
        self.takes.close()
        self.protocols.cues.close()
        self.label_outlet.close()
        self.gestures.close()
        if self.generators.running:
            self.generators.stop()

    def show_gesture(self, class_index: int) -> None:
        """Let every synthetic hand take up a gesture; -1 is rest."""
        self.generators.gesture(class_index)
        self.gestures.send(class_index)

    def set_viewers(self, viewers: int | None = None, *, here: bool | None = None) -> None:
        """See `App.set_viewers`."""
        with self._watching:
            self.viewers = self.viewers if viewers is None else viewers
            self._screens_here = self._screens_here if here is None else here
            self._watched_at = time.monotonic()
            watched = _POLL_WATCHED if self.viewers else _POLL_ALONE
            self.streams.set_poll(_POLL_HERE if self._screens_here else watched)
            if self._is_watched:
                self.streams.set_resting(False)

    @property
    def _is_watched(self) -> bool:
        return bool(self.viewers or self._screens_here)

    def run_protocol(self, plan: Plan, *, who: str) -> None:
        """See `App.run_protocol`."""
        self.protocols.check_free()
        if self.recordings.running is None:
            self.recorder.start(who=who)
        self.protocols.run(plan)

    # ---------------------------------------------------------------- what is looked after

    def _prepare_stream(self, stream: Stream) -> None:
        self.montages.apply(stream)
        stream.hold(self.config.record.before_s)

    def _open_label_outlet(self) -> None:
        if self._publishes and self.config.markers.publish:
            self.label_outlet.open()

    def _watch_streams(self) -> None:
        self.watch.compare(self.recordings.running, self.streams.streams.values(), local_clock())

    def _watch_disk(self) -> None:
        session, shortage = self.recordings.running, self.disk.shortage()  # what is measured is the room of this one
        if session is not None and shortage:
            self.recorder.stop_by_itself(session, shortage)

    def _let_streams_rest(self) -> None:
        with self._watching:
            if self._lean and not self._is_watched and time.monotonic() - self._watched_at > _REST_AFTER_S:
                self.streams.set_resting(True)

    def _scan_takes(self) -> None:
        if self.recordings.running is None:
            self.takes.scan()

    def _stream_event(self, kind: str, text: str, stream: str) -> None:
        self.recordings.add_event(kind, text, stream=stream)
        if kind in ("joined", "not recorded"):
            self.message.set(text)

    def _judge(self, archive: Path) -> None:
        from ..analysis.report_job import report_options

        options = report_options(archive, self.config.quality)
        if options is not None and not self.ending.is_set():
            self.jobs.add("report", archive, options)

    def _look_for_hooks(self) -> None:
        self.hooks.look(self.streams.streams.values(), self.disk.status, self.recorder.stopped)

    def _job_ended(self, job: JobStatus) -> None:
        self.hooks.job_ended(job)
        if job.state == "failed" or self.recordings.running is None or job.kind not in ("pack", "report"):
            self.message.set(outcome_words(job))
        if job.kind == "pack" and job.state == "done":
            self._judge(Path(msgspec.json.decode(job.result)["path"]))
        if job.kind == "recover" and job.state == "done":
            self.jobs.add("pack", Path(msgspec.json.decode(job.result)["path"]))
