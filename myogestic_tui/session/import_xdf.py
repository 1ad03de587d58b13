"""XDF files, of LabRecorder or of this package, as sessions: raw time stamps and clock offsets are kept."""

from __future__ import annotations

import gzip
import re
import struct
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple, cast

import msgspec
import numpy as np

from ..clock import Evidence, timeline_of
from ..errors import ConfigError, SessionDamagedError
from ..extras import needed
from ..info import StreamInfo
from .export.xdf import LABELS_ID, LABELS_JSON, NOTES_ID, UNLABELLED_TEXT
from .format.findings import damage, observation
from .format.meta import decode_labels
from .format.xdf_time import SESSION_JSON, StreamTime
from .imported_time import ImportedTime, ToldTimes, is_nowhere, set_imported_time, text_of
from .uncompared_streams import FileStream, judge_uncompared

if TYPE_CHECKING:
    from collections.abc import Iterator
    from os import PathLike

    from numpy.typing import NDArray

    from ..clock import Timeline
    from .format.meta import LabelEvent
    from .recording.session import Session

_BLOCK = 1 << 14
_HEADER_TAG, _FOOTER_TAG = 2, 6


class _Estimate(NamedTuple):
    collected_at: float
    offset: float
    uncertainty: float
    remote_time: float


def import_xdf(
    path: str | PathLike[str], base_path: str | PathLike[str] = "sessions", *, label_stream: str | None = None
) -> Path:
    """Make a session of an XDF file, and pack it.

    Every stream becomes one of the session, with its samples, raw time stamps, clock offsets and header; a second one
    of the same name gets a number behind it. The session's ``findings`` tell what is missing from a file that was cut
    off. The labels and notes of a file that this package wrote become labels and notes again, and its arrival records
    those of the session. Corrected times are those that ``session.timestamps`` fits to the offsets. ``created`` is the
    file's; the session's folder is named after now.

    Memory: ``pyxdf`` loads the whole file.

    Parameters
    ----------
    path
        ``.xdf``, or ``.xdfz``.
    base_path
        Sessions folder.
    label_stream
        Name of a stream of text whose texts are classes: each sample is a label, and classes are numbered in the order
        in which they first come. An empty text, or ``end``, is class -1. None: the labels of this package, if any.

    Returns
    -------
    path
        The archive's.

    Raises
    ------
    ConfigError
        ``pyxdf`` is not installed, or there is no such ``label_stream``.
    SessionDamagedError
        The file is no XDF, or cannot be read.
    DiskError
        The session cannot be written.
    """
    from .recording.session import Session

    path = Path(path)
    chunks = _look_through(path)
    streams, header = _load(path, chunks)
    names = [text_of(stream["info"], "name") for stream in streams]
    _check_label_stream(path, label_stream, streams)
    findings = _missing(path, chunks, names, streams)
    info = header.get("info", {})
    told = ToldTimes(path.name, findings)
    session_time = told.of_session(info)
    times = [told.of_stream(name, stream) for name, stream in zip(names, streams, strict=True)]
    ends = [_file_stream(stream) for stream in streams]
    if not text_of(info, SESSION_JSON):
        times = [
            time._replace(told=StreamTime(placed=placed))
            for time, placed in zip(times, judge_uncompared(ends), strict=True)
        ]
        told.note_labels(names, times, label_stream)
    session = Session(base_path, app_name="myogestic_tui", fields=_fields(path, header))
    if findings:
        session.set_fields(recovery={"at": datetime.now(UTC).isoformat(), "findings": findings})
    try:
        taken: set[str] = set()
        classes: list[str] = []
        stems: dict[str, ImportedTime] = {}
        for name, stream, time in zip(names, streams, times, strict=True):
            stem = _take(session, name, stream, chunks.headers, label_stream, taken, classes, time.told.counter)
            if stem is not None:
                stems[stem] = time
        session.finish()
        duration = _duration([end for end, time in zip(ends, times, strict=True) if not is_nowhere(time.told.placed)])
        set_imported_time(session.path, session_time, stems, created=text_of(info, "datetime"), duration_s=duration)
        return session.pack_to_zip()
    except BaseException:
        session.discard()
        raise


