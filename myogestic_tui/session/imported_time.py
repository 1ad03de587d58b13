"""The time of an imported session: recorded when its file says, placed by what the file knows of arrivals."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec.structs import replace as with_fields

from ..clock import Evidence
from ..clock.evidence import believable
from ..errors import SessionDamagedError
from ..montage import grids_to_plain, told_grids
from .format.commit import Shape, commit
from .format.consolidated import consolidate
from .format.findings import observation
from .format.json_files import replace_file
from .format.layout import META, array_name
from .format.lock import lock_session
from .format.meta import decode_meta, encode_meta
from .format.xdf_time import (
    ARRIVALS,
    SESSION_JSON,
    STREAM_JSON,
    SessionTime,
    StreamTime,
    decode_arrivals,
    decode_time,
)
from .format.zarr_format import ArraySpec, create_array, encode_chunk, write_chunk
from .reading.reader import open_session_store

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from .format.findings import Finding
    from .format.meta import Meta
    from .format.time_records import PlacedMeta


class ImportedTime(NamedTuple):
    """What a file tells of one stream, and its arrival record ``(k, 2)`` if it has one."""

    told: StreamTime = StreamTime()
    arrivals: NDArray[np.float64] | None = None


class ToldTimes:
    """What a file of this package tells of time; what cannot be used of it becomes a finding."""

    def __init__(self, file_name: str, findings: list[Finding]) -> None:
        self._file, self._findings = file_name, findings

    def of_session(self, info: dict[str, Any]) -> SessionTime:
        """What the file's header tells, as pyxdf gives it."""
        try:
            return decode_time(text_of(info, SESSION_JSON), SessionTime, where=SESSION_JSON)
        except SessionDamagedError as error:
            self._note(f"{self._file}: {error}")
            return SessionTime()

    def of_stream(self, name: str, stream: dict[str, Any]) -> ImportedTime:
        """What the footer of a stream tells, as pyxdf gives it."""
        info, n_samples = (stream.get("footer") or {}).get("info") or {}, len(stream["time_stamps"])
        try:
            told = decode_time(text_of(info, STREAM_JSON), StreamTime, where=STREAM_JSON)
            arrivals = decode_arrivals(text_of(info, ARRIVALS), n_samples)
        except SessionDamagedError as error:
            self._note(f"{name}: {self._file}: {error}", name)
            return ImportedTime()
        return ImportedTime(told, arrivals)

    def note_labels(self, names: list[str], times: list[ImportedTime], label_stream: str | None) -> None:
        """Report that labels come from a stream whose clock was never compared."""
        text = "labels were taken from it, whose clock was never compared: nothing tells how they lie to other streams"
        for name, time in zip(names, times, strict=True):
            if name == label_stream and time.told.placed is not None:
                self._note(f"{name}: {text}", name)

    def _note(self, text: str, stream: str = "") -> None:
        self._findings.append(observation(text, stream=stream))


def text_of(info: dict[str, Any], key: str) -> str:
    """The text of a child element, as pyxdf gives it: a list with one entry, or None."""
    return str((info.get(key) or [""])[0] or "")


def is_nowhere(placed: PlacedMeta | None) -> bool:
    """Whether nothing tells how a stream's stamps lie to the session's clock."""
    return placed is not None and placed.basis == "none"


def set_imported_time(
    folder: Path, session: SessionTime, streams: Mapping[str, ImportedTime], *, created: str, duration_s: float
) -> None:
    """Give a finished session, whose streams were all appended just now, the time of its file.

    Parameters
    ----------
    folder
        The session's.
    session, streams
        What the file tells of the whole, and by stem of each stream. Without anchors nobody knows how the recorder's
        clock stood to wall-clock time.
    created
        When it was recorded, ISO 8601; empty where the file does not tell.
    duration_s
        What its samples span, for a file that does not tell how long it was recorded.
    """
    for stem, stream in streams.items():
        store_arrivals(folder, stem, stream.arrivals)
    with lock_session(folder, purpose="editing"):
        meta = decode_meta((folder / META).read_bytes())
        meta.anchors, meta.created = session.anchors, created
        meta.recorder = session.recorder if session.anchors else meta.recorder
        meta.duration_s = session.duration_s if _is_of_a_recording(session, meta) else duration_s
        for stem, (told, _) in streams.items():
            fields = {"gaps": told.gaps, "joined_at": told.joined_at, "placed": told.placed, "time": None}
            known = meta.all_streams[stem]
            grids = told_grids({"channel_grids": told.channel_grids, "montage": told.montage}, known.n_channels)
            meta.add_stream(stem, with_fields(known, **fields, extra={**known.extra, **grids_to_plain(grids)}))
        replace_file(folder / META, encode_meta(meta))
        replace_file(folder / META, encode_meta(measured_again(folder, meta)))
        consolidate(folder)


def _is_of_a_recording(session: SessionTime, meta: Meta) -> bool:
    """Whether the session took as long as its samples: a script fills one in no time."""
    if session.duration_s is None:
        return False
    ends = Evidence(start=0.0, stop=session.duration_s)
    return all(believable(ends, one.n_samples or 0, one.fs) is ends for one in meta.all_streams.values())


def measured_again(folder: Path, meta: Meta) -> Meta:
    """``meta`` with what the time model finds in the folder's arrays."""
    with open_session_store(folder) as session:
        for stem in meta.all_streams:
            meta.add_stream(stem, session.measured(stem))
    return meta


def store_arrivals(folder: Path, stem: str, rows: NDArray[np.float64] | None) -> None:
    """Replace the record of when the samples were appended, which is not when they arrived."""
    spec, name = ArraySpec.arrival(), array_name(stem, "_arrival")
    shutil.rmtree(folder / name)
    if rows is None or not len(rows):
        return
    create_array(folder, name, spec)
    for number in range(spec.n_chunks(len(rows))):
        first = number * spec.chunk_length
        write_chunk(folder, name, spec, number, encode_chunk(spec, rows[first : first + spec.chunk_length]))
    commit(folder, [Shape(name, spec, len(rows))], {})
