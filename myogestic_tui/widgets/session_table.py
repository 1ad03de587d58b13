"""The list of sessions: columns, orders, cells, and the job that runs. Sessions are `session.library.entry.Entry`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple

from . import number_format as f
from .stable_table import Column as TableColumn
from .stable_table import cell
from .styled_lines import ACCENT, BAD, BLANK, DIM, KEY, OK, WARN, Line, fit, line, spread

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..app.interface import JobStatus, Status
    from ..session.library.catalog_entry import Entry

STATES = {
    "verified": ("◆", OK),
    "packed": ("◇", ""),
    "packing": ("▷", ACCENT),
    "recording": ("●", ACCENT),
    "finished": ("▷", WARN),
    "recovered": ("▷", WARN),
    "salvaged": ("▷", WARN),
    "unfinished": ("!", WARN),
    "damaged": ("✗", BAD),
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
    "state": Column("STATE", 13, lambda one: one.state, lambda one: one.state, gap=0),
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


def table_columns(order: Order, width: int) -> tuple[TableColumn, ...]:
    """The columns of a table so wide; the one that orders it has an arrow."""
    arrow = "▾" if order.descending else "▴"
    found = [TableColumn("marked", "", 2)]
    for name, column in COLUMNS.items():
        cells = column.width or width - LIST_WIDTH - 1
        if not column.width and cells < _NAME_ROOM:
            continue
        title = column.title + (arrow if name == order.column else "")
        found.append(TableColumn(name, title, cells, ">" if column.right else "<"))
    return tuple(found)


def session_row(one: Entry, job: JobStatus | None, shown: Sequence[TableColumn], *, marked: bool) -> tuple[Line, ...]:
    """The cells of a session."""
    state, (glyph, style) = one.state, STATES.get(one.state, ("·", ""))
    if job is not None:
        state, glyph, style = _job_word(job), "▷", ACCENT
    elif state == "damaged":
        state = "DAMAGED"
    nameless = not (one.summary.subject or one.summary.task)
    row: list[Line] = [line((" x" if marked else "  ", KEY))]
    for column in shown[1:]:
        if column.key == "state":
            row.append(cell(f"{glyph} {state}", column, style))
        elif column.key == "subject" and nameless and one.summary.name:
            row.append(cell(one.summary.name, column))
        else:
            row.append(cell(COLUMNS[column.key].text(one), column, DIM if column.key == "name" else ""))
    return tuple(row)


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


def _job_word(job: JobStatus) -> str:
    kind = job.kind.removeprefix("quick-")
    return f"{kind[:7]} {100 * job.fraction:.0f}%" if job.state == "running" else f"{kind[:7]} …"


def n_going(status: Status) -> int:
    """How many jobs run or wait, also those that the status does not list."""
    return sum(job.state == "running" for job in status.jobs) + max(
        status.jobs_waiting, sum(job.state == "waiting" for job in status.jobs)
    )


def job_row(status: Status, width: int, *, escape: str = "cancel") -> Line:
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
    return spread(line((" ▷", ACCENT), (head, "")), line(("esc", KEY), (f" {escape} ", DIM)), width)
