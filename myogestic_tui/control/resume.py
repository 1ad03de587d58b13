"""Recording on after a kill: what is being recorded stands in a file, which a clean stop removes.

A recorder that finds the file was killed while it recorded. With ``[record] resume`` it starts a new session at once,
with the same streams, take and label; the session before is recovered, linked to the new one, and packed.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from ..app.interface import SetTake
from ..app.preferences import PickedStream  # noqa: TC001  (msgspec resolves annotations)
from ..errors import MyoGesticError
from ..msgspec_types import prepared
from ..session.format.finalize import anchor_at
from ..session.format.json_files import replace_file
from ..session.format.layout import STATE_FOLDER, is_session_folder
from ..session.format.lock import session_holder
from ..session.format.meta import CONTINUES, NOT_RECORDED
from ..session.format.regular_files import read_regular
from ..session.library.link_sessions import Beginning, Estimate, Interruption, link_note, unseen
from ..session.reading.archive_of import archives_of
from .crash_evidence import Evidence, find_evidence

if TYPE_CHECKING:
    from ..app import App
    from ..session import Session
    from ..session.format.meta import Anchor

_log = logging.getLogger(__name__)

FILE = "recording.json"
MOST_ATTEMPTS = 5
"""Recordings in a row that were continued and soon killed as well; after these the recorder stays idle."""
STABLE_SECONDS = 60.0
"""A continued recording that lives so long was worth it."""
RETURN_SECONDS = 15.0
"""How long the streams have to come back before the note on the interruption is written without them."""
_MOST_LINKS = 20
_RETRY_SECONDS = (30.0, 3600.0)
"""Between two attempts to link sessions, one of which another process may hold; twice as long each time."""


class Running(Struct, kw_only=True):
    """What is being recorded, as far as its session does not tell."""

    session: str
    """Its folder."""
    name: str = ""
    streams: dict[str, PickedStream | None] = {}
    """Those that are selected, by name; with what one is found by that was connected by hand."""
    take: dict[str, Any] = {}
    gesture_keys: tuple[str, ...] = ()
    attempts: int = 0


class Link(Struct, kw_only=True):
    """Two sessions that are still to be linked."""

    earlier: str
    later: str
    estimate: Estimate


class Kept(Struct, kw_only=True):
    """The file."""

    running: Running | None = None
    links: list[Link] = []


class Continuity:
    """Keeps the file of a sessions folder, and continues what it describes.

    Parameters
    ----------
    sessions_dir
        The folder; its recorder's lock is held.
    resume
        Whether to continue; if not, nothing is kept, and only links that are left are written.
    """

    def __init__(self, sessions_dir: Path, *, resume: bool) -> None:
        self._sessions_dir = sessions_dir
        self._path = sessions_dir / STATE_FOLDER / FILE
        self._resume = resume
        self._kept = self._load()
        self._stored = msgspec.json.encode(self._kept)
        self._left = self._kept.running
        self._evidence = None if self._left is None else find_evidence(self._folder_of(self._left))
        self._attempts = 0
        self._since = 0.0
        self._job: tuple[int, Link] | None = None
        self._retry_at = 0.0
        self._retry_s = _RETRY_SECONDS[0]
        self._continues: tuple[Evidence, Anchor] | None = None
        """What the session that is being started continues, and when it was started."""
        self._ending = False
        self._lock = threading.Lock()  # whoever starts and stops recordings, and the process that looks after this

    def _load(self) -> Kept:
        try:
            return msgspec.json.decode(read_regular(self._path), type=prepared(Kept))
        except FileNotFoundError:
            return Kept()
        except (OSError, msgspec.DecodeError) as error:
            _log.warning("%s cannot be read, so that no recording is continued: %s", self._path, error)
            return Kept()

    def _folder_of(self, running: Running) -> Path:
        """Its folder, also where the sessions folder was moved as a whole."""
        folder = Path(running.session)
        moved = self._sessions_dir / folder.name
        return moved if not folder.is_dir() and is_session_folder(moved) else folder

    # ---------------------------------------------------------------- start

    def begin(self, app: App) -> None:
        """Continue what was being recorded, if anything was, and it may be; from now on the file tells what is."""
        app.parts.recordings.on_change = lambda: self._recording_changed(app)
        running, evidence, self._left = self._left, self._evidence, None
        self._kept.running = None
        if running is not None and evidence is not None:
            reason = self._why_not(running, evidence)
            if not reason:
                self._attempts = running.attempts + 1
                self._kept.running = msgspec.structs.replace(running, attempts=self._attempts)
                self._store()  # an attempt that ends this process counts
                reason = self._continue(app, running, evidence)
            if reason:
                self._kept.running = None
                _log.warning("%s was being recorded when the recorder ended; %s", evidence.folder.name, reason)
                app.parts.message.set(f"{evidence.folder.name} is not continued: {reason}")
        self._store()

    def _why_not(self, running: Running, evidence: Evidence) -> str:
        if not self._resume:
            return "that takes `resume = true` under [record]"
        if running.attempts >= MOST_ATTEMPTS:
            return f"{running.attempts} recordings in a row ended like that; look at the log, then start by hand"
        if evidence.stopped:
            return "it had been stopped"
        holder = session_holder(evidence.folder)
        if holder is not None and holder.purpose == "recording":
            return f"{holder} is still recording it"
        return ""

    def _continue(self, app: App, running: Running, evidence: Evidence) -> str:
        """Start the new session; why that was not possible, else nothing."""
        self._prepare(app, running, evidence)
        now = anchor_at()
        base = evidence.folder.parent if evidence.folder.parent.is_dir() else self._sessions_dir
        name = evidence.fields.get("name") or running.name
        self._continues = evidence, now
        try:
            started = app.start_recording(base, name=continued_name(name) or None)
        except MyoGesticError as error:
            return str(error)
        finally:
            self._continues = None
        session = app.ctx.session
        if not started or session is None:
            return app.ctx.status_message
        session.set_fields(**{CONTINUES: evidence.folder.name})
        session.save_meta()
        said = f"{session.path.name} continues {evidence.folder.name}, whose recorder ended without being stopped"
        _log.warning("%s", said)
        app.parts.message.set(said)
        return ""

    def _prepare(self, app: App, running: Running, evidence: Evidence) -> None:
        """Streams, take, classes, label and marks as they were."""
        app.parts.streams.restore({name: one for name, one in running.streams.items() if one is not None}, {})
        for stream in app.parts.streams.streams.values():
            stream.record = stream.name in running.streams
        app.ctx.class_names = evidence.class_names or app.ctx.class_names
        app.parts.labels.keys = running.gesture_keys or app.parts.labels.keys
        app.parts.labels.bad_channels = {name: set(bad) for name, bad in evidence.bad_channels.items()}
        known = {**running.take, **{key: value for key, value in evidence.fields.items() if value}}
        take = {key: known[key] for key in ("subject", "task", "take", "fields") if known.get(key)}
        app.execute(SetTake(actor="resume", confirmed=1, **take))
        if evidence.label is not None and evidence.label.source == "protocol":
            _log.warning("the cued protocol is not continued: start it again; until then nothing is labelled")
        elif evidence.label is not None:
            app.ctx.current_label = evidence.label.class_index

    # ---------------------------------------------------------------- life

    def update(self, app: App) -> None:
        """Bring the file up to date, and link what can be linked; called twice a second."""
        self._keep(app)
        if self._attempts and time.monotonic() - self._since > STABLE_SECONDS:
            self._attempts = 0
        self._look_at_links(app)
        self._keep(app)

    def end(self) -> None:
        """The recorder ends because it was asked to: what it records is not to be continued."""
        with self._lock:
            self._ending = True
            self._kept.running = None
            self._store()

    def _recording_changed(self, app: App) -> None:
        """A recording begins, and with it the link to one that it continues; or it ends: the file tells at once."""
        session = app.parts.recordings.session
        if self._continues is not None and session is not None and app.parts.recordings.state == "recording":
            evidence, now = self._continues
            link = Link(earlier=str(evidence.folder), later=str(session.path), estimate=evidence.estimate(now))
            self._kept.links = [*self._kept.links, link][-_MOST_LINKS:]
        self._keep(app)

    def _keep(self, app: App) -> None:
        with self._lock:
            self._look_at_recording(app)
            self._store()

    def _look_at_recording(self, app: App) -> None:
        session = app.ctx.session
        state = app.parts.recordings.state
        if not self._resume or self._ending or state != "recording" or session is None:
            self._kept.running = None
            self._attempts = 0 if state == "idle" else self._attempts
            return
        before = self._kept.running
        if before is not None and before.session != str(session.path):
            before = None
        if before is None:
            self._since = time.monotonic()
        self._kept.running = Running(
            session=str(session.path),
            name=session.name,
            streams={stream.name: app.parts.streams.picked.get(stream.name) for stream in app.parts.streams.selected()},
            take=msgspec.to_builtins(app.take) if before is None else before.take,
            gesture_keys=tuple(app.parts.labels.keys),
            attempts=self._attempts,
        )

    def _store(self) -> None:
        content = msgspec.json.encode(self._kept)
        if content == self._stored:
            return
        try:
            if self._kept == Kept():
                self._path.unlink(missing_ok=True)
            else:
                replace_file(self._path, content)
        except OSError as error:
            _log.warning("%s: a recording could not be continued after a kill: %s", self._path, error.strerror)
            return
        self._stored = content

    # ---------------------------------------------------------------- links

    def linked(self) -> set[Path]:
        """Sessions that are still to be linked: they are recovered with that, and packed after it."""
        return {Path(path) for link in self._kept.links for path in (link.earlier, link.later)}

    def _look_at_links(self, app: App) -> None:
        if self._job is not None:
            self._look_at_job(app, *self._job)
            return
        if time.monotonic() < self._retry_at:
            return
        for link in self._kept.links:
            session = _live(app, link)
            if not _is_there(Path(link.earlier)):
                _log.warning("%s is no longer there: it does not tell that %s continues it", link.earlier, link.later)
                if session is not None:
                    self._note(app, session, link, unseen(link.estimate))
                self._drop(link)
                return
            if session is None and not _is_there(Path(link.later)):
                _log.warning("%s is no longer there: it continued %s", link.later, link.earlier)
                self._drop(link)
                app.parts.jobs.add("recover", Path(link.earlier))
                return
            beginnings = None if session is None else self._beginnings(app, session)
            if session is not None and beginnings is None:
                continue
            options = {"later": link.later, "estimate": msgspec.json.encode(link.estimate).decode()}
            if beginnings is not None:
                options["beginnings"] = msgspec.json.encode(beginnings).decode()
            self._job = app.parts.jobs.add("link", Path(link.earlier), options), link
            return

    def _beginnings(self, app: App, session: Session) -> dict[str, Beginning] | None:
        """Where the streams begin in the session that is being recorded; None while some are still to come."""
        begun = {}
        for name, progress in session.snapshot().streams.items():
            stream = app.parts.streams.streams.get(name)
            if progress.first_timestamp is not None and stream is not None and stream.info is not None:
                begun[name] = Beginning(stream.info.uid, progress.first_timestamp)
        waited_s = time.monotonic() - self._since
        complete = all(stream.name in begun for stream in app.parts.streams.selected())
        return begun if complete or waited_s > RETURN_SECONDS else None

    def _look_at_job(self, app: App, job_id: int, link: Link) -> None:
        job = next((job for job in app.parts.jobs.statuses() if job.id == job_id), None)
        if job is not None and job.state in ("waiting", "running"):
            return
        self._job = None
        if job is None or job.state != "done":
            self._retry_at = time.monotonic() + self._retry_s
            self._retry_s = min(2 * self._retry_s, _RETRY_SECONDS[1])
            self._kept.links = [*(one for one in self._kept.links if one is not link), link]  # others go first
            reason = job.message if job is not None else "the job is gone"
            _log.warning("%s is not linked to %s yet: %s", link.earlier, link.later, reason)
            return
        result = msgspec.json.decode(job.result)
        session = _live(app, link)
        if session is not None:
            self._note(app, session, link, Interruption(text=result["text"], seconds=result["seconds"]))
        elif not result["both"]:
            return  # it was stopped meanwhile: once more, now with what it has on the disk
        self._drop(link)
        for path in {Path(link.earlier), Path(link.later)} - self.linked():
            if path.is_dir() and session_holder(path) is None:
                app.parts.jobs.add("pack", path)

    def _note(self, app: App, session: Session, link: Link, found: Interruption) -> None:
        session.add_note(link_note(CONTINUES, Path(link.earlier).name, found), timestamp=app.started_at)
        if found.seconds is not None:
            session.set_fields(**{NOT_RECORDED: round(found.seconds, 3)})

    def _drop(self, link: Link) -> None:
        self._kept.links = [one for one in self._kept.links if one is not link]


def _live(app: App, link: Link) -> Session | None:
    """The later session of a link, while it is being recorded."""
    session = app.ctx.session
    return session if app.ctx.state == "recording" and session is not None and str(session.path) == link.later else None


def _is_there(folder: Path) -> bool:
    return folder.is_dir() or bool(folder.parent.is_dir() and archives_of(folder))


def continued_name(name: str) -> str:
    """``grasp_03`` becomes ``grasp_03_continued``, that ``grasp_03_continued_2``; no name stays none."""
    if not name:
        return ""
    base, _, number = name.rpartition("_continued")
    if not base or not re.fullmatch(r"(_\d+)?", number):
        return f"{name}_continued"
    return f"{base}_continued_{int(number[1:] or 1) + 1}"
