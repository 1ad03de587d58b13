"""The first screen, painted whole before Textual is there, which takes its place with the same rows.

Textual needs 0.5 s of CPU to its first frame here, and more on a Raspberry Pi; these rows need a tenth of that.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from typing import TYPE_CHECKING

from ..widgets.frame import Frame
from ..widgets.glyphs import wants_ascii
from ..widgets.headrows import header_rows
from ..widgets.spans import BLANK, encode, fill, fit, row
from ..widgets.streams import streams_page
from .curtain import is_up
from .footer import footer_row
from .keys import Keymap
from .theme import choose_theme, colour_system, palette_of

if TYPE_CHECKING:
    from ..app.recorder import Status
    from ..widgets.spans import Row
    from .options import ViewerOptions

_AROUND_ROWS = 5
"""Three of the header, the message line, the footer."""


def paint_opening(status: Status, options: ViewerOptions) -> None:
    """Write the whole first screen for a status, where a curtain hangs in front of the terminal."""
    if not is_up():
        return
    columns, lines = os.get_terminal_size(sys.stdout.fileno())
    ascii_only = wants_ascii(options.glyphs)
    codes = palette_of(choose_theme(options.theme)).codes(colour_system())
    text = "".join(
        f"\x1b[{y + 1};1H{encode(spans, 0, columns, codes, ascii_only=ascii_only)}"
        for y, spans in enumerate(opening_rows(status, options, columns, lines))
    )
    with contextlib.suppress(OSError, UnicodeError):
        sys.stdout.write(text)
        sys.stdout.flush()


def opening_rows(status: Status, options: ViewerOptions, width: int, height: int) -> list[Row]:
    """What the viewer's first frame will show, row by row."""
    frame = Frame(status, screen=options.screen, at=status.at, wall=time.strftime("%H:%M"), fps=options.fps)
    room = max(height - _AROUND_ROWS, 0)
    body = streams_page(status, 0, width, room) if options.screen == "streams" else [BLANK]
    message = row((fit(f" {status.message}", width), "dim"))
    footer = footer_row(Keymap(options.keymap, options.keyboard), options.screen, frame.recording, width)
    return [*header_rows(frame, width), *fill(body, room), message, footer][:height]
