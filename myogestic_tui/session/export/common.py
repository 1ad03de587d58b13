"""What all exports share: where files go, reports of losses, labels as spans, units, wall-clock time."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...errors import ConfigError, DiskError
from ...info import VOLTS
from ..format.layout import ARCHIVE_SUFFIX, safe_name
from ..format.time_remarks import clock_remarks
from ..format.time_summary import recorder_host
from ..format.wall_clock import start_anchor

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ...info import StreamInfo
    from ..format.meta import LabelEvent
    from ..reading.reader import SessionReader

LEAST_FS = 0.002
"""Hz below which formats of signal, whose times are counted in records of seconds, make no sense."""

_FILES = (".xdf", ".fif", ".edf", ".bdf", ".csv", ".npz", ".nwb", ".parquet")


@dataclass
class Exported:
    """What an export wrote, and what did not fit into the format."""

    paths: list[Path] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    """Every loss of precision or of information, a sentence each."""

    def remark(self, text: str) -> None:
        """Note a loss, once."""
        if text not in self.remarks:
            self.remarks.append(text)


def tell_about_clock(session: SessionReader, name: str, out: Exported) -> None:
    """Note what a stream's times rest on, how far wrong they may be, and whether its labels are as they were recorded,
    in the words of `info`.
    """
    if session.label_edits:
        out.remark(session.view.label_history.words)
    for text in clock_remarks(session.measured(name), recorder_host(session.meta)):
        out.remark(f"{name}: {text}")


@dataclass(frozen=True, slots=True)
class Span:
    """A label's time: from ``start`` to ``stop`` on the recorder's clock, in seconds."""

    start: float
    stop: float
    event: LabelEvent


def label_spans(session: SessionReader, end: float) -> list[Span]:
    """Labels with their ends: the next label's time, or ``end``. Those of class -1 only end the one before."""
    track = session.label_track
    stops = [event.timestamp for event in track[1:]] + [max(end, track[-1].timestamp)] if track else []
    return [
        Span(event.timestamp, stop, event) for event, stop in zip(track, stops, strict=True) if event.class_index >= 0
    ]


def class_label(session: SessionReader, index: int) -> str:
    """Name of a class; its number where it has none."""
    return session.class_names[index] if 0 <= index < len(session.class_names) else str(index)


def session_stem(path: Path) -> str:
    """Name of a session without the archive's suffix."""
    return path.name.removesuffix(ARCHIVE_SUFFIX)


def numeric_streams(session: SessionReader, streams: Sequence[str] | None, out: Exported) -> list[str]:
    """Streams that are signal at a rate: those asked for, or all that the session has.

    Raises
    ------
    ConfigError
        One that was asked for is text or irregular, or the session has none.
    """
    names = list(session.streams if streams is None else streams)
    fitting = [name for name in names if not (info := session.stream_info(name)).is_string and info.is_regular]
    others = [name for name in names if name not in fitting]
    if streams is not None and others:
        raise ConfigError(f"{others[0]} is no signal at a fixed rate; this format holds nothing else (xdf and npz do)")
    for name in others:
        if not session.stream_info(name).is_string:
            out.remark(f"{name} has no fixed rate and is left out; xdf, csv and npz hold it")
    if not fitting:
        raise ConfigError(f"{session.path.name} has no signal at a fixed rate; xdf, csv and npz hold what it has")
    return fitting


def filled_streams(session: SessionReader, streams: Sequence[str] | None, out: Exported) -> list[str]:
    """As `numeric_streams`, without those that formats of signal cannot hold: empty ones, and extremely slow ones.

    Raises
    ------
    ConfigError
        As there; or one that was asked for is empty or too slow, or all are.
    """
    names = numeric_streams(session, streams, out)
    unfit = {name: "has no samples" for name in names if not session.n_samples(name)}
    unfit |= {name: "is too slow for it" for name in names if session.stream_info(name).fs < LEAST_FS}
    if unfit and (streams is not None or len(unfit) == len(names)):
        name, why = next(iter(unfit.items()))
        raise ConfigError(f"{name} {why}; this format needs signal (xdf, csv and npz do not)")
    for name, why in unfit.items():
        out.remark(f"{name} {why} and is left out")
    return [name for name in names if name not in unfit]


def ascii_of(text: str, length: int | None = None) -> str:
    """The ASCII of a text, for formats that hold no more: ``u`` for µ, ``?`` for what else is none."""
    plain = text.replace("\u00b5", "u").replace("\u03bc", "u").encode("ascii", "replace").decode()
    return "".join(c if c.isprintable() else "?" for c in plain)[:length].strip()


def text_streams(session: SessionReader) -> list[str]:
    """Streams of text."""
    return [name for name in session.streams if session.stream_info(name).is_string]


