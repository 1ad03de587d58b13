"""A disk that goes while it is recorded to: the session ends, says why, and what the disk had stored is given back."""

from __future__ import annotations

import fcntl
import os
import shutil
import struct
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from myogestic_tui.errors import DiskError
from myogestic_tui.info import StreamInfo
from myogestic_tui.session import Session, open_session_store, recover_session, verify_session
from tests.sending import wait_for
from tests.session.folders import feed, recorded
from tests.session.known import Known

EMG = Known("emg", StreamInfo(8, 500.0))
_SHUTDOWN, _NOTHING_MORE = 0x8004587D, struct.pack("I", 2)
"""ext4's own way to be as if its device were gone: nothing is written any more, every call fails."""


class Disk:
    """An ext4 file system in a file of its own."""

    def __init__(self, base: Path) -> None:
        self.where, self._image = base / "disk", base / "image"
        self.where.mkdir()
        with open(self._image, "wb") as file:
            file.truncate(24 << 20)
        subprocess.run(["mkfs.ext4", "-q", self._image], check=True, capture_output=True)

    def mount(self) -> bool:
        done = subprocess.run(["mount", "-o", "loop", self._image, self.where], check=False, capture_output=True)
        return done.returncode == 0

    def unmount(self) -> None:
        subprocess.run(["umount", "--lazy", self.where], check=True, capture_output=True)

    def vanish(self) -> None:
        fd = os.open(self.where, os.O_RDONLY)
        try:
            fcntl.ioctl(fd, _SHUTDOWN, _NOTHING_MORE)
        finally:
            os.close(fd)

    def turn_read_only(self) -> None:
        """As ext4 does where it meets an error."""
        subprocess.run(["mount", "-o", "remount,abort", self.where], check=False, capture_output=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    if shutil.which("mkfs.ext4") is None:
        pytest.skip("there is no mkfs.ext4")
    made = Disk(tmp_path)
    if not made.mount():
        pytest.skip("mounting is not permitted here")
    yield made
    made.unmount()


@pytest.mark.parametrize("goes", [Disk.vanish, Disk.turn_read_only], ids=["vanishes", "read-only"])
@pytest.mark.parametrize("when", ["while recording", "before the stop"])
def test_a_session_whose_disk_goes_ends_and_gives_back_what_was_stored(
    disk: Disk, goes: Callable[[Disk], None], when: str
):
    session = recorded(disk.where / "sessions", [(EMG, 1700, 50)])
    session.add_label(1, 1000.5)
    wait_for(lambda: session.snapshot().unsynced_s == 0.0)
    goes(disk)
    if when == "while recording":
        with pytest.raises(DiskError, match=r"refused a write \(.*but for what it had not stored yet"):
            feed(session, EMG, 1700, 5000, 50)
    with pytest.raises(DiskError):
        session.finish()
    wait_for(lambda: session.snapshot().state == "finished")
    assert session.error is not None
    assert session.state == "unfinished"
    assert session.snapshot().elapsed_s >= 0.0
    assert [one.name for one in threading.enumerate() if session.path.name in one.name] == []
    disk.unmount()
    assert disk.mount()
    recover_session(session.path)
    with open_session_store(session.path) as reader:
        EMG.assert_prefix(reader, at_least=1700)
        assert [(label.timestamp, label.class_index) for label in reader.label_track] == [(1000.5, 1)]
    assert verify_session(session.path).ok


def test_a_session_whose_disk_is_gone_is_not_packed(disk: Disk):
    session = recorded(disk.where / "sessions", [(EMG, 100, 50)])
    session.finish()
    disk.unmount()
    with pytest.raises(FileNotFoundError, match="does not exist, nor does an archive of it"):
        session.pack_to_zip()
    assert disk.mount()
    assert verify_session(session.pack_to_zip()).ok


def test_who_waits_for_a_session_whose_disk_is_gone_is_told(disk: Disk):
    session = Session(disk.where / "sessions", reserve_bytes=0)
    told: list[DiskError] = []
    session.on_error = told.append
    session.init_stream("emg", EMG.info)
    disk.vanish()
    with pytest.raises(DiskError):
        feed(session, EMG, 0, 5000, 50)
    wait_for(lambda: told)
    assert told == [session.error]