def _check_label_stream(path: Path, label_stream: str | None, streams: list[dict[str, Any]]) -> None:
    if label_stream is None:
        return
    named = [one["info"] for one in streams if text_of(one["info"], "name") == label_stream]
    if not named:
        names = ", ".join(text_of(one["info"], "name") for one in streams) or "none"
        raise ConfigError(f"{path.name} has no stream {label_stream!r}; there are: {names}")
    if any(text_of(info, "channel_format") != "string" for info in named):
        raise ConfigError(f"{label_stream} is a stream of numbers; labels come from one of text")


def _file_stream(stream: dict[str, Any]) -> FileStream:
    stamps = np.asarray(stream["time_stamps"], np.float64)
    found = _timeline(stream, stamps)
    usable = np.flatnonzero(np.isfinite(stamps)) if found.basis != "none" else np.empty(0, np.intp)
    first, last = (
        (float(found.corrected(stamps[at : at + 1], at)[0]) for at in usable[[0, -1]].tolist())
        if len(usable)
        else (np.nan,) * 2
    )
    return FileStream(text_of(stream["info"], "hostname"), np.array(stream.get("clock_values", [])), first, last)


def _duration(streams: list[FileStream]) -> float:
    """From the first sample of all streams to the last one, in seconds of corrected time."""
    ends = [end for one in streams if one.has_time for end in (one.first, one.last)]
    return max(ends) - min(ends) if ends else 0.0


def _load(path: Path, chunks: _Chunks) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    pyxdf = needed("pyxdf", "export", "importing XDF")
    with _whole_chunks_of(path, chunks) as file:
        try:
            loaded = pyxdf.load_xdf(str(file), synchronize_clocks=False, dejitter_timestamps=False, verbose=False)
        except Exception as error:
            # pyxdf checks nothing: what a broken file raises is any of a dozen types.
            raise SessionDamagedError(f"{path} cannot be read as XDF: {error!r}") from error
    if loaded[1] is None:
        raise SessionDamagedError(f"{path} is an XDF file without a header; it was cut off or overwritten")
    return cast("tuple[list[dict[str, Any]], dict[str, Any]]", loaded)


@contextmanager
def _whole_chunks_of(path: Path, chunks: _Chunks) -> Iterator[Path]:
    """The file itself; of one that was cut off a copy without the half chunk, which pyxdf may stumble over."""
    if not chunks.cut_off:
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="myogestic_tui-") as folder, _opened(path) as file:
        copy = Path(folder, f"{path.stem}.xdf")
        with open(copy, "wb") as out:
            left = chunks.end
            while left and (block := file.read(min(left, 1 << 20))):
                out.write(block)
                left -= len(block)
        yield copy


def _opened(path: Path) -> IO[bytes]:
    return cast("IO[bytes]", gzip.open(path, "rb") if path.suffix == ".xdfz" else open(path, "rb"))


def _magic(file: IO[bytes]) -> bytes:
    try:
        return file.read(4)
    except (OSError, EOFError):
        return b""


def _fields(path: Path, header: dict[str, Any]) -> dict[str, Any]:
    info = header.get("info", {})
    fields: dict[str, Any] = {key: text_of(info, key) for key in ("name", "subject", "task") if text_of(info, key)}
    if text_of(info, "take").isdigit():
        fields["take"] = int(text_of(info, "take"))
    return {"name": path.stem, **fields, "imported_from": path.name}


