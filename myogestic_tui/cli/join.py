"""`myogestic-tui join`: a chain of sessions as one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from .options import common_options, json_option, pass_settings
from .output import Progress

if TYPE_CHECKING:
    from .settings import Settings


@click.command()
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@click.option("-o", "--out", type=click.Path(file_okay=False, path_type=Path), help="Folder for the session.")
@common_options
@json_option
@pass_settings
def join(settings: Settings, path: Path, out: Path | None, as_json: bool) -> None:
    """Make one session of a chain that `record --segment` made, so that windows and exports go over it as over one.

    PATH is any session of the chain, or a folder that holds one chain only. The chain stays as it is; where a session
    of it is missing or exchanged, nothing is made.

    \b
    Examples:
      myogestic-tui join sessions/2026-05-17_14-00-00.session.zip -o joined
      myogestic-tui windows joined/*.session.zip --stream EMG
    """
    from ..session.library.join_chain import join_chain
    from .record import show_result

    progress = Progress()
    made = join_chain(path, out or settings.sessions_dir, progress.share(f"joining {path}"))
    progress.clear()
    show_result(made, as_json)
