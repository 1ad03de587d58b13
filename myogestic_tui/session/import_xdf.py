"""XDF files, of LabRecorder or of this package, as sessions: raw time stamps and clock offsets are kept."""

from __future__ import annotations

import re
import tempfile
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import msgspec
import numpy as np

from ..clock import Evidence, timeline_of
from ..errors import ConfigError, SessionDamagedError
from ..extras import needed
from ..info import StreamInfo
from ..lsl_header import declared
from .export.xdf import LABELS_ID, LABELS_JSON, NOTES_ID, UNLABELLED_TEXT
from .format.findings import damage, observation
from .format.meta import IMPORTED, Meta, decode_labels
from .format.stream_names import Identity, distinct_names
from .format.xdf_chunks import Chunks, look_through, open_xdf
from .format.xdf_time import SESSION_JSON, StreamTime
from .imported_time import ToldTimes, is_nowhere, set_imported_time, text_of
from .uncompared_streams import FileStream, judge_uncompared

if TYPE_CHECKING:
    from collections.abc import Iterator
    from os import PathLike

    from numpy.typing import NDArray

    from ..clock import Timeline
    from .format.findings import Finding
    from .format.meta import LabelEvent
    from .recording.session import Session

_BLOCK = 1 << 14


class _Estimate(NamedTuple):
    collected_at: float
    offset: float
    uncertainty: float
    remote_time: float


def import_xdf(
    path: str | PathLike[str], base_path: str | PathLike[str] = "sessions", *, label_stream: str | None = None
) -> Path:
    """Make a session of an XDF file, and pack it.

    Every stream becomes one of the session, with its samples, raw time stamps, clock offsets and header; those of one
    name are told apart as in a recording (`distinct_names`). The session's ``findings`` tell what is missing from a
    file that was cut off, and which streams no session can hold. The labels and notes of a file that this package
    wrote become labels and notes again, and its arrival records those of the session. Corrected times are those that
    ``session.timestamps`` fits to the offsets. ``created`` is the file's, and empty where it has none; the session's
    folder is named after now.

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
    from .packing.work_folder import IMPORTING, add_archive, room_for_session
    from .recording.session import Session

    path = Path(path)
    chunks = look_through(path)
    streams, header = _load(path, chunks)
    _check_label_stream(path, label_stream, streams)
    findings = _missing(path, chunks, streams)
    streams, infos, left_out = _usable(streams, chunks.headers)
    findings += left_out
    names = [text_of(stream["info"], "name") for stream in streams]
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
    of_sheet = {key: value for key, value in session_time.fields.items() if key not in Meta.__struct_fields__}
    with room_for_session(Path(base_path), IMPORTING) as folder:
        session = Session(folder, app_name="myogestic_tui", fields={**of_sheet, **_fields(path, header)})
        try:
            if findings:
                listed = [msgspec.to_builtins(finding) for finding in findings]
                session.set_fields(**{IMPORTED: {"at": datetime.now(UTC).isoformat(), "findings": listed}})
            classes: list[str] = []
            for stream in streams:
                _take_events(session, stream, label_stream, classes)
            stems = {
                _take(session, own_name, infos[place], streams[place], times[place].told.counter): times[place]
                for place, own_name in _own_names(names, infos)
            }
            session.finish()
            known = [end for end, time in zip(ends, times, strict=True) if not is_nowhere(time.told.placed)]
            created, duration = _created(info), _duration(known)
            set_imported_time(session.path, session_time, stems, created=created, duration_s=duration)
            folder_name = session.path.name
            return add_archive(session.pack_to_zip(), Path(base_path), folder_name, session.name)
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


def _load(path: Path, chunks: Chunks) -> tuple[list[dict[str, Any]], dict[str, Any]]:
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
def _whole_chunks_of(path: Path, chunks: Chunks) -> Iterator[Path]:
    """The file itself; of one that was cut off a copy without the half chunk, which pyxdf may stumble over."""
    if not chunks.cut_off:
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="myogestic_tui-") as folder, open_xdf(path) as file:
        copy = Path(folder, f"{path.stem}.xdf")
        with open(copy, "wb") as out:
            left = chunks.end
            while left and (block := file.read(min(left, 1 << 20))):
                out.write(block)
                left -= len(block)
        yield copy


def _fields(path: Path, header: dict[str, Any]) -> dict[str, Any]:
    info = header.get("info", {})
    fields: dict[str, Any] = {key: text_of(info, key) for key in ("name", "subject", "task") if text_of(info, key)}
    if text_of(info, "take").isdigit():
        fields["take"] = int(text_of(info, "take"))
    return {"name": path.stem, **fields, "imported_from": path.name}


def _created(info: dict[str, Any]) -> str:
    """When the file says that it was recorded, in ISO 8601; empty where it does not."""
    if own := text_of(info, "created"):
        return own
    try:
        return datetime.fromisoformat(text_of(info, "datetime")).isoformat()
    except ValueError:
        return text_of(info, "datetime")


def _usable(
    streams: list[dict[str, Any]], headers: dict[int, str]
) -> tuple[list[dict[str, Any]], list[StreamInfo], list[Finding]]:
    """The streams that a session can hold, with their layout, and findings about the others."""
    usable, infos, left_out = [], [], []
    for stream in streams:
        name = text_of(stream["info"], "name")
        try:
            infos.append(_stream_info(stream["info"], headers.get(stream["info"]["stream_id"], "")))
            usable.append(stream)
        except (ConfigError, ValueError) as error:
            is_empty = not len(stream["time_stamps"]) or text_of(stream["info"], "channel_count") == "0"
            left_out.append((observation if is_empty else damage)(f"{name} is left out: {error}", stream=name))
    return usable, infos, left_out


def _own_names(names: list[str], infos: list[StreamInfo]) -> Iterator[tuple[int, str]]:
    """Place of each stream that becomes one of the session, and its name there, in the file's order."""
    kept = [place for place, info in enumerate(infos) if info.source_id not in (LABELS_ID, NOTES_ID)]
    own = distinct_names([Identity(names[at], infos[at].type, infos[at].source_id, infos[at].hostname) for at in kept])
    return ((place, own[number]) for number, place in enumerate(kept))


