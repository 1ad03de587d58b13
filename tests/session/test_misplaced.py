"""What is in the way in a session folder: named by its place, and whether something is lost with it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from myogestic_tui.session import pack_session
from myogestic_tui.session.format.finalize import drop_journal
from myogestic_tui.session.format.journal import list_segments
from myogestic_tui.session.recovery.foreign_files import Misplaced, misplaced_in
from tests.session.folders import recorded
from tests.session.known import STREAMS


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    session = recorded(tmp_path, [(STREAMS[0], 1700, 100), (STREAMS[2], 5, 1)])
    session.finish()
    return session.path


FOLDERS = [
    "meta.json.partial", "x.partial", "emg.zarr/zarr.json.partial", "emg.zarr/c/7.partial",
    "emg_timestamps.zarr/c/9", "emg.zarr/c/0/9", "manifest.json", ".ballast",
]  # fmt: skip
"""Where a folder is in the way of a file."""
FILES = ["new.zarr", "emg.zarr/c/9", "journal", "journal.partial"]
HARMLESS = ["notes", "notes/again", "emg.zarr/notes", "emg.zarr/c/notes"]


@pytest.mark.parametrize("key", FOLDERS)
def test_a_folder_in_the_place_of_a_file(folder: Path, key: str):
    (folder / key).mkdir(parents=True)
    assert misplaced_in(folder) == [Misplaced(key, "a folder")]


@pytest.mark.parametrize("key", FILES)
def test_a_file_in_the_place_of_a_folder(folder: Path, key: str):
    (folder / key).write_bytes(b"x")
    assert misplaced_in(folder) == [Misplaced(key, "a file")]


@pytest.mark.parametrize("key", HARMLESS)
def test_folders_and_files_of_others_are_in_nobodys_way(folder: Path, key: str):
    (folder / key).mkdir(parents=True)
    (folder / key / "x.txt").write_text("mine")
    assert misplaced_in(folder) == []


@pytest.mark.parametrize("key", ["", *HARMLESS, "emg.zarr", "emg.zarr/c", "emg.zarr/c/0"])
def test_what_no_archive_can_hold_is_found_at_any_depth(folder: Path, key: str):
    (folder / key).mkdir(parents=True, exist_ok=True)
    prefix = f"{key}/" if key else ""
    os.mkfifo(folder / key / "fifo")
    (folder / key / "link").symlink_to("nowhere")
    (folder / key / "to a folder").symlink_to(folder / "emg.zarr")
    assert misplaced_in(folder) == [
        Misplaced(f"{prefix}fifo", "no file"),
        Misplaced(f"{prefix}link", "a link to nowhere"),
        Misplaced(f"{prefix}to a folder", f"a link to {folder / 'emg.zarr'}"),
    ]
    for name in ("fifo", "link", "to a folder"):
        (folder / key / name).unlink()
    assert pack_session(folder).exists()


@pytest.mark.parametrize("key", ["emg_clock.zarr", "emg.zarr/c/0", "labels.json", "journal", "new.zarr"])
@pytest.mark.parametrize("there", [False, True], ids=["to nothing", "to something"])
def test_a_link_in_a_place_of_the_sessions_own(folder: Path, key: str, there: bool):
    place = folder / key
    if place.exists():
        place.rename(folder.parent / "elsewhere")
    place.symlink_to(folder.parent if there else "nowhere")
    assert misplaced_in(folder) == [Misplaced(key, f"a link to {folder.parent if there else 'nowhere'}", there)]


@pytest.mark.parametrize(
    ("key", "is_loss"),
    [
        ("meta.json", True), ("labels.json", True), ("journal", True), ("journal/@events.journal", True),
        ("journal/emg.00000001.journal", True), ("journal/notes.txt", False), ("notes.journal", False),
        ("manifest.json", False), ("emg.zarr/c/0", False),
    ],
)  # fmt: skip
def test_what_is_lost_with_it(key: str, is_loss: bool):
    assert Misplaced(key, "a folder").is_loss == is_loss


def test_a_journal_goes_and_what_others_put_into_it_is_kept(tmp_path: Path):
    session = tmp_path / "sessions" / "one"
    journal = session / "journal"
    journal.mkdir(parents=True)
    for name in ("emg.00000001.journal", "@events.journal", "notes.txt"):
        (journal / name).write_text(name)
    (journal / "folder.journal").mkdir()
    (journal / "folder.journal" / "x").write_text("x")
    drop_journal(session)
    assert list(session.iterdir()) == []
    kept = {path.name for path in (tmp_path / "sessions/.myogestic/trash").rglob("*") if path.is_file()}
    assert kept == {"journal_notes.txt", "x"}


@pytest.mark.parametrize("name", ["journal", "journal.partial"])
def test_a_link_in_the_place_of_the_journal_is_set_aside_and_what_it_leads_to_stays(tmp_path: Path, name: str):
    session, elsewhere = tmp_path / "sessions" / "one", tmp_path / "elsewhere"
    session.mkdir(parents=True)
    elsewhere.mkdir()
    (elsewhere / "thesis.tex").write_text("all of it")
    (elsewhere / "emg.00000001.journal").write_text("another's")
    (session / name).symlink_to(elsewhere)
    drop_journal(session)
    assert list(session.iterdir()) == []
    assert sorted(path.name for path in elsewhere.iterdir()) == ["emg.00000001.journal", "thesis.tex"]
    links = [path for path in (tmp_path / "sessions/.myogestic/trash").rglob("*") if path.is_symlink()]
    assert [path.name for path in links] == [name]


def test_only_files_that_are_named_for_a_stream_are_its_segments(tmp_path: Path):
    journal = tmp_path / "journal"
    journal.mkdir()
    for name in (
        "emg.00000001.journal",
        "emg.2.journal",
        ".00000001.journal",
        "emg.x.journal",
        "emg.3.txt",
        "a.b.4.journal",
    ):
        (journal / name).touch()
    (journal / "emg.00000005.journal").mkdir()
    assert list_segments(tmp_path) == {
        "emg": [journal / "emg.00000001.journal", journal / "emg.2.journal"],
        "a.b": [journal / "a.b.4.journal"],
    }
