"""What is read back comes from the disk: it was synced and dropped from memory before, and gets its name after."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from myogestic_tui.errors import DiskError
from myogestic_tui.session import Session
from myogestic_tui.session.packing import zip_writer
from tests.power_cut.disk_log import DiskLog, Event, Name, Read, Sync
from tests.power_cut.scenarios import copy, pack


def index_of(log: DiskLog, kind: type[Event], **fields: object) -> list[int]:
    """Where events of a kind with these fields are; a path may be given by its end."""
    return [
        i
        for i, event in enumerate(log.events)
        if isinstance(event, kind) and all(str(getattr(event, name)).endswith(str(end)) for name, end in fields.items())
    ]


def logged(scenario, tmp_path: Path) -> DiskLog:
    with pytest.MonkeyPatch.context() as patch:
        return scenario(tmp_path, patch)


def test_an_archive_is_read_back_from_the_disk_before_it_gets_its_name(tmp_path: Path):
    log = logged(pack, tmp_path)
    [synced] = index_of(log, Sync, call="fsync", path=".session.zip.tmp")
    [dropped] = index_of(log, Read, call="drop", path=".tmp", start=0, length=0)
    reads = index_of(log, Read, call="read", path=".tmp")
    named = index_of(log, Name, name=".session.zip")[0]
    assert synced < dropped < min(reads)
    assert max(reads) < named
    size = max(log.events[i].start + log.events[i].length for i in reads)
    assert size >= next(tmp_path.glob("sessions/*.session.zip")).stat().st_size


def test_the_disk_begins_while_an_archive_is_still_being_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(zip_writer, "_GIVE_OUT", 4096)
    log = logged(pack, tmp_path)
    [synced] = index_of(log, Sync, call="fsync", path=".session.zip.tmp")
    begun = [log.events[i] for i in index_of(log, Read, call="drop", path=".tmp") if i < synced]
    assert len(begun) >= 2
    ends = [0, *(one.start + one.length for one in begun)]
    assert [one.start for one in begun] == ends[:-1]


def test_a_copy_is_read_back_from_the_disk_before_it_gets_its_name(tmp_path: Path):
    log = logged(copy, tmp_path)
    [synced] = index_of(log, Sync, call="fsync", path=".part")
    [dropped] = index_of(log, Read, call="drop", path=".part", start=0, length=0)
    named = next(i for i in index_of(log, Name, name=".session.zip") if i > synced)
    assert synced < dropped < named


@pytest.mark.parametrize("refusal", [errno.ENOSPC, errno.EIO])
def test_a_disk_that_only_seems_to_take_a_write_is_told_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refusal: int
):
    def fsync(fd: int) -> None:
        raise OSError(refusal, os.strerror(refusal))

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr("myogestic_tui.session.format.layout.sync_folder", lambda path: None)
    with pytest.raises(DiskError, match="cannot write into"):
        Session(tmp_path / "sessions", reserve_bytes=0)
    assert list((tmp_path / "sessions").iterdir()) == []