def _take_events(session: Session, stream: dict[str, Any], label_stream: str | None, classes: list[str]) -> None:
    """Labels and notes, where a stream holds some."""
    stamps = np.asarray(stream["time_stamps"], np.float64)
    name, source_id = text_of(stream["info"], "name"), text_of(stream["info"], "source_id")
    if name == label_stream or (source_id == LABELS_ID and label_stream is None):
        classes += [name for name in _class_table(stream["info"]) if name not in classes or source_id == LABELS_ID]
        _add_labels(session, stream, _timeline(stream, stamps).corrected(stamps), classes)
    elif source_id == NOTES_ID:
        for at, (text,) in zip(stamps.tolist(), stream["time_series"], strict=True):
            if np.isfinite(at):
                session.add_note(text, at)


def _take(session: Session, own_name: str, info: StreamInfo, stream: dict[str, Any], counter: int | None) -> str:
    """Enter samples, raw stamps and clock offsets; returns the stem."""
    info = replace(info, counter=counter if counter is not None and 0 <= counter < info.n_channels else None)
    stem = session.init_stream(own_name, info)
    session.add_clock_estimates(stem, _estimates(stream))
    stamps, rows = np.asarray(stream["time_stamps"], np.float64), _rows(stream["time_series"], info)
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
    return StreamInfo(
        n_channels,
        float(text_of(info, "nominal_srate") or 0.0),
        {"double64": "float64"}.get(text_of(info, "channel_format"), text_of(info, "channel_format")),
        **declared(xml, n_channels)._asdict(),
        type=text_of(info, "type"),
        source_id=text_of(info, "source_id"),
        hostname=text_of(info, "hostname"),
        uid=text_of(info, "uid"),
        desc_xml=xml,
    )


def _missing(path: Path, chunks: Chunks, streams: list[dict[str, Any]]) -> list[Finding]:
    """Findings where the file was cut off, or a stream has other samples than its footer says."""
    found = [damage(f"{path.name} was cut off: what came behind is lost")] if chunks.cut_off else []
    for stream in streams:
        name, count = text_of(stream["info"], "name"), len(stream["time_stamps"])
        footer = chunks.footers.get(stream["info"]["stream_id"])
        if footer is None:
            text = f"{name}: {path.name} has no footer for it to tell how many samples it had; {count} are here"
            found.append(observation(text, stream=name))
            continue
        told = re.search(r"<sample_count>\s*(\d+)\s*</sample_count>", footer)
        if told is not None and int(told[1]) != count:
            fewer = damage if count < int(told[1]) else observation  # old LabRecorders count one too few
            found.append(fewer(f"{name}: {count} samples are here, where {path.name} says {told[1]}", stream=name))
    read = {stream["info"]["stream_id"] for stream in streams}
    for number in sorted({*chunks.headers, *chunks.footers} - read):
        found.append(damage(f"stream {number} of {path.name} could not be read, and is left out"))
    return found
