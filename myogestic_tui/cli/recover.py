"""`recover`, `pack` and `salvage`: sessions that were cut off, not packed, or damaged."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .batch import on_each_path
from .options import LocalSession, common_options, json_option, pass_settings
from .output import Progress, remark
from .session_text import finding_lines, load_summary, loss_lines, session_lines, with_verification
from .verify import remember_outcome

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ..session import Finding
    from ..session.format.summary import Summary
    from ..session.salvaging.salvage import Loss
    from .settings import Settings

SESSION = LocalSession()


@click.command()
@click.argument("paths", nargs=-1, type=SESSION)
@common_options
@json_option
@pass_settings
def recover(settings: Settings, paths: tuple[Path, ...], as_json: bool) -> int:
    """Finish sessions that were cut off, and pack them.

    Without PATHs it takes every unfinished session of the sessions folder. What was on disk when the recorder was
    cut off is kept; a torn last frame is dropped and reported. What is damaged is reported, too, and makes the exit
    code 1: `salvage` cuts it out.

    \b
    Examples:
      myogestic-tui recover
      myogestic-tui recover sessions/2026-05-17_14-23-05
    """
    from ..session import open_session_store, pack_session, recover_session, unfinished_sessions
    from ..session.format.summary import to_dict

    progress = Progress()
    chosen = paths or tuple(unfinished_sessions(settings.sessions_dir))
    if not chosen:
        remark(f"nothing to recover in {settings.sessions_dir}")

    def repair(path: Path) -> tuple[Summary, list[Finding]]:
        archive = pack_session(recover_session(path), progress=progress.share(f"packing {path}"))
        with open_session_store(archive) as session:
            return session.summary(), session.findings

    return on_each_path(
        chosen,
        repair,
        lambda repaired: [*session_lines(repaired[0]), *finding_lines(repaired[1])],
        progress=progress,
        as_json=as_json,
        plain=lambda repaired: {**to_dict(repaired[0]), "findings": repaired[1]},
        good=lambda repaired: all(finding.kind != "damage" for finding in repaired[1]),
    )


@click.command()
@click.argument("paths", nargs=-1, required=True, type=SESSION)
@json_option
def pack(paths: tuple[Path, ...], as_json: bool) -> int:
    """Pack finished session folders into archives.

    Each archive is read back and compared before its folder goes. A session that was cut off is recovered first. Damage
    that a quick look shows is packed as it is, said, and makes the exit code 1.

    \b
    Example:
      myogestic-tui pack sessions/2026-05-17_14-23-05
    """
    from ..session import pack_session, verify_session

    progress = Progress()

    def make(path: Path) -> Summary:
        archive = pack_session(path, progress=progress.share(f"packing {path}"))
        outcome = verify_session(archive, "quick")
        if outcome.ok:
            return load_summary(archive)
        remember_outcome(archive, outcome)
        return with_verification(load_summary(archive), outcome)

    return _each(paths, make, progress, as_json, good=lambda summary: not summary.verified or summary.verified.ok)


@click.command()
@click.argument("path", type=SESSION)
@json_option
def salvage(path: Path, as_json: bool) -> int:
    """Save everything that still decodes of a damaged session into a new one.

    Holes are listed, never filled. The damaged original moves to the trash folder once the new session has verified.

    \b
    Example:
      myogestic-tui salvage sessions/2026-05-17_14-23-05.session.zip
    """
    from ..session import salvage_session
    from ..session.format.summary import to_dict
    from ..session.salvaging.salvage import last_loss

    progress = Progress()

    def save(one: Path) -> tuple[Summary, Loss | None]:
        saved = salvage_session(one, progress.share(f"salvaging {one}"))
        return load_summary(saved), last_loss(saved)

    return on_each_path(
        (path,),
        save,
        lambda saved: [*session_lines(saved[0]), *loss_lines(saved[1])],
        progress=progress,
        as_json=as_json,
        plain=lambda saved: {**to_dict(saved[0]), "salvage": saved[1]},
    )


def _each(
    paths: tuple[Path, ...],
    job: Callable[[Path], Summary],
    progress: Progress,
    as_json: bool,
    good: Callable[[Summary], bool] = lambda _: True,
) -> int:
    """Jobs that end with the summary of a session."""
    return on_each_path(paths, job, session_lines, progress=progress, as_json=as_json, good=good)
