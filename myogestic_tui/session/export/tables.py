"""What exports to tables share: a file for each stream and one for the labels, and what stands in their columns."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..format.layout import safe_name
from ..reading.frames import sample_classes
from .common import Exported, Partial, as_folder, claim, class_label, session_stem, tell_about_clock

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
    """A file for each stream, then one for the labels."""
    folder = as_folder(Path(destination), f"{suffix} makes several, so name a folder")
    ends = [safe_name(name) for name in (session.streams if streams is None else streams)]
    ends.append("labels" if "labels" not in ends else "labels_of_session")
    return [folder / f"{session_stem(session.path)}_{end}.{suffix}" for end in ends]


def export_tables(
    session: SessionReader,
    files: list[Path],
    streams: Sequence[str] | None,
    *,
    overwrite: bool,
    write_stream: Callable[[Path, StreamData], None],
    write_labels: Callable[[Path], None],
) -> Exported:
    """Write ``files``, which `table_files` gave: each stream by ``write_stream``, the labels by ``write_labels``.

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
    with Partial(files[-1]) as partial:
        write_labels(partial)
    out.paths.append(files[-1])
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
