"""The catalog: everything is listed, nothing stale, and the cache may do what it likes."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import pytest
from msgspec import structs

from myogestic_tui.session import Session, verify_session
from myogestic_tui.session.format.layout import STATE_FOLDER
from myogestic_tui.session.library.catalog import CATALOG, Catalog
from myogestic_tui.session.library.catalog_entry import Copy


def states(folder: Path) -> dict[str, str]:
    return {entry.path.name: entry.summary.state for entry in Catalog(folder).entries()}


def test_all_states_are_listed_newest_first_and_broken_ones_say_why(record, tmp_path: Path) -> None:
    good = record()
    folder = good.parent
    broken = folder / "2020-01-01_00-00-00.session.zip"
    broken.write_bytes(b"no zip at all")
    unfinished = Session(folder, reserve_bytes=0)
    assert list(states(folder).values()) == ["recording", "packed", "damaged"]
    problem = Catalog(folder).entries()[-1].problem
    assert broken.name in problem
    unfinished.pack_to_zip()
    assert sorted(states(folder).values()) == ["damaged", "packed", "packed"]


def test_what_changed_is_read_again_and_what_went_is_gone(record) -> None:
    archive = record()
    folder = archive.parent
    assert states(folder) == {archive.name: "packed"}
    archive.write_bytes(archive.read_bytes()[:-50])
    assert states(folder) == {archive.name: "damaged"}
    archive.unlink()
    assert states(folder) == {}


def test_a_verification_is_remembered_until_the_file_changes(record) -> None:
    archive = record()
    outcome = verify_session(archive)
    Catalog(archive.parent).remember_verified(archive, outcome)
    (entry,) = Catalog(archive.parent).entries()
    assert entry.summary.verified.ok
    assert (entry.state, entry.digest) == ("verified", outcome.sha256)
    Catalog(archive.parent).remember_verified(archive, verify_session(archive, "quick"))
    (entry,) = Catalog(archive.parent).entries()
    assert entry.state == "verified", "a quick look proves less, and takes nothing away"
    archive.touch()
    (entry,) = Catalog(archive.parent).entries()
    assert (entry.state, entry.digest) == ("packed", "")


def test_a_quick_verification_is_not_a_full_one_but_what_it_finds_counts(record) -> None:
    archive = record()
    Catalog(archive.parent).remember_verified(archive, verify_session(archive, "quick"))
    assert Catalog(archive.parent).entries()[0].state == "packed"
    found = structs.replace(verify_session(archive, "quick"), ok=False)
    Catalog(archive.parent).remember_verified(archive, found)
    assert Catalog(archive.parent).entries()[0].state == "damaged"


@pytest.mark.parametrize(
    ("where", "place"),
    [("/media/usb/a.session.zip", "usb"), ("sftp://me@nas/emg/a.session.zip", "nas"), ("memory:///a", "memory")],
)
def test_a_copy_is_told_by_its_place_in_a_word(where: str, place: str) -> None:
    assert Copy(where, "", "").place == place


@pytest.mark.parametrize("spoil", [b"", b"this is no database", b"SQLite format 3\x00" + b"\xff" * 4096])
def test_a_spoilt_cache_is_made_anew(record, spoil: bytes) -> None:
    archive = record()
    Catalog(archive.parent).entries()
    (archive.parent / STATE_FOLDER / CATALOG).write_bytes(spoil)
    for _ in range(3):
        assert states(archive.parent) == {archive.name: "packed"}


def test_two_writers_at_once_lose_nothing(record) -> None:
    archive = record()
    folder = archive.parent
    for number in range(30):
        shutil.copy(archive, folder / f"2026-01-01_00-00-{number:02d}.session.zip")
    found: list[int] = []

    def work(writer: int) -> None:
        for number in range(10):
            Catalog(folder).remember_copy(archive, Copy(f"usb{writer}-{number}", "", ""))
            found.append(len(Catalog(folder).entries()))

    threads = [threading.Thread(target=work, args=(writer,)) for writer in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(found) == {31}


def test_a_listing_that_could_not_read_the_cache_takes_nothing_from_it(record, monkeypatch) -> None:
    archive = record()
    Catalog(archive.parent).remember_verified(archive, verify_session(archive))
    busy = Catalog(archive.parent)
    monkeypatch.setattr(busy, "_load", lambda: None)
    assert busy.entries()[0].state == "packed"
    assert Catalog(archive.parent).entries()[0].state == "verified"
    monkeypatch.undo()
    assert busy.entries()[0].state == "verified"


def test_a_folder_that_cannot_be_written_is_listed_all_the_same(record) -> None:
    archive = record()
    state = archive.parent / STATE_FOLDER
    shutil.rmtree(state)
    state.write_text("a file where the cache would be")
    assert states(archive.parent) == {archive.name: "packed"}
