"""The list of sessions: columns, orders, cells, and the job that runs. Sessions are `session.library.entry.Entry`."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from . import number_format as f
from .stable_table import Column
from .styled_lines import ACCENT, BAD, BLANK, DIM, KEY, OK, WARN, Line, fit, line, spread

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

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


class Listed(NamedTuple):
    """What a row shows: a session, the job that runs or waits for it, and whether it is selected."""

    entry: Entry
    job: JobStatus | None = None
    marked: bool = False


def _text(read: Callable[[Entry], str], style: str = "") -> Callable[[Listed], Line]:
    return lambda row: line((read(row.entry), style))


def _words(name: str) -> Callable[[Entry], str]:
    return lambda one: str(getattr(one.summary, name) or f.NOTHING)


def _state(row: Listed) -> Line:
    if row.job is not None:
        return line((f"▷ {_job_word(row.job)}", ACCENT))
    state = row.entry.state
    glyph, style = STATES.get(state, ("·", ""))
    return line((f"{glyph} {'DAMAGED' if state == 'damaged' else state}", style), *_verdict(row.entry.quality))


def _verdict(quality: str) -> tuple[tuple[str, str], ...]:
    """A mark beside the state where a report found something to check."""
    return ((" ✓", OK) if quality == "ok" else (" !", WARN),) if quality else ()


def _subject(one: Entry) -> str:
    """Its name stands there where it has neither subject nor task."""
    summary = one.summary
    return summary.subject or (summary.name if not summary.task else "") or f.NOTHING


COLUMNS: dict[str, Column[Listed]] = {
    one.key: one
    for one in (
        Column("state", "STATE", 13, _state),
        Column("subject", "SUBJECT", 8, _text(_subject)),
        Column("task", "TASK", 9, _text(_words("task"))),
        Column("take", "TAKE", 5, _text(lambda one: f.take(one.summary.take)), True),
        Column("start", "START", 13, _text(lambda one: one.summary.created[5:16].replace("T", " "))),
        Column("length", "LENGTH", 9, _text(lambda one: f.duration(one.summary.duration_s)), True),
        Column("size", "SIZE", 8, _text(lambda one: f.size(one.summary.bytes)), True),
        Column("labels", "LABELS", 7, _text(lambda one: str(sum(one.summary.labels.values()))), True),
        Column("copy", "COPY", 5, _text(lambda one: one.copied_to or f.NOTHING)),
        Column("name", "NAME", 0, _text(lambda one: one.title, DIM)),
    )
}
"""By name, left to right; any of them can order the list."""
_MARK: Column[Listed] = Column("marked", "", 2, lambda row: line(" ", ("x" if row.marked else " ", KEY)))

_WORDS = {
    "start": ("newest first", "oldest first"),
    "length": ("longest first", "shortest first"),
    "size": ("largest first", "smallest first"),
    "labels": ("most labels first", "fewest labels first"),
}


class Order(NamedTuple):
    """What the list is ordered by: a column, the verdict of reports, or a field of the take sheet."""

    column: str = "start"
    descending: bool = True

    @property
    def words(self) -> str:
        """In words."""
        if self.column in _WORDS:
            return _WORDS[self.column][not self.descending]
        return f"by {self.column} {'▾' if self.descending else '▴'}"

    def next(self, step: int = 1, fields: Sequence[str] = ()) -> Order:
        """The next column, or field of the take sheet, in the direction that is wanted of it more often."""
        names = [*COLUMNS, "quality", *fields]
        at = names.index(self.column) if self.column in names else 0
        column = names[(at + step) % len(names)]
        return Order(column, column in _WORDS)

    def turned(self) -> Order:
        """The other way round."""
        return self._replace(descending=not self.descending)

    def sort(self, entries: Sequence[Entry]) -> list[Entry]:
        """The entries in this order; equal ones newest first, those without a value last."""
        from ..session.library.search import in_order

        return in_order(entries, self.column, descending=self.descending)


def table_columns(order: Order, width: int) -> tuple[Column[Listed], ...]:
    """The columns of a table so wide; the one that orders it has an arrow."""
    arrow = "▾" if order.descending else "▴"
    found: list[Column[Listed]] = [_MARK]
    for name, column in COLUMNS.items():
        cells = column.width or width - LIST_WIDTH - 1
        if column.width or cells >= _NAME_ROOM:
            found.append(replace(column, width=cells, title=column.title + (arrow if name == order.column else "")))
    return tuple(found)


def listed(entries: Iterable[Entry], jobs: Sequence[JobStatus], marked: Collection[str] = ()) -> dict[str, Listed]:
    """Rows by path."""
    by_path = open_jobs(jobs)
    rows = {}
    for one in entries:
        path = one.summary.path
        job = by_path.get(os.path.abspath(path)) if by_path else None
        rows[path] = Listed(one, job, path in marked)
    return rows


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
