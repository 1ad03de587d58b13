"""`myogestic-tui windows`: from sessions to arrays for training."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from ..errors import ConfigError, DiskError
from .options import SessionPath, dask_option, json_option
from .output import print_json

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@click.command()
@click.argument("paths", nargs=-1, required=True, type=SessionPath())
@click.option("--stream", default="emg", show_default=True, help="Stream to cut.")
@click.option("--win", type=float, default=0.2, show_default=True, help="Length of a window in seconds.")
@click.option("--hop", type=float, default=0.1, show_default=True, help="From one window to the next, in seconds.")
@click.option("--class", "classes", type=int, multiple=True, help="Only this class index; may be repeated.")
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
    help="File to write.",
)
@click.option("--overwrite", is_flag=True, help="Replace a file that is there.")
@dask_option
@json_option
def windows(
    paths: tuple[str, ...],
    stream: str,
    win: float,
    hop: float,
    classes: tuple[int, ...],
    bad: bool,
    any_source: bool,
    times: Literal["sample", "raw"],
    output: Path,
    overwrite: bool,
    dask: str | None,
    as_json: bool,
) -> None:
    """Cut labelled windows for training: X, y and groups in one .npz file, which numpy.load opens.

    A PATH is a session, a folder of sessions, or a URL of either (extra [remote]). X is (n_windows, n_channels,
    n_samples); y the class indices; groups numbers the trials, for grouped cross-validation.

    \b
    Examples:
      myogestic-tui windows sessions --stream emg --win 0.2 --hop 0.1
      myogestic-tui windows sessions -o grasp.npz --dask tcp://10.0.0.5:8786
    """
    import numpy as np

    from ..session.dask_cluster import find_sessions
    from ..session.export.common import Partial

    if output.exists() and not overwrite:
        raise ConfigError(f"{output} is there already; name another with -o, or give --overwrite")
    arguments = (find_sessions(paths), stream, win, hop, set(classes) or None)
    how: dict[str, Any] = {"include_bad": bad, "times": times, "any_source": any_source}
    X, y, groups = _here(arguments, how) if dask is None else _on_cluster(dask, arguments, how)
    try:
        with Partial(output) as partial, partial.open("wb") as file:
            np.savez(file, X=X, y=y, groups=groups)
    except OSError as error:
        raise DiskError(f"{output} cannot be written: {error.strerror or error}") from error
    facts = {"path": str(output), "n_windows": len(y), "shape": list(X.shape), "classes": np.unique(y).tolist()}
    print_json(facts) if as_json else click.echo(f"{output}  {X.shape[0]} windows of {X.shape[1]} x {X.shape[2]}")


def _here(arguments: tuple[Any, ...], how: dict[str, Any]) -> tuple[NDArray[Any], NDArray[np.int64], NDArray[np.int64]]:
    from ..session import labeled_windows

    return labeled_windows(*arguments, **how)


def _on_cluster(
    address: str, arguments: tuple[Any, ...], how: dict[str, Any]
) -> tuple[NDArray[Any], NDArray[np.int64], NDArray[np.int64]]:
    from ..session.dask_cluster import cluster_client
    from ..session.window_sets import gathered_windows

    with cluster_client(address) as client, client.as_current():
        return gathered_windows(*arguments, **how)
