"""`myogestic-tui windows`: from sessions to arrays for training."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from ..errors import ConfigError, DiskError, SessionError
from .options import SessionPath, dask_option, json_option
from .output import print_json

if TYPE_CHECKING:
    from ..session import Windows


@click.command()
@click.argument("paths", nargs=-1, required=True, type=SessionPath())
@click.option("--stream", default="emg", show_default=True, help="Stream to cut.")
@click.option("--win", type=float, default=0.2, show_default=True, help="Length of a window in seconds.")
@click.option("--hop", type=float, default=0.1, show_default=True, help="From one window to the next, in seconds.")
@click.option(
    "--class",
    "classes",
    multiple=True,
    help="Only this class, by name or index; may be repeated. Names in the order of y.",
)
@click.option("--skip-start", type=float, default=0.0, show_default=True, help="Leave out these seconds of each trial.")
@click.option("--delay", type=float, default=0.0, show_default=True, help="Labels hold so many seconds later.")
@click.option("--channels", default="good", show_default=True, help="good, all, or names or numbers (from 0): E1,E2.")
@click.option(
    "--on-nan",
    type=click.Choice(["drop", "keep", "raise"]),
    default="drop",
    show_default=True,
    help="What to do with windows that hold NaN or infinity.",
)
@click.option("--resample", type=float, metavar="HZ", help="Bring streams of other rates to this one.")
@click.option("--bad", is_flag=True, help="Also from trials marked bad.")
@click.option("--any-source", is_flag=True, help="Take sessions of several devices (source_id) together.")
@click.option(
    "--times",
    type=click.Choice(["sample", "raw"]),
    default="sample",
    show_default=True,
    help="raw: take the source's time stamps as they are; no window gets a label.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    default="windows.npz",
    show_default=True,
    help="File to write, .npz or .parquet.",
)
@click.option("--overwrite", is_flag=True, help="Replace a file that is there.")
@dask_option
@json_option
def windows(
    paths: tuple[str, ...],
    stream: str,
    win: float,
    hop: float,
    classes: tuple[str, ...],
    skip_start: float,
    delay: float,
    channels: str,
    on_nan: Literal["drop", "keep", "raise"],
    resample: float | None,
    bad: bool,
    any_source: bool,
    times: Literal["sample", "raw"],
    output: Path,
    overwrite: bool,
    dask: str | None,
    as_json: bool,
) -> None:
    """Cut labelled windows for training into one file, .npz or .parquet (extra [frames]).

    A PATH is a session, a folder of sessions, or a URL of either (extra [remote]). In .npz, X is (n_windows,
    n_channels, n_samples), y the class indices, class_names their names, groups the numbers of the trials; and for
    each window its session, subject, take, trial, trial_s (seconds since the label), start_s and error_s. In .parquet,
    a row is a window.

    \b
    Examples:
      myogestic-tui windows sessions --stream emg --win 0.2 --hop 0.1 --skip-start 0.3
      myogestic-tui windows sessions --class Rest --class Fist -o grasp.parquet
      myogestic-tui windows sessions -o grasp.npz --dask tcp://10.0.0.5:8786
    """
    import numpy as np

    from ..session.export.window_files import check_ending, write_windows

    check_ending(output)
    if output.exists() and not overwrite:
        raise ConfigError(f"{output} is there already; name another with -o, or give --overwrite")
    how = {
        "skip_start_s": skip_start,
        "delay_s": delay,
        "channels": _channels(channels),
        "on_nan": on_nan,
        "resample": resample,
        "include_bad": bad,
        "any_source": any_source,
        "times": times,
    }
    found = _cut(dask, (paths, stream, win, hop, _classes(classes)), how)
    if not len(found):
        raise SessionError(f"no window of {win:g} s: no trial is so long, or none is labelled; nothing was written")
    try:
        write_windows(found, output)
    except OSError as error:
        raise DiskError(f"{output} cannot be written: {error.strerror or error}") from error
    facts = {
        "path": str(output),
        "n_windows": len(found),
        "shape": list(found.X.shape),
        "classes": np.unique(found.y).tolist(),
        "class_names": list(found.class_names),
        "channel_names": list(found.channel_names),
        "sessions": np.unique(found.meta["session"]).tolist(),
        "subjects": np.unique(found.meta["subject"]).tolist(),
    }
    n_windows, n_channels, n = found.X.shape
    print_json(facts) if as_json else click.echo(f"{output}  {n_windows} windows of {n_channels} x {n}")


def _classes(given: tuple[str, ...]) -> list[str] | set[int] | None:
    """Names, or indices where all are numbers."""
    if all(one.removeprefix("-").isdecimal() for one in given):
        return {int(one) for one in given} or None
    return list(given)


def _channels(given: str) -> Any:
    if given in ("good", "all"):
        return "good" if given == "good" else None
    names = [one.strip() for one in given.split(",")]
    return [int(one) for one in names] if all(one.isdecimal() for one in names) else names


def _cut(address: str | None, arguments: tuple[Any, ...], how: dict[str, Any]) -> Windows:
    if address is None:
        from ..session import windows as cut

        return cut(*arguments, **how)
    from ..session.dask_cluster import cluster_client
    from ..session.window_sets import windows_on_cluster

    with cluster_client(address) as client, client.as_current():
        return windows_on_cluster(*arguments, **how)
