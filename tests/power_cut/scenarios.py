"""What is done while a power cut may come, with what is promised by when, and what must be there afterwards."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from myogestic_tui.info import StreamInfo
from myogestic_tui.session import (
    Session,
    finish_interrupted,
    list_sessions,
    list_trash,
    open_session_store,
    pack_session,
    recover_session,
    trash_session,
    unfinished_sessions,
    verify_session,
)
from myogestic_tui.session.library.copy import copy_session
from myogestic_tui.session.library.edit import edit_session
from myogestic_tui.session.reading.reader import damage_in
from myogestic_tui.session.recording import checkpoint, zarr_committer
from tests.power_cut.disk_log import DiskLog
from tests.sending import wait_for
from tests.session.folders import cut_off, feed
from tests.session.known import Known

EMG = Known("emg", StreamInfo(2, 20.0, "int16"))
MARKS = Known("marks", StreamInfo(1, 0.0, "string"))
CLASSES = ["Rest", "Fist"]


class Promised(NamedTuple):
    """What a caller was told is safe."""

    emg: int = 0
    marks: int = 0
    labels: int = 0
    where: str = "sessions"
    """Or ``trash``, or ``stick``, or either of the first two."""
    names: tuple[str, ...] = ("",)
    """What it is called, or was before."""
    whole: bool = False
    """The session is finished; nothing is recovered any more."""


def record(root: Path, patch: pytest.MonkeyPatch) -> DiskLog:
    """A recording, with a commit of each kind, to its end."""
    patch.setattr(checkpoint, "CHECKPOINT_SECONDS", 1e6)
    patch.setattr(checkpoint, "SYNC_SECONDS", 0.01)
    patch.setattr(zarr_committer, "_ROTATE_CHUNKS", 1)
    log = DiskLog(root, patch)
    session = Session(root / "sessions", class_names=CLASSES, reserve_bytes=0)
    log.mark(Promised())
    session.add_label(0, EMG.start)
    log.mark(Promised(labels=1))
    session.init_stream(EMG.name, EMG.info)
    _feed_synced(session, EMG, 0, 25)
    log.mark(Promised(25, labels=1))
    session.save_meta()  # a checkpoint: a segment is full, another one begins
    _feed_synced(session, EMG, 25, 45)
    log.mark(Promised(45, labels=1))
    session.save_meta()  # another one: the full segment goes
    session.init_stream(MARKS.name, MARKS.info)
    _feed_synced(session, MARKS, 0, 3)
    log.mark(Promised(45, 3, 1))
    _feed_synced(session, EMG, 45, 70)
    session.flush()
    log.mark(Promised(70, 3, 1))
    _feed_synced(session, EMG, 70, 75)
    session.add_label(1, EMG.start + 1)
    log.mark(Promised(75, 3, 2))
    session.finish()
    log.mark(Promised(75, 3, 2, whole=True))
    return log


def _feed_synced(session: Session, stream: Known, start: int, stop: int) -> None:
    feed(session, stream, start, stop, 5)
    wait_for(lambda: session.snapshot().unsynced_s == 0)


def finished(root: Path) -> Path:
    """A session as it stands before it is packed."""
    session = Session(root / "sessions", class_names=CLASSES, reserve_bytes=0)
    session.init_stream(EMG.name, EMG.info)
    feed(session, EMG, 0, 75, 5)
    session.init_stream(MARKS.name, MARKS.info)
    feed(session, MARKS, 0, 3, 1)
    session.add_label(0, EMG.start)
    session.add_label(1, EMG.start + 1)
    session.finish()
    return session.path


WHOLE = Promised(75, 3, 2, whole=True)


def pack(root: Path, patch: pytest.MonkeyPatch) -> DiskLog:
    """A finished folder becomes an archive."""
    folder = finished(root)
    log = DiskLog(root, patch)
    log.mark(WHOLE)
    pack_session(folder)
    log.mark(WHOLE)
    return log


def trash(root: Path, patch: pytest.MonkeyPatch) -> DiskLog:
    """A finished folder is moved to the trash."""
    folder = finished(root)
    log = DiskLog(root, patch)
    log.mark(WHOLE._replace(where="either"))
    trash_session(folder)
    log.mark(WHOLE._replace(where="trash"))
    return log


def recover(root: Path, patch: pytest.MonkeyPatch) -> DiskLog:
    """A recording that was cut off, with a commit behind it, is recovered."""
    patch.setattr(zarr_committer, "_ROTATE_CHUNKS", 1)
    session = Session(root / "other", class_names=CLASSES, reserve_bytes=0)
    session.init_stream(EMG.name, EMG.info)
    session.init_stream(MARKS.name, MARKS.info)
    session.add_label(0, EMG.start)
    for start, stop in ((0, 25), (25, 50), (50, 75)):
        feed(session, EMG, start, stop, 5)
        feed(session, MARKS, start // 25, stop // 25, 1)
        if stop < 75:
            session.save_meta()
    session.add_label(1, EMG.start + 1)
    (root / "sessions").mkdir()
    folder = cut_off(session.path, root / "sessions" / session.path.name)
    session.finish()
    shutil.rmtree(root / "other")
    log = DiskLog(root, patch)
    log.mark(WHOLE._replace(whole=False))
    recover_session(folder)
    log.mark(WHOLE)
    return log


def rename_folder(root: Path, patch: pytest.MonkeyPatch) -> DiskLog:
    """A finished folder gets a name."""
    return _rename(finished(root), root, patch)


def rename_archive(root: Path, patch: pytest.MonkeyPatch) -> DiskLog:
    """An archive gets a name, and another file's name with it."""
    return _rename(pack_session(finished(root)), root, patch)


