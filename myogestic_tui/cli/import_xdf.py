"""`myogestic-tui import`: from XDF files to sessions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from .options import common_options, json_option, pass_settings
from .output import print_json, remark

if TYPE_CHECKING:
    from .settings import Settings


@click.command("import")
@click.argument("path", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--labels-from", metavar="STREAM", help="Text stream whose texts are classes.")
@common_options
@json_option
@pass_settings
def import_file(settings: Settings, path: Path, labels_from: str | None, as_json: bool) -> None:
    """Make a session of an XDF file (extra [export]): samples, raw time stamps, clock offsets, headers, markers.

    \b
    Examples:
      myogestic-tui import sub-P07_task-grasp.xdf
      myogestic-tui import sub-P07_task-grasp.xdf --labels-from Markers
    """
    from ..session import open_session_store
    from ..session.format.summary import to_dict
    from ..session.import_xdf import import_xdf
    from .session_text import finding_lines, session_lines

    made = import_xdf(path, settings.sessions_dir, label_stream=labels_from)
    with open_session_store(made) as session:
        summary, findings = session.summary(), session.findings
    if as_json:
        print_json({**to_dict(summary), "findings": findings})
    else:
        click.echo("\n".join(session_lines(summary)))
    for line in finding_lines(findings):
        remark(line.strip())
