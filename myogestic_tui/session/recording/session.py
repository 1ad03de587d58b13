"""`Session`: what a recorder writes. Nothing that one of its methods returned from is lost to a kill."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...clock import local_clock
from ...errors import ConfigError, DiskError, SessionClosedError
from ..format import events as ev
from ..format.layout import is_session_folder
from ..format.stream_names import find_stem
from ..reading.reader import SessionReader, open_session_store
from ..reading.session_states import session_state
from ..recovery.recover import recover_session
from .annotations import Annotated
from .begin_session import begin_session
from .disk_reserve import MIN_RESERVE
from .finished_metadata import replace_fields
from .live_arrays import LiveStores
from .progress import SessionSnapshot, StreamProgress
from .start_metadata import first_meta, plain_fields

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping, Sequence

    import numpy as np
    import zarr
    from numpy.typing import NDArray

    from ...info import StreamInfo
    from ..format.meta import LabelEvent, Meta, Note
    from .active_session import Recording
    from .journal_writer import StreamJournal


class Session(Annotated):
    """A session that is being recorded, from its folder's first moment on; or one on the disk, taken up again.

    Parameters
    ----------
    base_path
        Folder that gets a new session ``<timestamp>/``. A folder that *is* a session is taken up again: it is
        recovered where it was cut off, and takes no more samples.
    app_name
        Entered in ``meta.json``.
    class_names
        Names of the gesture classes, by index.
    fields
        ``name``, ``subject``, ``task``, ``take``, and any others, for ``meta.json``.
    reserve_bytes
        Room that must be left on the disk at the start; None is 200 MB.
    started_at
        When the recording starts, in seconds on the recorder's LSL clock; None is now.

    Raises
    ------
    DiskError
        The folder cannot be written to, or too little room is left.
    SessionLockedError
        ``base_path`` is a session that another process records or packs.
    """

    def __init__(
        self,
        base_path: str | os.PathLike[str] = "sessions",
        *,
        app_name: str = "myogestic_tui",
        class_names: Sequence[str] | None = None,
        fields: Mapping[str, Any] | None = None,
        reserve_bytes: int | None = None,
        started_at: float | None = None,
    ) -> None:
        base = Path(base_path)
        self._recording: Recording | None = None
        self._live: LiveStores | None = None
        self._reader: SessionReader | None = None
        self._journals: dict[str, StreamJournal] = {}
        if is_session_folder(base):
            self._path = recover_session(base)
            self._meta = self._finished().meta
        else:
            self._meta = first_meta(app_name, class_names, fields, started_at)
            self._recording = begin_session(base, self._meta, MIN_RESERVE if reserve_bytes is None else reserve_bytes)
            self._path, self._live = self._recording.folder, LiveStores(self._recording)

    # ------------------------------------------------------------ what there is

    @property
    def path(self) -> Path:
        """The session's folder; its archive once that has replaced the folder, whoever packed it."""
        if self._running() is None and not self._path.exists():
            from ..reading.archive_of import packed_path

            self._path = packed_path(self._path)
        return self._path

    @property
    def meta(self) -> Meta:
        """Its metadata as known by now; to be read only."""
        return self._meta

    @property
    def name(self) -> str:
        """Name of the session, or an empty string."""
        return self._meta.name

    @property
    def state(self) -> str:
        """``"recording"`` until `finish` is through; then see `session_state`."""
        return "recording" if self._running() is not None else session_state(self.path)

    @property
    def error(self) -> DiskError | None:
        """Set when the disk refused a write: the session is then finished with what is safe."""
        return self._recording.error if self._recording is not None else None

    @property
    def on_error(self) -> Callable[[DiskError], Any] | None:
        """Called with `error`, in a thread of the session's, once the session is finished with what is safe."""
        return self._recording.on_error if self._recording is not None else None

    @on_error.setter
    def on_error(self, call: Callable[[DiskError], Any] | None) -> None:
        if self._recording is not None:
            self._recording.on_error = call

    def when_failing(self, call: Callable[[DiskError], Any]) -> None:
        """Have ``call`` called as soon as the disk refuses, in the thread that met it: it must not wait."""
        if self._recording is not None:
            self._recording.on_failure = call
            if self._recording.error is not None:
                call(self._recording.error)

    @property
    def stores(self) -> Mapping[str, zarr.Array[Any]]:
        """Samples by stream, ``(n_samples, n_channels)``.

        While recording these are the arrays that the checkpointer extends, a few seconds behind (`flush` closes
        that); afterwards they are open to be read.
        """
        return self._live.data if self._live is not None and self._running() else self._finished().stores

    @property
    def ts_stores(self) -> Mapping[str, zarr.Array[Any]]:
        """Raw time stamps by stream, ``(n_samples,)`` float64 seconds on the source's clock; see `stores`."""
        return self._live.stamps if self._live is not None and self._running() else self._finished().ts_stores

    @property
    def label_track(self) -> list[LabelEvent]:
        """All labels so far, in time order; a list that is replaced, never changed."""
        return self._recording.labels if self._recording is not None else self._finished().label_track

    @property
    def notes(self) -> list[Note]:
        """All notes so far; a list that is replaced, never changed."""
        return self._meta.notes

    @property
    def class_names(self) -> list[str]:
        """Names of the classes, by index. Once given they stick: setting an empty list changes nothing."""
        return self._meta.class_names

    @class_names.setter
    def class_names(self, names: Sequence[str]) -> None:
        self.set_fields(class_names=names)

    @property
    def started_at(self) -> float:
        """When the recording started, in seconds on the recorder's LSL clock; 0 where nothing says so."""
        return self._meta.anchors[0].lsl if self._meta.anchors else 0.0

    def snapshot(self) -> SessionSnapshot:
        """How far the session is; cheap, and never waits for the disk."""
        recording = self._recording
        if recording is None:
            streams = {stream.name: StreamProgress(stream.n_samples or 0) for stream in self._meta.all_streams.values()}
            return SessionSnapshot(self._path, self.state, self._meta.duration_s or 0.0, 0, streams)
        over = self._running() is None
        known = self._meta.duration_s if over else None
        elapsed = local_clock() - self._meta.anchors[0].lsl if known is None else known
        return SessionSnapshot.of(recording, self._path, elapsed, over=over)

    # ------------------------------------------------------------ recording

    def init_stream(
        self, name: str, info: StreamInfo, joined_at: float | None = None, *, began: float | None = None
    ) -> str:
        """A stream joins the session; its arrays exist when this returns. Again with the same layout: nothing happens.

        Parameters
        ----------
        name
            What the stream is called.
        info
            Its layout.
        joined_at
            When, on the recorder's LSL clock, for one that comes after the start.
        began
            From when on, on that clock, samples of it are recorded (its arrival record begins there); None is
            ``joined_at``, or now.

        Returns
        -------
        stem
            What its files are called.

        Raises
        ------
        ConfigError
            The name is no text.
        StreamChangedError
            It is there with another layout.
        SessionClosedError
            The session is finished.
        DiskError
            The disk refused.
        """
        recording = self._must_record()
        try:
            name.encode()
        except UnicodeEncodeError as error:
            raise ConfigError(f"a stream cannot be called {name!r}: that is no text that a file can hold") from error
        stem = recording.add_stream(name, info, joined_at, began)
        self._journals[name] = self._journals[stem] = recording.committers[stem].journal
        return stem

    def append(
        self, name: str, data: NDArray[Any], timestamps: NDArray[np.float64], arrived: float | None = None
    ) -> None:
        """Take a chunk of samples. Once this has returned, a kill of the process does not lose it.

        Threads may append to different streams at the same time.

        Parameters
        ----------
        name
            The stream, by its name or stem.
        data
            ``(n, n_channels)`` in the stream's dtype (object array of str for text).
        timestamps
            ``(n,)`` seconds on the source's clock, raw.
        arrived
            When it was read, in seconds on the recorder's LSL clock; None is now.

        Raises
        ------
        SourceError
            Wrong shape or dtype; nothing is written.
        SessionClosedError
            The session is finished.
        DiskError
            The disk refused. The session is then finished with what is safe, in the background.
        UnknownStreamError
            The stream did not join.
        """
        journal = self._journals.get(name) or self._joined_journal(name)
        try:
            journal.append(data, timestamps, arrived)
        except DiskError as error:
            self._must_record().fail(error)
            raise

    def _joined_journal(self, name: str) -> StreamJournal:
        """A stream's journal; SessionClosedError and UnknownStreamError where there is none."""
        self._must_record()
        return self._journals[find_stem({stem: stem for stem in self._journals}, name)]

    def n_samples(self, name: str) -> int:
        """Samples of a stream so far, by its name or stem; 0 for one that did not join."""
        journal = self._journals.get(name)
        return 0 if journal is None else journal.n_samples

    def mark_arrival(self, name: str, at: float | None = None) -> None:
        """Note in a stream's arrival record that by ``at`` (recorder's LSL clock, s; None is now) no more had come.

        Raises
        ------
        SessionClosedError, DiskError, UnknownStreamError
            As `append`.
        """
        journal = self._journals.get(name) or self._joined_journal(name)
        try:
            journal.mark(at)
        except DiskError as error:
            self._must_record().fail(error)
            raise

    def set_fields(self, **fields: Any) -> None:
        """Change fields of ``meta.json``: name, subject, task, take, class_names, and any others.

        Raises
        ------
        ConfigError
            A field is no JSON, or more than can be read again.
        SessionClosedError
            The session is packed.
        DiskError
            The disk refused.
        """
        known = plain_fields(fields)
        if not known:
            return
        recording = self._running()
        if recording is not None:
            recording.record_event(lambda _: ev.FieldsSet(known))
        else:
            replace_fields(self._path, self._meta, known)

    def save_meta(self, app_name: str | None = None, class_names: Sequence[str] | None = None) -> None:
        """Write ``meta.json`` and ``labels.json`` now; what is None stays as it is.

        Raises
        ------
        SessionClosedError
            The session is packed.
        DiskError
            The disk refused.
        """
        fields: dict[str, Any] = {} if app_name is None else {"app_name": app_name}
        self.set_fields(**fields, class_names=class_names)
        recording = self._running()
        if recording is not None:
            recording.store_meta()
            recording.run("checkpoint")

    # ------------------------------------------------------------ the end

    def flush(self) -> None:
        """Bring `stores` and `ts_stores` up to the last sample; DiskError where the disk refuses."""
        self._must_record().run("flush")

    def finish(self, timeout: float | None = 60.0) -> None:
        """Take no more samples and labels, bring everything into the arrays, drop the journal; may be called again.

        Raises
        ------
        DiskError
            The disk refuses, and what it has can be recovered; or it takes longer than ``timeout`` seconds, and goes
            on in the background.
        """
        if self._recording is not None:
            self._recording.finish(timeout)

    def pack_to_zip(self) -> Path:
        """Pack the folder into its archive, verify that, remove the folder; blocks, and may be called again.

        Returns
        -------
        path
            The archive's.

        Raises
        ------
        SessionError
            It cannot be packed now; the folder stays.
        """
        from ..packing.pack import pack_when_free

        self.finish(None)
        self._close_reader()
        self._path = pack_when_free(self.path)
        return self._path

    def discard(self) -> Path:
        """Finish, and move the session to the trash folder, from where it can be restored; its path there."""
        from ..recovery.trash import trash_session

        try:
            self.finish(None)
        finally:
            self._close_reader()
            self._path = trash_session(self._path)
        return self._path

    def close(self) -> None:
        """Finish, and close the files that `stores` hold open after that."""
        self.finish(None)
        self._close_reader()

    def _running(self) -> Recording | None:
        recording = self._recording
        return None if recording is None or recording.over.is_set() else recording

    def _must_record(self) -> Recording:
        if self._recording is None:
            raise SessionClosedError(f"{self._path.name} is finished; start a new session")
        return self._recording

    def _finished(self) -> SessionReader:
        if self._reader is None:
            self._reader = open_session_store(self.path)
        return self._reader

    def _close_reader(self) -> None:
        if self._reader is not None:
            self._reader.close()
        self._reader = None
