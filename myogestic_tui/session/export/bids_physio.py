"""ECG, EOG and the like beside the EMG as BIDS physio: on an even grid, as they are."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Any

from .even_grid import Grid, check_fill, start_of
from .tsv import UNKNOWN, number_text, write_json

if TYPE_CHECKING:
    from pathlib import Path

    from ..reading.reader import SessionReader


def write_physio(session: SessionReader, name: str, file: Path, reference: Grid, fill: float | None) -> None:
    """``…_physio.tsv.gz`` with its sidecar.

    Samples are on a grid at the nominal rate, ``n/a`` where some are missing. ``StartTime`` is when the first one was
    taken, in seconds from the first one of ``reference``.

    Raises
    ------
    ConfigError
        A gap is too long to be filled.
    """
    data = session.stream_data(name)
    grid = Grid(data)
    check_fill(grid, fill)
    # No name and no time within: the same samples give the same file.
    with open(file, "wb") as raw, gzip.GzipFile("", "wb", mtime=0, fileobj=raw) as out:
        done = 0
        for place, rows in grid.blocks():
            gap = "\t".join([UNKNOWN] * data.info.n_channels) + "\n"
            lines = [gap * (place - done)] + ["\t".join(map(number_text, row)) + "\n" for row in rows.tolist()]
            out.write("".join(lines).encode())
            done = place + len(rows)
    write_json(file.with_name(file.name.replace(".tsv.gz", ".json")), _sidecar(session, name, grid, reference))


def _sidecar(session: SessionReader, name: str, grid: Grid, reference: Grid) -> dict[str, Any]:
    info = grid.stream.info
    units = info.units or ("",) * info.n_channels
    return {
        "SamplingFrequency": info.fs,
        "StartTime": round(start_of(session, grid) - start_of(session, reference), 6),
        "Columns": list(info.names),
        "PhysioType": "generic",
        "Manufacturer": info.manufacturer or UNKNOWN,
        **{
            channel: {"Description": f"{session.stream(name).meta.name or name}, {info.type}", "Units": unit or UNKNOWN}
            for channel, unit in zip(info.names, units, strict=True)
        },
    }
