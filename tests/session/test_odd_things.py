"""Anything at any place of a sessions folder: recording continues, the others are listed, what is there comes back."""

from __future__ import annotations

import os
import random
import shutil
import stat
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from myogestic_tui.errors import MyoGesticError
from myogestic_tui.session import (
    finish_interrupted,
    open_session_store,
    pack_session,
    recover_session,
    salvage_session,
    session_state,
    unfinished_sessions,
    verify_session,
)
from myogestic_tui.session.format.lock import lock_sessions_folder, recorder_of
from myogestic_tui.session.library.catalog import Catalog
from tests.session.folders import cut_off, feed, recorded
from tests.session.known import STREAMS
from tests.session.oddities import THINGS, inodes, is_whole

EMG, IMU, _ = STREAMS
N, N_IMU, AFTER = 1600, 300, 150
"""Samples that were flushed, and those that the journal alone has."""

BESIDE = [
    "x",
    "x.session.zip",
    "x.session.zip.tmp",
    "2026-01-02_03-04-05",
    ".myogestic",
    ".myogestic/trash",
    ".myogestic/trash/x",
    ".myogestic/trash/20260101T000000.000000Z",
    ".myogestic/packed",
    ".myogestic/packed/x",
    ".myogestic/salvaging",
    ".myogestic/salvaging/cut_salvaged",
    ".myogestic/editing",
    ".myogestic/editing/x.replaced",
    ".myogestic/remembered.json",
    ".myogestic/recorder.lock",
]
"""Places in the sessions folder."""

STRAY = [
    "x",
    ".lock",
    ".ballast",
    "manifest.json",
    "meta.json.partial",
    "labels.json.partial",
    "journal.partial",
    "journal/x",
    "journal/emg.00000009.journal",
    "other.zarr",
    "emg.zarr/x",
    "emg.zarr/zarr.json.partial",
    "emg.zarr/c/8",
    "emg.zarr/c/3.partial",
    "emg.zarr/c/0/1",
    "emg.zarr/c/4/0",
    "emg_timestamps.zarr/c/8",
    "emg_overview.zarr/c/1",
    "emg_overview.zarr/c/0/0/1",
    "imu_clock.zarr/c/0",
]
"""Places in a session that was cut off, where nothing of it stands."""


