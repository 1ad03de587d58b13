"""`rename`, `note` and `copy`: sessions named, annotated and taken home."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .batch import on_each_path
from .options import LocalSession, field_pair, json_option
from .output import Progress, print_json
from .session_text import load_summary, session_lines

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SESSION = LocalSession()


@click.command()
@click.argument("path", type=SESSION)
@click.argument("name", required=False)
@click.option("--subject", help="Who was recorded.")
@click.option("--task", help="What they did.")
@click.option("--take", help="Which take it was.")
@click.option("--set", "fields", multiple=True, metavar="FIELD=TEXT", help="A field of your own; may be repeated.")
@json_option
def rename(
    path: Path,
    name: str | None,
    subject: str | None,
    task: str | None,
    take: str | None,
    fields: tuple[str, ...],
    as_json: bool,
) -> None:
    """Change the metadata of a finished session: its NAME (the file's name follows), subject, task, take.

    Samples, time stamps and labels are never touched. An empty text clears a field.

    \b
    Examples:
      myogestic-tui rename sessions/2026-05-17_14-23-05.session.zip P07_grasp_04
      myogestic-tui rename sessions/2026-05-17_14-23-05.session.zip --subject P07 --set hand=right
    """
    given = {"name": name, "subject": subject, "task": task, "take": take}
    changes = {field: text for field, text in given.items() if text is not None} | dict(map(field_pair, fields))
    if not changes:
        raise click.UsageError("nothing to change: give a NAME, --subject, --task, --take or --set")
    _edit(path, changes, as_json)


@click.command()
@click.argument("path", type=SESSION)
@click.argument("text")
@json_option
def note(path: Path, text: str, as_json: bool) -> None:
    """Add a note to a finished session, stamped with the present time.

    \b
    Example:
      myogestic-tui note sessions/2026-05-17_14-23-05.session.zip "electrode 17 came off at the end"
    """
    _edit(path, {"note": text}, as_json)


@click.command()
@click.argument("paths", nargs=-1, required=True, type=SESSION)
@click.argument("destination")
@click.option("--remove", is_flag=True, help="Move each source to the trash once its copy has verified.")
@json_option
def copy(paths: tuple[Path, ...], destination: str, remove: bool, as_json: bool) -> int:
    """Copy archives to a folder or URL (extra [remote]), read each back and compare its digest.

    A copy that is interrupted continues where it stopped. The source stays unless --remove is given.

    \b
    Examples:
      myogestic-tui copy sessions/2026-05-17_14-23-05.session.zip /media/usb
      myogestic-tui copy sessions/*.session.zip sftp://nas/emg
    """
    from ..session import trash_session
    from ..session.library.copy import copy_session

    progress = Progress()

    def carry(path: Path) -> dict[str, str]:
        there = copy_session(path, destination, progress.share(f"copying {path.name}"))
        if remove:
            trash_session(path)
        return {"path": str(path), "copy": there}

    return on_each_path(paths, carry, lambda done: [done["copy"]], progress=progress, as_json=as_json)


def _edit(path: Path, changes: Mapping[str, str], as_json: bool) -> None:
    from ..session.library.edit import edit_session

    progress = Progress()
    edited = edit_session(path, changes, progress.share(f"writing {path.name}"))
    progress.clear()
    summary = load_summary(edited)
    if as_json:
        print_json(summary)
    else:
        click.echo("\n".join(session_lines(summary)))
