"""Parquet by pyarrow: every stream exactly, a file each, with corrected and raw time and the class of each sample."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...extras import needed
from ..format.meta import encode_meta
from ..reading.frames import distinct_channels
from .tables import export_tables, sample_blocks, table_files

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike
    from pathlib import Path

    from ..reading.reader import SessionReader
    from ..signal.streamdata import StreamData
    from .common import Exported


def export_parquet(
    session: SessionReader,
    destination: str | PathLike[str],
    streams: Sequence[str] | None = None,
    *,
    overwrite: bool = False,
) -> Exported:
    """Write ``<session>_<stream>.parquet`` for each stream, ``…_labels.parquet``, perhaps ``…_electrodes.parquet``.

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
    needed("pyarrow", "frames", "exporting to parquet")
    about = {b"myogestic_tui": encode_meta(session.meta)}
    out = export_tables(
        session,
        plan_parquet(session, destination, streams),
        streams,
        overwrite=overwrite,
        write_stream=lambda path, stream: _write_stream(path, session, stream, about),
        write_table=lambda path, columns: _write_table(path, columns, about),
    )
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
        for raw, times, classes, rows in sample_blocks(session, stream):
            columns = [times, raw, classes, *rows.T]
            arrays = [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
            writer.write_batch(pa.record_batch(arrays, schema))


_KINDS = {
    "bad": "bool_",
    **dict.fromkeys(("class_name", "source", "stream", "name", "grid", "muscle", "side"), "string"),
    **dict.fromkeys(("class_index", "channel", "row", "column"), "int64"),
}
"""Of the columns of tables, where they are no numbers with a fraction."""


def _write_table(path: Path, columns: dict[str, list[Any]], about: dict[bytes, bytes]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    arrays = [pa.array(values, getattr(pa, _KINDS.get(name, "float64"))()) for name, values in columns.items()]
    pq.write_table(pa.table(arrays, list(columns)).replace_schema_metadata(about), path)
