"""`myogestic-tui export`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import MyoGesticError
from ..session.export import FORMATS
from .options import LocalSession, SessionPath, dask_option, json_option, pass_settings
from .output import print_json, remark

if TYPE_CHECKING:
    from .settings import Settings

SESSION = LocalSession()


@click.command()
@click.argument("paths", nargs=-1, required=True, type=SessionPath())
@click.option("--to", type=click.Choice(FORMATS), required=True, help="Format.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), default="exports", show_default=True, help="Folder or file."
)
@click.option("--stream", "streams", multiple=True, help="Only this stream; may be repeated.")
@click.option("--overwrite", is_flag=True, help="Replace files that are there.")
@click.option("--subject", help="bids: subject label (default: from the session).")
@click.option("--task", help="bids: task label (default: from the session).")
@click.option("--run", type=click.IntRange(min=0), help="bids: run number (default: the session's take).")
@click.option("--fill", type=click.FloatRange(min=0), help="fif, edf, bdf, bids: fill gaps of up to so many seconds.")
@click.option("--split", is_flag=True, help="fif, edf, bdf: one file for each part between gaps, nothing filled.")
@click.option("--author", "authors", multiple=True, help="bids: an author of the dataset; may be repeated.")
@click.option("--license", "license_", help="bids: license of the dataset, such as CC0.")
@click.option("--task-description", help="bids: what the subjects did.")
@click.option(
    "--placement", type=click.Choice(["Measured", "ChannelSpecific", "Other"]), help="bids: how electrodes were placed."
)
@click.option("--placement-description", help="bids: placement in words.")
@click.option("--line-freq", type=click.FloatRange(min=0, min_open=True), help="bids: mains frequency in Hz.")
@click.option("--participant", "participants", multiple=True, help="bids: take field that is a participant's column.")
@click.option("--anonymize", type=click.IntRange(min=1), metavar="DAYS", help="bids: dates so many days earlier.")
@dask_option
@json_option
@pass_settings
def export(
    settings: Settings,
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
    authors: tuple[str, ...],
    license_: str | None,
    task_description: str | None,
    placement: str | None,
    placement_description: str | None,
    line_freq: float | None,
    participants: tuple[str, ...],
    anonymize: int | None,
    dask: str | None,
    as_json: bool,
) -> int:
    """Write sessions in the format of another tool. What the format cannot hold is reported on stderr.

    A PATH is a session, a folder of sessions, or a URL of either (extra [remote]). xdf is what LabRecorder writes. fif,
    edf, bdf and bids need the extra [export], nwb [nwb], parquet [frames]. What a BIDS dataset says
    beside that stands under [bids] in myogestic.toml.

    \b
    Examples:
      myogestic-tui export sessions/2026-05-17_14-23-05.session.zip --to xdf
      myogestic-tui export sessions/2026-05-17_14-23-05.session.zip --to csv --stream emg
      myogestic-tui export sessions --to bids -o dataset --line-freq 50 --license CC0
      myogestic-tui export sessions --to edf --dask tcp://10.0.0.5:8786
    """
    from ..session.dask_cluster import export_each
    from ..session.reading.find_sessions import find_sessions

    files, losses, failed = [], [], False
    sessions, target = find_sessions(paths), str(output.absolute())
    entities = {"subject": subject, "task": task, "run": run}
    about = {
        "authors": authors or None,
        "license": license_,
        "task_description": task_description,
        "placement": placement,
        "placement_description": placement_description,
        "line_freq": line_freq,
        "participants": participants or None,
        "anonymize": anonymize,
    }
    options = _gap_options(to, fill, split) | _bids_options(to, settings, entities, about)
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


def _bids_options(to: str, settings: Settings, entities: dict[str, Any], about: dict[str, Any]) -> dict[str, Any]:
    """Options of ``--to bids``; what the command line says of the dataset goes over the configuration."""
    from msgspec.structs import replace

    given = {key: value for key, value in about.items() if value is not None}
    if to == "bids":
        return {**entities, "about": replace(settings.config.bids, **given)}
    for key, value in (entities | given).items():
        if value is not None:
            option = {"authors": "author", "participants": "participant"}.get(key, key).replace("_", "-")
            raise click.UsageError(f"--{option} is for --to bids")
    return {}


def _gap_options(to: str, fill: float | None, split: bool) -> dict[str, Any]:
    if split and to not in ("fif", "edf", "bdf"):
        raise click.UsageError("--split is for --to fif, edf and bdf")
    if fill is not None and to not in ("fif", "edf", "bdf", "bids"):
        raise click.UsageError("--fill is for --to fif, edf, bdf and bids; the other formats fill no gaps")
    return ({"split": True} if split else {}) | ({} if fill is None else {"fill": fill})
