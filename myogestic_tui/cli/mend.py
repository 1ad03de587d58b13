"""`verify`, `recover`, `pack` and `salvage`: what proves sessions and what mends them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ..errors import MyoGesticError, SessionError
from .each import on_each_path
from .options import LocalSession, SessionPath, Settings, common_options, dask_option, json_option, pass_settings
from .output import Progress, remark
from .report import finding_lines, load_summary, loss_lines, session_lines, with_verification

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ..session import Finding, Verification
    from ..session.checking.verify import Level
    from ..session.format.summary import Summary
    from ..session.salvaging.salvage import Loss

SESSION = LocalSession()


@click.command()
@click.argument("paths", nargs=-1, required=True, type=SessionPath())
@click.option("--quick", is_flag=True, help="Directory, manifest, metadata and shapes only; not every byte.")
@dask_option
@json_option
def verify(paths: tuple[str, ...], quick: bool, dask: str | None, as_json: bool) -> int:
    """Prove that sessions are whole: every byte read, every chunk decoded.

    Damage (something recorded is lost or wrong) makes the exit code 1. Observations, such as gaps or repeated
    time stamps, are what real devices do, and do not. Nothing is changed. A PATH may also be a folder of sessions, or
    a URL (extra [remote]).

    \b
    Examples:
      myogestic-tui verify sessions/2026-05-17_14-23-05.session.zip
      myogestic-tui verify --quick sessions/*.session.zip
    """
    from ..session import verify_session
    from ..session.format.regular import is_regular

    level: Level = "quick" if quick else "full"
    progress = Progress()
    if dask is not None or any("://" in one for one in paths):
        return _verify_elsewhere(paths, level, dask, progress, as_json)

    def check(path: Path) -> Summary:
        if not path.is_dir() and not is_regular(path):
            return _no_file(path, level)
        outcome = verify_session(path, "quick" if quick else "full", progress=progress.share(f"verifying {path}"))
        summary = with_verification(load_summary(path), outcome)
        _remember(path, outcome)
        return summary

    return _each(tuple(_sessions_of(paths)), check, progress, as_json, good=_is_whole)


def _no_file(path: Path, level: Level) -> Summary:
    """What is called an archive and is a FIFO, a device, or a link to nothing: one row, as of any that is damaged."""
    from ..session import Verification
    from ..session.format.findings import damage
    from ..session.format.summary import Summary

    found = damage(f"{path.name} is no regular file; move it out of there")
    return with_verification(
        Summary(path=str(path), state="damaged"), Verification(level=level, ok=False, findings=[found])
    )


def _sessions_of(paths: tuple[str, ...]) -> Iterator[Path]:
    from ..session.reading.states import sessions_at

    for path in paths:
        found = sessions_at(path)
        if not found:
            raise SessionError(f"{path} holds no session")
        yield from found


def _is_whole(summary: Summary) -> bool:
    return bool(summary.verified and summary.verified.ok)


def _verify_elsewhere(paths: tuple[str, ...], level: str, dask: str | None, progress: Progress, as_json: bool) -> int:
    """Verify by a cluster, or what is behind URLs."""
    from ..session.cluster import find_sessions, on_each, verify_one

    sessions = find_sessions(paths)
    outcomes = on_each(dask, verify_one, sessions, level)

    def outcome(_: str) -> Summary:
        found = next(outcomes)[1]
        if isinstance(found, MyoGesticError):
            raise found
        return found

    return on_each_path(sessions, outcome, session_lines, progress=progress, as_json=as_json, good=_is_whole)


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

    def mend(path: Path) -> tuple[Summary, list[Finding]]:
        archive = pack_session(recover_session(path), progress=progress.share(f"packing {path}"))
        with open_session_store(archive) as session:
            return session.summary(), session.findings

    return on_each_path(
        chosen,
        mend,
        lambda mended: [*session_lines(mended[0]), *finding_lines(mended[1])],
        progress=progress,
        as_json=as_json,
        plain=lambda mended: {**to_dict(mended[0]), "findings": mended[1]},
        good=lambda mended: all(finding.kind != "damage" for finding in mended[1]),
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
        _remember(archive, outcome)
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


def _remember(path: Path, outcome: Verification) -> None:
    """Keep the outcome in the catalog of the sessions folder, if the session is in one."""
    from ..session.format.layout import STATE_FOLDER
    from ..session.library.catalog import Catalog

    if (path.parent / STATE_FOLDER).is_dir():
        Catalog(path.parent).remember_verified(path, outcome)


def _each(
    paths: tuple[Path, ...],
    job: Callable[[Path], Summary],
    progress: Progress,
    as_json: bool,
    good: Callable[[Summary], bool] = lambda _: True,
) -> int:
    """Jobs that end with the summary of a session."""
    return on_each_path(paths, job, session_lines, progress=progress, as_json=as_json, good=good)
