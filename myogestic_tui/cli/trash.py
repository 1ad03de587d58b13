"""`trash`: sessions that are not wanted, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ..plural import count_of
from .batch import on_each_path
from .options import LocalSession, common_options, json_option, pass_settings
from .output import print_json, remark, size, table

if TYPE_CHECKING:
    from pathlib import Path

    from .settings import Settings


@click.command()
@click.argument("paths", nargs=-1, type=LocalSession(exists=False))
@click.option("--restore", is_flag=True, help="Restore it from the trash.")
@click.option("--empty", is_flag=True, help="Delete everything in the trash permanently.")
@click.option("--yes", is_flag=True, help="Do not ask before deleting.")
@common_options
@json_option
@pass_settings
def trash(settings: Settings, paths: tuple[Path, ...], restore: bool, empty: bool, yes: bool, as_json: bool) -> int:
    """Move sessions to the trash folder of their sessions folder. Without PATHs it lists what lies there.

    \b
    Examples:
      myogestic-tui trash sessions/2026-05-17_14-23-05.session.zip
      myogestic-tui trash
      myogestic-tui trash --restore sessions/2026-05-17_14-23-05.session.zip
      myogestic-tui trash --empty
    """
    if (restore and not paths) or (empty and (paths or restore)):
        raise click.UsageError("--restore wants PATHs, --empty stands alone")
    if empty:
        return _empty(settings.sessions_dir, yes)
    if not paths:
        return _list(settings.sessions_dir, as_json)
    from ..session.recovery.trash import restore_session, trash_session

    move = restore_session if restore else trash_session
    return on_each_path(paths, lambda path: str(move(path)), lambda where: [where], as_json=as_json)


def _list(folder: Path, as_json: bool) -> int:
    from ..session.recovery.trash import list_trash

    found = list_trash(folder)
    if as_json:
        print_json([{"path": str(one.path), "was": str(one.original), "bytes": one.bytes} for one in found])
    elif found:
        rows = [(f"{one.trashed_at.astimezone():%Y-%m-%d %H:%M}", size(one.bytes), one.path) for one in found]
        click.echo(table(("TRASHED", "SIZE", "PATH"), rows, right=("SIZE",)))
    else:
        remark(f"the trash of {folder} is empty")
    return 0


def _empty(folder: Path, yes: bool) -> int:
    from ..session.recovery.trash import empty_trash, list_trash

    found = list_trash(folder)
    total = size(sum(one.bytes for one in found))
    if not found:
        remark(f"the trash of {folder} is empty")
    elif yes or click.confirm(f"Delete {count_of(len(found), 'session')} ({total}) for good?", err=True):
        remark(f"{size(empty_trash(folder))} freed")
    return 0
