"""Windows in a file: NumPy's ``.npz``, or a table for pandas, polars, R (extra ``[frames]``)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import ConfigError
from ...extras import needed
from .common import Partial

if TYPE_CHECKING:
    from pathlib import Path

    from ..windowing.arrays import Windows


def write_windows(windows: Windows, path: Path) -> None:
    """Write windows with all that is known of them; the ending says how. The file is there when it is complete.

    Raises
    ------
    ConfigError
        The ending is another one than ``.npz`` or ``.parquet``, or pyarrow is not installed.
    OSError
        The disk refused.
    """
    writers = {".npz": _write_npz, ".parquet": _write_parquet}
    check_ending(path)
    with Partial(path) as partial:
        writers[path.suffix.lower()](windows, partial)


def check_ending(path: Path) -> None:
    """Raise ConfigError for a name that says of no file that can be written."""
    if path.suffix.lower() not in (".npz", ".parquet"):
        raise ConfigError(f"{path.name} ends in {path.suffix or 'nothing'}; write .npz or .parquet")


def _write_npz(windows: Windows, path: Path) -> None:
    """``X``, ``y``, ``class_names``, ``channel_names``, ``fs``, ``groups`` (trials), and the meta table's columns."""
    columns: dict[str, Any] = {name: windows.meta[name] for name in windows.meta.dtype.names or ()}
    with path.open("wb") as file:
        np.savez(
            file,
            X=windows.X,
            y=windows.y,
            class_names=np.array(windows.class_names, np.str_),
            channel_names=np.array(windows.channel_names, np.str_),
            fs=windows.fs,
            groups=windows.groups(),
            **columns,
        )


def _write_parquet(windows: Windows, path: Path) -> None:
    """A row for each window: the meta table, ``class_index``, ``class_name``, and a list of samples for each channel.

    Rate, class names and channel names are metadata of the file (key ``myogestic_tui``).
    """
    pyarrow = needed("pyarrow", "frames", "a Parquet file")
    parquet = needed("pyarrow.parquet", "frames", "a Parquet file")
    names = dict(enumerate(windows.class_names))
    columns = {name: windows.meta[name].tolist() for name in windows.meta.dtype.names or ()}
    columns |= {"class_index": windows.y, "class_name": [names.get(index, "") for index in windows.y.tolist()]}
    table = {name: pyarrow.array(values) for name, values in columns.items()}
    n = windows.X.shape[2]
    for number, channel in enumerate(windows.channel_names):
        flat = pyarrow.array(np.ascontiguousarray(windows.X[:, number]).reshape(-1))
        samples = pyarrow.FixedSizeListArray.from_arrays(flat, n)
        table[channel if channel not in table else f"channel {number + 1}"] = samples
    about = {"fs": windows.fs, "class_names": windows.class_names, "channel_names": windows.channel_names}
    made = pyarrow.table(table).replace_schema_metadata({b"myogestic_tui": json.dumps(about).encode()})
    parquet.write_table(made, path)
