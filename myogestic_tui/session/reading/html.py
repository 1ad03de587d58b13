"""A session as a notebook shows it: streams, labels, and a small picture of the signal and the labels."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import numpy as np

from ...errors import ConfigError, SessionError
from ...plural import count_of
from ..format.stream_names import public_names
from .overview import OverviewReader

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .open_session import OpenSession
    from .overview import Overview

_WIDTH, _HEIGHT = 600, 36
_COLOURS = ("#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377")
"""Told apart also by colour-blind readers."""


def session_html(session: OpenSession) -> str:
    """Tables of streams and labels, how loud the largest stream was, and when which class was labelled."""
    summary = session.summary()
    streams = [
        (name, one.type, f"{one.n_channels} × {one.dtype}", f"{one.fs:g} Hz", one.n_samples, one.gaps, one.source_id)
        for name, one in summary.streams.items()
    ]
    head = " ".join(filter(None, (summary.name, summary.subject, summary.task, str(summary.take or ""))))
    parts = [
        f"<b>{escape(session.path.name)}</b> {escape(head)}<br>{escape(summary.state)}, {summary.duration_s:.1f} s, "
        f"{escape(summary.created or 'date unknown')}",
        _table(("stream", "type", "channels", "rate", "samples", "gaps", "source_id"), streams),
    ]
    found = _overview(session)
    seconds = max(summary.duration_s, found.end_s if found is not None else 0.0)
    parts += [_signal_svg(found, seconds)] if found is not None else []
    if summary.labels:
        parts += [_table(("class", "labels"), summary.labels.items()), _labels_svg(session, seconds)]
    return "<div>" + "".join(parts) + "</div>"


def session_repr(session: OpenSession) -> str:
    """One line: name, state, streams with their sizes, labels."""
    names = public_names({stem: session.stream(stem).meta.name for stem in session.streams})
    sizes = [f"{name} {session.n_samples(stem)}x{session.stream_info(stem).n_channels}" for stem, name in names.items()]
    streams, n_labels = ", ".join(sizes) or "no streams", len(session.label_track)
    return f"<session {session.path.name} ({session.state}): {streams}; {count_of(n_labels, 'label')}>"


def _table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    def line(cells: Iterable[object], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{escape(str(cell))}</{tag}>" for cell in cells) + "</tr>"

    return "<table>" + line(head, "th") + "".join(line(row, "td") for row in rows) + "</table>"


def _overview(session: OpenSession) -> Overview | None:
    """Of the largest stream of numbers; None where there is none, or nothing that tells its RMS at once."""
    try:
        return OverviewReader(session, compute=False).read(columns=_WIDTH // 2)
    except (ConfigError, SessionError):
        return None


def _signal_svg(found: Overview, seconds: float) -> str:
    """RMS over all channels, as bars from the start to the stop."""
    known = np.isfinite(found.high)
    top = float(found.high[known].max(initial=0.0))
    if top <= 0 or seconds <= 0:
        return ""
    x = found.times / seconds * _WIDTH
    width = max(1.0, float(np.diff(x).max(initial=1.0)))
    heights = np.where(known, found.high, 0.0) / top * (_HEIGHT - 2)
    path = "".join(
        f"M{at:.1f} {_HEIGHT}v-{high:.1f}h{width:.1f}v{high:.1f}"
        for at, high in zip(x.tolist(), heights.tolist(), strict=True)
        if high >= 0.05
    )
    words = escape(f"{found.stream}: RMS of {found.n_channels} channels, at most {top:.3g} {found.unit}".rstrip())
    return (
        f'<div>{words}</div><svg viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}">'
        f'<title>{words}</title><path d="{path}" fill="{_COLOURS[0]}"/></svg>'
    )


def _labels_svg(session: OpenSession, duration_s: float) -> str:
    """When which class held, from the start to the stop."""
    anchors = session.meta.anchors
    start, bars = anchors[0].lsl if anchors else session.label_track[0].timestamp, []
    track = session.label_track
    ends = [event.timestamp for event in track[1:]] + [start + duration_s]
    for event, end in zip(track, ends, strict=True):
        if event.class_index < 0 or duration_s <= 0:
            continue
        x = (event.timestamp - start) / duration_s * _WIDTH
        width = max(1.0, (end - event.timestamp) / duration_s * _WIDTH)
        names = session.class_names
        name = names[event.class_index] if event.class_index < len(names) else str(event.class_index)
        colour = _COLOURS[event.class_index % len(_COLOURS)]
        opacity = 0.3 if event.bad else 1.0
        bars.append(
            f'<rect x="{x:.1f}" y="0" width="{width:.1f}" height="{_HEIGHT}" fill="{colour}" opacity="{opacity}">'
            f"<title>{escape(name)}{' (bad)' if event.bad else ''}</title></rect>"
        )
    return f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}">{"".join(bars)}</svg>'
