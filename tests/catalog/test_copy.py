"""Copies: whole and compared, or not there under their name; a cut-off one goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from myogestic_tui.errors import DiskError, SessionError
from myogestic_tui.session.catalog import Catalog
from myogestic_tui.session.copy import PART, copy_session

KILLED_COPY = """
import sys, time
from myogestic_tui.session.copy import copy_session
def slow(done, total):
    print(done, flush=True)
    time.sleep(0.05)
import myogestic_tui.session.copy as module
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


def test_a_full_destination_leaves_no_half_file_under_the_name(record, tmp_path: Path) -> None:
    archive, stick = record(200_000), tmp_path / "stick"
    stick.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", stick], capture_output=True).returncode:
        pytest.skip("mounting is not permitted here")
    try:
        with pytest.raises(DiskError, match="No space"):
            copy_session(archive, str(stick))
        assert archive.name not in os.listdir(stick)
    finally:
        subprocess.run(["umount", stick], check=True)


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
