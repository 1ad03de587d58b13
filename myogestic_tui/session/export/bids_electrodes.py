"""Electrodes of a recording in BIDS: positions on their grids, and which muscle each channel is of."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from .bids_kinds import beside, entity
from .electrodes import electrodes_of
from .tsv import UNKNOWN, read_json, read_tsv, write_json, write_tsv

if TYPE_CHECKING:
    from pathlib import Path

    from ...montage import ChannelGrid
    from ..reading.reader import SessionReader
    from .electrodes import Electrode

_COLUMNS = ("name", "x", "y", "z", "coordinate_system", "group")
_OF_CHANNELS = ("signal_electrode", "group", "target_muscle", "interelectrode_distance")
_AXES = "x: along the rows of the grid, y: along its columns, both from row 1, column 1"


def write_electrodes(session: SessionReader, name: str, file: Path) -> None:
    """``…_electrodes.tsv`` with a ``…_coordsystem.json`` for each grid, and what ``…_channels.tsv`` says of channels.

    Single electrodes have a muscle and no position. Without a montage nothing is written. Each run has a table of its
    own: one for all runs of a subject would hold for those, too, of which nobody told where electrodes were.
    """
    electrodes = electrodes_of(session.stream_info(name))
    channels = beside(file, "channels.tsv")
    rows = read_tsv(channels)
    named = {row["name"]: electrodes[place] for place, row in enumerate(rows) if place in electrodes}
    if not named:
        return
    for row in rows:
        row.update(_of_channel(row["name"], named.get(row["name"])))
    write_tsv(channels, [*(column for column in rows[0] if column not in _OF_CHANNELS), *_OF_CHANNELS], rows)
    grids = {one.grid.label: one.grid for one in named.values() if one.has_place}
    spaces = {label: _write_space(file, grid) for label, grid in grids.items()}
    table = [_row(name, one, spaces[one.grid.label]) for name, one in named.items() if one.has_place]
    if table:
        write_tsv(beside(file, "electrodes.tsv"), _COLUMNS, table)
    _write_distance(file, [one.grid.distance_mm for one in named.values()])


def _of_channel(name: str, one: Electrode | None) -> dict[str, str]:
    if one is None:
        return dict.fromkeys(_OF_CHANNELS, UNKNOWN)
    distance = "" if one.grid.distance_mm is None else f"{one.grid.distance_mm:g}"
    values = (name, one.grid.label, one.grid.where, distance)
    return {column: value or UNKNOWN for column, value in zip(_OF_CHANNELS, values, strict=True)}


def _row(name: str, one: Electrode, space: str) -> dict[str, Any]:
    x, y = (one.column, one.row) if one.x_mm is None or one.y_mm is None else (one.x_mm, one.y_mm)
    return {
        "name": name,
        "x": f"{x:g}",
        "y": f"{y:g}",
        "coordinate_system": space,
        "group": one.grid.label,
    }


def _entities(file: Path) -> tuple[str, str]:
    """``sub-P07``, and ``_recording-emg2`` where there is one."""
    recording = re.search(r"_recording-[A-Za-z0-9]+", file.name)
    return file.name.partition("_")[0], recording[0] if recording else ""


def _write_space(file: Path, grid: ChannelGrid) -> str:
    """The coordinate system of a grid, shared by the runs of a subject that have the same one; returns its label."""
    known = grid.distance_mm is not None
    about = {
        "EMGCoordinateSystem": "Other",
        "EMGCoordinateUnits": "mm" if known else UNKNOWN,
        "EMGCoordinateSystemDescription": _AXES if known else f"{_AXES}; in electrodes, whose distance is unknown",
    }
    wanted = space = entity(grid.label, "grid")
    for number in range(2, 1000):
        path = _space_file(file, space)
        if not path.exists() or read_json(path) == about:
            break
        space = f"{wanted}{number}"
    write_json(_space_file(file, space), about)
    return space


def _space_file(file: Path, space: str) -> Path:
    who, recording = _entities(file)
    return file.with_name(f"{who}{recording}_space-{space}_coordsystem.json")


def _write_distance(file: Path, distances: list[float | None]) -> None:
    """In the sidecar where it is one for all electrodes."""
    if len(set(distances)) == 1 and distances[0] is not None:
        sidecar = file.with_suffix(".json")
        write_json(sidecar, {**read_json(sidecar), "InterelectrodeDistance": distances[0]})
