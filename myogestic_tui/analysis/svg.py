"""Small drawings for the page of a report, as SVG text: they need neither a network nor a script."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .report_types import FatigueReport

WIDTH = 720
_LEFT, _RIGHT, _BOTTOM, _TOP = 48, 12, 24, 10


def nice_ticks(low: float, high: float, n: int = 5) -> list[float]:
    """About ``n`` round numbers from ``low`` to ``high``."""
    span = high - low
    if not span > 0 or not math.isfinite(span):
        return [low]
    rough = span / max(1, n)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next((power * factor for factor in (1, 2, 5, 10) if power * factor >= rough), power * 10)
    first = math.ceil(low / step - 1e-9)
    return [step * place for place in range(first, math.floor(high / step + 1e-9) + 1)]


def label_band(labels: Sequence[tuple[float, str, bool]], classes: Sequence[str], seconds: float) -> str:
    """When which class was labelled; bad trials are hatched."""
    seconds = max(seconds, 1e-9)
    ends = [at for at, _, _ in labels[1:]] + [seconds]
    parts = [_svg_head(56, "When which class was labelled"), _hatch()]
    for (at, name, bad), end in zip(labels, ends, strict=True):
        x, width = _x(max(0.0, at), seconds), (min(end, seconds) - max(0.0, at)) / seconds * (WIDTH - _LEFT - _RIGHT)
        if not name or width <= 0:
            continue
        place = classes.index(name) % 8 if name in classes else 7
        told = f"<title>{_text(name)} at {at:.1f} s{', bad' if bad else ''}</title>"
        box = f'x="{x:.1f}" y="6" width="{width:.2f}" height="22"'
        parts.append(f'<rect {box} class="c{place}">{told}</rect>')
        if bad:
            parts.append(f'<rect {box} fill="url(#bad)">{told}</rect>')
    parts.append(_time_axis(seconds, 34))
    return "".join([*parts, "</svg>"])


def gap_band(gaps: Sequence[tuple[float, float, str]], seconds: float) -> str:
    """Where a stream has samples, and where it has none."""
    seconds = max(seconds, 1e-9)
    inner = WIDTH - _LEFT - _RIGHT
    parts = [_svg_head(44, "Where samples are missing")]
    parts.append(f'<rect x="{_LEFT}" y="6" width="{inner}" height="10" class="covered"/>')
    for at, length, why in gaps:
        x, width = _x(max(0.0, at), seconds), max(1.5, length / seconds * inner)
        told = _text(f"{length:.3f} s at {at:.1f} s {why}")
        parts.append(
            f'<rect x="{x:.1f}" y="4" width="{width:.2f}" height="14" class="missing"><title>{told}</title></rect>'
        )
    parts.append(_time_axis(seconds, 22))
    return "".join([*parts, "</svg>"])


def level_bars(names: Sequence[str], rest: Sequence[float | None], active: Sequence[float | None]) -> str:
    """RMS of each channel at rest and in its loudest class, on a logarithmic scale."""
    values = [value for value in (*rest, *active) if value is not None and value > 0]
    if not values:
        return ""
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)) + 1e-9)
    high = max(high, low + 1)
    height, inner = 180, WIDTH - _LEFT - _RIGHT
    bottom = height - _BOTTOM

    def y(value: float) -> float:
        return bottom - (math.log10(value) - low) / (high - low) * (bottom - _TOP)

    parts = [_svg_head(height, "RMS of each channel at rest and active")]
    for power in range(low, high + 1):
        at = y(10.0**power)
        parts.append(f'<line x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{at:.1f}" y2="{at:.1f}" class="grid"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{at + 4:.1f}" class="end">{10.0**power:g}</text>')
    each = inner / max(1, len(names))
    for place, name in enumerate(names):
        x = _LEFT + each * place
        for value, offset, kind in ((rest[place], 0.12, "rest"), (active[place], 0.5, "active")):
            if value is not None and value > 0:
                box = f'x="{x + offset * each:.2f}" y="{y(value):.1f}" width="{each * 0.36:.2f}" '
                box += f'height="{bottom - y(value):.1f}"'
                told = _text(f"{name} {kind}: {value:.3g}")
                parts.append(f'<rect {box} class="{kind}"><title>{told}</title></rect>')
    every = max(1, -(-len(names) // 16))
    parts += [
        f'<text x="{_LEFT + each * (place + 0.5):.1f}" y="{height - 8}" class="middle">{place + 1}</text>'
        for place in range(0, len(names), every)
    ]
    return "".join([*parts, "</svg>"])


def fatigue_lines(fatigue: Sequence[FatigueReport], classes: Sequence[str], seconds: float) -> str:
    """Median frequency over time, a line per class with its slope."""
    values = [hz for one in fatigue for hz in one.hz]
    if not values:
        return ""
    ticks = nice_ticks(min(values) * 0.95, max(values) * 1.05)
    low, high = min(*values, *ticks) * 0.98, max(*values, *ticks) * 1.02
    height = 200
    bottom = height - _BOTTOM

    def y(hz: float) -> float:
        return bottom - (hz - low) / (high - low) * (bottom - _TOP)

    parts = [_svg_head(height, "Median frequency over time")]
    for tick in ticks:
        parts.append(f'<line x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y(tick):.1f}" y2="{y(tick):.1f}" class="grid"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{y(tick) + 4:.1f}" class="end">{tick:g}</text>')
    for one in fatigue:
        place = classes.index(one.name) % 8 if one.name in classes else 7
        for at, hz in zip(one.times_s, one.hz, strict=True):
            parts.append(f'<circle cx="{_x(at, seconds):.1f}" cy="{y(hz):.1f}" r="2" class="c{place}"/>')
        first, last = one.times_s[0], one.times_s[-1]
        ends = [one.median_hz + one.slope_hz_per_min * (at - (first + last) / 2) / 60 for at in (first, last)]
        xs = _x(first, seconds), _x(last, seconds)
        line = f'x1="{xs[0]:.1f}" y1="{y(ends[0]):.1f}" x2="{xs[1]:.1f}" y2="{y(ends[1]):.1f}"'
        parts.append(f'<line {line} class="l{place}"><title>{_text(one.name)}</title></line>')
    parts.append(_time_axis(seconds, bottom, grid=False))
    return "".join([*parts, "</svg>"])


def electrode_grid(cells: Sequence[Sequence[int]], values: dict[int, float | None], flagged: set[int]) -> str:
    """Electrodes in their places, darker where the active RMS is greater; a frame around those to be checked."""
    known = [value for channel, value in values.items() if value is not None and value > 0]
    top = max(known, default=1.0)
    size = 34 if max(len(cells), *(len(row) for row in cells)) <= 16 else 22
    width, height = size * max(len(row) for row in cells) + 4, size * len(cells) + 4
    head = (
        f'<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" aria-label="Electrode grid">'
    )
    parts = [head]
    for row, line in enumerate(cells):
        for column, channel in enumerate(line):
            if not channel:
                continue
            value = values.get(channel)
            level = 0.0 if not value or value <= 0 else max(0.0, 1 + math.log10(value / top) / 2)
            box = f'x="{2 + size * column}" y="{2 + size * row}" width="{size - 2}" height="{size - 2}"'
            told = _text(f"channel {channel}: {'not measured' if value is None else f'{value:.3g}'}")
            kind = "electrode check" if channel in flagged else "electrode"
            parts.append(f'<rect {box} class="{kind}" fill-opacity="{level:.2f}"><title>{told}</title></rect>')
            x, y = 2 + size * column + (size - 2) / 2, 2 + size * row + size / 2 + 3
            parts.append(
                f'<text x="{x:.0f}" y="{y:.0f}" class="middle{" light" if level > 0.5 else ""}">{channel}</text>'
            )
    return "".join([*parts, "</svg>"])


def histogram(edges_ms: Sequence[float], counts: Sequence[int]) -> str:
    """How often which latency occurred; ``edges_ms`` has one more entry than ``counts``."""
    height, top = 180, max([*counts, 1])
    bottom, low, high = height - _BOTTOM, edges_ms[0], edges_ms[-1]
    span = max(high - low, 1e-9)
    inner = WIDTH - _LEFT - _RIGHT
    parts = [_svg_head(height, "How often which latency occurred")]
    for place, count in enumerate(counts):
        x = _LEFT + (edges_ms[place] - low) / span * inner
        width = (edges_ms[place + 1] - edges_ms[place]) / span * inner
        tall = count / top * (bottom - _TOP)
        told = f"<title>{count} from {edges_ms[place]:.2f} to {edges_ms[place + 1]:.2f} ms</title>"
        box = f'x="{x:.1f}" y="{bottom - tall:.1f}" width="{max(0.5, width - 1):.2f}" height="{tall:.1f}"'
        parts.append(f'<rect {box} class="active">{told}</rect>')
    for tick in nice_ticks(low, high):
        x = _LEFT + (tick - low) / span * inner
        parts.append(f'<text x="{x:.1f}" y="{height - 8}" class="middle">{tick:g} ms</text>')
    return "".join([*parts, "</svg>"])


def _svg_head(height: int, label: str) -> str:
    return f'<svg viewBox="0 0 {WIDTH} {height}" class="wide" role="img" aria-label="{label}">'


def _hatch() -> str:
    path = '<path d="M0 6L6 0" class="hatch"/>'
    return f'<defs><pattern id="bad" width="6" height="6" patternUnits="userSpaceOnUse">{path}</pattern></defs>'


def _time_axis(seconds: float, y: float, *, grid: bool = True) -> str:
    minutes = seconds >= 180
    unit = 60.0 if minutes else 1.0
    parts = []
    for tick in nice_ticks(0.0, seconds / unit, 6):
        x = _x(tick * unit, seconds)
        if grid:
            parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{y - 4}" y2="{y}" class="grid"/>')
        parts.append(f'<text x="{x:.1f}" y="{y + 14}" class="middle">{tick:g}{" min" if minutes else " s"}</text>')
    return "".join(parts)


def _x(at: float, seconds: float) -> float:
    return _LEFT + min(max(at / max(seconds, 1e-9), 0.0), 1.0) * (WIDTH - _LEFT - _RIGHT)


def _text(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
