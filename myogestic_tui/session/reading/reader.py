"""Read a session back: a folder or an archive, finished or not, also one that is being recorded. Nothing is written."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ...errors import SessionClosedError, SessionError
from ..format.chain import chain_link
from ..format.findings import Finding, damage
from ..format.kept_findings import kept_findings
from ..format.layout import array_name
from ..format.meta import CONTINUED_BY, CONTINUES
from ..format.montage_findings import montage_findings
from ..format.seconds_before import before_s
from ..format.stream_names import ByStream, find_stem, public_names
from ..format.summary import StreamSummary, Summary, count_labels
from ..format.time_records import TimeMeta
from ..format.time_remarks import time_remarks
from ..format.time_summary import is_measured, lost_gaps, n_lost, recorder_host, seconds_of
from ..format.wall_clock import wall_clock_findings
from .recovered_files import RecoveredFiles
from .session_files import size_of
from .timelines import Timelines
from .trials import SignalReading
from .view_folder import view_folder

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Self

    import zarr
    from numpy.typing import NDArray
    from zarr.abc.store import Store

    from ...clock import Timeline
    from ...clock.timeline import Gap
    from ...info import StreamInfo
    from ..format.arrays import Rows
    from ..format.label_edits import LabelEdit
    from ..format.meta import LabelEvent, Meta, Note, StreamMeta
    from .session_view import SessionView, StreamView


class SessionReader(SignalReading):
    """A session, open to be read; close it, or use it as a context manager. `open_session_store` makes one.

    Streams go by their stem (``streams``), or by the name that the device gives itself.
    """

    def __init__(self, view: SessionView, state: str) -> None:
        self._view: SessionView | None = view
        self._timelines = Timelines(view.meta, view.streams)
        self._tolerant = Timelines(view.meta, view.streams, self._note_damage)
        self.path: Path = view.path
        """The folder or archive."""
        self.state = state
        """See `session_state`."""
        self.meta: Meta = view.meta
        self.label_track: list[LabelEvent] = view.labels
        """In time order, on the recorder's LSL clock."""
        self.stores: Mapping[str, zarr.Array[Any]] = self._arrays("")
        """Samples by stream, ``(n_samples, n_channels)``."""
        self.ts_stores: Mapping[str, zarr.Array[Any]] = self._arrays("_timestamps")
        """Raw time stamps by stream, ``(n_samples,)`` float64 seconds on the source's clock."""
        self.clock_stores: Mapping[str, zarr.Array[Any]] = self._arrays("_clock")
        """``(k, 4)``: collected_at, offset, uncertainty, remote time, in seconds."""
        self.overview_stores: Mapping[str, zarr.Array[Any]] = self._arrays("_overview")
        """``(n_chunks, n_channels, 3)`` float32: least, greatest and RMS value of each stored chunk (one second)."""
        self.arrival_stores: Mapping[str, zarr.Array[Any]] = self._arrays("_arrival")
        """``(k, 2)``: samples read so far, and the recorder's clock then; absent in older sessions."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __reduce__(self) -> tuple[Any, ...]:
        """Another process opens the session for itself."""
        return open_session_store, (str(self.path),)

    def __repr__(self) -> str:
        from .html import session_repr

        return f"<session {self.path.name}, closed>" if self._view is None else session_repr(self)

    def _repr_html_(self) -> str | None:
        """As notebooks show it: streams, labels, and when which class was labelled."""
        from .html import session_html

        return None if self._view is None else session_html(self)

    def close(self) -> None:
        """Close all files; arrays of this session cannot be read any more. May be called twice."""
        if self._view is not None:
            self._view.close()
        self._view = None

    @property
    def view(self) -> SessionView:
        """What was found on the disk; SessionClosedError after `close`."""
        if self._view is None:
            raise SessionClosedError(f"{self.path.name} was closed")
        return self._view

    @property
    def streams(self) -> list[str]:
        """Stems of the streams, sorted."""
        return list(self.view.streams)

    @property
    def class_names(self) -> list[str]:
        """Names of the classes, by index; empty where they have none."""
        return self.meta.class_names

    @property
    def notes(self) -> list[Note]:
        """Notes with their times on the recorder's LSL clock."""
        return self.meta.notes

    @property
    def findings(self) -> list[Finding]:
        """What was found on opening, or when it was recovered or imported: damage, and what is worth knowing."""
        kept = [finding for found in kept_findings(self.meta).values() for finding in found]
        told = [*wall_clock_findings(self.meta), *montage_findings(self.meta)]
        return [*kept, *told, *self.view.findings]

    @property
    def label_edits(self) -> list[LabelEdit]:
        """How the labels were edited after the recording, oldest first: who, when, old and new values."""
        return self.view.label_history.edits

    def stream(self, name: str) -> StreamView:
        """One stream with its arrays as `Rows`, which need no zarr; UnknownStreamError where there is none."""
        return self.view.streams[find_stem(self._names(), name)]

    def stream_info(self, name: str) -> StreamInfo:
        """Layout of a stream; UnknownStreamError where there is none."""
        return self.stream(name).info

    def n_samples(self, name: str) -> int:
        """Samples of a stream."""
        return self.stream(name).n_samples

    def timestamps(
        self, name: str, clock: Literal["corrected", "raw"] = "corrected", dejitter: bool = False
    ) -> NDArray[np.float64]:
        """Time of each sample, ``(n_samples,)`` seconds.

        Parameters
        ----------
        name
            The stream.
        clock
            ``"raw"`` is the source's own clock; ``"corrected"`` the recorder's, which labels are on too.
        dejitter
            Put the samples between two gaps onto an even grid.

        Raises
        ------
        UnknownStreamError
            There is no such stream.
        SessionDamagedError
            Time stamps are missing or damaged.
        """
        stream = self.stream(name)
        stamps: NDArray[np.float64] = stream.stamps.rows(0, stream.n_samples).astype(np.float64, copy=False)
        found = self.timeline(name) if dejitter or clock == "corrected" else None
        if found is None:
            return stamps
        even = found.even(stamps) if dejitter else stamps
        return found.corrected(even) if clock == "corrected" else even

    def timeline(self, name: str) -> Timeline:
        """What the time model (`clock`) knows of a stream: gaps, leaps, real rate, corrected and sample time.

        Raises
        ------
        UnknownStreamError
            There is no such stream.
        SessionDamagedError
            Time stamps are missing or damaged.
        """
        return self._timelines.of(self.stream(name).stem)

    def gaps(self, name: str) -> list[Gap]:
        """Gaps between samples of a stream, computed from its time stamps; see `timeline` for head and tail."""
        return list(self.timeline(name).lost)

    def to_pandas(self, name: str) -> Any:
        """One stream as a `pandas.DataFrame`, in memory (extra ``[frames]``).

        The index ``time`` is corrected time in seconds on the recorder's clock; a column for each channel, and
        ``class_index`` (-1: unlabelled) before them. ``attrs`` has rate, units and class names.

        Raises
        ------
        ConfigError
            pandas is not installed.
        UnknownStreamError
            There is no such stream.
        """
        from .frames import to_pandas

        return to_pandas(self, name)

    def to_xarray(self, streams: Sequence[str] | None = None) -> Any:
        """Streams (None: all) and labels as an `xarray.Dataset`, in memory (extra ``[frames]``).

        A variable ``emg`` has the dimensions ``emg_time`` (corrected time in seconds) and ``emg_channel`` (names), and
        the coordinates ``emg_raw_time`` and ``emg_class_index`` (-1: unlabelled), with a montage also ``emg_grid``,
        ``emg_row`` and ``emg_column``; labels are ``label_class_index`` and ``label_bad`` along ``label_time``.

        Raises
        ------
        ConfigError
            xarray is not installed, or a stream is called as the labels are.
        UnknownStreamError
            There is no such stream.
        """
        from .frames import to_xarray

        return to_xarray(self, streams)

    def summary(self) -> Summary:
        """The session in the one object that all commands print; streams go by their own names."""
        names, link = public_names(self._names()), chain_link(self.meta)
        return Summary(
            path=str(self.path),
            state=self.state,
            name=self.meta.name,
            subject=self.meta.subject,
            task=self.meta.task,
            take=self.meta.take,
            fields=self.meta.fields,
            created=self.meta.created,
            duration_s=self._duration(),
            bytes=size_of(self.path),
            streams={name: self._stream_summary(self.view.streams[stem]) for stem, name in names.items()},
            before_s=before_s(self.meta),
            chain=link.id if link is not None else "",
            segment=link.segment if link is not None else 0,
            continues=str(self.meta.extra.get(CONTINUES, "")),
            continued_by=str(self.meta.extra.get(CONTINUED_BY, "")),
            labels=count_labels(self.label_track, self.class_names),
            labels_edited=self.view.label_history.words,
        )

    def measured(self, name: str) -> StreamMeta:
        """A stream's metadata with what its time stamps tell: read from them only where it is not known yet."""
        stream = self.stream(name)
        known = stream.meta.n_samples == stream.n_samples and is_measured(stream.meta)
        if known and self.view.finished and not self.view.live:
            return stream.meta
        return self._tolerant.measured(stream.stem)

    def _note_damage(self, stem: str, text: str) -> None:
        self.view.findings.append(damage(f"{stem}: {text}", stream=stem))

    def _stream_summary(self, stream: StreamView) -> StreamSummary:
        measured, info = self.measured(stream.stem), stream.info
        time = measured.time or TimeMeta()
        return StreamSummary(
            n_samples=stream.n_samples,
            n_channels=info.n_channels,
            fs=info.fs,
            dtype=info.dtype,
            type=info.type,
            source_id=info.source_id,
            measured_fs=time.measured_fs,
            gaps=len(lost_gaps(measured.gaps)),
            lost_samples=n_lost(measured),
            head_s=seconds_of(measured.gaps, "head"),
            tail_s=seconds_of(measured.gaps, "tail"),
            time_model=time.model,
            basis=time.basis,
            error_s=time.error_s,
            remarks=time_remarks(measured, self._duration(), recorder_host(self.meta)),
        )

    @property
    def duration_s(self) -> float:
        """How long the session is, in seconds."""
        return self._duration()

    def _duration(self) -> float:
        if self.meta.duration_s is not None:
            return self.meta.duration_s
        streams = self.view.streams.values()
        return max((stream.n_samples / stream.info.fs for stream in streams if stream.info.fs > 0), default=0.0)

    def _names(self) -> dict[str, str]:
        return {stem: stream.meta.name for stem, stream in self.view.streams.items()}

    # ------------------------------------------------------------ zarr arrays

    def _arrays(self, derived: str) -> ByStream[zarr.Array[Any]]:
        def names() -> dict[str, str]:
            all_names = self._names()
            if not derived:
                return all_names
            return {stem: own for stem, own in all_names.items() if array_name(stem, derived) in self._rows(stem)}

        return ByStream(names, lambda stem: self._open_array(stem, array_name(stem, derived)))

    def _rows(self, stem: str) -> dict[str, Rows]:
        return self.view.streams[stem].arrays()

    def _open_array(self, stem: str, name: str) -> zarr.Array[Any]:
        from .zarr_stores import open_array

        return open_array(self._store(stem, name), name)

    def _store(self, stem: str, name: str) -> Store:
        # No store that ``zarrs`` goes round: it reads a chunk whose folder was packed meanwhile as zeros.
        from .zarr_stores import MemberStore

        return MemberStore(RecoveredFiles(self.view, self._rows(stem)[name], name), strict=self.view.strict)


