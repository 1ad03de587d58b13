"""The Sessions screen: what is recorded, in which state, and what to do with it."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..app.recorder import AddNote, CancelJob, EditSession, StartJob, TrashSession
from ..errors import MyoGesticError
from ..session.summary import MENDS
from ..widgets.session_list import ORDERS, find, ordered, session_details, session_rows
from .look import SessionLook
from .prompt import Ask, Entry, TypeLine
from .summaries import list_summaries
from .view import Body

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..widgets.frame import Frame
    from ..widgets.spans import Row

_REFRESH_SECONDS = 3.0


class SessionsBody(Body):
    """List on top (or at the left), details of the chosen session beneath (or beside)."""

    name_of = "sessions"

    def __init__(self, viewer: Any) -> None:
        super().__init__(viewer)
        self.found: Sequence[Any] = ()
        self.words = ""
        self.order = 0
        self.chosen = ""
        self.marked: set[str] = set()
        self.whole = False
        self._listed_at = 0.0
        self._listing = False
        self._was_listed = False
        self._known: Sequence[Any] = ()
        self._trashed: list[str] = []
        self.look = SessionLook(viewer)

    def opened(self) -> None:
        """List again."""
        self._listed_at = 0.0

    # ---------------------------------------------------------------- rows

    def main_rows(self, frame: Frame, width: int, height: int) -> list[Row]:
        """List and details."""
        self._keep_listed(frame)
        at = self._at()
        chosen = self.found[at] if self.found else None
        if self.whole and chosen is not None:
            return self._open_rows(chosen, frame, width, height)
        details = (
            session_details(chosen, frame, width, max(height - 9, 0)) if chosen is not None and height > 12 else []
        )
        room = height - len(details) - (1 if details else 0)
        rows = session_rows(
            self.found, frame, at=at, marked=self.marked, width=width, height=room, words=self.words,
            order=ORDERS[self.order], n_known=len(self._known), listing=not self._was_listed,
        )  # fmt: skip
        return [*rows, *([()] * (room - len(rows) + 1 if details else 0)), *details]

    def _open_rows(self, chosen: Any, frame: Frame, width: int, height: int) -> list[Row]:
        """The open session: its plot, and what is known about it."""
        plot_height = max(min(height - 9, height * 2 // 3), 0)
        plot = self.look.rows(chosen.path, frame, width, plot_height)
        return [*plot, *session_details(chosen, frame, width, height - len(plot))]

    def _keep_listed(self, frame: Frame) -> None:
        due = frame.at - self._listed_at > _REFRESH_SECONDS
        if due and not self._listing:
            self._listing, self._listed_at = True, frame.at
            folder = Path(frame.status.sessions_dir)
            threading.Thread(target=self._list, args=(folder,), name="viewer-sessions", daemon=True).start()

    def _list(self, folder: Path) -> None:
        lister = self.viewer.options.list_sessions
        try:
            known = list(lister(folder) if lister is not None else list_summaries(folder))
        except (MyoGesticError, OSError) as error:
            self.viewer.call_from_thread(self.viewer.say, str(error), bad=True)
            known = []
        if self.viewer.is_running:
            self.viewer.call_from_thread(self._take, known)

    def _take(self, known: Sequence[Any]) -> None:
        self._known, self._listing, self._was_listed = known, False, True
        self._select()
        self.viewer.redraw()

    def _select(self) -> None:
        self.found = ordered(find(self._known, self.words), ORDERS[self.order])

    def _at(self) -> int:
        paths = [summary.path for summary in self.found]
        return paths.index(self.chosen) if self.chosen in paths else 0

    def _session(self) -> Any:
        return self.found[self._at()] if self.found else None

    def _targets(self) -> tuple[str, ...]:
        """The marked sessions, or else the chosen one."""
        marked = tuple(summary.path for summary in self.found if summary.path in self.marked)
        chosen = self._session()
        return marked or ((chosen.path,) if chosen is not None else ())

    def click(self, action: str) -> bool:
        """A row of the list."""
        kind, _, path = action.partition(":")
        if kind != "session":
            return False
        self.chosen = path
        return True

    # ---------------------------------------------------------------- commands: the list

    def _move(self, step: int) -> None:
        if self.found:
            self.chosen = self.found[min(max(self._at() + step, 0), len(self.found) - 1)].path

    def do_up(self) -> None:
        """Row up; the channel before, where a session is open."""
        if self.whole:
            self.look.change_channel(-1)
        else:
            self._move(-1)

    def do_down(self) -> None:
        """Row down; the next channel, where a session is open."""
        if self.whole:
            self.look.change_channel(1)
        else:
            self._move(1)

    def do_left(self) -> None:
        """Back in time."""
        self.look.pan(-1)

    def do_right(self) -> None:
        """On in time."""
        self.look.pan(1)

    def do_zoom_in(self) -> None:
        """Closer."""
        self.look.zoom(0.5)

    def do_zoom_out(self) -> None:
        """Further away."""
        self.look.zoom(2.0)

    def do_stream(self) -> None:
        """The next stream."""
        self.look.change_stream()

    def do_page_up(self) -> None:
        """Page up."""
        self._move(-8)

    def do_page_down(self) -> None:
        """Page down."""
        self._move(8)

    def do_open(self) -> None:
        """Details over the whole body, or back to the list."""
        self.whole = not self.whole and bool(self.found)

    def do_find(self) -> None:
        """Find by words, as they are typed."""

        def changed(words: str) -> None:
            self.words = words
            self._select()

        def cancelled() -> None:
            changed("")

        self.viewer.type_line(
            TypeLine([Entry("find", self.words)], lambda texts: changed(texts[0]), changed, cancelled)
        )

    def do_order(self) -> None:
        """The next order."""
        self.order = (self.order + 1) % len(ORDERS)
        self._select()

    def do_mark(self) -> None:
        """Select or unselect, and go on."""
        if (session := self._session()) is not None:
            self.marked ^= {session.path}
            self.do_down()

    # ---------------------------------------------------------------- commands: jobs

    def _job(self, kind: str, paths: tuple[str, ...], **options: str) -> None:
        if not paths:
            self.viewer.say(f"nothing to {kind}: no session is chosen")
            return
        self.viewer.execute(StartJob(kind=kind, paths=paths, options=options, actor=self.viewer.actor))
        self._listed_at = 0.0

    def do_verify(self) -> None:
        """Verify the chosen or selected sessions, or all that were not verified yet."""
        targets = self._targets()
        new = tuple(one.path for one in self.found if one.state == "packed")
        answers = {
            "enter": ("every byte", lambda: self._job("verify", targets)),
            "k": ("quick", lambda: self._job("quick-verify", targets)),
            "a": (f"all {len(new)} new", lambda: self._job("verify", new)),
        }
        if targets:
            self.viewer.ask(Ask("verify:", answers, close="none"))
        else:
            self.viewer.say("nothing to verify: no session is chosen")

    def do_mend(self) -> None:
        """Pack, recover or salvage, as the state needs."""
        session = self._session()
        kind = MENDS.get(session.state.split()[0]) if session is not None else None
        if session is not None and kind is None:
            self.viewer.say(f"nothing to mend: the session is {session.state}")
            return
        self._job(kind or "pack", (session.path,) if session is not None else ())

    def do_copy(self) -> None:
        """Copy to another folder."""
        self._job_to("copy", "copy to folder")

    def do_export(self) -> None:
        """Export to other tools."""
        self._job_to("export", "export to folder")

    def _job_to(self, kind: str, title: str) -> None:
        paths = self._targets()
        if paths:
            self.viewer.type_line(TypeLine([Entry(title)], lambda texts: self._job(kind, paths, to=texts[0])))

    def do_replay(self) -> None:
        """Replay as live LSL outlets."""
        self._job("replay", self._targets()[:1])

    def do_cancel(self) -> None:
        """Cancel the running job, else the selection, else the search."""
        running = [job for job in self.viewer.frame.status.jobs if job.state in ("running", "waiting")]
        if self.whole:
            self.whole = False
        elif running:
            self.viewer.execute(CancelJob(id=running[0].id, actor=self.viewer.actor))
        elif self.marked:
            self.marked.clear()
        else:
            self.words = ""
            self._select()

    # ---------------------------------------------------------------- commands: one session

    def do_edit(self) -> None:
        """Change subject, task, take and name."""
        session = self._session()
        if session is None:
            return
        names = ("subject", "task", "take", "name")

        def save(texts: list[str]) -> None:
            changes = dict(zip(names, texts, strict=True))
            self.viewer.execute(EditSession(path=session.path, changes=changes, actor=self.viewer.actor))

        self.viewer.type_line(TypeLine([Entry(name, str(getattr(session, name, ""))) for name in names], save))

    def do_note(self) -> None:
        """Add a note to the session."""
        session = self._session()
        if session is not None:

            def save(texts: list[str]) -> None:
                if texts[0]:
                    self.viewer.execute(AddNote(text=texts[0], path=session.path, actor=self.viewer.actor))

            self.viewer.type_line(TypeLine([Entry("note")], save))

    def do_trash(self) -> None:
        """To the trash folder; u brings the last one back."""
        for path in self._targets():
            self._trashed.append(path)
            self.viewer.execute(TrashSession(path=path, actor=self.viewer.actor))
        self.marked.clear()
        self._listed_at = 0.0

    def do_restore(self) -> None:
        """Bring back what was trashed last."""
        if not self._trashed:
            self.viewer.say("nothing was moved to the trash from here")
            return
        self.viewer.execute(TrashSession(path=self._trashed.pop(), restore=True, actor=self.viewer.actor))
        self._listed_at = 0.0
