"""What the signal widgets have in common: strips that are built once, and rows that are sent only where they changed.

The interface is narrow. A signal widget is drawn with `Page`, what is looked at, and arrays of values; it asks nobody
for anything. ``show(y, key, build)`` puts a row: ``key`` says all that is in it, and ``build`` makes its segments, only
where the key is another one than before.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from . import colour_ramp
from .colours import variables_of

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Sequence

    from textual.app import App
    from textual.filter import LineFilter

    from ..app.interface import ChannelQuality

WORST_FIRST = "xNFCM"
FLAG_WORDS = {"F": "flat", "C": "clipped", "M": "mains", "N": "NaN", "x": "bad"}
"""What a quality flag reads as; the first letter of `ChannelQuality.flags` in `WORST_FIRST` counts."""
_SEGMENT_BYTES = {24: 44, 8: 28, 4: 16}
"""What a segment costs beside its text, by bits of colour; an estimate that the byte budget is charged with."""


class Look(NamedTuple):
    """How the terminal shows things."""

    dark: bool = True
    bits: int = 24
    plain: bool = False
    """No colours to tell amplitudes by: glyphs do."""
    ascii_only: bool = False
    block: bool = False
    """Blocks in place of braille."""


def look_of(app: App[object]) -> Look:
    """The look of an app; one that is not ours has colours and UTF-8."""
    bits = int(getattr(app, "colour_bits", 24))
    ascii_only = bool(getattr(app, "ascii_only", False))
    plain = bits == 4 or ascii_only or app.no_color
    return Look(app.current_theme.dark, bits, plain, ascii_only, bool(getattr(app, "block_glyphs", False)))


@dataclass(frozen=True)
class Page:
    """What is looked at: some channels of a stream, some time.

    Attributes
    ----------
    first, n_channels
        Channels, from 0.
    cursor
        The channel that keys are about, from 0; -1 for none.
    start, seconds
        The window, on the source's clock.
    quality
        Of all channels of the stream; empty until it is known.
    stale
        Nothing comes any more: what is drawn is the past.
    """

    first: int
    n_channels: int
    cursor: int = -1
    start: float = 0.0
    seconds: float = 10.0
    unit: str = ""
    quality: Sequence[ChannelQuality] = ()
    stale: bool = False

    def flag(self, channel: int) -> str:
        """The flag that matters most of a channel's flags; empty where nothing is wrong."""
        return worst_flag(self.quality[channel].flags) if channel < len(self.quality) else ""


def worst_flag(flags: str) -> str:
    """The flag that matters most; empty where all is well."""
    return next((flag for flag in WORST_FIRST if flag in flags), "")


class Signal(Widget):
    """A widget of strips that refreshes only rows whose content changed."""

    ALLOW_SELECT = False
    DEFAULT_CSS = "Signal { width: 1fr; height: 1fr; }"

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.auto_links = False
        self._strips: dict[int, Strip] = {}
        self._keys: dict[int, Hashable] = {}

    @property
    def look(self) -> Look:
        """How the terminal shows things."""
        return look_of(self.app)

    def ink(self, variable: str, *, bold: bool = False, reverse: bool = False) -> Style:
        """A theme's colour as a style of text."""
        from .styled_lines import rich_style

        style = rich_style(f"{'bold ' if bold else ''}{'reverse ' if reverse else ''}${variable}", self._variables)
        return self._fitting(style)

    def head(self, channel: int, flag: str, *, chosen: bool) -> Iterable[Segment]:
        """Cursor, number from 1, flag: five cells."""
        style = self.ink("text-accent", bold=True) if chosen else self.ink("text-warning" if flag else "quiet")
        yield Segment(f"{'▸' if chosen else ' '}{channel + 1:>3}", style)
        yield Segment(flag or " ", self._letter(flag))

    def _letter(self, flag: str) -> Style:
        """The letter of a flag, in the colour that its channel is painted with."""
        look = self.look
        if not flag or look.plain:
            return self.ink("text-warning", bold=True)
        return colour_ramp.fills(look.dark, look.bits)[colour_ramp.FAULTS[flag]] + Style(bold=True)

    @property
    def _variables(self) -> dict[str, str]:
        return variables_of(self.app)

    def _fitting(self, style: Style) -> Style:
        """The style in the palette, where the terminal has but that."""
        if self.look.bits != 8:
            return style
        front, back = style.color, style.bgcolor
        return style + Style.from_color(
            front.downgrade(ColorSystem.EIGHT_BIT) if front is not None else None,
            back.downgrade(ColorSystem.EIGHT_BIT) if back is not None else None,
        )

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Palette colours stay palette colours, which cost a third; what takes colour or UTF-8 away stays."""
        if self.app.no_color:
            return super().get_line_filters()
        ascii_filter = getattr(self.app, "ascii_filter", None)
        return (ascii_filter,) if ascii_filter is not None else ()

    def show(self, y: int, key: Hashable, build: Callable[[], Iterable[Segment]]) -> None:
        """Put a row; ``key`` says all that is in it, besides the theme."""
        if not 0 <= y < self.size.height or self._keys.get(y, self) == key:
            return
        self._keys[y] = key
        base = self._fitting(self.rich_style)
        row = list(Segment.apply_style(build(), base))
        length = sum(segment.cell_length for segment in row)
        self._strips[y] = Strip(row, length).adjust_cell_length(self.size.width, base)
        charge = getattr(self.app, "charge", None)
        if charge is not None and row:  # what takes a stale picture away must not keep the new one waiting
            charge(_SEGMENT_BYTES[self.look.bits] * len(row) + 3 * self.size.width)
        self.refresh(Region(0, y, self.size.width, 1))

    def clear_from(self, y: int) -> None:
        """Blank rows from ``y`` on."""
        for row in [row for row in self._keys if row >= y]:
            self.show(row, None, lambda: ())

    def forget(self) -> None:
        """All rows are built anew with the next drawing."""
        self._keys.clear()

    def on_resize(self) -> None:
        """Rows have another width."""
        self.forget()
        self._strips.clear()

    def notify_style_update(self) -> None:
        """Another theme."""
        super().notify_style_update()
        self.forget()

    def render_line(self, y: int) -> Strip:
        """The row as it was put."""
        return self._strips.get(y) or Strip.blank(self.size.width, self._fitting(self.rich_style))