def damage_in(path: str | os.PathLike[str]) -> list[str]:
    """What a look at a session, or its recovery, found damaged, a sentence each; errors as `open_session_store`."""
    with open_session_store(path) as session:
        return [finding.text for finding in session.findings if finding.kind == "damage"]


def open_session_store(path: str | os.PathLike[str]) -> SessionReader:
    """Open a session to read it: a folder (finished, cut off, or being recorded), a ``.session.zip``, or a URL of one.

    A URL is text with ``://`` (``sftp://``, ``s3://``, ``https://``, …); it needs the extra ``[remote]``. Nothing is
    written. A folder that is not finished shows what recovery would make of it.

    Raises
    ------
    SessionError
        There is no session, or it is too damaged to be read; the message names the file or member.
    """
    from .session_states import session_state, sessions_within
    from .view_archive import view_archive

    if "://" in os.fspath(path):
        from .remote_sessions import view_url

        return SessionReader(*view_url(os.fspath(path)))
    where = Path(path)
    if where.is_dir():
        if sessions := sessions_within(where):
            raise SessionError(f"{where} is a folder of {len(sessions)} sessions, such as {sessions[0].name}; open one")
        view = view_folder(where)
    elif where.exists():
        view = view_archive(where)
    else:
        raise SessionError(f"{where} is not there; `myogestic-tui sessions` lists the sessions of a folder")
    return SessionReader(view, session_state(where, view))