def _rename(path: Path, root: Path, patch: pytest.MonkeyPatch) -> DiskLog:
    log = DiskLog(root, patch)
    log.mark(WHOLE._replace(names=("", "grasp")))
    edit_session(path, {"name": "grasp"})
    log.mark(WHOLE._replace(names=("grasp",)))
    return log


def copy(root: Path, patch: pytest.MonkeyPatch) -> DiskLog:
    """An archive is copied to a stick."""
    archive = pack_session(finished(root))
    (root / "stick").mkdir()
    log = DiskLog(root, patch)
    log.mark(WHOLE)
    copy_session(archive, str(root / "stick"))
    log.mark(WHOLE._replace(where="stick"))
    return log


SCENARIOS: dict[str, Callable[[Path, pytest.MonkeyPatch], DiskLog]] = {
    "record": record,
    "pack": pack,
    "trash": trash,
    "recover": recover,
    "rename_folder": rename_folder,
    "rename_archive": rename_archive,
    "copy": copy,
}


def check(root: Path, promised: Promised) -> None:
    """What was promised is there, before and after what a recorder does at its next start."""
    sessions = root / "sessions"
    for path in {*_places(root, promised), *(root / "stick").glob("*.session.zip")}:
        _check_one(path, promised)
    for folder in unfinished_sessions(sessions):
        _check_one(recover_session(folder), promised)
    if promised.whole and promised.where == "sessions":
        finish_interrupted(sessions)
        [path] = _places(root, promised)
        _check_one(path, promised)
        verification = verify_session(path)
        assert verification.ok, verification.findings


def _places(root: Path, promised: Promised) -> list[Path]:
    """Where the session stands; of one that is being packed or moved there may be two."""
    sessions = root / "sessions"
    found, trashed = list_sessions(sessions), [one.path for one in list_trash(sessions)]
    if promised.where == "trash":
        assert not found
    stick = sorted((root / "stick").glob("*.session.zip"))
    either = {"sessions": found, "trash": trashed, "either": found + trashed, "stick": stick}[promised.where]
    assert len(either) in ((1, 2) if promised.whole else (1,)), either
    return either


def _check_one(path: Path, promised: Promised) -> None:
    damaged = damage_in(path)
    assert not damaged, damaged
    with open_session_store(path) as reader:
        assert reader.meta.class_names == CLASSES
        assert reader.meta.name in promised.names
        for stream, n in ((EMG, promised.emg), (MARKS, promised.marks)):
            if n or stream.name in reader.streams:
                stream.assert_prefix(reader, at_least=n)
        labels = [(label.timestamp - EMG.start, label.class_index) for label in reader.label_track]
        assert labels[: promised.labels] == [(0.0, 0), (1.0, 1)][: promised.labels]
        if promised.whole:
            assert reader.meta.state in ("finished", "recovered")
            assert os.path.isfile(path) or not (path / "journal").exists()
