"""Streams as labelled tables: pandas, xarray."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import ConfigError
from ...extras import needed
from ...montage import grids_to_plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ...info import StreamInfo
    from ..signal.streamdata import StreamData
    from .open_session import OpenSession

EXTRA = "frames"


def sample_classes(session: OpenSession, stream: StreamData, start: int, n: int) -> NDArray[np.int64]:
    """``(n,)`` classes by the time when samples were taken; -1 where nothing tells how that lies to the labels."""
    times = stream.times(start, start + n)
    if stream.timeline.basis == "none":
        return np.full(n, -1)
    events = np.array([event.timestamp for event in session.label_track])
    indices = np.array([-1, *(event.class_index for event in session.label_track)], np.int64)
    found: NDArray[np.int64] = indices[np.searchsorted(events, times, side="right")]
    found[~np.isfinite(times)] = -1
    return found


def distinct_channels(names: Sequence[str]) -> list[str]:
    """Channel names, each once: a second ``EMG`` becomes ``EMG-2``, or the next that no other channel is called."""
    found: list[str] = []
    for name in names:
        taken = {*found, *names} if name in found else ()
        free = (f"{name}-{number}" for number in count(2) if f"{name}-{number}" not in taken)
        found.append(next(free) if taken else name)
    return found


def to_pandas(session: OpenSession, name: str) -> Any:
    """One stream as a `pandas.DataFrame`; see `SessionReader.to_pandas`."""
    pandas = needed("pandas", EXTRA, "a DataFrame")
    stream = session.stream_data(name)
    index = pandas.Index(stream.corrected(0, stream.n_samples), name="time")
    frame = pandas.DataFrame(
        stream.rows(0, stream.n_samples), index=index, columns=distinct_channels(stream.info.names)
    )
    frame.insert(0, "class_index", sample_classes(session, stream, 0, stream.n_samples))
    frame.attrs = _facts(session, stream)
    return frame


def to_xarray(session: OpenSession, streams: Sequence[str] | None) -> Any:
    """Streams as an `xarray.Dataset`; see `SessionReader.to_xarray`."""
    xarray = needed("xarray", EXTRA, "a Dataset")
    variables = {}
    for name in session.streams if streams is None else streams:
        stream = session.stream_data(name)
        n, stem = stream.n_samples, stream.name
        along = f"{stem}_time"
        coords = {
            along: stream.corrected(0, n),
            f"{stem}_channel": distinct_channels(stream.info.names),
            f"{stem}_raw_time": (along, stream.raw_times(0, n)),
            f"{stem}_class_index": (along, sample_classes(session, stream, 0, n)),
            **_grid_coordinates(stem, stream.info),
        }
        facts = _facts(session, stream)
        variables[stem] = xarray.DataArray(stream.rows(0, n), coords, (along, f"{stem}_channel"), stem, facts)
    track = session.label_track
    labels = {
        "label_class_index": ("label_time", np.array([event.class_index for event in track], np.int64)),
        "label_bad": ("label_time", np.array([event.bad for event in track], bool)),
    }
    if clash := sorted(variables.keys() & {*labels, "label_time"}):
        raise ConfigError(f"a stream is called {clash[0]}, as the labels are here; leave it out")
    times = {"label_time": np.array([event.timestamp for event in track], np.float64)}
    return xarray.Dataset(
        {**variables, **labels}, times, {"session": session.path.name, "classes": session.class_names}
    )


def _grid_coordinates(stem: str, info: StreamInfo) -> dict[str, Any]:
    """Label of the grid, row and column of each channel, where a montage tells them; -1 for those on none."""
    if not info.channel_grids:
        return {}
    labels, places = np.full(info.n_channels, "", object), np.full((2, info.n_channels), -1)
    for grid in info.channel_grids:
        for channel, *place in grid.places():
            labels[channel], places[:, channel] = grid.label, place
    along = f"{stem}_channel"
    found = {"grid": labels.astype(str), "row": places[0], "column": places[1]}
    return {f"{stem}_{what}": (along, values) for what, values in found.items()}


def _facts(session: OpenSession, stream: StreamData) -> dict[str, Any]:
    """What a table of one stream says of it."""
    info = stream.info
    return {
        "session": session.path.name,
        "fs": info.fs,
        "units": list(info.units or ()),
        "type": info.type,
        "source_id": info.source_id,
        "class_names": session.class_names,
        **grids_to_plain(info.channel_grids),
    }
