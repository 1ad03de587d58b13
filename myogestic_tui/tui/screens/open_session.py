"""An open session: its plot with a cursor, zoomable, and everything that is known about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import VerticalScroll

from ...widgets.header import Header
from ...widgets.session_details import Looked, open_rows
from ...widgets.session_plot import OverviewPlot, heading
from ...widgets.session_table import job_row
from ...widgets.strip_widget import Lines
from ...widgets.styled_lines import DIM, line, spread
from .key_bindings import OPENED
from .label_editing import LabelEditing

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from ...session.reading.overview import Overview
    from ...widgets.frame import Frame
    from ..session_cursor import SessionCursor
    from ..session_selection import SessionList


class OpenedScreen(LabelEditing):
    """Over the list: ``esc`` goes back to it."""

    name_of = "sessions"
    BINDINGS = OPENED
    _STEP = 0.02

    def __init__(self, sessions: SessionList, cursor: SessionCursor) -> None:
        super().__init__()
        self.header = Header("sessions")
        self.list, self.cursor = sessions, cursor
        self.mark: float | None = None
        """Where the mark stands whose value is shown, as a share of the width."""
        self._looked = Looked()

    def looked_at(self) -> Overview | None:
        return self._looked.overview

    def body(self) -> ComposeResult:
        self.title_line, self.plot, self.rows = (
            Lines(id="opened-title"),
            OverviewPlot(id="opened-plot"),
            Lines(id="opened-rows"),
        )
        self.job = Lines(id="job")
        yield self.title_line
        yield self.plot
        self.box = VerticalScroll(self.rows, id="opened-box")
        yield self.box
        yield self.job

    def show(self, frame: Frame) -> None:
        """What has been read of it so far."""
        one = self.list.entry
        if one is None:
            return
        width, height = self.width, self.size.height - 7
        looked = self.cursor.at(one, 2 * width, opened=True)
        if looked.overview is not None:
            looked = looked._replace(overview=self.with_changes(looked.overview))
        self._looked = looked
        tall = max(min(height - 6, height * 3 // 5), 0)
        self.plot.styles.height = tall if looked.overview is not None else 1
        if looked.overview is None:
            told = looked.problem or "reading …"
            self.title_line.put([line((f" {told}", "$text-warning" if looked.problem else DIM))])
        else:
            hint = line(("←→ time  + - zoom  , ; cursor ", DIM)) if self.mark is None and width >= 100 else ()
            title = heading(looked.overview, width, self.mark)
            if self.trial is not None:
                self.mark = self.trial_mark(looked.overview)
                title, hint = self.trial_line(looked.overview), ()
            self.title_line.put([spread(title, hint, width)])
            self.plot.draw(looked.overview, frame.key_of, looked.facts, self.mark)
        rows = open_rows(one, looked, frame, width - 2)
        self.rows.put(rows)
        self.job.put([job_row(frame.status, width, escape="back")])

    def action_back(self) -> None:
        if not self.leave_trials():
            self.dismiss(None)

    def action_view(self, change: str, *how: float) -> None:
        """View another part: a method of `SessionCursor`; while a trial is chosen, arrows move its beginning."""
        if change == "pan" and self.trial is not None:
            self.move(int(how[0]))
            return
        getattr(self.cursor, change)(*how)
        self.redraw()

    def action_cursor(self, step: int) -> None:
        at = 0.5 if self.mark is None else self.mark + step * self._STEP
        self.mark = min(max(at, 0.0), 1.0 - 1e-6)
        self.redraw()

    def action_page(self, step: int) -> None:
        self.box.scroll_relative(y=step * max(self.box.size.height - 1, 1), animate=False)
