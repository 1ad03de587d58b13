"""What the keys of the Sessions screen do to sessions: jobs, copies, edits, the trash."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from string import ascii_lowercase
from typing import TYPE_CHECKING

from ...app.interface import AddNote, CancelJob, EditSession, StartJob, TrashSession
from ...session.export import FORMATS
from ...session.format.summary import REPAIRS
from ...widgets.number_format import size
from ...widgets.session_table import going, n_going
from ..modals.forms import Form
from ..session_selection import SessionList
from .base import ViewerScreen

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ...session.library.catalog_entry import Entry
    from ...session.recovery.trash import Trashed
    from ..modals.ask import Answers

_FORMAT_KEYS = {"bids": "d", "nwb": "w"}
"""Where it is not the first letter of the format that is free."""
_STICKS = ("/media/", "/run/media/", "/mnt/", "/Volumes/")


class SessionJobs(ViewerScreen):
    """The part of the Sessions screen that sends commands."""

    def __init__(self) -> None:
        super().__init__()
        self.list = SessionList(self.viewer)
        self._trashed: list[str] = []
        self._last_to: dict[str, str] = {}

    def _job(self, kind: str, paths: Sequence[str], **options: str) -> None:
        if self._has(paths, kind):
            self.list.send(StartJob(kind=kind, paths=tuple(paths), options=options))

    def _has(self, paths: Sequence[str], what: str) -> bool:
        """Whether there is any session to do that to; where there is none, that is reported."""
        if not paths:
            self.viewer.report(f"nothing to {what}: no session is chosen")
        return bool(paths)

    # ---------------------------------------------------------------- prove and repair

    def action_verify(self) -> None:
        busy = {one.summary.path for one in self.list.found if one.state in ("recording", "packing")}
        targets = tuple(path for path in self.list.targets if path not in busy)
        new = [one.summary.path for one in self.list.found if one.state == "packed"]
        answers = {
            "enter": ("every byte", lambda: self._job("verify", targets)),
            "k": ("quick", lambda: self._job("quick-verify", targets)),
            "a": (f"all {len(new)} new", lambda: self._job("verify", new)),
        }
        if targets:
            self.viewer.ask(f"verify{_many(targets)}:", answers, close="cancel")
        else:
            why = "it is still being written" if self.list.targets else "no session is chosen"
            self.viewer.report(f"nothing to verify: {why}")

    def action_repair(self) -> None:
        targets = set(self.list.targets)
        chosen = [one for one in self.list.found if one.summary.path in targets]
        todo = [(REPAIRS[one.state], one.summary.path) for one in chosen if one.state in REPAIRS]
        for kind in dict.fromkeys(kind for kind, _ in todo):
            self._job(kind, [path for its_kind, path in todo if its_kind == kind])
        if not todo:
            states = ", ".join(sorted({one.state for one in chosen}))
            self.viewer.report(f"nothing to repair: the session is {states}" if chosen else "no session is chosen")

    # ---------------------------------------------------------------- take home

    def action_copy(self) -> None:
        self._job_to("copy", "copy to folder or URL", self._last_to.get("copy") or _stick())

    def action_export(self) -> None:
        def chosen(fmt: str) -> Callable[[], None]:
            beside = str(Path(self.frame.status.sessions_dir).absolute().parent / "exports")
            return lambda: self._job_to("export", f"{fmt} to folder", self._last_to.get("export", beside), format=fmt)

        if self._has(self.list.targets, "export"):
            answers: Answers = {}
            for fmt in FORMATS:
                letters = (_FORMAT_KEYS.get(fmt, ""), *fmt, *ascii_lowercase)
                answers[next(key for key in letters if key and key not in answers)] = (fmt, chosen(fmt))
            self.viewer.ask(f"export{_many(self.list.targets)} as", answers, close="cancel")

    def _job_to(self, kind: str, title: str, to: str, **options: str) -> None:
        paths = self.list.targets

        def start(text: str) -> None:
            if not text:
                self.viewer.report(f"{kind} to where? nothing was done")
                return
            self._last_to[kind] = text
            where = text if "://" in text else str(Path(text).expanduser().absolute())
            self._job(kind, paths, to=where, **options)

        if self._has(paths, kind):
            self.viewer.type_line(f"{title}{_many(paths)}", start, to, does=kind)

    def action_replay(self) -> None:
        paths = self.list.targets[:1]
        running = [job for job in going(self.frame.status.jobs) if job.kind == "replay" and job.path in paths]
        if running:
            self.list.send(CancelJob(id=running[0].id))
        else:
            self._job("replay", paths)

    def ask_cancel(self) -> None:
        """Ask which job is to end: the chosen session's, or else the one that runs; or all."""
        unended = going(self.frame.status.jobs)
        if not unended:
            return
        mine = [job for job in unended if job.path in self.list.targets]
        job = min(mine or unended, key=lambda one: one.state != "running")

        def cancel(number: int) -> None:
            self.list.send(CancelJob(id=number))

        n_open = n_going(self.frame.status)
        answers = {"enter": ("cancel it", lambda: cancel(job.id))}
        if n_open > 1:
            answers["a"] = (f"all {n_open}", lambda: cancel(0))
        self.viewer.ask(f"{job.kind} of {Path(job.path).name}:", answers)

    # ---------------------------------------------------------------- one session

    def chosen(self) -> Entry | None:
        """The session that a key is about; where there is none, that is reported."""
        if self.list.entry is None:
            self.viewer.report("no session is chosen")
        return self.list.entry

    def action_edit(self) -> None:
        one = self.chosen()
        if one is None:
            return
        names = ("subject", "task", "take", "name")
        before = [str(getattr(one.summary, name) or "") for name in names]

        def save(texts: dict[str, str] | None) -> None:
            if texts is None:
                return
            changes = {name: texts[name] for name, old in zip(names, before, strict=True) if texts[name] != old}
            if changes:
                self.list.send(EditSession(path=one.summary.path, changes=changes))
            else:
                self.viewer.report("nothing was changed")

        self.app.push_screen(Form(f"edit {one.title}", dict(zip(names, before, strict=True))), save)

    def action_add_note(self) -> None:
        one = self.chosen()
        if one is not None:

            def save(text: str) -> None:
                if text:
                    self.list.send(AddNote(text=text, path=one.summary.path))

            self.viewer.type_line("note", save)

    # ---------------------------------------------------------------- the trash

    def action_trash(self) -> None:
        paths = self.list.targets
        if self._has(paths, "trash"):
            what = f"{len(paths)} sessions" if len(paths) > 1 else self.list.titles[0]
            self.viewer.ask(f"move {what} to the trash?", {"enter": ("move", lambda: self._trash(paths))}, close="keep")

    def _trash(self, paths: Sequence[str]) -> None:
        for path in paths:
            self._trashed.append(path)
            self.list.send(TrashSession(path=path))
        self.list.marked.clear()

    def action_restore(self) -> None:
        if self._trashed:
            self._restore(self._trashed.pop())
            return
        self._with_trash(lambda found: self._restore(str(found[0].path)))

    def _restore(self, path: str) -> None:
        self.list.send(TrashSession(path=path, restore=True))

    def action_empty_trash(self) -> None:
        def ask(found: Sequence[Trashed]) -> None:
            question = f"delete {len(found)} in the trash ({size(sum(one.bytes for one in found))}) for good?"
            folder = self.frame.status.sessions_dir
            self.viewer.ask(question, {"y": ("delete", lambda: self._job("empty-trash", [folder]))}, close="keep")

        self._with_trash(ask)

    def _with_trash(self, then: Callable[[Sequence[Trashed]], None]) -> None:
        """Look into the trash in a thread, and continue if there is anything in it."""
        from ...session.recovery.trash import list_trash

        def found(trashed: Sequence[Trashed]) -> None:
            if trashed:
                then(trashed)
            else:
                self.viewer.report("the trash is empty")

        self.viewer.in_background("trash", partial(list_trash, self.frame.status.sessions_dir), found)


def _many(paths: Sequence[str]) -> str:
    return f" {len(paths)} sessions" if len(paths) > 1 else ""


def _stick() -> str:
    """Where a stick or share is mounted, as a guess to begin with; empty where none is."""
    import psutil

    found = [part.mountpoint for part in psutil.disk_partitions() if part.mountpoint.startswith(_STICKS)]
    return found[0] if found else ""
