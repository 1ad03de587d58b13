"""Parquet by pyarrow: every stream exactly, a file each, with corrected and raw time and the class of each sample."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec

from ...extras import needed
from ..reading.frames import distinct_channels, sample_classes
from .common import Exported, Partial, claim, class_label, tell_about_clock
from .csv_npz import table_files

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike
    from pathlib import Path

    from ..reading.reader import SessionReader
    from ..signal.streamdata import StreamData


def export_parquet(
    session: SessionReader,
    destination: str | PathLike[str],
    streams: Sequence[str] | None = None,
    *,
    overwrite: bool = False,
) -> Exported:
    """Write ``<session>_<stream>.parquet`` for each stream, and ``<session>_labels.parquet``.

    Columns: ``time`` (corrected, seconds on the recorder's clock), ``raw_time``, ``class_index`` (-1: unlabelled), then
    a channel each in the stream's dtype; units are metadata of the columns, the session's ``meta.json`` that of the
    file (key ``myogestic_tui``). Memory: a block.

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
        A file is there already, or pyarrow is not installed.
    UnknownStreamError
        The session has no such stream.
    """
    out, wanted = Exported(), session.streams if streams is None else streams
    needed("pyarrow", "frames", "exporting to parquet")
    files = plan_parquet(session, destination, streams)
    claim(files, overwrite)
    about = {b"myogestic_tui": json.dumps(msgspec.to_builtins(session.meta)).encode()}
    for name, path in zip(wanted, files, strict=False):
        with Partial(path) as partial:
            _write_stream(partial, session, session.stream_data(name), about)
        tell_about_clock(session, name, out)
        out.paths.append(path)
    with Partial(files[-1]) as partial:
        _write_labels(partial, session, about)
    out.paths.append(files[-1])
    out.remark("parquet holds no clock offsets; gaps show in the column time")
    return out


def plan_parquet(
    session: SessionReader, destination: str | PathLike[str], streams: Sequence[str] | None = None
) -> list[Path]:
    """Where `export_parquet` writes to: a file for each stream, then that of the labels."""
    return table_files(session, destination, streams, "parquet")


def _write_stream(path: Path, session: SessionReader, stream: StreamData, about: dict[bytes, bytes]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    info, own = stream.info, ("time", "raw_time", "class_index")
    kind = pa.string() if info.is_string else pa.from_numpy_dtype(info.np_dtype)
    units = info.units or ("",) * info.n_channels
    names = distinct_channels([*own, *info.names])[len(own) :]
    fields = [pa.field("time", pa.float64()), pa.field("raw_time", pa.float64()), pa.field("class_index", pa.int64())]
    fields += [pa.field(name, kind, metadata={"unit": unit}) for name, unit in zip(names, units, strict=True)]
    schema = pa.schema(fields, about)
    with pq.ParquetWriter(path, schema) as writer:
        for start, rows in stream.data_blocks():
            stop = start + len(rows)
            columns: list[Any] = [stream.corrected(start, stop), stream.raw_times(start, stop)]
            columns += [sample_classes(session, stream, start, len(rows)), *rows.T]
            arrays = [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
            writer.write_batch(pa.record_batch(arrays, schema))


def _write_labels(path: Path, session: SessionReader, about: dict[bytes, bytes]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    track = session.label_track
    names = [class_label(session, event.class_index) if event.class_index >= 0 else "" for event in track]
    table = pa.table(
        {
            "time": pa.array([event.timestamp for event in track], pa.float64()),
            "class_index": pa.array([event.class_index for event in track], pa.int64()),
            "class_name": pa.array(names, pa.string()),
            "bad": pa.array([event.bad for event in track], pa.bool_()),
            "uncertainty_s": pa.array([event.uncertainty_s for event in track], pa.float64()),
            "source": pa.array([event.source for event in track], pa.string()),
        }
    )
    pq.write_table(table.replace_schema_metadata(about), path)
