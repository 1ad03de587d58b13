"""Anything at any place of a session that is being recorded: it is set aside, and no sample or label is lost."""

from __future__ import annotations

import os
import random
import stat
from pathlib import Path

import pytest

from myogestic_tui.session import open_session_store, pack_session, verify_session
from tests.session.folders import feed, recorded
from tests.session.known import STREAMS
from tests.session.oddities import THINGS, inodes

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
    odd = session.path / place
    if os.path.lexists(odd):
        odd.rename(base / "what-was-there")
    odd.parent.mkdir(parents=True, exist_ok=True)
    try:
        THINGS[thing](odd)
    except PermissionError as error:
        session.finish()
        pytest.skip(f"making {thing} is not permitted here: {error}")
    status = os.lstat(odd)
    feed(session, EMG, BEFORE, N, 1000)
    session.save_meta()
    session.add_label(0, 1001.0)
    session.add_note("still here")
    session.finish()
    assert session.error is None
    with open_session_store(session.path) as reader:
        assert EMG.assert_prefix(reader) == N
        assert [label.class_index for label in reader.label_track] == [1, 0]
        assert [note.text for note in reader.notes] == ["still here"]
    outcome = verify_session(session.path)
    if place != "x":  # what has no name of the recorder's is left to whoever put it there
        assert outcome.ok, outcome.findings
        assert verify_session(pack_session(session.path)).ok
    kept = (status.st_dev, status.st_ino) in inodes(base)
    plain = stat.S_IFMT(status.st_mode) in (stat.S_IFREG, stat.S_IFDIR)  # under a name of ours, so ours to replace
    assert kept or plain or place.endswith((".partial", ".ballast")), f"{thing} was removed"


@pytest.mark.parametrize("place", PLACES)
def test_a_thing_that_comes_while_a_session_is_recorded_costs_nothing(place: str, tmp_path: Path):
    things = ["a FIFO", "a link to a folder", "an empty folder"]
    check(place, things[PLACES.index(place) % len(things)], tmp_path)


@pytest.mark.parametrize("place", ["emg.zarr/c/9", "emg.zarr/c/9/0.partial", "meta.json.partial", "journal"])
def test_nothing_is_written_through_a_link(place: str, tmp_path: Path):
    target = tmp_path / "elsewhere"
    target.mkdir()
    (target / "mine").write_bytes(b"mine")
    leads_to = target / "mine" if place.endswith(".partial") else target
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


@pytest.mark.slow
@pytest.mark.parametrize("thing", THINGS)
def test_every_thing_that_comes_while_a_session_is_recorded_costs_nothing(thing: str, tmp_path: Path):
    failures = []
    for place in random.Random(20261130).sample(PLACES, len(PLACES)):
        try:
            check(place, thing, tmp_path / place.replace("/", "_"))
        except (Exception, AssertionError) as error:
            failures.append(f"{place}: {type(error).__name__}: {str(error)[:300]}")
    assert not failures, f"{len(failures)}\n" + "\n".join(failures)
