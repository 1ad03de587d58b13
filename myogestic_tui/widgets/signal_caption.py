"""The line above a signal: what is looked at, its scale or legend, and what is unusual about the view."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import colour_ramp
from . import number_format as f
from .strip_widget import look_of
from .styled_lines import BLANK, DIM, STRONG, WARN, Line, line, spread

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import App

    from ..app.interface import StreamStatus
    from .spectrum import Samples
    from .strip_widget import Page
    from .view_settings import Layout, Lens

PERCENT = "% MVC"
_LEGEND = 17
_SCALE = 10
"""Columns of the scale and of the ramp with its values, blank until they are known: what follows stays there."""


def info_line(
    app: App[object], lens: Lens, stream: StreamStatus, layout: Layout, page: Page, samples: Samples | None,
    modes: Sequence[str], width: int,
) -> Line:  # fmt: skip
    """``emg 1-64/64  10 s   RMS 5 ░▒▓█ 320 µV  filter off``, with the next of ``modes`` at the right."""
    where = f"{stream.name} {layout.first + 1}-{layout.first + layout.n_channels}/{stream.n_channels}"
    scale = f"±{lens.scale.value:g} {page.unit}" if lens.scale.found else "±"
    how = line(f"   {scale:<{_SCALE}}")
    if layout.mode == "zoom":
        name = stream.channel_names[lens.cursor] if lens.cursor < len(stream.channel_names) else ""
        where, how = f"{stream.name} channel {lens.cursor + 1} {name}", BLANK
    elif layout.mode == "grid":
        n_placed = sum(channel >= 0 for row in stream.places for channel in row)
        of_all = f"of {stream.n_channels} channels" if n_placed < stream.n_channels else "electrodes"
        faults = line(("   coloured: what is wrong", DIM))
        where, how = f"{stream.name} {n_placed} {of_all}", faults if lens.quality else legend(app, lens, page)
    elif layout.mode == "heat":
        how = legend(app, lens, page)
    parts = line((where, STRONG), "" if layout.mode == "grid" else f"  {lens.seconds:g} s", how)
    if not lens.automatic:
        parts = line(parts, ("  manual (a: auto)", WARN))
    if samples is not None:
        parts = line(
            parts,
            f"  RMS {f.amplitude(samples.rms)} peak {f.amplitude(samples.peak)} {page.unit} in {samples.seconds:.2g} s",
        )
    if stream.state == "lost":
        parts = line(parts, (f"  LOST {f.age(stream.age_s)} s", "bold $text-error"))
    if lens.until is not None:
        back = lens.newest - lens.until
        parts = line(parts, (f"  PAUSED, {back:.1f} s back" if back > 0 else "  PAUSED", WARN))
    parts = line(parts, (_filter(lens, layout), DIM))
    if layout.mode == "traces" and any(lens.cut):
        parts = line(parts, ("  ↕ cut", WARN))
    if not modes:
        return spread(parts, (), width)
    mode = lens.seen
    following = modes[(modes.index(mode) + 1) % len(modes)] if mode in modes else modes[0]
    return spread(parts, line(("i", "bold $text-accent"), (f" {following} ", DIM)), width)


def _filter(lens: Lens, layout: Layout) -> str:
    if layout.mode == "grid":
        return "" if lens.raw else "  raw, without the filter"
    return f"  filter {lens.filter_name}" if lens.filter_name != "none" else "  filter off"


def legend(app: App[object], lens: Lens, page: Page) -> Line:
    """``RMS 5 ░▒▓█ 320 µV`` in the ramp's colours."""
    loud, look = lens.loud.value, look_of(app)
    if not loud:
        return line((f"   RMS {'':<{_LEGEND}}", DIM))
    hexes = (colour.triplet.hex for colour in colour_ramp.colours(look.dark, 24)[::2] if colour.triplet is not None)
    scale = line(colour_ramp.ASCII.strip()) if look.plain else tuple((" ", f"on {one}") for one in hexes)
    return line((f"   RMS {loud / 64:g} ", DIM), scale, (f" {loud:g} {page.unit}", DIM))
