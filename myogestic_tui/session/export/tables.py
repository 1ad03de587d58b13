"""What exports to tables share: a file for each stream and one for the labels, and what stands in their columns."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..format.layout import safe_name
from ..reading.frames import sample_classes
from .common import Exported, Partial, as_folder, claim, class_label, session_stem, tell_about_clock
from .electrodes import COLUMNS, electrode_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from os import PathLike

    import numpy as np
    from numpy.typing import NDArray

    from ..reading.reader import SessionReader
    from ..signal.streamdata import StreamData


def table_files(
    session: SessionReader, destination: str | PathLike[str], streams: Sequence[str] | None, suffix: str
) -> list[Path]:
    """A file for each stream, then one for the labels, and one for electrodes whose places are known."""
    folder = as_folder(Path(destination), f"{suffix} makes several, so name a folder")
    ends = [safe_name(name) for name in (session.streams if streams is None else streams)]
    names = ["labels", "electrodes"] if electrode_rows(session, streams) else ["labels"]
    ends += [f"{one}_of_session" if one in ends else one for one in names]
    return [folder / f"{session_stem(session.path)}_{end}.{suffix}" for end in ends]


def export_tables(
    session: SessionReader,
    files: list[Path],
    streams: Sequence[str] | None,
    *,
    overwrite: bool,
    write_stream: Callable[[Path, StreamData], None],
    write_table: Callable[[Path, dict[str, list[Any]]], None],
) -> Exported:
    """Write ``files``, which `table_files` gave: streams by ``write_stream``, what else there is by ``write_table``.

    Raises
    ------
    ConfigError
        A file is there already.
    UnknownStreamError
        The session has no such stream.
    """
    out = Exported()
    claim(files, overwrite)
    for name, path in zip(session.streams if streams is None else streams, files, strict=False):
        with Partial(path) as partial:
            write_stream(partial, session.stream_data(name))
        tell_about_clock(session, name, out)
        out.paths.append(path)
    electrodes = electrode_rows(session, streams)
    tables = [label_columns(session)]
    tables += [{column: [row[column] for row in electrodes] for column in COLUMNS}] if electrodes else []
    for table, path in zip(tables, files[-len(tables) :], strict=True):
        with Partial(path) as partial:
            write_table(partial, table)
        out.paths.append(path)
    return out


def sample_blocks(
    session: SessionReader, stream: StreamData
) -> Iterator[tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64], NDArray[Any]]]:
    """Raw and corrected times, classes and rows of a stream, a block at a time."""
    for start, rows in stream.data_blocks():
        raw, found = stream.raw_times(start, start + len(rows)), stream.timeline
        yield raw, found.corrected(raw, start), sample_classes(session, stream, start, len(rows)), rows


def label_columns(session: SessionReader) -> dict[str, list[Any]]:
    """The table of labels, by column; a label of class -1 has no name."""
    track = session.label_track
    return {
        "time": [event.timestamp for event in track],
        "class_index": [event.class_index for event in track],
        "class_name": [class_label(session, event.class_index) if event.class_index >= 0 else "" for event in track],
        "bad": [event.bad for event in track],
        "uncertainty_s": [event.uncertainty_s for event in track],
        "source": [event.source for event in track],
    }