def _take(
    session: Session,
    name: str,
    stream: dict[str, Any],
    verbatim: dict[int, str],
    label_stream: str | None,
    taken: set[str],
    classes: list[str],
    counter: int | None,
) -> str | None:
    """Enter a stream's samples, or what it tells of labels and notes; the stem of one that has samples."""
    stamps = np.asarray(stream["time_stamps"], np.float64)
    source_id = text_of(stream["info"], "source_id")
    if name == label_stream or (source_id == LABELS_ID and label_stream is None):
        classes += [name for name in _class_table(stream["info"]) if name not in classes or source_id == LABELS_ID]
        _add_labels(session, stream, _timeline(stream, stamps).corrected(stamps), classes)
    elif source_id == NOTES_ID:
        for at, (text,) in zip(stamps.tolist(), stream["time_series"], strict=True):
            if np.isfinite(at):
                session.add_note(text, at)
    if source_id in (LABELS_ID, NOTES_ID):
        return None
    info = _stream_info(stream["info"], verbatim.get(stream["info"]["stream_id"], ""))
    info = replace(info, counter=counter if counter is not None and 0 <= counter < info.n_channels else None)
    own_name, number = name, 1
    while own_name in taken:
        number += 1
        own_name = f"{name} {number}"
    taken.add(own_name)
    stem = session.init_stream(own_name, info)
    session.add_clock_estimates(stem, _estimates(stream))
    rows = _rows(stream["time_series"], info)
    for start in range(0, len(rows), _BLOCK):
        session.append(stem, rows[start : start + _BLOCK], stamps[start : start + _BLOCK])
    return stem


def _rows(series: Any, info: StreamInfo) -> NDArray[Any]:
    rows: NDArray[Any] = np.empty((len(series), info.n_channels), info.np_dtype)
    rows[:] = series if len(series) else rows
    return rows


def _estimates(stream: dict[str, Any]) -> list[_Estimate]:
    """XDF holds the source's time and the offset; how certain that was it does not tell: 0 here."""
    pairs = zip(stream.get("clock_times", []), stream.get("clock_values", []), strict=True)
    return [_Estimate(at + offset, offset, 0.0, at) for at, offset in pairs]


def _timeline(stream: dict[str, Any], stamps: NDArray[np.float64]) -> Timeline:
    fs = float(text_of(stream["info"], "nominal_srate") or 0.0)
    offsets = np.array(_estimates(stream)).reshape(-1, 4)
    return timeline_of(stamps, fs, Evidence(offsets=offsets))


def _add_labels(session: Session, stream: dict[str, Any], times: NDArray[np.float64], classes: list[str]) -> None:
    told = _label_track(stream)
    if told is not None:
        session.set_fields(class_names=classes)
        for event in told:
            session.add_label(
                event.class_index, event.timestamp, source=event.source, uncertainty_s=event.uncertainty_s
            )
    else:
        _add_texts(session, [str(sample[0]) for sample in stream["time_series"]], times, classes)
    desc = (stream["info"].get("desc") or [None])[0] or {}
    bad = (desc.get("bad_trials") or [None])[0] or {}
    for index in bad.get("index", []):
        session.mark_trial(int(index))


def _label_track(stream: dict[str, Any]) -> list[LabelEvent] | None:
    """The labels as the header of our own stream has them; None where it does not, or was not written with them."""
    desc = (stream["info"].get("desc") or [None])[0] or {}
    try:
        track = decode_labels(text_of(desc, LABELS_JSON).encode())
    except SessionDamagedError:
        return None
    return track if len(track) == len(stream["time_series"]) else None


def _add_texts(session: Session, texts: list[str], times: NDArray[np.float64], classes: list[str]) -> None:
    """Labels by their texts alone; classes that have no number yet get one in the order in which they come."""
    for text in texts:
        if text not in (*classes, "", UNLABELLED_TEXT):
            classes.append(text)
    session.set_fields(class_names=classes)
    for at, text in zip(times.tolist(), texts, strict=True):
        if np.isfinite(at):  # one without a time labels nothing; it stands in the stream
            session.add_label(classes.index(text) if text in classes else -1, at, source="marker")


def _class_table(info: dict[str, Any]) -> list[str]:
    desc = (info.get("desc") or [None])[0] or {}
    table = (desc.get("classes") or [None])[0] or {}
    return [text_of(entry, "name") for entry in table.get("class", [])]


