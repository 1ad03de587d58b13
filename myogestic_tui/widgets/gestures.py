"""Gestures as rows to click, with their keys; the active one unmistakable."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import VerticalScroll
from textual.message import Message

from .strip_widget import Lines
from .styled_lines import DIM, FAINT, KEY, STRONG, Line, bar, fit, gesture_style, line

if TYPE_CHECKING:
    from textual import events
    from textual.app import ComposeResult

    from .frame import Frame

_SHORT = 42
"""Below this width a row has key, name and trials alone."""


class GestureRow(Lines):
    """A row that can be clicked."""

    def __init__(self, class_index: int) -> None:
        super().__init__()
        self.class_index = class_index

    def on_click(self, event: events.Click) -> None:
        event.stop()
        doubt = float(getattr(self.app, "key_doubt", 0.0))  # an app of ours knows how late a click may have come
        self.post_message(GestureList.Pressed(self.class_index, event.time, doubt))


class GestureList(VerticalScroll):
    """Heading, a row per gesture, the row of unlabelled time; the active one is always in view."""

    DEFAULT_CSS = """
    GestureList { height: auto; scrollbar-size-vertical: 1; }
    GestureList Lines { height: 1; }
    """

    class Pressed(Message):
        """A gesture was clicked."""

        def __init__(self, class_index: int, at: float, doubt: float = 0.0) -> None:
            super().__init__()
            self.class_index = class_index
            self.at = at
            self.doubt = doubt

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.can_focus = False
        self._heading = Lines()
        self._rows: list[GestureRow] = []
        self._none = GestureRow(-1)
        self._in_view = -2

    def compose(self) -> ComposeResult:
        yield self._heading
        yield self._none

    def show(self, frame: Frame) -> None:
        gestures, session = frame.status.gestures, frame.status.session
        self._have_rows(len(gestures))
        width = self.scrollable_content_region.width
        unlabelled = session.unlabelled_s if session is not None and frame.recording else 0.0
        longest = max([*(g.seconds for g in gestures), unlabelled, 1.0])
        short = width < _SHORT
        name_cells = max(min(width - (18 if short else 35), 24), 4)
        cells = 0 if short else max(width - name_cells - 36, 0)
        title = f"  KEY  {fit('GESTURE', name_cells)} TRIALS" + ("" if short else "   SECONDS  BAD")
        self._heading.put([line((fit(title, width), DIM))])
        for i, row in enumerate(self._rows[: len(gestures)]):
            row.put([_gesture(frame, i, name_cells, longest, cells, short)])
        none = f"{'':6}" + ("" if short else f"{unlabelled:>10.1f}")
        self._none.put([line(("   e   ", KEY), (f"{fit('no label', name_cells)} {none}", DIM))])
        if frame.active != self._in_view:
            self._in_view = frame.active
            if 0 <= frame.active < len(self._rows):
                self._rows[frame.active].scroll_visible(animate=False)

    def _have_rows(self, n: int) -> None:
        while len(self._rows) < n:
            row = GestureRow(len(self._rows))
            self._rows.append(row)
            self.mount(row, before=self._none)
        for i, row in enumerate(self._rows):
            row.display = i < n


def _gesture(frame: Frame, index: int, name_cells: int, longest: float, cells: int, short: bool) -> Line:
    gesture, active = frame.status.gestures[index], index == frame.active
    ink = gesture_style(index)
    filled = gesture_style(index, filled=True)
    numbers = f" {gesture.trials:>6}" + ("" if short else f"{gesture.seconds:>10.1f}{gesture.bad:>5}")
    mark = "▶" if active and frame.recording else "▷" if active else " "
    return line(
        (f" {mark}", STRONG),
        (f" {frame.key_of(index) or ' '} ", filled),
        "  ",
        (fit(gesture.name, name_cells), filled if active and frame.recording else ink),
        (numbers, STRONG if active else ""),
        ("  " if cells else "", ""),
        (bar(gesture.seconds / longest, cells), ink if gesture.seconds else FAINT),
    )
