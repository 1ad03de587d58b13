"""`export` and `replay`: sessions for other tools."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from typing import Any

import click

from ..errors import MyoGesticError
from ..session.export import FORMATS
from .options import LocalSession, SessionPath, dask_option, json_option
from .output import Progress, clock, print_json, remark

SESSION = LocalSession()


@click.command()
@click.argument("paths", nargs=-1, required=True, type=SessionPath())
@click.option("--to", type=click.Choice(FORMATS), required=True, help="Format.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), default="exports", show_default=True, help="Folder or file."
)
@click.option("--stream", "streams", multiple=True, help="Only this stream; may be repeated.")
@click.option("--overwrite", is_flag=True, help="Replace files that are there.")
@click.option("--subject", help="bids: whose it is, instead of what the session says.")
@click.option("--task", help="bids: the task, instead of what the session says.")
@click.option("--run", type=click.IntRange(min=0), help="bids: the run, instead of the session's take.")
@click.option("--fill", type=click.FloatRange(min=0), help="fif, edf, bdf, bids: fill gaps of up to so many seconds.")
@click.option("--split", is_flag=True, help="fif, edf, bdf: one file for each part between gaps, nothing filled.")
@dask_option
@json_option
def export(
    paths: tuple[str, ...],
    to: str,
    output: Path,
    streams: tuple[str, ...],
    overwrite: bool,
    subject: str | None,
    task: str | None,
    run: int | None,
    fill: float | None,
    split: bool,
    dask: str | None,
    as_json: bool,
) -> int:
    """Write sessions in the format of another tool. What the format cannot hold is said on stderr.

    A PATH is a session, a folder of sessions, or a URL of either (extra [remote]). xdf is what LabRecorder writes. fif,
    edf, bdf and bids need the extra [export].

    \b
    Examples:
      myogestic-tui export sessions/2026-05-17_14-23-05.session.zip --to xdf
      myogestic-tui export sessions/2026-05-17_14-23-05.session.zip --to csv --stream emg
      myogestic-tui export sessions --to edf --dask tcp://10.0.0.5:8786
    """
    from ..session.cluster import export_each, find_sessions

    files, losses, failed = [], [], False
    sessions, target = find_sessions(paths), str(output.absolute())
    options: dict[str, Any] = {"subject": subject, "task": task, "run": run} if to == "bids" else {}
    options |= _gap_options(to, fill, split)
    if to != "bids" and (subject, task, run) != (None, None, None):
        raise click.UsageError("--subject, --task and --run are for --to bids")
    for path, done in export_each(dask, sessions, to, target, streams or None, overwrite=overwrite, **options):
        if isinstance(done, MyoGesticError):
            if len(sessions) == 1:
                raise done
            remark(f"{path}: {done}")
            failed = True
            continue
        files += [str(file) for file in done.paths]
        losses += [loss for loss in done.remarks if loss not in losses]
    for loss in losses:
        remark(loss)
    if as_json:
        print_json({"paths": files, "remarks": losses})
    else:
        click.echo("\n".join(files))
    return int(failed)


def _gap_options(to: str, fill: float | None, split: bool) -> dict[str, Any]:
    if split and to not in ("fif", "edf", "bdf"):
        raise click.UsageError("--split is for --to fif, edf and bdf")
    if fill is not None and to not in ("fif", "edf", "bdf", "bids"):
        raise click.UsageError("--fill is for --to fif, edf, bdf and bids; the other formats fill no gaps")
    return ({"split": True} if split else {}) | ({} if fill is None else {"fill": fill})


@click.command()
@click.argument("path", type=SESSION)
@click.option("--stream", "streams", multiple=True, help="Only this stream; may be repeated.")
@click.option(
    "--speed", type=click.FloatRange(min=0, min_open=True), default=1, show_default=True, help="1 is real time."
)
@click.option("--loop", is_flag=True, help="Begin again at the end, until Ctrl-C.")
@click.option("--suffix", default="-replay", show_default=True, help="Follows the name of every stream.")
@click.option("--wait", type=click.FloatRange(min=0), default=0, help="Seconds to wait for somebody to listen.")
def replay(path: Path, streams: tuple[str, ...], speed: float, loop: bool, suffix: str, wait: float) -> None:
    """Send a session as live LSL outlets: same layout, units and rates, new time stamps with the same spacing.

    \b
    Examples:
      myogestic-tui replay sessions/2026-05-17_14-23-05.session.zip
      myogestic-tui replay sessions/2026-05-17_14-23-05.session.zip --stream emg --loop
    """
    from ..session import open_session_store
    from ..sources.replay_outlets import Replay

    stop, progress = threading.Event(), Progress()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with (
        open_session_store(path) as session,
        Replay(session, streams or None, speed=speed, loop=loop, suffix=suffix) as sending,
    ):
        click.echo("\n".join(sending.names))
        length = clock(sending.length_s)
        if wait and not sending.wait_for_consumers(wait):
            remark(f"nobody listens after {wait:g} s; sending all the same")
        sending.run(stop, lambda at: progress.show(f"{clock(at)} of {length}"))
        progress.clear()
