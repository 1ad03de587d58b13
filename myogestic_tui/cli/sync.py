"""`sync`: whether pulses and markers of a session belong together, and how well."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import click

from ..plural import count_of
from .options import LocalSession, json_option
from .output import print_json

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ..analysis.sync import Sync
    from ..session import SessionReader

Decorated = TypeVar("Decorated", bound="Callable[..., Any]")
_BAR = 40
_MOST_ROWS = 20


def sync_options(command: Decorated) -> Decorated:
    """Add what is compared, and how: shared by `sync` and `ctl sync`."""
    options = [
        click.option("--pulses", required=True, metavar="STREAM:CH", help="Channel with pulses."),
        click.option("--markers", required=True, metavar="STREAM[:CH]", help="Marker stream, or another such channel."),
        click.option("--only", multiple=True, metavar="TEXT", help="Markers of this text only; may be repeated."),
        click.option("--threshold", type=float, help="Level of a pulse's edge.  [default: halfway]"),
        click.option("--falling", is_flag=True, help="Pulses are negative-going."),
        click.option("--max-lag-ms", type=float, default=500.0, show_default=True, help="Largest lag within a pair."),
        click.option("--max-ms", type=float, help="Exit code 1 where a latency is greater than this."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@click.command()
@click.argument("path", type=LocalSession())
@sync_options
@json_option
def sync(path: Path, as_json: bool, **how: Any) -> int:
    """Prove the timing of a session: pair the pulses of a channel with markers, and tell latency, jitter and drift.

    A latency is positive where the pulse is later than its marker. Exit code 1 where a latency is beyond --max-ms,
    where nothing could be paired, and where the pairing is ambiguous.

    \b
    Examples:
      myogestic-tui sync sessions/2026-05-17_14-23-05.session.zip --pulses emg:65 --markers PsychoPy
      myogestic-tui sync sessions/2026-05-17_14-23-05.session.zip --pulses emg:65 --markers force:1 --max-ms 5
    """
    from ..session import open_session_store

    with open_session_store(path) as session:
        return compare(session, as_json, how)


def compare(session: SessionReader, as_json: bool, how: dict[str, Any], last_s: float | None = None) -> int:
    """Compare as the options say, print it, and return the exit code; ``last_s``: only the last seconds."""
    from ..analysis.edges import EdgeRule
    from ..analysis.sync import sync_streams
    from ..clock import local_clock

    found = sync_streams(
        session,
        how["pulses"],
        how["markers"],
        rule=EdgeRule(threshold=how["threshold"], falling=how["falling"]),
        marker_rule=EdgeRule(only=how["only"]),
        most_lag_s=how["max_lag_ms"] / 1e3,
        start=None if last_s is None else local_clock() - last_s,
    )
    good = is_good(found, how["max_ms"])
    if as_json:
        print_json(found)
    else:
        click.echo("\n".join(sync_lines(found, how["max_ms"])))
    return 0 if good else 1


def is_good(found: Sync, most_ms: float | None) -> bool:
    """Whether there are pairs, one way to pair them, and no latency beyond ``most_ms``."""
    beyond = most_ms is not None and found.largest_ms is not None and found.largest_ms > most_ms
    return found.n_pairs > 0 and not found.ambiguous and not beyond


def sync_lines(found: Sync, most_ms: float | None = None) -> list[str]:
    """The comparison as text, with the histogram of latencies."""
    pulses, pairs = count_of(found.n_pulses, "pulse"), count_of(found.n_pairs, "pair")
    lines = [f"{pulses} of {found.pulses}, {found.n_markers} of {found.markers}: {pairs}"]
    if found.ambiguous:
        lines.append(f"  ✗ ambiguous: {found.ambiguous}")
    if found.median_ms is None:
        return [*lines, "  ✗ nothing could be paired"]
    error = "" if found.median_error_ms is None else f" ± {found.median_error_ms:.3f}"
    lines.append(f"  latency   median {found.median_ms:+.3f}{error} ms, worst {found.worst_ms:+.3f} ms")
    if found.sd_ms is not None:
        lines.append(f"  jitter    SD {found.sd_ms:.3f} ± {found.sd_error_ms:.3f} ms")
    if found.drift_ppm is not None:
        lines.append(f"  drift     {found.drift_ppm:+.2f} ± {found.drift_error_ppm:.2f} ppm")
    lines.append(f"  missed    {found.missed}{_places(found.missed_at_s)}")
    lines.append(f"  doubled   {found.doubled}{_places(found.doubled_at_s)}")
    if found.extra:
        lines.append(f"  no marker {found.extra}{_places(found.extra_at_s)}")
    told = "not known" if found.error_ms is None else f"{found.error_ms:.3g} ms"
    lines.append(f"  a sample is {found.resolution_ms:.3f} ms; the two clocks may be off by {told}")
    if most_ms is not None and found.largest_ms is not None and found.largest_ms > most_ms:
        lines.append(f"  ✗ a latency of {found.largest_ms:.3f} ms is beyond {most_ms:g} ms")
    return [*lines, *_histogram(found)]


def _places(times: list[float]) -> str:
    shown = ", ".join(f"{at:.3f}" for at in times[:5])
    return f"   at {shown} s{' …' if len(times) > 5 else ''}" if times else ""


def _histogram(found: Sync) -> list[str]:
    """At most 20 rows, each of two bins where there are more."""
    each = max(1, -(-len(found.histogram) // _MOST_ROWS))
    counts = [sum(found.histogram[at : at + each]) for at in range(0, len(found.histogram), each)]
    top = max(counts, default=0)
    return [
        f"  {low:+9.3f} ms {'█' * max(round(_BAR * count / top), int(count > 0))} {count or ''}".rstrip()
        for low, count in zip(found.histogram_ms[::each], counts, strict=False)
    ]