def volts_per_unit(info: StreamInfo) -> list[float | None]:
    """For each channel: volts in one of its units; None where that is no voltage, or not known."""
    units = info.units or ("",) * info.n_channels
    return [VOLTS.get(unit.strip().lower()) for unit in units]


def utc_at(session: SessionReader, time: float) -> datetime | None:
    """Wall-clock time (UTC) of an instant of the recorder's clock; None where the session does not tie the two."""
    anchor = start_anchor(session.meta.anchors)
    if anchor is not None:
        try:
            at = datetime.fromisoformat(anchor.utc)
        except ValueError:
            return _created_at(session)
        return _aware(at) + timedelta(seconds=time - anchor.lsl if np.isfinite(time) else 0.0)
    return _created_at(session)


def _created_at(session: SessionReader) -> datetime | None:
    try:
        return _aware(datetime.fromisoformat(session.meta.created))
    except ValueError:
        return None


def local_at(session: SessionReader, time: float) -> datetime | None:
    """As `utc_at`, in the time zone that the session was recorded in."""
    at = utc_at(session, time)
    try:
        zone = datetime.fromisoformat(session.meta.created).tzinfo
    except ValueError:
        zone = None
    return None if at is None else at.astimezone(zone or UTC)


def _aware(at: datetime) -> datetime:
    return (at if at.tzinfo is not None else at.astimezone()).astimezone(UTC)


def check_free(files: Sequence[Path], overwrite: bool) -> None:
    """Raise ConfigError where something is there and must not be replaced."""
    for path in files:
        if path.exists() and not overwrite:
            raise ConfigError(f"{path} is there already; choose another place, or overwrite it (--overwrite)")


def claim(files: Sequence[Path], overwrite: bool) -> None:
    """As `check_free`, and make the folders that the files go into; DiskError where that is not possible."""
    check_free(files, overwrite)
    for path in files:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DiskError(f"cannot make the folder {path.parent}: {error.strerror}") from error


def as_folder(destination: Path, instead: str) -> Path:
    """The destination, unless it is named like a file: then `ConfigError`, with what to do ``instead``."""
    if destination.suffix.lower() in _FILES and not destination.is_dir():
        raise ConfigError(f"{destination} is the name of a file; {instead}")
    return destination


class Partial:
    """A file that gets its name when it is complete, and leaves nothing behind otherwise: a context manager."""

    def __init__(self, path: Path) -> None:
        self._final = path
        self.path = path.with_name(f".{path.name}.partial")

    def __enter__(self) -> Path:
        return self.path

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            os.replace(self.path, self._final)
        else:
            self.path.unlink(missing_ok=True)


@contextmanager
def partial_folder(beside: Path) -> Iterator[Path]:
    """A folder beside ``beside`` for files that take their places when they are complete; gone afterwards."""
    with tempfile.TemporaryDirectory(prefix=".", suffix=".partial", dir=beside.parent) as folder:
        yield Path(folder)


def targets(session: SessionReader, destination: Path, streams: Sequence[str], suffix: str) -> list[Path]:
    """A file for each stream: ``destination`` itself if it is one, else ``<session>_<stream><suffix>`` in it.

    Raises
    ------
    ConfigError
        The destination is the name of another kind of file, or of one where several are needed.
    """
    if len(streams) == 1 and destination.name.endswith(suffix):
        return [destination]
    one = f"name one that ends in {suffix}" if len(streams) == 1 else f"choose one of {', '.join(streams)}"
    folder, stem = as_folder(destination, f"{one}, or name a folder"), session_stem(session.path)
    return [folder / f"{stem}_{safe_name(name)}{suffix}" for name in streams]


def single_target(session: SessionReader, destination: Path, suffix: str) -> Path:
    """One file: ``destination`` itself if it is one, else ``<session><suffix>`` in it; errors as `targets`."""
    if destination.suffix == suffix:
        return destination
    folder = as_folder(destination, f"name one that ends in {suffix}, or name a folder")
    return folder / f"{session_stem(session.path)}{suffix}"


def first_and_last(session: SessionReader, name: str) -> tuple[float, float]:
    """Corrected times of a stream's first and last sample; both 0.0 where it has none."""
    stream = session.stream_data(name)
    if not stream.n_samples:
        return 0.0, 0.0
    n = stream.n_samples
    return float(stream.times(0, 1)[0]), float(stream.times(n - 1, n)[0])


def session_end(session: SessionReader) -> float:
    """Corrected time of the last sample of all streams, or the last label's: where the last label ends.

    A stream of which nothing tells how its stamps lie to the labels has no say.
    """
    placed = [name for name in session.streams if session.timeline(name).basis != "none"]
    ends = [first_and_last(session, name)[1] for name in placed]
    ends += [event.timestamp for event in session.label_track[-1:]]
    return max((end for end in ends if np.isfinite(end)), default=0.0)
