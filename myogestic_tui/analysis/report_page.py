"""The page of a report: one HTML file with its drawings in it, which opens without a network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ..extras import needed
from ..version import __version__
from . import svg

if TYPE_CHECKING:
    from .report_types import ChannelReport, Issue, Report, StreamReport

_TEMPLATE = Path(__file__).with_name("report.html.j2")


def report_html(report: Report) -> str:
    """A report as a page.

    Raises
    ------
    ConfigError
        Jinja2 is not installed: extra ``[report]``.
    """
    jinja2 = needed("jinja2", "report", "the page of a report")
    environment = jinja2.Environment(autoescape=True, trim_blocks=False, undefined=jinja2.StrictUndefined)
    limits = report.thresholds
    environment.filters |= {
        "number": lambda value: "" if value is None else f"{value:.3g}",
        "decibel": lambda value: "" if value is None else f"{value:+.1f}",
        "percent": lambda share: f"{100 * share:.0f} %" if share else "",
        "shares": lambda one: _shares(one, limits),
    }
    drawn = environment.filters["safe"]  # what is drawn here has every name in it escaped
    names = [one.name for one in report.classes]
    page: str = environment.from_string(_TEMPLATE.read_text("utf-8")).render(
        report=report,
        title=report.name or Path(report.path).name,
        facts=_facts(report),
        issue_groups=_groups(report.issues),
        label_band=drawn(svg.label_band(report.labels, names, report.duration_s)),
        streams=[_stream(one, report, names, drawn) for one in report.streams],
        version=__version__,
    )
    return page


class _Group(NamedTuple):
    what: str
    texts: list[str]


def _groups(issues: list[Issue]) -> list[_Group]:
    groups: dict[str, list[str]] = {}
    for one in issues:
        what = one.stream or "the session"
        if one.channel is not None:
            what += f" channel {one.channel}"
        groups.setdefault(what, []).append(one.text)
    return [_Group(what, texts) for what, texts in groups.items()]


def _shares(one: ChannelReport, limits: dict[str, float | None]) -> list[tuple[float, float]]:
    kinds = ("flat", "clipped", "mains", "nan", "motion")
    return [(getattr(one, kind), limits.get(f"max_{kind}") or 0.0) for kind in kinds]


def _facts(report: Report) -> list[tuple[str, str]]:
    minutes, seconds = divmod(report.duration_s, 60)
    facts = {
        "recorded": report.created.replace("T", " ")[:19],
        "length": f"{minutes:.0f} min {seconds:.1f} s" if minutes else f"{seconds:.1f} s",
        "subject": report.subject,
        "task": report.task,
        "take": "" if report.take is None else str(report.take),
        **{key: str(value) for key, value in report.fields.items()},
        "state": report.state,
    }
    return [(name, value) for name, value in facts.items() if value]


def _stream(one: StreamReport, report: Report, names: list[str], drawn: Any) -> dict[str, Any]:
    loudest = [max(channel.rms_active.values(), default=None) for channel in one.channels]
    flagged = {issue.channel for issue in report.issues if issue.stream == one.name and issue.channel is not None}
    values = {channel.channel: value for channel, value in zip(one.channels, loudest, strict=True)}
    rest = [channel.rms_rest for channel in one.channels]
    gaps = [(gap.at_s, gap.seconds, gap.why) for gap in one.gaps]
    return {
        "of": one,
        "facts": _stream_facts(one),
        "classes": [name for name in names if any(name in channel.rms_active for channel in one.channels)],
        "gap_band": drawn(svg.gap_band(gaps, report.duration_s)),
        "level_bars": drawn(svg.level_bars([channel.name for channel in one.channels], rest, loudest)),
        "fatigue_lines": drawn(svg.fatigue_lines(one.fatigue, names, report.duration_s)),
        "grids": [
            {"label": grid.label, "picture": drawn(svg.electrode_grid(grid.channels, values, flagged))}
            for grid in one.grids
        ],
    }


def _stream_facts(one: StreamReport) -> list[tuple[str, str]]:
    fs = one.measured_fs or one.fs
    facts = {
        "channels": f"{one.n_channels}{f', {one.type}' if one.type else ''}",
        "rate": f"{fs:.2f} Hz" if fs else "irregular",
        "samples": f"{one.n_samples:,}",
        "coverage": "" if one.coverage is None else f"{100 * one.coverage:.2f} %",
        "lost": f"{one.lost_samples:,} samples in {len(one.gaps)} gaps" if one.gaps else "",
        "jitter": ""
        if one.jitter_ms is None
        else "below 0.001 ms"
        if one.jitter_ms < 0.001
        else f"{one.jitter_ms:.3g} ms",
        "times rest on": one.basis,
        "times may be off": "" if one.error_ms is None else f"{one.error_ms:.3g} ms",
        "clock offset": "" if one.offset_ms is None else f"{one.offset_ms:.3f} ms",
        "clock drift": "" if one.drift_ppm is None else f"{one.drift_ppm:+.2f} ppm",
    }
    return [(name, value) for name, value in facts.items() if value]
