"""Gestures as rows: buttons with their keys, trials and seconds, the active one unmistakable."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .palette import gesture_style
from .rows import Rows
from .spans import Row, fit, row
from .spark import bar

if TYPE_CHECKING:
    from ..app.recorder import GestureStatus
    from .frame import Frame


def gesture_table(frame: Frame, width: int, height: int = 99) -> list[Row]:
    """Heading, one clickable row per gesture, the row of unlabelled time; the active one is always in view."""
    gestures = frame.status.gestures
    session = frame.status.session
    idle_seconds = session.unlabelled_s if session is not None else 0.0
    longest = max([*(g.seconds for g in gestures), idle_seconds, 1.0])
    cells = max(width - 53, 4)
    name_width = 15 + max(min(cells - 30, 12), 0)
    cells -= name_width - 15
    heading = f"   KEY   {fit('GESTURE', name_width)} TRIALS   SECONDS   BAD"
    rows = [row((fit(heading, width), "dim"))]
    lines = [_gesture(frame, i, gesture, longest, name_width, cells) for i, gesture in enumerate(gestures)]
    rows += _around(lines, frame.active, height - 2)
    none = f"{'':6} {idle_seconds:>9.1f}      "
    rows.append(
        row(
            ("    e    ", "key", "label:-1"),
            (f"{fit('no label', name_width)} {none}   ", "dim", "label:-1"),
            (bar(idle_seconds / longest, cells), "faint"),
        )
    )
    return rows


def _around(lines: list[Row], active: int, room: int) -> list[Row]:
    if len(lines) <= room:
        return lines
    start = min(max(active - room // 2, 0), len(lines) - room)
    return lines[start : start + max(room, 0)]


def _gesture(frame: Frame, index: int, gesture: GestureStatus, longest: float, name_width: int, cells: int) -> Row:
    active = index == frame.active
    act = f"label:{index}"
    ink = gesture_style(index)
    name = fit(gesture.name, name_width)
    numbers = f" {gesture.trials:>6} {gesture.seconds:>9.1f} {gesture.bad:>5}"
    return row(
        ("  ▶" if active and frame.recording else "  ▷" if active else "   ", "strong", act),
        (f" {frame.key_of(index) or ' '} ", gesture_style(index, filled=True), act),
        ("   ", "", act),
        (name, gesture_style(index, filled=True) if active and frame.recording else ink, act),
        (numbers, "strong" if active else "", act),
        ("   ", "", act),
        (bar(gesture.seconds / longest, cells), ink, act),
    )


def gesture_panel(frame: Frame, width: int, height: int) -> list[Row]:
    """The short form beside the Live plot: key, name, trials."""
    rows = [row((fit(" KEY  GESTURE", width - 8) + "TRIALS  ", "dim"))]
    lines: list[Row] = []
    for i, gesture in enumerate(frame.status.gestures):
        active = i == frame.active
        act = f"label:{i}"
        style = gesture_style(i, filled=active and frame.recording)
        lines.append(
            row(
                ("▶" if active else " ", "strong", act),
                (f" {frame.key_of(i) or ' '} ", gesture_style(i, filled=True), act),
                ("  ", "", act),
                (fit(gesture.name, max(width - 15, 4)), style, act),
                (f"{gesture.trials:>6}", "strong" if active else "", act),
            )
        )
    rows += _around(lines, frame.active, height - 2)
    rows.append(row(("  e   ", "key", "label:-1"), ("no label", "dim", "label:-1")))
    return rows


class GestureButtons(Rows):
    """The gesture rows alone, for `App.ui`; clicks arrive as `Clicked` with ``label:INDEX``."""

    def draw(self, frame: Frame) -> None:
        """Show a snapshot."""
        self.show(gesture_table(frame, self.size.width, self.size.height))


__all__ = ["GestureButtons", "gesture_panel", "gesture_table"]
