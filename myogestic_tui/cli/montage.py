"""`myogestic-tui montage`: where the electrodes of a finished session were."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from .grid_options import grid_options, layout_of
from .options import LocalSession, json_option
from .output import Progress, print_json
from .session_text import load_summary

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@click.argument("path", type=LocalSession())
@click.argument("stream")
@click.argument("grid", required=False, default="")
@grid_options
@json_option
def montage(path: Path, stream: str, grid: str, add: bool, nothing: bool, as_json: bool, **told: Any) -> int:
    """Say where the electrodes of a STREAM of a finished session were, where that was not told when it was recorded.

    GRID is rows x columns; without it, --channels names a single electrode. Samples, time stamps and labels are never
    touched; `info --json` says when it was set.

    \b
    Examples:
      myogestic-tui montage sessions/2026-05-17_14-23-05.session.zip emg 2x4 --muscle flexors --side left --distance 8
      myogestic-tui montage sessions/2026-05-17_14-23-05.session.zip emg --cells "1 2 3 / 4 - 5"
    """
    from ..session import open_session_store
    from ..session.library.edit_montage import edit_montage

    layout = layout_of(grid, told)
    if (layout is None) != nothing:
        raise click.UsageError("give a grid, or --none")
    progress = Progress()
    told_by = progress.share(f"writing {path.name}")
    edited = edit_montage(path, stream, () if layout is None else (layout,), add=add, progress=told_by)
    progress.clear()
    if as_json:
        print_json(load_summary(edited))
        return 0
    with open_session_store(edited) as session:
        grids = session.stream_info(stream).channel_grids or ()
    click.echo("\n".join([str(edited), *(f"  {stream} {one.words()}" for one in grids)]))
    return 0
