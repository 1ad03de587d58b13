"""What a full disk leaves locked: nothing. On a real small file system where the test may mount one."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import pytest

from myogestic_tui.errors import ConfigError, DiskError, SourceError
from myogestic_tui.info import StreamInfo
from myogestic_tui.session import Session, list_trash, pack_session, restore_session, trash_session
from myogestic_tui.session.library.edit import edit_session
from tests.session.folders import recorded
from tests.session.known import STREAMS

EMG = STREAMS[0]


def finished(folder: Path) -> Path:
    session = recorded(folder, [(EMG, 1600, 100)])
    session.finish()
    return session.path


def fill_up(disk: Path) -> Path:
    """A file that takes the last byte."""
    filler = disk / "filler"
    fd = os.open(filler, os.O_WRONLY | os.O_CREAT)
    try:
        for size in (1 << 20, 4096, 1):
            block = bytes(size)
            while True:
                try:
                    if os.write(fd, block) < size:
                        break
                except OSError:
                    break
    finally:
        os.close(fd)
    return filler


@pytest.mark.parametrize(
    "attempt", [pack_session, trash_session, lambda path: edit_session(path, {"name": "x" * 5000})]
)
def test_a_session_is_free_again_once_there_is_space(small_disk: Path, attempt):
    folder = finished(small_disk / "s")
    filler = fill_up(small_disk)
    with suppress(DiskError):
        attempt(folder)
    filler.unlink()
    if folder.exists():
        pack_session(folder)
    else:
        pack_session(restore_session(list_trash(small_disk / "s")[0].path))


def test_odd_arguments_are_refused_by_name(tmp_path: Path):
    session = Session(tmp_path, reserve_bytes=0)
    session.init_stream("emg", StreamInfo(2, 100.0))
    with pytest.raises(SourceError, match="emg"):
        session.append("emg", 3.0, 1.0)  # type: ignore[arg-type]
    for label in ((1.5, None), (1, "x"), ("a", None)):
        with pytest.raises(ConfigError, match="label"):
            session.add_label(*label)  # type: ignore[arg-type]
    session.finish()
    for stray in ("20260517T122305.123456Z", "20260517T122305.123457Z/.DS_Store"):
        (tmp_path / ".myogestic/trash" / stray).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / ".myogestic/trash" / stray).write_text("x")
    trashed = trash_session(session.path)
    (trashed.parent / ".DS_Store").write_text("x")
    assert restore_session(trashed) == session.path
