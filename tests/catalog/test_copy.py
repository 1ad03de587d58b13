"""Copies: whole and compared, or not there under their name; a cut-off one continues."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from myogestic_tui.errors import DiskError, SessionDamagedError, SessionError
from myogestic_tui.session.library.catalog import Catalog
from myogestic_tui.session.library.copy import PART, FolderDestination, copy_session

KILLED_COPY = """
import sys, time
from myogestic_tui.session.library.copy import copy_session
def slow(done, total):
    print(done, flush=True)
    time.sleep(0.05)
import myogestic_tui.session.library.copy as module
module._BLOCK = 4096
copy_session(sys.argv[1], sys.argv[2], slow)
"""


def test_a_copy_is_the_same_and_remembered(record, tmp_path: Path) -> None:
    archive = record()
    where = copy_session(archive, str(tmp_path / "usb"))
    assert Path(where).read_bytes() == archive.read_bytes()
    (entry,) = Catalog(archive.parent).entries()
    assert [copy.where for copy in entry.copies] == [where]
    copy_session(archive, str(tmp_path / "usb"))
    assert os.listdir(tmp_path / "usb") == [archive.name]


def test_a_killed_copy_goes_on_and_ends_verified(record, tmp_path: Path) -> None:
    archive, usb = record(20_000), tmp_path / "usb"
    for _ in range(3):
        child = subprocess.Popen([sys.executable, "-c", KILLED_COPY, archive, usb], stdout=subprocess.PIPE)
        for _ in range(5):
            assert child.stdout.readline()
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
        assert os.listdir(usb) == [archive.name + PART]
    part = (usb / (archive.name + PART)).read_bytes()
    assert archive.read_bytes().startswith(part)
    assert part
    where = copy_session(archive, str(usb))
    assert Path(where).read_bytes() == archive.read_bytes()
    assert os.listdir(usb) == [archive.name]


def test_a_part_that_is_not_the_beginning_is_written_anew(record, tmp_path: Path) -> None:
    archive, usb = record(), tmp_path / "usb"
    usb.mkdir()
    (usb / (archive.name + PART)).write_bytes(b"something else" * 10)
    assert Path(copy_session(archive, str(usb))).read_bytes() == archive.read_bytes()


def test_a_flipped_byte_at_the_destination_is_found(record, tmp_path: Path) -> None:
    archive = record()
    where = Path(copy_session(archive, str(tmp_path / "usb")))
    content = bytearray(where.read_bytes())
    content[len(content) // 2] ^= 1
    where.write_bytes(content)
    with pytest.raises(SessionError, match="another"):
        copy_session(archive, str(tmp_path / "usb"))
    assert where.read_bytes() == bytes(content), "nothing is overwritten"


def test_a_stick_that_changes_a_byte_is_found_before_the_copy_gets_its_name(
    record, tmp_path: Path, monkeypatch
) -> None:
    archive, usb = record(), tmp_path / "usb"
    part = usb / (archive.name + PART)

    def settle(self, file) -> None:
        file.flush()
        content = bytearray(part.read_bytes())
        content[100] ^= 1
        part.write_bytes(content)

    monkeypatch.setattr(FolderDestination, "settle", settle)
    with pytest.raises(SessionDamagedError, match="otherwise than it was written"):
        copy_session(archive, str(usb))
    assert os.listdir(usb) == [part.name]
    assert Catalog(archive.parent).entries()[0].copies == ()
    monkeypatch.undo()
    assert Path(copy_session(archive, str(usb))).read_bytes() == archive.read_bytes()


def test_a_full_destination_leaves_no_half_file_under_the_name(record, tmp_path: Path) -> None:
    archive, stick = record(40_000), tmp_path / "stick"
    stick.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", stick], capture_output=True).returncode:
        pytest.skip("mounting is not permitted here")
    try:
        with pytest.raises(DiskError, match="No space"):
            copy_session(archive, str(stick))
        assert archive.name not in os.listdir(stick)
    finally:
        subprocess.run(["umount", stick], check=True)


LIMITED_COPY = """
import resource, signal, sys
from myogestic_tui.errors import DiskError
from myogestic_tui.session.library.copy import copy_session
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
try:
    copy_session(sys.argv[1], sys.argv[2])
except DiskError as error:
    print(error)
"""


def test_a_destination_that_takes_no_more_keeps_a_part_and_no_half_file(record, tmp_path: Path) -> None:
    archive, stick = record(20_000), tmp_path / "stick"
    done = subprocess.run([sys.executable, "-c", LIMITED_COPY, archive, stick], capture_output=True, text=True)
    assert "was not copied" in done.stdout, done.stderr
    assert os.listdir(stick) == [archive.name + PART]
    assert (stick / (archive.name + PART)).stat().st_size <= 300_000 < archive.stat().st_size
    assert Path(copy_session(archive, str(stick))).read_bytes() == archive.read_bytes()


def test_a_folder_is_not_copied(record, tmp_path: Path) -> None:
    record()
    with pytest.raises(SessionError, match="pack it first"):
        copy_session(tmp_path, str(tmp_path / "usb"))


def test_a_url_takes_copies_too(record) -> None:
    fsspec = pytest.importorskip("fsspec")
    archive = record()
    url = f"memory://home-{time.monotonic_ns()}"
    where = copy_session(archive, url)
    with fsspec.open(where, "rb") as copy:
        assert copy.read() == archive.read_bytes()


def test_a_copy_over_sftp_is_read_back_and_goes_on_where_it_stopped(record, tmp_path: Path) -> None:
    pytest.importorskip("paramiko")
    from tests.catalog.sftp import SftpServer

    archive, nas = record(20_000), tmp_path / "nas"
    (nas / "emg").mkdir(parents=True)
    begun = archive.read_bytes()[:100_000]
    (nas / "emg" / (archive.name + PART)).write_bytes(begun)
    server = SftpServer(nas)
    try:
        with pytest.raises(DiskError, match="Authentication"):
            copy_session(archive, f"{server.url('wrong')}/emg")
        told: list[int] = []
        where = copy_session(archive, f"{server.url()}/emg", lambda done, _: told.append(done))
        assert told[0] == len(begun), "what is there already is compared, not written again"
        assert os.listdir(nas / "emg") == [archive.name]
        assert (nas / "emg" / archive.name).read_bytes() == archive.read_bytes()
        assert "secret" not in where
        assert Catalog(archive.parent).entries()[0].copied_to == "127.0.0.1:" + str(server.port)
    finally:
        server.close()
