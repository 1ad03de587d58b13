"""Anything at any place of a session that is being recorded: it is set aside, and no sample or label is lost."""

from __future__ import annotations

import itertools
import os
import random
import stat
from contextlib import suppress
from pathlib import Path

import pytest

from myogestic_tui.session import open_session_store, pack_session, verify_session
from myogestic_tui.session.format.meta import SET_ASIDE
from tests.session.folders import feed, recorded
from tests.session.known import STREAMS
from tests.session.oddities import THINGS, inodes, is_whole
from tests.session.users import ONE, as_user, needs_root, open_folder

EMG = STREAMS[0]
BEFORE, N = 3000, 12_000
"""Samples in the arrays when the thing comes, and at the end."""

PLACES = [
    "emg.zarr/c/9",
    "emg.zarr/c/9/0",
    "emg.zarr/c/9/0.partial",
    "emg.zarr/zarr.json",
    "emg.zarr/zarr.json.partial",
    "emg_timestamps.zarr/c/9",
    "emg_overview.zarr",
    "emg_overview.zarr/c",
    "emg_overview.zarr/c/0/0/0",
    "emg_arrival.zarr/c/0/0.partial",
    "journal",
    "journal/@events.journal",
    "journal/emg.00000002.journal",
    "journal.partial",
    "meta.json",
    "meta.json.partial",
    "labels.json",
    "labels.json.partial",
    ".lock",
    ".ballast",
    "x",
]
"""Where the recorder writes, or is about to: what stands there already is moved out of the folder."""


def check(place: str, thing: str, base: Path) -> None:
    session = recorded(base / "s", [(EMG, BEFORE, 100)])
    session.add_label(1, 1000.0)
    session.flush()
    made = base / "made" / Path(place).name
    made.parent.mkdir()
    try:
        THINGS[thing](made)
    except PermissionError as error:
        session.finish()
        pytest.skip(f"making {thing} is not permitted here: {error}")
    status, unharmed = os.lstat(made), is_whole(made)
    put(made, session.path / place, base)
    feed(session, EMG, BEFORE, N, 1000)
    session.save_meta()
    session.add_label(0, 1001.0)
    session.add_note("still here")
    session.finish()
    assert session.error is None
    assert unharmed(), "somebody else's file was written to"
    with open_session_store(session.path) as reader:
        assert EMG.assert_prefix(reader) == N
        assert [label.class_index for label in reader.label_track] == [1, 0]
        assert [note.text for note in reader.notes] == ["still here"]
        events = [event.text for event in reader.meta.events if event.kind == SET_ASIDE]
    outcome = verify_session(session.path)
    if place != "x":  # a plain file of no name of the recorder's is left to whoever put it there
        assert outcome.ok, outcome.findings
        assert verify_session(pack_session(session.path)).ok
    where = inodes(base / "s" / ".myogestic" / "trash").get((status.st_dev, status.st_ino), "")
    assert not where or any(where.startswith(f"{base / 's' / text.split(' as ')[-1]}") for text in events), events
    kept = (status.st_dev, status.st_ino) in inodes(base)
    plain = stat.S_IFMT(status.st_mode) in (stat.S_IFREG, stat.S_IFDIR)  # under a name of ours, so ours to replace
    assert kept or plain or place.endswith((".partial", ".ballast")), f"{thing} was removed"


def put(made: Path, place: Path, base: Path) -> None:
    """Let a thing take a place in one step, also where the recorder makes what was there again meanwhile."""
    place.parent.mkdir(parents=True, exist_ok=True)
    for number in itertools.count():
        if os.path.lexists(place):
            place.rename(base / f"what-was-there-{number}")
        with suppress(FileExistsError, NotADirectoryError, IsADirectoryError):
            made.rename(place)
            return


@pytest.mark.parametrize("place", PLACES)
def test_a_thing_that_comes_while_a_session_is_recorded_costs_nothing(place: str, tmp_path: Path):
    things = ["a FIFO", "a link to a folder", "an empty folder"]
    check(place, things[PLACES.index(place) % len(things)], tmp_path)


@pytest.mark.parametrize("place", ["emg.zarr/c/9", "emg.zarr/c/9/0.partial", "meta.json.partial", "journal", ".lock"])
def test_nothing_is_written_through_a_link(place: str, tmp_path: Path):
    target = tmp_path / "elsewhere"
    target.mkdir()
    (target / "mine").write_bytes(b"mine")
    leads_to = target / "mine" if place.endswith((".partial", ".lock")) else target
    session = recorded(tmp_path / "s", [(EMG, BEFORE, 100)])
    session.flush()
    odd = session.path / place
    if os.path.lexists(odd):
        odd.rename(tmp_path / "what-was-there")
    odd.parent.mkdir(parents=True, exist_ok=True)
    odd.symlink_to(leads_to)
    feed(session, EMG, BEFORE, N, 1000)
    session.save_meta()
    session.finish()
    assert [path.name for path in target.iterdir()] == ["mine"]
    assert (target / "mine").read_bytes() == b"mine"
    assert verify_session(session.path).ok


@needs_root
@pytest.mark.parametrize("place", [".lock", ".ballast", "emg.zarr/c/9", "emg_overview.zarr/c", "journal/x", "x/y"])
@pytest.mark.parametrize("kind", ["file", "folder"])
def test_what_its_owner_may_not_touch_costs_nothing_either(place: str, kind: str):
    def work() -> str:
        session = recorded(base, [(EMG, BEFORE, 100)])
        session.flush()
        odd = session.path / place
        if os.path.lexists(odd):
            odd.rename(base / "what-was-there")
        odd.parent.mkdir(exist_ok=True)
        odd.mkdir() if kind == "folder" else odd.write_bytes(b"x")
        odd.chmod(0)
        feed(session, EMG, BEFORE, N, 1000)
        session.finish()
        with open_session_store(session.path) as reader:
            assert EMG.assert_prefix(reader) == N
        return str(session.error)

    with open_folder() as shared:
        base = shared / "sessions"
        base.mkdir()
        os.chown(base, ONE, -1)
        assert as_user(ONE, work) == "None"


@pytest.mark.slow
@pytest.mark.parametrize("thing", THINGS)
def test_every_thing_that_comes_while_a_session_is_recorded_costs_nothing(thing: str, tmp_path: Path):
    failures = []
    for place in random.Random(20261130).sample(PLACES, len(PLACES)):
        if (place, thing) == ("x", "a folder of a journal"):  # then it is a folder of sessions
            continue
        try:
            check(place, thing, tmp_path / place.replace("/", "_"))
        except (Exception, AssertionError) as error:
            failures.append(f"{place}: {type(error).__name__}: {str(error)[:300]}")
    assert not failures, f"{len(failures)}\n" + "\n".join(failures)