def _stream_info(info: dict[str, Any], xml: str) -> StreamInfo:
    n_channels = int(text_of(info, "channel_count"))
    dtype = {"double64": "float64"}.get(text_of(info, "channel_format"), text_of(info, "channel_format"))
    desc = (info.get("desc") or [None])[0] or {}
    channels = ((desc.get("channels") or [None])[0] or {}).get("channel", [])
    columns = {
        field: tuple(text_of(channel or {}, key) for channel in channels)
        for field, key in (("channel_names", "label"), ("units", "unit"), ("channel_types", "type"))
    }
    told = {field: column for field, column in columns.items() if len(column) == n_channels and any(column)}
    return StreamInfo(
        n_channels,
        float(text_of(info, "nominal_srate") or 0.0),
        dtype,
        type=text_of(info, "type"),
        source_id=text_of(info, "source_id"),
        hostname=text_of(info, "hostname"),
        uid=text_of(info, "uid"),
        desc_xml=xml,
        **told,  # type: ignore[arg-type]
    )


@dataclass
class _Chunks:
    """What the chunks of a file tell without being decoded."""

    headers: dict[int, str] = field(default_factory=dict)
    """The headers' XML by stream, which pyxdf gives only taken apart."""
    footers: dict[int, str] = field(default_factory=dict)
    cut_off: bool = False
    """The file ends within a chunk, or in what is none."""
    end: int = 4
    """Where its last whole chunk ends."""


def _look_through(path: Path) -> _Chunks:
    if not path.is_file():
        raise ConfigError(f"{path} is not there")
    found = _Chunks()
    with _opened(path) as file:
        if _magic(file) != b"XDF:":
            raise SessionDamagedError(f"{path} is no XDF file")
        try:
            while size := file.read(1):
                found.cut_off = not _pass_chunk(file, size[0], found)
                if found.cut_off:
                    break
                found.end = file.tell()
        except (OSError, EOFError, ValueError, OverflowError):  # also of a .xdfz that was cut off
            found.cut_off = True
    return found


def _pass_chunk(file: IO[bytes], size: int, found: _Chunks) -> bool:
    """Go behind a chunk whose length takes ``size`` bytes; False where the file ends within it."""
    length = int.from_bytes(file.read(size), "little")
    tag = file.read(2)
    if size not in (1, 4, 8) or len(tag) < 2 or length < 2:
        return False
    kind = struct.unpack("<H", tag)[0]
    if kind not in (_HEADER_TAG, _FOOTER_TAG):
        file.seek(max(length - 3, 0), 1)
        return length == 2 or bool(file.read(1))
    content = file.read(length - 2)
    if len(content) < length - 2 or len(content) < 4:
        return False
    texts = found.headers if kind == _HEADER_TAG else found.footers
    texts[struct.unpack("<I", content[:4])[0]] = content[4:].decode("utf-8", "replace")
    return True


def _missing(path: Path, chunks: _Chunks, names: list[str], streams: list[dict[str, Any]]) -> list[dict[str, str]]:
    """Findings where the file was cut off, or a stream has other samples than its footer says."""
    found = [damage(f"{path.name} was cut off: what came behind is lost")] if chunks.cut_off else []
    for name, stream in zip(names, streams, strict=True):
        footer, count = chunks.footers.get(stream["info"]["stream_id"]), len(stream["time_stamps"])
        if footer is None:
            text = f"{name}: {path.name} has no footer for it to tell how many samples it had; {count} are here"
            found.append(observation(text, stream=name))
            continue
        told = re.search(r"<sample_count>\s*(\d+)\s*</sample_count>", footer)
        if told is not None and int(told[1]) != count:
            found.append(damage(f"{name}: {count} samples are here, where {path.name} says {told[1]}", stream=name))
    read = {stream["info"]["stream_id"] for stream in streams}
    for number in sorted({*chunks.headers, *chunks.footers} - read):
        found.append(damage(f"stream {number} of {path.name} could not be read, and is left out"))
    return [msgspec.to_builtins(finding) for finding in found]
