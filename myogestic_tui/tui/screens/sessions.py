"""The Sessions screen: what is recorded, in which state, and what to do with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import Horizontal, Vertical

from ...widgets import number_format as f
from ...widgets.session_details import cut_rows, short_details
from ...widgets.session_table import LIST_WIDTH, Order, job_row, listed, table_columns
from ...widgets.stable_table import Table
from ...widgets.strip_widget import Lines
from ...widgets.styled_lines import BLANK, DIM, KEY, STRONG, Line, line, spread
from ..session_cursor import SessionCursor
from .key_bindings import SESSIONS
from .session_actions import SessionJobs

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.widgets import DataTable

    from ...widgets.frame import Frame
    from ...widgets.session_plot import OverviewPlot
    from ..modals.ask import Answers

_BESIDE = 150
"""From this width on the details stand beside the list."""
_MOST_ROWS = 1000
"""A table of more takes the screen too long; find and order reach the rest."""
_LEAST_LIST = 8
"""Rows that the list keeps for its sessions, where there are so many."""


class SessionsScreen(SessionJobs):
    """List on top (or at the left), details of the chosen session beneath (or beside); ``⏎`` opens it."""

    name_of = "sessions"
    BINDINGS = SESSIONS

    def __init__(self) -> None:
        super().__init__()
        self.cursor = SessionCursor(self.viewer)
        self._plot: OverviewPlot | None = None
        self._placed = ""

    def body(self) -> ComposeResult:
        self.told, self.table, self.empty = Lines(id="listed"), Table(id="sessions"), Lines(id="nothing")
        self.about, self.job = Lines(id="session-about"), Lines(id="job")
        self.list_box = Vertical(self.told, self.table, self.empty, id="list")
        self.details_box = Vertical(self.about, id="session-details")
        self.box = Horizontal(self.list_box, self.details_box, id="sessions-box")
        yield self.box
        yield self.job

    def on_screen_resume(self) -> None:
        self.list.list_again()
        super().on_screen_resume()

    # ---------------------------------------------------------------- drawing

    def show(self, frame: Frame) -> None:
        self.list.keep_listed(frame)
        beside = self.width >= _BESIDE
        self.box.set_class(not beside, "-stacked")
        width = LIST_WIDTH + max((self.width - 2 * LIST_WIDTH) // 2, 0) if beside else self.width
        height = max(self.size.height - 6, 1)
        self.list_box.styles.width = width if beside else "1fr"
        self._show_list(frame, width)
        self.job.put([job_row(frame.status, self.width)])
        one = self.list.entry
        room = self.width - width - 2 if beside else width
        rows = [] if one is None else short_details(one, self.cursor.at(one, 2 * room), frame, room)
        rows_of_list = min(len(self.list.found) + 2, _LEAST_LIST)
        tall = height if beside else min(max(len(rows) + 7, height * 3 // 5), height - rows_of_list)
        box = self.details_box
        box.display = bool(rows) and tall > 2
        box.styles.height = "1fr" if beside else max(tall, 0)
        if rows and tall > 2:
            self._show_details(frame, rows, room, tall)

    def _show_list(self, frame: Frame, width: int) -> None:
        found, order = self.list.found, self.list.order
        total = f.size(sum(one.summary.bytes for one in found))
        left = (
            line((" find: ", DIM), self.list.words) if self.list.words else line((f" {frame.status.sessions_dir}", DIM))
        )
        marked = f"{len(self.list.marked)} selected   " if self.list.marked else ""
        shown = f"first {_MOST_ROWS} of " if len(found) > _MOST_ROWS else ""
        told = f"{shown}{len(found)} of {len(self.list.known)}   {total}   {order.words} "
        self.told.put([spread(left, line((marked, KEY), (told, DIM)), width)])
        self.table.display = bool(found)
        self.empty.put([] if found else self._nothing())
        if not found:
            return
        rows = listed(found[:_MOST_ROWS], frame.status.jobs, self.list.marked)
        self.table.put(table_columns(order, width), rows)
        if self.list.chosen != self._placed:  # else the cursor is the table's own, and may just have moved
            self._placed = self.list.chosen
            self.table.choose(self._placed)

    def _nothing(self) -> list[Line]:
        if not self.list.was_listed:
            return [BLANK, line(("   looking through the folder …", DIM))]
        if self.list.words:
            return [
                BLANK,
                line(("   no session has these words", STRONG)),
                BLANK,
                line(("   esc", KEY), "  shows all again"),
            ]
        return [
            BLANK, line(("   No session here yet.", STRONG)), BLANK,
            line(("   r", KEY), "  Record: there space starts the first one"),
        ]  # fmt: skip

    def _show_details(self, frame: Frame, rows: list[Line], width: int, tall: int) -> None:
        one = self.list.entry
        assert one is not None
        looked = self.cursor.at(one, 2 * width)
        plot_rows = max(tall - len(rows), 6) if looked.overview is not None and tall >= 9 else 0
        rows = cut_rows(rows, tall - plot_rows)
        if plot_rows > 5 and looked.overview is not None:
            from ...widgets.session_plot import heading

            rows, plot_rows = [*rows, heading(looked.overview, width)], plot_rows - 1
        self.about.put(rows)
        if self._plot is None:
            if not plot_rows:
                return
            from ...widgets.session_plot import OverviewPlot

            self._plot = OverviewPlot()
            self.details_box.mount(self._plot)
        self._plot.display = bool(plot_rows)
        self._plot.styles.height = plot_rows
        if plot_rows and looked.overview is not None:
            self._plot.draw(looked.overview, frame.key_of, looked.facts)

    def on_data_table_row_highlighted(self, event: DataTable.RowHighlighted) -> None:
        key = event.row_key.value
        if key and key != self.list.chosen:
            self.list.chosen = self._placed = key
            self.redraw()

    def on_data_table_header_selected(self, event: DataTable.HeaderSelected) -> None:
        column = event.column_key.value or ""
        if column and column != "marked":
            same = self.list.order.column == column
            self.list.order_by(self.list.order.turned() if same else Order(column, column in ("start", "size")))
            self.redraw()

    # ---------------------------------------------------------------- commands

    def action_open(self) -> None:
        if self.chosen() is not None:
            from .open_session import OpenedScreen

            self.cursor.again()
            self.app.push_screen(OpenedScreen(self.list, self.cursor))

    def action_find(self) -> None:
        def find(text: str) -> None:
            self.list.find(text)
            self.redraw()

        self.viewer.type_line("find", find, self.list.words, changed=find, cancelled=lambda: find(""), does="keep")

    def action_order(self) -> None:
        def by(order: Order) -> None:
            self.list.order_by(order)
            self.redraw()
            self.action_order()

        from ...session.library.search import sheet_fields

        order, fields = self.list.order, sheet_fields(self.list.known)
        answers: Answers = {
            "left": ("", lambda: by(order.next(-1, fields))),
            "right": ("column", lambda: by(order.next(1, fields))),
            "o": ("reverse", lambda: by(order.turned())),
            "enter": ("keep", lambda: None),
        }
        self.viewer.ask(f"order: {order.words}", answers, close="")

    def action_mark(self) -> None:
        self.list.mark()
        self.redraw()
        self.table.step(1)

    def action_cancel(self) -> None:
        if self.list.words:
            self.list.find("")
        elif self.list.marked:
            self.list.marked.clear()
        else:
            self.ask_cancel()
        self.redraw()
