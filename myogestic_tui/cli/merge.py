"""`myogestic-tui merge`: sessions of several boxes, side by side on one clock."""

from __future__ import annotations

from pathlib import Path

import click

from .options import LocalSession, json_option
from .output import print_json, remark

SESSION = LocalSession()


@click.command()
@click.argument("paths", nargs=-1, required=True, type=SESSION)
@click.option("-o", "--out", required=True, type=click.Path(path_type=Path), help="The archive to write.")
@click.option("--labels-from", type=SESSION, help="Whose labels to use where sessions differ.")
@click.option(
    "--max-error",
    "most_ms",
    type=click.FloatRange(min=0, min_open=True),
    default=10.0,
    show_default=True,
    help="How far wrong a clock may be, in ms.",
)
@json_option
def merge(paths: tuple[Path, ...], out: Path, labels_from: Path | None, most_ms: float, as_json: bool) -> None:
    """Put the streams of sessions that several boxes recorded at the same time into one archive, on the first's clock.

    The clocks are known by comparisons that stand in the sessions; where they do not, nothing is merged. Time stamps
    stay as they were sent.

    \b
    Examples:
      myogestic-tui merge left.session.zip right.session.zip -o both.session.zip
      myogestic-tui merge left.session.zip right.session.zip -o both.session.zip --labels-from left.session.zip
    """
    from ..session import open_session_store
    from ..session.format.summary import to_dict
    from ..session.merging.merge import merge_sessions
    from .session_text import finding_lines, session_lines

    made = merge_sessions(paths, out, labels_from=labels_from, max_error_s=most_ms / 1e3)
    with open_session_store(made) as session:
        summary, findings, merged = session.summary(), session.findings, session.meta.extra["merged"]
    if as_json:
        print_json({**to_dict(summary), "findings": findings, "merged": merged})
    else:
        click.echo("\n".join(session_lines(summary)))
    for line in finding_lines(findings):
        remark(line.strip())
