"""CSV and NPZ: every stream as it is, with corrected and raw time and the class of each sample."""

from __future__ import annotations

import csv
import zipfile
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from ..format.meta import encode_meta
from ..reading.frames import sample_classes
from .common import Exported, Partial, claim, single_target, tell_about_clock
from .tables import export_tables, sample_blocks, table_files

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike

    from numpy.typing import NDArray

    from ..reading.reader import SessionReader
    from ..signal.streamdata import StreamData


_PARTS = {"raw_time": np.float64, "time": np.float64, "class_index": np.int64}
"""What belongs to each sample of a stream, in an array of its own."""


def export_csv(
    session: SessionReader,
    destination: str | PathLike[str],
    streams: Sequence[str] | None = None,
    *,
    overwrite: bool = False,
) -> Exported:
    """Write ``<session>_<stream>.csv`` for each stream, ``…_labels.csv``, and with a montage ``…_electrodes.csv``.

    Columns: ``time`` (corrected, seconds on the recorder's clock), ``raw_time``, ``class_index`` (-1: unlabelled), then
    a channel each, named with its unit. Numbers are written so that they read back to the same bits. Memory: a block.

    Parameters
    ----------
    session
        An open session.
    destination
        A folder.
    streams
        Which streams; None is all.
    overwrite
        Replace files that are there.

    Raises
    ------
    ConfigError
        A file is there already.
    UnknownStreamError
        The session has no such stream.
    """
    out = export_tables(
        session,
        plan_csv(session, destination, streams),
        streams,
        overwrite=overwrite,
        write_stream=lambda path, stream: _write_stream(path, session, stream),
        write_table=_write_table,
    )
    out.remark("csv holds no clock offsets and no metadata beyond names and units; gaps show in the column time")
    return out


def plan_csv(
    session: SessionReader, destination: str | PathLike[str], streams: Sequence[str] | None = None
) -> list[Path]:
    """Where `export_csv` writes to: a file for each stream, then that of the labels."""
    return table_files(session, destination, streams, "csv")


def _write_stream(path: Path, session: SessionReader, stream: StreamData) -> None:
    units = stream.info.units or ("",) * stream.info.n_channels
    channels = [f"{name} [{unit}]" if unit else name for name, unit in zip(stream.info.names, units, strict=True)]
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["time", "raw_time", "class_index", *channels])
        for raw, times, classes, rows in sample_blocks(session, stream):
            columns = zip(times.tolist(), raw.tolist(), classes.tolist(), _exact(rows), strict=True)
            writer.writerows([time, stamp, index, *row] for time, stamp, index, row in columns)


def _write_table(path: Path, columns: dict[str, list[Any]]) -> None:
    if "bad" in columns:
        columns["bad"] = [int(bad) for bad in columns["bad"]]
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))


def _exact(rows: NDArray[Any]) -> list[list[Any]]:
    """Values that ``str`` writes in as few digits as read back to the same bits of their own dtype."""
    if rows.dtype == np.float32:
        texts: list[list[Any]] = rows.astype("U16").tolist()
        return texts
    plain: list[list[Any]] = rows.tolist()
    return plain


def export_npz(
    session: SessionReader,
    destination: str | PathLike[str],
    streams: Sequence[str] | None = None,
    *,
    overwrite: bool = False,
) -> Exported:
    """Write one NumPy archive, which ``numpy.load`` opens without pickle.

    For each stream ``<stream>`` (``(n_samples, n_channels)``, bit for bit), ``<stream>_time`` (corrected),
    ``<stream>_raw_time``, ``<stream>_clock`` and ``<stream>_class_index`` (-1: unlabelled); ``label_time``,
    ``label_class_index``, ``label_bad``, ``class_names``; ``meta``, the session's ``meta.json`` as text. Text becomes
    NumPy strings of fixed length. Memory: a block.

    Parameters, errors as `export_csv`, but ``destination`` is a file ending in ``.npz``, or a folder.
    """
    out = Exported()
    [path] = files = plan_npz(session, destination, streams)
    claim(files, overwrite)
    with Partial(path) as partial, zipfile.ZipFile(partial, "w", allowZip64=True) as archive:
        labels = _label_arrays(session)
        taken = set(labels)
        for name in session.streams if streams is None else streams:
            stream = session.stream_data(name)
            stem = _free_stem(stream.name, taken)
            if stem != stream.name:
                out.remark(f"{name} is called {stem} in the file: what belongs to another array has its name")
            _pack_stream(archive, session, stream, stem)
            tell_about_clock(session, name, out)
        for key, value in labels.items():
            with archive.open(f"{key}.npy", "w") as file:
                np.lib.format.write_array(file, value, allow_pickle=False)
    out.paths.append(path)
    return out


def plan_npz(
    session: SessionReader,
    destination: str | PathLike[str],
    streams: Sequence[str] | None = None,  # noqa: ARG001 (as the other formats' plans)
) -> list[Path]:
    """Where `export_npz` writes to."""
    return [single_target(session, Path(destination), ".npz")]


def _label_arrays(session: SessionReader) -> dict[str, NDArray[Any]]:
    track = session.label_track
    return {
        "label_time": np.array([event.timestamp for event in track], np.float64),
        "label_class_index": np.array([event.class_index for event in track], np.int64),
        "label_bad": np.array([event.bad for event in track], bool),
        "class_names": np.array(session.class_names, np.str_),
        "meta": np.array(encode_meta(session.meta).decode()),
    }


def _free_stem(name: str, taken: set[str]) -> str:
    """A stream's name, or one with a number behind it: so that no array has another one's name."""
    stem, number = name, 1
    while taken.intersection(keys := {stem, *(f"{stem}_{part}" for part in _PARTS), f"{stem}_clock"}):
        number += 1
        stem = f"{name}_{number}"
    taken |= keys
    return stem


def _pack_stream(archive: zipfile.ZipFile, session: SessionReader, stream: StreamData, stem: str) -> None:
    n, dtype = stream.n_samples, stream.info.np_dtype
    if stream.info.is_string:
        longest = max((len(text) for _, rows in stream.data_blocks() for text in rows.ravel().tolist()), default=0)
        dtype = np.dtype(f"<U{max(1, longest)}")
    with _member(archive, stem, (n, stream.info.n_channels), dtype) as file:
        for _, rows in stream.data_blocks():
            file.write(np.ascontiguousarray(rows.astype(dtype, copy=False)).tobytes())
    for key, kind in _PARTS.items():
        with _member(archive, f"{stem}_{key}", (n,), np.dtype(kind)) as file:
            for start, count in stream.blocks():
                values = _part(session, stream, key, start, count)
                file.write(values.astype(kind, copy=False).tobytes())
    clock = session.stream(stream.name).clock
    with archive.open(f"{stem}_clock.npy", "w") as file:
        rows = np.empty((0, 4)) if clock is None else clock.rows(0, clock.n_rows)
        np.lib.format.write_array(file, np.ascontiguousarray(rows, np.float64), allow_pickle=False)


def _part(session: SessionReader, stream: StreamData, key: str, start: int, n: int) -> NDArray[Any]:
    if key == "raw_time":
        return stream.raw_times(start, start + n)
    return stream.corrected(start, start + n) if key == "time" else sample_classes(session, stream, start, n)


def _member(archive: zipfile.ZipFile, name: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> IO[bytes]:
    """A new member, with the header of an array whose bytes are written by the caller."""
    file = archive.open(f"{name}.npy", "w", force_zip64=True)
    header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)
    return file
