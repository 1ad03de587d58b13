"""`report`: a session judged, as a page, as text, or as JSON."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..errors import ConfigError, DiskError
from .options import LocalSession, json_option, pass_settings
from .output import Progress, duration, print_json, remark, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..analysis.report_types import ChannelReport, Report
    from .settings import Settings


@click.command()
@click.argument("path", type=LocalSession())
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="File of the page.")
@click.option("--overwrite", is_flag=True, help="Replace a file of --output that is there.")
@click.option("--no-page", is_flag=True, help="Write no page.")
@json_option
@pass_settings
def report(settings: Settings, path: Path, output: Path | None, overwrite: bool, no_page: bool, as_json: bool) -> int:
    """Judge a session: each channel at rest and active, hum, gaps, clocks, and one verdict.

    Writes one HTML page, SESSION.report.html beside the session unless --output names another, which opens without a
    network (extra [report]). What is beyond a threshold of [quality] in myogestic.toml makes the exit code 1.

    \b
    Examples:
      myogestic-tui report sessions/2026-05-17_14-23-05.session.zip
      myogestic-tui report sessions/2026-05-17_14-23-05.session.zip --json --no-page
    """
    from ..analysis.report import report_session
    from ..analysis.store_verdict import store_verdict
    from ..session import open_session_store

    target = None if no_page else output or page_beside(path)
    if output is not None and output.exists() and not overwrite:
        raise ConfigError(f"{output} is there already; name another with -o, or give --overwrite")
    if target is not None and (missing := missing_for_page()):
        if output is not None:
            raise ConfigError(missing)
        target = None
        remark(f"no page is written: {missing}")
    progress = Progress()
    with open_session_store(path) as session:
        found = report_session(session, settings.config.quality, progress.share(f"reading {path.name}"))
    progress.clear()
    store_verdict(path, found.verdict)
    if target is not None:
        _write_page(target, found)
        remark(f"written: {target}")
    if as_json:
        print_json(found)
    else:
        click.echo("\n".join(_lines(found)))
    return 0 if found.ok else 1


def missing_for_page() -> str:
    """What the page needs and is not installed, with the remedy; empty where nothing is missing."""
    from ..extras import needed

    try:
        needed("jinja2", "report", "the page of a report")
    except ConfigError as error:
        return str(error)
    return ""


def page_beside(path: Path) -> Path:
    """Where the page of a session is written."""
    from ..session.export.common import session_stem

    return path.with_name(f"{session_stem(path)}.report.html")


def _write_page(target: Path, found: Report) -> None:
    from ..analysis.report_page import report_html
    from ..session.format.json_files import replace_file

    page = report_html(found)
    try:
        replace_file(target, page.encode())
    except OSError as error:
        raise DiskError(f"{target} cannot be written: {error.strerror or error}; name another with -o") from error


def _lines(found: Report) -> list[str]:
    lines = [f"{found.path}   {duration(found.duration_s)}   {found.verdict}"]
    for stream in found.streams:
        told = [f"{stream.judged_s:.0f} s judged"] if stream.channels else []
        told += [f"covers {100 * stream.coverage:.2f} %"] if stream.coverage is not None else []
        told += [f"times within {stream.error_ms:.3g} ms"] if stream.error_ms is not None else []
        lines += ["", f"{stream.name}   {', '.join(told)}"]
        if stream.channels:
            lines.append(_channel_table(stream.channels))
        lines += [
            f"  {one.name}: median frequency {one.median_hz:.1f} Hz, {one.slope_hz_per_min:+.2f} Hz/min "
            f"({one.slope_low:+.2f} to {one.slope_high:+.2f})"
            for one in stream.fatigue
        ]
    if found.issues:
        lines.append("")
    for issue in found.issues:
        where = f"{issue.stream} " if issue.stream else ""
        where += f"channel {issue.channel} " if issue.channel is not None else ""
        lines.append(f"  ✗ {where.strip()}: {issue.text}" if where else f"  ✗ {issue.text}")
    return lines


def _channel_table(channels: Sequence[ChannelReport]) -> str:
    classes = list(dict.fromkeys(name for one in channels for name in one.rms_active))
    headers = ("CH", "NAME", "REST", *(f"{name} dB" for name in classes), *("FLAT", "CLIP", "MAINS", "NAN", "MOTION"))
    cells = [
        (
            one.channel,
            f"{one.name}{' (bad)' if one.marked_bad else ''}",
            "-" if one.rms_rest is None else f"{one.rms_rest:.3g}",
            *(f"{one.snr_db[name]:+.1f}" if name in one.snr_db else "-" for name in classes),
            *(f"{100 * share:.0f} %" if share else "" for share in _shares(one)),
        )
        for one in channels
    ]
    return table(headers, cells, right=tuple(name for name in headers if name != "NAME"))


def _shares(one: ChannelReport) -> tuple[float, ...]:
    return one.flat, one.clipped, one.mains, one.nan, one.motion
