"""`myogestic-tui import`: from XDF files to sessions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from .options import common_options, json_option, pass_settings
from .output import remark

if TYPE_CHECKING:
    from .settings import Settings


@click.command("import")
@click.argument("path", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--labels-from", metavar="STREAM", help="Stream of text whose texts are classes.")
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
    from ..session.import_xdf import import_xdf
    from .record import show_result
    from .session_text import finding_lines

    made = import_xdf(path, settings.sessions_dir, label_stream=labels_from)
    show_result(made, as_json)
    with open_session_store(made) as session:
        for line in finding_lines(session.findings):
            remark(line.strip())
