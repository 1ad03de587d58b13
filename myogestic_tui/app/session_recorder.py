"""Starts, stops and discards recordings: names and numbers them, labels their beginning, packs what is finished."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

from ..clock import local_clock
from ..errors import MyoGesticError, NotAllowedError, SessionError
from ..plural import count_of
from . import preferences
from .interface import StopStatus
from .segments import Segments

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from ..config import DiskConfig
    from ..errors import DiskError
    from ..recording_config import RecordConfig
    from ..session import Session
    from ..session.format.chain import ChainLink
    from .cued_protocols import CuedProtocols
    from .disk_space import DiskRoom
    from .job_queue import JobQueue
    from .labels import Labels
    from .mvc import MVC
    from .operator_message import OperatorMessage
    from .recording import Recordings
    from .streams import StreamTable
    from .takes import Takes


class SessionRecorder:
    """Every start and end of a recording goes through here, whoever asks for it.

    Parameters
    ----------
    app_name
        Written into every session.
    sessions_dir
        Where sessions go unless told otherwise.
    disk_config
        The reserve that is kept free.
    record
        How much earlier a session begins than it is asked for, and how long each is.
    recordings, streams, takes, labels, protocols, mvc, jobs, disk, message
        The parts of the app that a session is made of, and that follow its end.

    Attributes
    ----------
    stopped
        The recording that ended by itself, until somebody has acknowledged it.
    """

    def __init__(
        self,
        app_name: str,
        sessions_dir: Path,
        disk_config: DiskConfig,
        *,
        record: RecordConfig,
        recordings: Recordings,
        streams: StreamTable,
        takes: Takes,
        labels: Labels,
        protocols: CuedProtocols,
        mvc: MVC,
        jobs: JobQueue,
        disk: DiskRoom,
        message: OperatorMessage,
    ) -> None:
        self.stopped: StopStatus | None = None
        self._app_name = app_name
        self._sessions_dir = sessions_dir
        self._disk_config = disk_config
        self._before_s, self._segment_s = record.before_s, record.segment_s
        self._recordings = recordings
        self._streams = streams
        self._takes = takes
        self._labels = labels
        self._protocols = protocols
        self._mvc = mvc
        self._jobs = jobs
        self._disk = disk
        self._message = message
        self.segments = Segments(recordings, self._next_segment, self._end_segment, message)

    # ---------------------------------------------------------------- start

    def start(
        self,
        base_path: Path | None = None,
        *,
        name: str | None = None,
        since_connected: bool = False,
        segment_s: float | None = None,
        who: str,
        fields: Mapping[str, str] | None = None,
    ) -> Session:
        """See `App.start_recording`; ``fields`` go into the session beside those of the take sheet."""
        from ..session.format.layout import is_session_folder
        from ..session.format.seconds_before import before_s, before_words

        folder = self._sessions_dir if base_path is None else base_path
        period = self._segment_s if segment_s is None else segment_s
        link = self.segments.first(period) if period else None
        try:
            if is_session_folder(folder):
                raise SessionError(f"{folder} is a session itself; choose another folder")
            session = self._recordings.start(
                lambda at, asked: self._new_session(folder, at, asked, name, link, fields or {}),
                since_connected=since_connected,
                before_s=self._before_s,
            )
        except (MyoGesticError, OSError) as error:
            self._message.set(f"not started: {error}")
            raise
        session.when_failing(lambda error: self._end_failing(session, error))
        if link is not None:
            self.segments.begin(link)
        for label in session.label_track:
            self._labels.publish(label)
        preferences.remember_place(folder)
        self._protocols.begin_session()
        self._labels.begin_session()
        self._recordings.add_event("started", f"started by {who}", who=who)
        before = before_words(before_s(session.meta))
        self._message.set(f"{self._started_words()}{f'; the session {before}' if before else ''}")
        return session

    def _new_session(
        self,
        folder: Path,
        at: float,
        asked: float,
        name: str | None,
        link: ChainLink | None,
        fields: Mapping[str, str],
    ) -> Session:
        from ..session import Session
        from ..session.format.chain import chain_field
        from ..session.format.meta import BEFORE

        self._takes.settle()
        number, before, rate = self._takes.sheet.take, asked - at, self._disk.byte_rate
        further = {**({BEFORE: before} if before else {}), **({} if link is None else chain_field(link))}
        try:
            session = Session(
                folder,
                app_name=self._app_name,
                class_names=list(self._labels.class_names) or None,
                fields={**self._takes.fields(name), **fields, **further},
                reserve_bytes=self._disk_config.reserve_bytes(rate) + int(before * rate),
                started_at=at,
            )
        except BaseException:
            self._takes.not_used(number)
            raise
        if self._labels.current is not None:
            session.add_label(self._labels.current, timestamp=asked, source=self._labels.chosen_by)
        self._mark_channels(session)
        return session

    def _mark_channels(self, session: Session) -> None:
        for stream in self._streams.selected():
            for channel in self._labels.bad_channels.get(stream.name, ()):
                session.mark_channel(stream.name, channel)

    # ---------------------------------------------------------------- segments

    def _next_segment(self, before: Session, at: float, link: ChainLink) -> Session:
        """The session that follows another from ``at`` on, of the same take."""
        from ..session import Session
        from ..session.format.chain import chain_field
        from ..session.format.meta import CONTINUES

        meta = before.meta
        own = {"name": meta.name, "subject": meta.subject, "task": meta.task, "take": meta.take, **meta.fields}
        session = Session(
            before.path.parent,
            app_name=self._app_name,
            class_names=before.class_names or None,
            fields={**own, CONTINUES: before.path.name, **chain_field(link)},
            reserve_bytes=self._disk_config.reserve_bytes(self._disk.byte_rate),
            started_at=at,
        )
        self._mark_channels(session)
        session.when_failing(lambda error: self._end_failing(session, error))
        return session

    def _end_segment(self, session: Session, following: Session) -> None:
        """Finish a session that another one follows, and have it packed while that is recorded."""
        from ..session.format.meta import CONTINUED_BY

        said = f"the recording continues in {following.path.name}"
        try:
            if session.error is None:
                session.add_event("stopped", said)
                session.set_fields(ended_by=said, **{CONTINUED_BY: following.path.name})
            session.finish(None)
        except SessionError as error:
            self._message.set(f"{session.path.name}: {error}; what is on disk can be recovered")
        if session.path.exists():
            self._pack(session)

    def _started_words(self) -> str:
        selected = self._streams.selected()
        missing = [stream.name for stream in selected if stream.info is None]
        if len(missing) == len(selected):
            return "No connected streams to record; they join as they connect"
        if missing:
            n_connected = len(selected) - len(missing)
            return f"recording {n_connected} of {count_of(len(selected), 'stream')}; waiting for {', '.join(missing)}"
        return f"recording {count_of(len(selected), 'stream')}"

    @contextlib.contextmanager
    def recording(self, base_path: Path | None, *, name: str | None) -> Iterator[Session]:
        """See `App.recording`."""
        session = self.start(base_path, name=name, who="script")
        this = self._recordings.id
        try:
            yield session
        except BaseException:
            self._stop_this(this)
            raise
        if not self._stop_this(this):
            raise SessionError(f"{session.path.name} ended early: {session.meta.ended_by or self._message.text}")

    def _stop_this(self, wanted: str) -> bool:
        """False where that recording has ended before."""
        try:
            self.end("stopped by script", "saved", who="script", wanted=wanted)
        except NotAllowedError:
            return False
        return True

    # ---------------------------------------------------------------- stop

    def stop(self, *, who: str, wanted: str | None = None) -> bool:
        """See `App.stop_recording`."""
        try:
            self.end(f"stopped by {who}", "saved", who=who, wanted=wanted)
        except NotAllowedError as error:
            self._message.set(str(error))
            return False
        return True

    def stop_at_end_of_app(self) -> None:
        """Stop what is recorded; a stop under way elsewhere has its packing queued when this returns."""
        with self._recordings.turn():
            if self._recordings.running is not None:
                self.end("stopped by the recorder, which was asked to end", "saved")

    def stop_by_itself(self, session: Session, why: str) -> None:
        """End a recording that cannot continue; that stands in the status until somebody has acknowledged it."""
        at, this = local_clock(), self._recordings.id
        if session is not self._recordings.running:
            return
        with contextlib.suppress(NotAllowedError):  # somebody was quicker
            self.end(f"stopped by the recorder: {why}", "", wanted=this)
            self.stopped = StopStatus(session=this, at=at, text=why, path=str(session.path), take=session.meta.take)

    def acknowledge(self) -> None:
        """Somebody has taken note that a recording ended by itself."""
        self.stopped = None

    def _end_failing(self, session: Session, error: DiskError) -> None:
        """The disk refused: the recording ends at once. In a thread of its own, for what tells must not wait."""
        words = f"{error}; the session was finished with what is safe"
        threading.Thread(target=self.stop_by_itself, args=(session, words), name="session-fails", daemon=True).start()

    def end(self, ended_by: str, message: str, *, who: str = "", wanted: str | None = None) -> None:
        """End the recording that runs; NotAllowedError where none, or another one than is ``wanted``, does."""
        told = [message or ended_by]

        def finish(session: Session) -> None:
            try:
                if session.error is None and session.path.exists():
                    session.add_event("stopped", ended_by, who=who)
                    session.set_fields(ended_by=ended_by)
                    session.save_meta(self._app_name, class_names=list(self._labels.class_names) or None)
                session.finish()
            except SessionError as error:
                told[0] = f"{error}; what is on disk can be recovered"

        with self._recordings.turn():
            self._recordings.require_running(wanted)
            self._protocols.abort()
            undrained = self._recordings.stop(finish)
            self.segments.end()
            session = self._recordings.session
            assert session is not None
            self._labels.choose(None)
            self._takes.count()
            if undrained:
                told.append(f"not heard from at the end: {', '.join(undrained)}")
            self._message.set(f"{'; '.join(told)}: {session.path}")
            self._mvc.measure_if_due(self._protocols.ran, session)
            if session.path.exists():
                self._pack(session)  # before the next turn: who shuts the app then waits for it

    def _pack(self, session: Session) -> None:
        try:
            self._jobs.pack(session)
        except MyoGesticError as error:
            self._message.set(f"not packed: {error}; it stays as a folder")

    def discard(self, *, who: str, wanted: str | None = None) -> bool:
        """See `App.discard_recording`."""
        where: list[str] = []

        def finish(session: Session) -> None:
            with contextlib.suppress(SessionError):
                session.add_event("stopped", f"discarded by {who}", who=who)
                session.set_fields(ended_by=f"discarded by {who}")
            where.append(str(session.discard()))

        try:
            with self._recordings.turn():
                self._recordings.require_running(wanted)
                self._protocols.abort()
                self._recordings.stop(finish)
                self.segments.end()
                for stream in self._streams.streams.values():
                    stream.forget_recorded()
        except (NotAllowedError, SessionError) as error:
            self._message.set(f"not discarded: {error}")
            return False
        finally:
            if self._recordings.running is None:
                self._labels.choose(None)
        self._takes.count()
        self._message.set(f"discarded; it can be restored from {where[0]}")
        return True
