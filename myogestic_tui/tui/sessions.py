"""The Sessions screen: what is recorded, in which state, and what to do with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..widgets.overview import overview_rows
from ..widgets.session_details import details_height, session_details
from ..widgets.session_list import LIST_WIDTH, ListLook, Order, job_row, session_rows
from ..widgets.session_open import open_rows
from ..widgets.spans import BLANK, Row, beside, row, spread, width_of
from .look import SessionLook
from .prompt import Ask, Entry, TypeLine
from .session_commands import SessionCommands

if TYPE_CHECKING:
    from ..widgets.frame import Frame

_BESIDE = 150
"""From this width on the details stand beside the list."""
_LEAST_LIST = 8
_HINTS = ("↑↓ channel   ←→ time   + - zoom   . stream   PgDn more ", "↑↓ ch  ←→ time  + - zoom ")


class SessionsBody(SessionCommands):
    """List on top (or at the left), details of the chosen session beneath (or beside); ``⏎`` opens it."""

    name_of = "sessions"

    def __init__(self, viewer: Any) -> None:
        super().__init__(viewer)
        self.look = SessionLook(viewer)
        self.whole = False
        self._scrolled = 0
        self._order_line: Ask | None = None

    def opened(self) -> None:
        """List again."""
        self.table.look_again()

    # ---------------------------------------------------------------- rows

    def main_rows(self, frame: Frame, width: int, height: int) -> list[Row]:
        """List and details, or the open session."""
        self.table.keep_listed(frame)
        if self.whole and self.table.entry is not None:
            return self._open_rows(frame, width, height)
        return self._beside(frame, width, height) if width >= _BESIDE else self._stacked(frame, width, height)

    def _list(self, frame: Frame, width: int, height: int) -> list[Row]:
        table = self.table
        look = ListLook(
            at=table.at, marked=frozenset(table.marked), words=table.words, order=table.order,
            ordering=self._order_line is not None and self.viewer.prompt is self._order_line,
            n_known=len(table.known), listing=not table.was_listed,
        )  # fmt: skip
        rows = session_rows(table.found, frame, look, width, height - 1)[: height - 1]
        return [*rows, *[BLANK] * (height - 1 - len(rows)), job_row(frame.status, width)]

    def _stacked(self, frame: Frame, width: int, height: int) -> list[Row]:
        one = self.table.entry
        if one is None or height < _LEAST_LIST + 4:
            return self._list(frame, width, height)
        looked = self.look.at(one, 2 * width)
        wanted = max(details_height(one, looked, frame, width), height * 3 // 5 if height > 24 else 0)
        details = session_details(one, looked, frame, width, min(wanted, height - _LEAST_LIST))
        return [*self._list(frame, width, height - len(details)), *details]

    def _beside(self, frame: Frame, width: int, height: int) -> list[Row]:
        left = self._list(frame, LIST_WIDTH, height)
        one = self.table.entry
        if one is None:
            return left
        room = width - LIST_WIDTH - 2
        right = session_details(one, self.look.at(one, 2 * room), frame, room, height)
        return beside(left, right, LIST_WIDTH)

    def _open_rows(self, frame: Frame, width: int, height: int) -> list[Row]:
        """The open session: its plot, and what is known about it."""
        one = self.table.entry
        assert one is not None
        looked = self.look.at(one, 2 * width, opened=True)
        plot_height = max(min(height - 7, height * 3 // 5), 0)
        if looked.overview is None:
            plot = [row((f" {looked.problem or 'reading …'}", "warn" if looked.problem else "dim"))]
        else:
            plot = overview_rows(looked.overview, width, plot_height, frame.key_of, looked.facts)
            hint = next((hint for hint in _HINTS if plot and width_of(plot[0]) + len(hint) < width), "")
            plot[:1] = [spread(plot[0], row((hint, "faint")), width)] if hint else plot[:1]
        rows = open_rows(one, looked, frame, width)
        room = max(height - len(plot) - 1, 0)
        self._scrolled = max(min(self._scrolled, len(rows) - room), 0)
        shown = rows[self._scrolled :][:room]
        return [*plot, *shown, *[BLANK] * (room - len(shown)), job_row(frame.status, width, escape="back")]

    def click(self, action: str) -> bool:
        """A row of the list, or the heading of a column."""
        kind, _, value = action.partition(":")
        if kind == "session":
            self.table.chosen = value
        elif kind == "order":
            same = self.table.order.column == value
            self.table.order_by(self.table.order.turned() if same else Order(value, value in ("start", "size")))
        return kind in ("session", "order")

    # ---------------------------------------------------------------- commands: where to look

    def do_up(self) -> None:
        """Row up; the channel before, where a session is open."""
        self._step(-1)

    def do_down(self) -> None:
        """Row down; the next channel, where a session is open."""
        self._step(1)

    def _step(self, step: int) -> None:
        if self.whole:
            self.look.change_channel(step)
        else:
            self.table.move(step)

    def do_page_up(self) -> None:
        """Page up; in an open session of what stands beneath the plot."""
        self._page(-8)

    def do_page_down(self) -> None:
        """Page down; in an open session of what stands beneath the plot."""
        self._page(8)

    def _page(self, step: int) -> None:
        if self.whole:
            self._scrolled = max(self._scrolled + step, 0)
        else:
            self.table.move(step)

    def do_left(self) -> None:
        """Back in time."""
        if self.whole:
            self.look.pan(-1)

    def do_right(self) -> None:
        """On in time."""
        if self.whole:
            self.look.pan(1)

    def do_zoom_in(self) -> None:
        """Closer."""
        if self.whole:
            self.look.zoom(0.5)

    def do_zoom_out(self) -> None:
        """Further away."""
        if self.whole:
            self.look.zoom(2.0)

    def do_stream(self) -> None:
        """The next stream."""
        if self.whole:
            self.look.change_stream()

    def do_open(self) -> None:
        """The session over the whole body, or back to the list."""
        self.whole = not self.whole and bool(self.table.found)
        self.look.again()
        self._scrolled = 0

    # ---------------------------------------------------------------- commands: the list

    def do_find(self) -> None:
        """Find by words, as they are typed."""
        table = self.table
        self.viewer.type_line(
            TypeLine(
                [Entry("find", table.words)], lambda texts: table.find(texts[0]), table.find, lambda: table.find("")
            )
        )

    def do_order(self) -> None:
        """Choose the column and the direction to order by, on one line."""

        def by(order: Order) -> None:
            self.table.order_by(order)
            self.do_order()

        order = self.table.order
        answers = {
            "left": ("", lambda: by(order.next(-1))),
            "right": ("column", lambda: by(order.next())),
            "o": ("the other way", lambda: by(order.turned())),
            "enter": ("keep", lambda: None),
        }
        self._order_line = Ask(f"order: {order.words}".ljust(27), answers, close="keep")
        self.viewer.ask(self._order_line)

    def do_mark(self) -> None:
        """Mark or unmark, and go on."""
        self.table.mark()

    def do_cancel(self) -> None:
        """Close the session; else show all again, unmark all, or cancel a job."""
        if self.whole:
            self.whole = False
        elif self.table.words:
            self.table.find("")
        elif self.table.marked:
            self.table.marked.clear()
        else:
            self.ask_cancel()
