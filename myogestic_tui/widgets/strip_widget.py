"""What the signal widgets have in common: styles of the theme, and strips that are built once.

The interface is narrow. A signal widget is drawn with `Page`, what is looked at, and arrays of values; it asks nobody
for anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget

from . import colour_ramp
from .colours import variables_of
from .glyphs import PrintableFilter
from .styled_lines import Line, cells, cut, rich_style

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from textual.app import App
    from textual.filter import LineFilter

    from ..app.interface import ChannelQuality

_PRINTABLE = PrintableFilter()
WORST_FIRST = "xNFCM"
FLAG_WORDS = {"F": "flat", "C": "clipped", "M": "mains", "N": "NaN", "x": "bad"}
"""What a quality flag reads as; the first letter of `ChannelQuality.flags` in `WORST_FIRST` counts."""


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

    @cached_property
    def flags(self) -> tuple[str, ...]:
        """Of all channels of the stream, the flag that matters most; empty where nothing is wrong."""
        return tuple([worst_flag(one.flags) for one in self.quality])

    def flag(self, channel: int) -> str:
        """The flag that matters most of a channel's flags; empty where nothing is wrong."""
        return self.flags[channel] if channel < len(self.flags) else ""


def worst_flag(flags: str) -> str:
    """The flag that matters most; empty where all is well."""
    return next((flag for flag in WORST_FIRST if flag in flags), "") if flags else ""


class Signal(Widget):
    """A widget of strips, which stay as they are until their content is another one."""

    ALLOW_SELECT = False
    DEFAULT_CSS = "Signal { width: 1fr; height: 1fr; }"

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.auto_links = False
        self._strips: dict[int, Strip] = {}
        self._styles: dict[str, Style] = {}
        self._fused: dict[Style | None, Style] = {}
        self._drawn: object = None
        self._look: Look | None = None

    @property
    def look(self) -> Look:
        """How the terminal shows things."""
        if self._look is None:
            self._look = look_of(self.app)
        return self._look

    def ink(self, variable: str, *, bold: bool = False, reverse: bool = False) -> Style:
        """A theme's colour as a style of text."""
        return self.styled(f"{'bold ' if bold else ''}{'reverse ' if reverse else ''}${variable}")

    def styled(self, name: str) -> Style:
        """A style of `styled_lines` in the theme's colours."""
        style = self._styles.get(name)
        if style is None:
            style = self._styles[name] = self._fitting(rich_style(name, variables_of(self.app)))
        return style

    def _on_paper(self, style: Style | None) -> Style:
        """The style on the widget's background, made once for each."""
        whole = self._fused.get(style)
        if whole is None:
            whole = self._fitting(self.rich_style) if style is None else self._on_paper(None) + style
            self._fused[style] = whole
        return whole

    def name_of(self, channel: int, flag: str, *, chosen: bool) -> Iterable[tuple[str, Style]]:
        """Cursor, number from 1, flag: five cells."""
        style = self.ink("text-accent", bold=True) if chosen else self.ink("text-warning" if flag else "quiet")
        yield f"{'▸' if chosen else ' '}{channel + 1:>3}", style
        yield flag or " ", self._letter(flag)

    def _letter(self, flag: str) -> Style:
        """The letter of a flag, in the colour that its channel is painted with."""
        look = self.look
        if not flag or look.plain:
            return self.ink("text-warning", bold=True)
        return colour_ramp.fill(look.dark, look.bits, colour_ramp.FAULTS[flag], bold=True)

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
        return (getattr(self.app, "text_filter", _PRINTABLE),)

    def draws(self, about: object) -> bool:
        """Whether anything is new in all that is to be drawn; rows need not be asked one by one."""
        new = about != self._drawn
        self._drawn = about
        return new

    def _strip(self, row: Iterable[Segment], width: int) -> Strip:
        """Segments on the widget's paper, without what this terminal cannot show."""
        whole = [Segment(text, self._on_paper(style)) for text, style, _ in row]
        length = sum(cells(text) for text, _, _ in whole)
        if length < width:
            whole.append(Segment(" " * (width - length), self._on_paper(None)))
        strip = Strip(whole, max(length, width))
        strip = strip if length <= width else strip.crop(0, width)
        for one in self.get_line_filters():
            strip = strip.apply_filter(one, self.background_colors[1])
        return strip

    def forget(self) -> None:
        """All is built anew with the next drawing."""
        self._styles.clear()
        self._fused.clear()
        self._look = self._drawn = None

    def notify_style_update(self) -> None:
        """Another theme."""
        super().notify_style_update()
        self.forget()

    def render_lines(self, crop: Region) -> list[Strip]:
        """The rows as they were put: there is no border nor padding, and what filters take away is gone."""
        width = self.size.width
        rows = [self._strip_at(y, width) for y in crop.line_range]
        return rows if crop.column_span == (0, width) else [row.crop(*crop.column_span) for row in rows]

    def _strip_at(self, y: int, width: int) -> Strip:
        """A row as it was put; one of another width is of before the layout changed."""
        strip = self._strips.get(y)
        return strip if strip is not None and strip.cell_length == width else Strip.blank(width, self._on_paper(None))


class Lines(Signal):
    """Shows lines of styled text; what is equal to what it shows already costs nothing."""

    DEFAULT_CSS = "Lines { height: auto; }"

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.lines: tuple[Line, ...] = ()

    def put(self, lines: Sequence[Line]) -> None:
        """Show lines."""
        new, before = tuple(lines), self.lines
        if new == before:
            return
        self.lines = new
        changed = [y for y in range(max(len(new), len(before))) if new[y : y + 1] != before[y : y + 1]]
        for y in changed:
            self._strips.pop(y, None)
        self.refresh(*(Region(0, y, self.size.width, 1) for y in changed))
        height = self.styles.height
        if len(new) != len(before) and height is not None and height.is_auto:
            self.refresh(layout=True)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002
        """A row for each line."""
        return len(self.lines)

    def forget(self) -> None:
        """Another look."""
        super().forget()
        self._strips.clear()

    def render_lines(self, crop: Region) -> list[Strip]:
        """Lines become strips when they are first seen."""
        for y in range(crop.y, min(crop.bottom, len(self.lines))):
            known = self._strips.get(y)
            if known is None or known.cell_length != self.size.width:
                row = [Segment(text, self.styled(style)) for text, style in cut(self.lines[y], self.size.width)]
                self._strips[y] = self._strip(row, self.size.width)
        return super().render_lines(crop)
