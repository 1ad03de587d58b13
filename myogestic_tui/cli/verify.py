"""`myogestic-tui verify`, and the outcome of a check in the catalog."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from ..errors import MyoGesticError, SessionError
from .batch import on_each_path
from .options import LocalSession, SessionPath, dask_option, json_option
from .output import Progress
from .session_text import load_summary, session_lines, with_verification

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ..session import Verification
    from ..session.checking.verify import Level
    from ..session.format.findings import Finding
    from ..session.format.summary import Summary

SESSION = LocalSession()


@click.command()
@click.argument("paths", nargs=-1, required=True, type=SessionPath())
@click.option("--quick", is_flag=True, help="Directory, manifest, metadata and shapes only; not every byte.")
@click.option("--chain", is_flag=True, help="All sessions of the chain, and that each follows the one before.")
@click.option("--jobs", type=click.IntRange(1, 64), default=1, help="How many at a time, each in its own process.")
@dask_option
@json_option
def verify(paths: tuple[str, ...], quick: bool, chain: bool, jobs: int, dask: str | None, as_json: bool) -> int:
    """Verify the integrity of sessions: every byte read, every chunk decoded.

    Damage (something recorded is lost or wrong) makes the exit code 1. Observations, such as gaps or repeated
    time stamps, are what real devices do, and do not. Nothing is changed. A PATH may also be a folder of sessions, or
    a URL (extra [remote]).

    \b
    Examples:
      myogestic-tui verify sessions/2026-05-17_14-23-05.session.zip
      myogestic-tui verify --quick sessions/*.session.zip
      myogestic-tui verify --jobs 2 sessions
      myogestic-tui verify --chain sessions/2026-05-17_14-23-05.session.zip
    """
    from ..session.format.regular_files import is_regular

    level: Level = "quick" if quick else "full"
    progress = Progress()
    between: dict[Path, list[Finding]] = {}
    if chain:
        if dask is not None or len(paths) > 1:
            raise click.UsageError("--chain takes one session of the chain, or the folder that holds it, and no --dask")
        paths, between = _chain(paths[0])
    if dask is not None or any("://" in one for one in paths):
        if jobs > 1:
            raise click.UsageError("--jobs is for sessions of this computer; leave it out with --dask and with URLs")
        return _verify_elsewhere(paths, level, dask, progress, as_json)

    def check(path: Path) -> Summary:
        if not path.is_dir() and not is_regular(path):
            return _no_file(path, level)
        outcome = with_findings(outcome_of(path), between.get(path, []))
        summary = with_verification(load_summary(path), outcome)
        remember_outcome(path, outcome)
        return summary

    sessions = tuple(_sessions_of(paths))
    with _checkers(sessions, level, jobs, progress) as outcome_of:
        return on_each_path(sessions, check, session_lines, progress=progress, as_json=as_json, good=_is_whole)


@contextmanager
def _checkers(
    sessions: tuple[Path, ...], level: Level, jobs: int, progress: Progress
) -> Iterator[Callable[[Path], Verification]]:
    """What gives the outcome of each session: this process, or child processes that work ahead."""
    from ..session import verify_session

    if jobs == 1 or len(sessions) == 1:
        yield lambda path: verify_session(path, level, progress=progress.share(f"verifying {path}"))
        return
    from concurrent.futures import ThreadPoolExecutor

    from msgspec import convert

    from ..msgspec_types import prepared
    from ..session import Verification
    from ..session.library.jobs import Job, start_job

    started: list[Job] = []

    def verify_in_child(path: Path) -> Verification:
        job = start_job("verify" if level == "full" else "quick-verify", path, {"findings": "all"})
        started.append(job)
        return convert(job.wait(), prepared(Verification))

    def wait_for(path: Path) -> Verification:
        progress.show(f"verifying {path}")
        return outcomes[path].result()

    with ThreadPoolExecutor(jobs) as pool:
        outcomes = {path: pool.submit(verify_in_child, path) for path in sessions}
        try:
            yield wait_for
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            for job in started:
                job.cancel()


def _chain(path: str) -> tuple[tuple[str, ...], dict[Path, list[Finding]]]:
    """The sessions of a chain, and what is wrong between them."""
    from pathlib import Path

    from ..errors import ConfigError
    from ..session.library.chain import chain_members, link_findings

    members = chain_members(Path(path))
    if not members:
        raise ConfigError(f"{path} belongs to no chain; leave --chain out")
    return tuple(str(member.path) for member in members), link_findings(members)


def _sessions_of(paths: tuple[str, ...]) -> Iterator[Path]:
    from ..session.reading.session_states import sessions_at

    for path in paths:
        found = sessions_at(path)
        if not found:
            raise SessionError(f"{path} holds no session")
        yield from found


def with_findings(outcome: Verification, found: list[Finding]) -> Verification:
    """An outcome with what was found of the chain."""
    from msgspec.structs import replace

    ok = outcome.ok and not any(finding.kind == "damage" for finding in found)
    return replace(outcome, ok=ok, findings=[*found, *outcome.findings])


def _is_whole(summary: Summary) -> bool:
    return bool(summary.verified and summary.verified.ok)


def _verify_elsewhere(paths: tuple[str, ...], level: str, dask: str | None, progress: Progress, as_json: bool) -> int:
    """Verify by a cluster, or what is behind URLs."""
    from ..session.dask_cluster import on_each, verify_one
    from ..session.reading.find_sessions import find_sessions

    sessions = find_sessions(paths)
    outcomes = on_each(dask, verify_one, sessions, level)

    def outcome(_: str) -> Summary:
        found = next(outcomes)[1]
        if isinstance(found, MyoGesticError):
            raise found
        return found

    return on_each_path(sessions, outcome, session_lines, progress=progress, as_json=as_json, good=_is_whole)


def remember_outcome(path: Path, outcome: Verification) -> None:
    """Keep the outcome in the catalog of the sessions folder, if the session is in one."""
    from ..session.format.layout import STATE_FOLDER
    from ..session.library.catalog import Catalog

    if (path.parent / STATE_FOLDER).is_dir():
        Catalog(path.parent).remember_verified(path, outcome)


def _no_file(path: Path, level: Level) -> Summary:
    """What is called an archive and is a FIFO, a device, or a link to nothing: one row, as of any that is damaged."""
    from ..session import Verification
    from ..session.format.findings import damage
    from ..session.format.summary import Summary

    found = damage(f"{path.name} is no regular file; move it out of there")
    return with_verification(
        Summary(path=str(path), state="damaged"), Verification(level=level, ok=False, findings=[found])
    )