class Case(NamedTuple):
    """A thing in a place."""

    place: str
    thing: str
    within: bool
    """Whether the place is one of the session that was cut off."""

    @property
    def lost(self) -> set[str]:
        """Streams of which something may be lost with what stood there."""
        if not self.within or self.place in STRAY:
            return set()
        if self.place == "journal":
            return {"emg", "imu"}
        name = self.place.removeprefix("journal/").split("/")[0]
        return {stem for stem in ("emg", "imu") if name.startswith((f"{stem}.", f"{stem}_timestamps.zarr"))}


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A session that was cut off, and one that was packed."""
    base = tmp_path_factory.mktemp("odd")
    session = recorded(base / "rec", [(EMG, N, 100), (IMU, N_IMU, 10)], fields={"subject": "P07"})
    session.add_label(1, 1000.0)
    session.flush()
    feed(session, EMG, N, N + AFTER, 50)
    feed(session, IMU, N_IMU, N_IMU + AFTER, 50)
    folder = cut_off(session.path, base / "cut")
    (folder / ".lock").unlink()
    (folder / ".ballast").unlink(missing_ok=True)
    session.finish()
    other = recorded(base / "other", [(IMU, N_IMU, 10)])
    return folder, other.pack_to_zip()


def every_case(cut: Path) -> list[Case]:
    """Each thing in each place; of the chunks of an array the first and the last."""
    paths = sorted(path for path in cut.rglob("*") if path.relative_to(cut).parts[1:2] != ("c",) or _is_an_end(path))
    places = [str(path.relative_to(cut)) for path in paths]
    found = [Case(place, thing, True) for place in (*places, *STRAY) for thing in THINGS]
    found += [Case(place, thing, False) for place in BESIDE for thing in THINGS]
    # A folder that holds another session is a folder of sessions, whatever else is in it.
    return [case for case in found if (case.place, case.thing) != ("x", "a folder of a journal")]


def _is_an_end(path: Path) -> bool:
    chunks = next((one for one in (path, *path.parents) if one.name == "c"), path)
    numbers = sorted((one.name for one in chunks.iterdir()), key=int)
    return path == chunks or path.relative_to(chunks).parts[0] in (numbers[0], numbers[-1])


def check(case: Case, parts: tuple[Path, Path], base: Path) -> None:
    cut, packed = parts
    sessions = base / "s"
    folder = cut_off(cut, sessions / "cut")
    other = Path(shutil.copy(packed, sessions))
    place = (folder if case.within else sessions) / case.place
    _put(case, place, base)
    odd, unharmed = os.lstat(place), is_whole(place)

    live = recorded(sessions, [(EMG, 500, 100)])
    held = lock_sessions_folder(sessions)
    assert (recorder_of(sessions) or held).pid == os.getpid()  # type: ignore[union-attr]
    listed = {entry.path: entry.state for entry in Catalog(sessions).entries()}
    assert listed[other] == "packed"
    assert listed[live.path] == "recording"
    assert folder in listed
    unfinished_sessions(sessions)
    session_state(folder)
    feed(live, EMG, 500, 1200, 100)
    live.add_label(0)
    live.finish()
    assert verify_session(live.path).ok
    held.release()

    saved = _given_back(folder)
    with open_session_store(saved) as reader:
        for stream, n in ((EMG, N), (IMU, N_IMU)):
            if stream.name not in case.lost:
                assert stream.assert_prefix(reader) == n + AFTER
            elif stream.name in reader.streams:
                held_rows = reader.stream(stream.name)
                for row, stamp in zip(
                    held_rows.data.rows(0, held_rows.n_samples),
                    held_rows.stamps.rows(0, held_rows.n_samples),
                    strict=True,
                ):
                    index = round((stamp - stream.start) * stream.info.fs)
                    np.testing.assert_array_equal(row, stream.data(index, index + 1)[0])
    with suppress(MyoGesticError):
        finish_interrupted(sessions)
    assert live.path.is_file(), "a finished session is packed whatever stands beside it"
    assert unharmed(), "somebody else's file was written to"
    kept = (odd.st_dev, odd.st_ino) in inodes(base)
    plain = stat.S_IFMT(odd.st_mode) in (stat.S_IFREG, stat.S_IFDIR)
    ours = case.place.endswith((".tmp", ".lock")) and stat.S_ISREG(odd.st_mode)  # what is called so is
    ours = ours or (case.place, case.thing) == (".myogestic/packed", "an empty folder")
    assert kept or ours or (case.within and plain), f"{case} was removed"


def _put(case: Case, place: Path, base: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    if os.path.lexists(place):
        place.rename(base / "what-was-there")
    try:
        THINGS[case.thing](place)
    except PermissionError as error:
        pytest.skip(f"making {case.thing} is not permitted here: {error}")


def _given_back(folder: Path) -> Path:
    """What `recover` gives back, or where it refuses and says so, `salvage`; verified."""
    saved = folder
    try:
        saved = recover_session(folder)
        saved = pack_session(folder)
    except MyoGesticError as error:
        if "salvage" not in str(error) and "until there is room" not in str(error):
            raise
    if not verify_session(saved).ok:
        saved = salvage_session(saved)
        outcome = verify_session(saved)
        assert outcome.ok, outcome.findings
    return saved


def test_a_sample_of_odd_things_at_any_place(parts: tuple[Path, Path], tmp_path: Path):
    cases = every_case(parts[0])
    seed = 20261130
    for number, case in enumerate(random.Random(seed).sample(cases, 40)):
        check(case, parts, tmp_path / str(number))


def kind_of(case: Case) -> str:
    """What kind of place it is: one of those that the code tells apart."""
    if not case.within:
        return "beside, in the state folder" if "/" in case.place else "beside"
    if case.place in STRAY:
        where = case.place.split("/")[0]
        return "stray in an array" if where.endswith(".zarr") else f"stray in {where}" if "/" in case.place else "stray"
    folder, *rest = case.place.split("/")
    if folder == "journal":
        return "events" if rest == ["@events.journal"] else "a segment" if rest else "journal"
    if not folder.endswith(".zarr"):
        return folder
    array = folder.rpartition("_")[2] if "_" in folder else "samples"
    return f"{array}: {'chunks' if rest == ['c'] else 'a chunk' if rest[:1] == ['c'] else rest[0] if rest else 'array'}"


def one_of_each_kind(cases: list[Case], seed: int) -> list[Case]:
    """For every kind of thing and of place one case, and every place at least once."""
    shuffled = random.Random(seed).sample(cases, len(cases))
    places = {(case.within, case.place): case for case in shuffled}
    chosen = {(case.thing, kind_of(case)): case for case in (*shuffled, *places.values())}
    return sorted({*chosen.values(), *places.values()})


@pytest.mark.slow
@pytest.mark.parametrize("thing", THINGS)
def test_every_odd_thing_at_every_kind_of_place(parts: tuple[Path, Path], tmp_path: Path, thing: str):
    failures = []
    cases = one_of_each_kind(every_case(parts[0]), seed=20261130)
    for number, case in enumerate(case for case in cases if case.thing == thing):
        base = tmp_path / str(number)
        try:
            check(case, parts, base)
        except (Exception, AssertionError) as error:
            failures.append(f"{case}: {type(error).__name__}: {str(error)[:300]}")
    assert not failures, f"{len(failures)}\n" + "\n".join(failures)
