"""The list of sessions: columns, orders, and the rows around the chosen one. Sessions are `session.catalog.Entry`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple

from . import format as f
from .spans import BLANK, Row, Span, fit, row, spread

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..app.recorder import JobStatus, Status
    from ..session.library.entry import Entry
    from .frame import Frame

STATES = {
    "verified": ("◆", "ok"),
    "packed": ("◇", ""),
    "packing": ("▷", "accent"),
    "recording": ("●", "accent"),
    "finished": ("▷", "warn"),
    "recovered": ("▷", "warn"),
    "salvaged": ("▷", "warn"),
    "unfinished": ("!", "warn"),
    "damaged": ("✗", "bad"),
}
"""Glyph and style by state; the word always stands beside it."""

LIST_WIDTH = 80
"""Cells of all columns but the name, which takes what is left."""
_NAME_ROOM = 12


class Column(NamedTuple):
    """One column: its title, its cells (with the blanks before them), and what it shows and is ordered by."""

    title: str
    width: int
    text: Callable[[Entry], str]
    key: Callable[[Entry], Any]
    right: bool = False
    gap: int = 1


def _texts(field: str) -> dict[str, Any]:
    return {
        "text": lambda one: str(getattr(one.summary, field) or f.NOTHING),
        "key": lambda one: str(getattr(one.summary, field) or "").casefold(),
    }


COLUMNS: dict[str, Column] = {
    "state": Column("STATE", 12, lambda one: one.state, lambda one: one.state, gap=0),
    "subject": Column("SUBJECT", 8, **_texts("subject"), gap=0),
    "task": Column("TASK", 9, **_texts("task")),
    "take": Column("TAKE", 5, lambda one: _take(one), lambda one: one.summary.take or 0, right=True),
    "start": Column(
        "START", 13, lambda one: one.summary.created[5:16].replace("T", " "), lambda one: one.started, gap=2
    ),
    "length": Column(
        "LENGTH", 9, lambda one: f.hms(one.summary.duration_s), lambda one: one.summary.duration_s, right=True
    ),
    "size": Column("SIZE", 8, lambda one: f.size(one.summary.bytes), lambda one: one.summary.bytes, right=True),
    "labels": Column("LABELS", 7, lambda one: str(_n_labels(one)), lambda one: _n_labels(one), right=True),
    "copy": Column("COPY", 5, lambda one: one.copied_to or f.NOTHING, lambda one: one.copied_to),
    "name": Column("NAME", 0, lambda one: one.title, lambda one: one.title.casefold()),
}
"""By name, left to right; any of them can order the list."""


def _take(one: Entry) -> str:
    return f.NOTHING if one.summary.take is None else f"{one.summary.take:02d}"


def _n_labels(one: Entry) -> int:
    return sum(one.summary.labels.values())


_WORDS = {
    "start": ("newest first", "oldest first"),
    "length": ("longest first", "shortest first"),
    "size": ("largest first", "smallest first"),
    "labels": ("most labels first", "fewest labels first"),
}


class Order(NamedTuple):
    """What the list is ordered by."""

    column: str = "start"
    descending: bool = True

    @property
    def words(self) -> str:
        """In words."""
        if self.column in _WORDS:
            return _WORDS[self.column][not self.descending]
        return f"by {self.column} {'▾' if self.descending else '▴'}"

    def next(self, step: int = 1) -> Order:
        """The next column, in the direction that is wanted of it more often."""
        names = list(COLUMNS)
        column = names[(names.index(self.column) + step) % len(names)]
        return Order(column, column in _WORDS)

    def turned(self) -> Order:
        """The other way round."""
        return self._replace(descending=not self.descending)

    def sort(self, entries: Sequence[Entry]) -> list[Entry]:
        """The entries in this order; equal ones newest first."""
        newest = sorted(entries, key=lambda one: one.started, reverse=True)
        return sorted(newest, key=COLUMNS[self.column].key, reverse=self.descending)


class ListLook(NamedTuple):
    """How the list stands."""

    at: int = -1
    """The chosen row; -1 for none."""
    marked: frozenset[str] = frozenset()
    words: str = ""
    order: Order = Order()
    ordering: bool = False
    """The order is being chosen: its column stands out."""
    n_known: int = 0
    listing: bool = False


def going(jobs: Sequence[JobStatus]) -> list[JobStatus]:
    """Those that run or wait."""
    return [job for job in jobs if job.state in ("running", "waiting")]


def open_jobs(jobs: Sequence[JobStatus]) -> dict[str, JobStatus]:
    """Jobs that run or wait, by the path of their session; one that runs comes before one that waits."""
    ordered = sorted(going(jobs), key=lambda job: job.state != "running")
    found: dict[str, JobStatus] = {}
    for job in ordered:
        found.setdefault(os.path.abspath(job.path), job)
    return found


def session_rows(entries: Sequence[Entry], frame: Frame, look: ListLook, width: int, height: int) -> list[Row]:
    """What is found, a heading, and the part of the list around the chosen row."""
    total = sum(one.summary.bytes for one in entries)
    left = row((" find: ", "dim"), look.words) if look.words else row((f" {frame.status.sessions_dir}", "dim"))
    marked = f"{len(look.marked)} marked   " if look.marked else ""
    told = f"{len(entries)} of {look.n_known}   {f.size(total)}   {look.order.words} "
    rows = [spread(left, row((marked, "key"), (told, "dim")), width)]
    if not entries:
        return [*rows, *_empty(look)]
    rows.append(_heading(look, width))
    room = max(height - len(rows), 1)
    start = min(max(look.at - room // 2, 0), max(len(entries) - room, 0))
    jobs = open_jobs(frame.status.jobs)
    for i, one in enumerate(entries[start : start + room], start):
        job = jobs.get(os.path.abspath(one.summary.path)) if jobs else None
        rows.append(_session(one, job, chosen=i == look.at, marked=one.summary.path in look.marked, width=width))
    return rows


def _empty(look: ListLook) -> list[Row]:
    if look.listing:
        return [BLANK, row(("   looking through the folder …", "dim"))]
    if look.words:
        told = ("   no session has these words", "strong")
        return [BLANK, row(told), BLANK, row(("   esc", "key"), "  shows all again")]
    told = ("   No session here yet.", "strong")
    return [BLANK, row(told), BLANK, row(("   r", "key"), "  Record: there space starts the first one")]


def _cell(column: Column, text: str, width: int) -> str:
    inner = width - column.gap
    return " " * column.gap + fit(text, inner, ">" if column.right else "<")


def _columns(width: int) -> list[tuple[str, Column, int]]:
    name_width = width - LIST_WIDTH
    shown = [(name, column, column.width) for name, column in COLUMNS.items() if column.width]
    return [*shown, ("name", COLUMNS["name"], name_width)] if name_width >= _NAME_ROOM else shown


def _heading(look: ListLook, width: int) -> Row:
    spans = [Span("    ", "dim")]
    arrow = "▾" if look.order.descending else "▴"
    for name, column, cells in _columns(width):
        ordered = name == look.order.column
        title = f"{arrow}{column.title}" if ordered and column.right else column.title
        text = _cell(column, title, cells)
        if ordered and column.right and len(title) > cells - column.gap:
            text = title.rjust(cells)
        if ordered and not column.right:
            text = (" " * column.gap + column.title + arrow).ljust(cells)[:cells]
        style = "dim" if not ordered else "select" if look.ordering else "strong"
        spans.append(Span(text, style, f"order:{name}"))
    return tuple(spans)


def _session(one: Entry, job: JobStatus | None, *, chosen: bool, marked: bool, width: int) -> Row:
    act = f"session:{one.summary.path}"
    text = "select" if chosen else ""
    state, (glyph, style) = one.state, STATES.get(one.state, ("·", ""))
    if job is not None:
        state, glyph, style = _job_word(job), "▷", "accent"
    elif state == "damaged":
        state = "DAMAGED"
    spans = [
        Span("▸" if chosen else " ", "key", act),
        Span("x" if marked else " ", "key", act),
        Span(f"{glyph} {fit(state, 11)} ", style, act),
    ]
    nameless = not (one.summary.subject or one.summary.task)
    for name, column, cells in _columns(width)[1:]:
        if nameless and name == "subject" and one.summary.name:
            spans.append(Span(fit(one.summary.name, 17), text, act))
        elif not (nameless and name == "task" and one.summary.name):
            spans.append(Span(_cell(column, column.text(one), cells), text or ("dim" if name == "name" else ""), act))
    return tuple(spans)


def _job_word(job: JobStatus) -> str:
    kind = job.kind.removeprefix("quick-")
    return f"{kind[:7]} {100 * job.fraction:.0f}%" if job.state == "running" else f"{kind[:7]} …"


def n_going(status: Status) -> int:
    """How many jobs run or wait, also those that the status does not list."""
    return sum(job.state == "running" for job in status.jobs) + max(
        status.jobs_waiting, sum(job.state == "waiting" for job in status.jobs)
    )


def job_row(status: Status, width: int, *, escape: str = "cancel") -> Row:
    """The job that runs: how far, how fast, how long still; and how many wait. Blank where there is none.

    ``escape`` is what the key does now.
    """
    unended = going(status.jobs)
    if not unended:
        return BLANK
    job = min(unended, key=lambda one: (one.state != "running", one.kind == "replay", one.id))
    speed = f"{f.size(job.bytes_per_s)}/s" if job.bytes_per_s and job.kind != "replay" else ""
    left = f"{f.minutes(job.left_s)} left" if job.left_s is not None else ""
    more = f"+{n_going(status) - 1}" if len(unended) > 1 else ""
    name = os.path.basename(job.path).removesuffix(".session.zip")
    head = f" {fit(f'{job.kind} {name}', 29)} {100 * job.fraction:>3.0f} % {speed:>9}  {left:>10}  {more:<5}"
    return spread(row((" ▷", "accent"), (head, "")), row(("esc", "key"), (f" {escape} ", "dim")), width)
