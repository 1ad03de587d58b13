"""Which sessions there are, which of them are found, in which order, and which are chosen and marked."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from ..errors import MyoGesticError
from ..session.library.catalog import Catalog
from ..widgets.session_table import Order

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..app.interface import AnyCommand, JobStatus, Reply
    from ..session.library.catalog_entry import Entry
    from ..widgets.frame import Frame
    from .actions import Actions

_REFRESH_SECONDS = 3.0
_REST = 100
"""A listing that took a second is not done again for so many: it never costs more than a hundredth of a core."""


class SessionList:
    """The list behind the Sessions screen; it is read in a thread, again and again while the screen is open."""

    def __init__(self, viewer: Actions) -> None:
        self._viewer = viewer
        self.known: Sequence[Entry] = ()
        self.found: list[Entry] = []
        self.words = ""
        self.order = Order()
        self.chosen = ""
        self.marked: set[str] = set()
        self.was_listed = False
        self._texts: dict[str, str] = {}
        self._catalog: Catalog | None = None
        self._due = 0.0
        self._listing = False
        self._about: object = None

    # ---------------------------------------------------------------- what is chosen

    @property
    def at(self) -> int:
        """Row of the chosen session."""
        return next((i for i, one in enumerate(self.found) if one.summary.path == self.chosen), 0)

    @property
    def entry(self) -> Entry | None:
        """The chosen session; None where none is found."""
        return self.found[self.at] if self.found else None

    @property
    def targets(self) -> tuple[str, ...]:
        """Paths of the marked sessions, or else of the chosen one."""
        marked = tuple(one.summary.path for one in self.found if one.summary.path in self.marked)
        return marked or ((self.entry.summary.path,) if self.entry is not None else ())

    @property
    def titles(self) -> tuple[str, ...]:
        """Of the same."""
        targets = set(self.targets)
        return tuple(one.title for one in self.found if one.summary.path in targets)

    def mark(self) -> None:
        """Mark or unmark the chosen one."""
        if self.entry is not None:
            self.marked ^= {self.entry.summary.path}

    def find(self, words: str) -> None:
        """Keep the sessions that hold every word."""
        self.words = words
        self._select()

    def order_by(self, order: Order) -> None:
        """Put them into another order."""
        self.order = order
        self._select()

    def _select(self) -> None:
        from ..session.library.search import Search

        wanted = Search(self.words)
        found = [one for one in self.known if wanted.holds(one, self._texts[one.summary.path])]
        self.found = self.order.sort(found)

    # ---------------------------------------------------------------- listing

    def send(self, command: AnyCommand) -> None:
        """Send a command about sessions, report what came of it, and list again."""

        def heard(_: AnyCommand, reply: Reply) -> None:
            self._viewer.refresh_frame()
            self._viewer.report(reply.message, bad=not reply.ok)
            self.list_again()

        self._viewer.execute(command, heard)

    def list_again(self) -> None:
        """List at the next draw."""
        self._due = 0.0

    def keep_listed(self, frame: Frame) -> None:
        """List again when it is time, or when a recording or a job began or ended."""
        status = frame.status
        about = (status.state, status.sessions_dir, [(job.id, job.state) for job in status.jobs])
        if about != self._about:
            self._about, self._due = about, 0.0
        if self._listing or frame.at < self._due:
            return
        self._listing, self._due = True, frame.at + _REFRESH_SECONDS
        folder = Path(status.sessions_dir)
        threading.Thread(target=self._list, args=(folder,), name="viewer-sessions", daemon=True).start()

    def _list(self, folder: Path) -> None:
        began = time.thread_time()
        known: Sequence[Entry] = self.known
        try:
            known = self._lister(folder)()
        except (MyoGesticError, OSError) as error:
            self._viewer.call_from_thread(self._viewer.report, str(error), bad=True)
        before = {id(one): self._texts[one.summary.path] for one in self.known}
        texts = {one.summary.path: before.get(id(one)) or one.words for one in known}
        if self._viewer.is_running:
            self._viewer.call_from_thread(self._take, known, texts, time.thread_time() - began)

    def _lister(self, folder: Path) -> Callable[[], Sequence[Entry]]:
        given = self._viewer.options.list_sessions
        if given is not None:
            return lambda: given(folder)
        if self._catalog is None or self._catalog.sessions_dir != folder:
            self._catalog = Catalog(folder)
        return self._catalog.entries

    def _take(self, known: Sequence[Entry], texts: dict[str, str], seconds: float) -> None:
        at = self.at
        self.known, self._texts = known, texts
        self._listing, self.was_listed = False, True
        if self._due:
            self._due += _REST * seconds
        self._follow(self._viewer.now().status.jobs)
        self.marked &= texts.keys()
        self._select()
        if self.chosen not in texts and self.found:  # it went: the one in its row comes into its place
            self.chosen = self.found[min(at, len(self.found) - 1)].summary.path
        self._viewer.wake()

    def _follow(self, jobs: Sequence[JobStatus]) -> None:
        """Packing and editing move a session: stay with it."""
        for job in sorted(jobs, key=lambda job: job.id):
            if job.path != self.chosen or job.state != "done" or self.chosen in self._texts:
                continue
            result = msgspec.json.decode(job.result) if job.result else None
            if isinstance(result, dict) and isinstance(result.get("path"), str):
                self.chosen = result["path"]
