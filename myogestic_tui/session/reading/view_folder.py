"""A session folder as it is; nothing is written.

One whose recorder was cut off, or still records, shows as what recovery would make of it: the committed arrays with
the journal's tail behind them, and every event of the journal.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ...errors import DiskError, SessionDamagedError, SessionError
from ..format.arrays import ListedArray, OverviewArray, Rows, StoredArray, chunk_spans
from ..format.arrival_record import Row, continued
from ..format.event_log import replay
from ..format.events import SessionRecord
from ..format.findings import Finding, damage, observation
from ..format.journal import EVENTS, is_first, list_segments
from ..format.label_edits import drop_unfinished
from ..format.layout import JOURNAL, LABELS, META, ZARR_JSON, array_name, stems_among
from ..format.lock import session_holder
from ..format.meta import (
    SCHEMA_VERSION,
    LabelEvent,
    Meta,
    StreamMeta,
    decode_labels,
    decode_meta,
    merged_events,
)
from ..format.zarr_format import ArraySpec
from .journal_tail import JournalTail, TailedArray
from .lost_events import add_written
from .session_files import FolderMembers
from .session_view import SessionView, StreamView, declared_info, inferred_info
from .stored_layout import are_stamps, at_rate_of, can_be_times, first_rows, is_laid_out

if TYPE_CHECKING:
    from pathlib import Path

    from ...info import StreamInfo

_ATTEMPTS = 50
"""A recorder moves samples from the journal to the arrays every few seconds; one look may fall into that."""


def view_folder(path: Path, *, own_lock: bool = False) -> SessionView:
    """Look at a session folder.

    Parameters
    ----------
    path
        The folder.
    own_lock
        The caller holds its lock, so nobody records into it.

    Raises
    ------
    SessionError
        It is gone, or holds no session.
    DiskError
        The disk refused.
    """
    for _ in range(_ATTEMPTS):
        try:
            view = _FolderReader(path, own_lock=own_lock).read()
        except OSError as error:
            raise DiskError(f"{path} cannot be read: {error.strerror} ({error.filename})") from error
        if view is not None:
            return view
    raise SessionError(f"{path} changes faster than it can be read; try again")


class _FolderReader:
    """One look at a folder, which fails where a recorder changes it meanwhile."""

    def __init__(self, path: Path, *, own_lock: bool) -> None:
        self.path = path
        self.members = FolderMembers(path)
        self.findings: list[Finding] = []
        self.live = not own_lock and session_holder(path) is not None
        self.unusable: list[Finding] = []
        self.names = self._entries()
        self._arrays: dict[str, StoredArray | None] = {}

    def _entries(self) -> list[str]:
        try:
            return [entry.name for entry in os.scandir(self.path)]
        except FileNotFoundError as error:
            raise SessionError(f"{self.path} is not there; it may have been packed or moved") from error
        except (NotADirectoryError, PermissionError) as error:
            raise SessionError(f"{self.path} cannot be read as a session folder: {error.strerror}") from error

    def read(self) -> SessionView | None:
        has_journal = (self.path / JOURNAL).is_dir()  # first: what is read below is at least as new
        meta = self._meta()
        record = SessionRecord(meta)
        labels_json = self._read(LABELS)
        history, labels = drop_unfinished(meta, labels_json), self._labels(labels_json)
        if has_journal:
            labels = self._replay(record, labels)
        stems = sorted({*stems_among(self.names), *meta.all_streams, *list_segments(self.path)})
        view = SessionView(
            self.path, self.members, meta, labels, findings=self.findings, live=self.live, unusable=self.unusable
        )
        view.label_history = history
        if not has_journal and not self.live and (meta.schema_version, meta.state) == (SCHEMA_VERSION, "recording"):
            text = f"{JOURNAL} is missing: samples, labels and notes since the last checkpoint are lost"
            self.findings.append(damage(text, member=JOURNAL))
        view.record = record if has_journal else None
        view.strict = meta.schema_version is not None or has_journal
        view.finished = not has_journal and meta.state not in ("", "recording")
        if not self._add_streams(view, stems) or self._has_moved_on(has_journal):
            view.close()
            return None
        return view

    def _meta(self) -> Meta:
        data = self._read(META)
        if data is None:
            if not (self.path / JOURNAL).is_dir():
                self.findings.append(
                    observation(f"{META} is missing; what it says is taken from the arrays", member=META)
                )
            return Meta()
        try:
            return decode_meta(data)
        except SessionDamagedError as error:
            self.findings.append(damage(f"{error}; what it says is taken from the arrays", member=META))
            return Meta()

    def _read(self, key: str) -> bytes | None:
        if (self.path / key).is_dir():
            self.findings.append(damage(f"{key} is a folder; what it said is lost", member=key))
            return None
        try:
            return self.members.read(key)
        except SessionDamagedError as error:
            self.findings.append(damage(f"{error}; what it said is lost", member=key))
            return None

    def _labels(self, data: bytes | None) -> list[LabelEvent]:
        try:
            return [] if data is None else decode_labels(data)
        except SessionDamagedError as error:
            self.findings.append(damage(f"{error}; its labels are lost", member=LABELS))
            return []

    def _replay(self, record: SessionRecord, stored: list[LabelEvent]) -> list[LabelEvent]:
        meta, written = record.meta, (record.meta.notes, record.meta.bad_channels)
        meta.notes, meta.bad_channels = [], {}
        events = meta.set_events([])
        found, findings = replay(self.path, record)
        meta.set_events(merged_events(events, meta.set_events([])))
        # Of a recorder that is still there, the last event may be half written at this moment.
        self.findings += [one for one in findings if not self.live or one.kind == "damage"]
        if not found:
            text = f"{EVENTS} is missing: labels and notes that were not in {LABELS} and {META} yet are lost"
            self.findings.append(damage(text, member=EVENTS))
        kept = add_written(record, stored, *written)
        if kept and not any(one.member == EVENTS and one.kind == "damage" for one in self.findings):
            # What is in these files came from events, so some of those are gone.
            text = f"{EVENTS} ends before events that {LABELS} and {META} still have; later ones may be lost"
            self.findings.append(damage(text, member=EVENTS))
        return record.label_track

    def _has_moved_on(self, had_journal: bool) -> bool:
        return had_journal and not (self.path / JOURNAL).is_dir()

    def _add_streams(self, view: SessionView, stems: list[str]) -> bool:
        for stem in stems:
            try:
                stream = self._stream(view, stem)
            except FileNotFoundError:
                return False
            if stream is not None:
                view.streams[stem] = stream
                if stream.tail is not None and self.live and stream.data.n_rows < stream.tail.first:
                    return False
        return True

    def _stream(self, view: SessionView, stem: str) -> StreamView | None:
        # The journal first: what a recorder drops from it meanwhile then stands in the arrays.
        segments = list_segments(self.path).get(stem, [])
        declared = view.meta.all_streams.get(stem)
        info = self._info(view, stem, declared, own=bool(segments))
        if info is None:
            self._refuse(f"{stem}: nothing on the disk says how its samples look", stem)
            return None
        if declared is None or declared_info(declared) != info:
            declared = StreamMeta.of(info, name=stem if declared is None else declared.name)
        tail = JournalTail(stem, segments, info) if segments else None
        try:
            return self._assemble(view, stem, info, declared, tail)
        except BaseException:
            if tail is not None:
                tail.close()
            raise

    def _info(self, view: SessionView, stem: str, declared: StreamMeta | None, *, own: bool) -> StreamInfo | None:
        """A stream's layout: as ``meta.json`` has it, unless that is impossible or contradicts a readable array."""
        info = declared_info(declared)
        if info is not None and own:
            return info  # the arrays must not be looked at before the journal is
        data, stamps = self._stored(view, stem, ""), self._stored(view, stem, "_timestamps")
        if info is not None and (data is None or is_laid_out(data.spec, info)):
            return info
        inferred = inferred_info(data, stamps) if data is not None and stamps is not None else None
        if declared is not None and inferred is not None:
            said = f"{declared.n_channels} channels of {declared.dtype} at {declared.fs:g} Hz"
            text = f"{stem}: {META} says {said}, which the arrays do not have; what they have counts"
            self.findings.append(damage(text, stream=stem, member=META))
            inferred = at_rate_of(declared, inferred)
        return inferred or info

    def _refuse(self, text: str, stem: str, member: str = "") -> None:
        self.unusable.append(damage(text, stream=stem, member=member))
        self.findings.append(self.unusable[-1])

    def _stored(self, view: SessionView, stem: str, derived: str, spec: ArraySpec | None = None) -> StoredArray | None:
        """An array as its files say it is; None where there is none that can be believed and has this layout."""
        name = array_name(stem, derived)
        if name not in self._arrays:
            self._arrays[name] = self._read_array(view, stem, name)
        array = self._arrays[name]
        if array is not None and spec is not None and array.spec != spec:
            text = f"{stem}: {name} is laid out as {array.spec}, which does not fit the stream"
            self.findings.append(damage(text, stream=stem, member=name))
            array = self._arrays[name] = None
        return array

    def _read_array(self, view: SessionView, stem: str, name: str) -> StoredArray | None:
        if not (self.path / name).is_dir():
            return None
        try:
            return StoredArray(self.members, name, strict=view.strict)
        except SessionDamagedError as error:
            if view.record is not None and self._is_torn(stem, name):
                return None  # being made when the recorder or a recovery ended: nothing stands in it alone
            if view.record is None or self._has_chunks(name):  # else the recorder was cut off while it made the array
                self.findings.append(damage(f"{stem}: {error}", stream=stem, member=name))
            return None

    def _is_torn(self, stem: str, name: str) -> bool:
        """Whether a ``zarr.json`` is cut short, while all of the stream was in its journal or it had none."""
        first = next(iter(list_segments(self.path).get(stem, [])), None)
        untouched = not self._has_chunks(array_name(stem)) if first is None else is_first(first)
        try:
            text = self.members.read(f"{name}/{ZARR_JSON}") or b""
        except SessionDamagedError:
            return False
        return untouched and (0 in text or not text.endswith(b"}"))  # zeros: pages that were not written yet

    def _has_chunks(self, name: str) -> bool:
        return (self.path / name / "c").exists()

    def _assemble(
        self, view: SessionView, stem: str, info: StreamInfo, meta: StreamMeta, tail: JournalTail | None
    ) -> StreamView:
        data_spec, stamps_spec = ArraySpec.data(info), ArraySpec.timestamps(info)
        if not view.strict or tail is None:
            data_spec, stamps_spec = self._specs_on_disk(view, stem, data_spec, stamps_spec)
        data = self._stored(view, stem, "", data_spec)
        stamps = self._stored(view, stem, "_timestamps", stamps_spec)
        committed = self._committed(view, stem, data, stamps, tail)
        if view.strict and committed:
            data = data or StoredArray.assumed(self.members, array_name(stem), data_spec, committed)
            name = array_name(stem, "_timestamps")
            stamps = stamps or StoredArray.assumed(self.members, name, stamps_spec, committed)
        stream = self._with_tail(stem, info, meta, (data, data_spec), (stamps, stamps_spec), committed, tail)
        stream.arrival = self._arrivals(view, stem, stream)
        rows = view.record.clock.get(stem, []) if view.record is not None else []
        clock = self._stored(view, stem, "_clock", ArraySpec.clock())
        n_clock = 0 if clock is None else clock.n_rows
        stream.clock = ListedArray(ArraySpec.clock(), rows) if view.strict and len(rows) >= n_clock else clock
        if not info.is_string and (view.strict or (self.path / array_name(stem, "_overview")).is_dir()):
            spec = ArraySpec.overview(info)
            stored = self._stored(view, stem, "_overview", spec)
            stream.overview = OverviewArray(stored, spec, stream.data, growing=view.record is not None)
        return stream

    def _arrivals(self, view: SessionView, stem: str, stream: StreamView) -> Rows | None:
        """The arrival record: as it is on the disk, with what the journal adds; None in older sessions."""
        if f"{stem}_arrival" in {*view.meta.all_streams, *stems_among(self.names)}:
            return None  # an older session's stream of that name
        spec, tail = ArraySpec.arrival(), stream.tail
        stored = self._stored(view, stem, "_arrival", spec)
        began = view.record.began.get(stem) if view.record is not None else None
        if view.record is None or (stored is None and began is None):
            return stored
        rows = [] if stored is None else self._readable(stem, stored)
        return ListedArray(spec, continued(began, rows, tail.arrivals if tail else (), stream.data.n_rows))

    def _readable(self, stem: str, stored: StoredArray) -> list[Row]:
        rows: list[Row] = []
        for _, first, stop in chunk_spans(stored.spec, 0, stored.n_rows):
            try:
                rows += [(float(count), float(at)) for count, at in stored.rows(first, stop)]
            except SessionDamagedError as error:
                self.findings.append(damage(f"{stem}: a part of the arrival record is lost: {error}", stream=stem))
        return rows

    def _specs_on_disk(
        self, view: SessionView, stem: str, data: ArraySpec, stamps: ArraySpec
    ) -> tuple[ArraySpec, ArraySpec]:
        """Chunk lengths as another recorder chose them; where it is ours they are as expected."""
        found = self._stored(view, stem, ""), self._stored(view, stem, "_timestamps")
        return (
            found[0].spec if found[0] is not None and found[0].spec.row_shape == data.row_shape else data,
            found[1].spec if found[1] is not None and can_be_times(found[1].spec) else stamps,
        )

    def _committed(
        self,
        view: SessionView,
        stem: str,
        data: StoredArray | None,
        stamps: StoredArray | None,
        tail: JournalTail | None,
    ) -> int:
        """Rows that both arrays have; where one cannot tell, the other one can, else the journal's beginning."""
        counts = [array.n_rows for array in (data, stamps) if array is not None]
        if len(counts) == 2 or (counts and view.strict):
            if len(set(counts)) > 1 and tail is None and not self.live:
                text = f"{stem}: {counts[0]} samples and {counts[1]} time stamps; the first {min(counts)} of both count"
                self.findings.append(observation(text, stream=stem))
            return min(counts)
        if tail is not None and tail.has_frames:
            return tail.oldest
        names = array_name(stem), array_name(stem, "_timestamps")
        missing = [name for name, array in zip(names, (data, stamps), strict=True) if array is None]
        if any(counts) or any(map(self._has_chunks, missing)):
            self._refuse(f"{stem}: {' and '.join(missing)} cannot be read", stem, missing[0])
        return 0

    def _with_tail(
        self,
        stem: str,
        info: StreamInfo,
        meta: StreamMeta,
        data: tuple[StoredArray | None, ArraySpec],
        stamps: tuple[StoredArray | None, ArraySpec],
        committed: int,
        tail: JournalTail | None,
    ) -> StreamView:
        if tail is None:
            return StreamView(stem, info, meta, first_rows(*data, committed), first_rows(*stamps, committed))
        beyond = not self.live and tail.has_frames and tail.newest < committed
        if beyond:
            real = stamps[0] is not None and are_stamps(stamps[0], tail.newest, committed)
            counts = committed if real else tail.newest
            text = f"{stem}: the arrays say {committed} samples and the journal ends at {tail.newest}; {counts} count"
            self.findings.append(damage(text, stream=stem, member=array_name(stem)))
            committed = counts
        tail.join(committed)
        self.findings += [one for one in tail.findings if not self.live or one.kind == "damage"]
        # A partial chunk that was flushed is taken from the journal where that still has it: it has a CRC per frame,
        # and a power cut may have met the chunk while it was being replaced.
        whole = committed - committed % info.chunk_length
        stored = whole if tail.first <= whole else committed
        end = max(committed, tail.end)
        return StreamView(
            stem,
            info,
            meta,
            TailedArray(*data, stored, tail, end, stamps=False),
            TailedArray(*stamps, stored, tail, end, stamps=True),
            tail=tail,
            contradicted=beyond,
        )
