"""Several faults at once in a session that was cut off: it is given back, and nothing in it is invented."""

from __future__ import annotations

import os
import random
import shutil
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from myogestic_tui.errors import SessionError
from myogestic_tui.session import open_session_store, recover_session, salvage_session, verify_session
from tests.session.folders import cut_off, feed, recorded
from tests.session.known import STREAMS

EMG, IMU, MARKS = STREAMS
N = {"emg": 2300, "imu": 300, "marks": 5}
FAULTS = ("gone", "folder", "FIFO", "dead link", "link", "flipped", "cut", "empty", "zeros", "longer")


@pytest.fixture(scope="module")
def cut(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("cut")
    session = recorded(base / "rec", [(EMG, 1700, 100), (IMU, 300, 10), (MARKS, 5, 1)])
    session.flush()
    session.add_label(0, 1000.5)
    feed(session, EMG, 1700, 2300, 100)
    folder = cut_off(session.path, base / "session")
    session.finish()
    return folder


def put_in_its_place(path: Path, fault: str) -> None:
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    if fault == "folder":
        path.mkdir()
        (path / "x").write_text("x")
    elif fault == "FIFO":
        os.mkfifo(path)
    elif fault != "gone":
        path.symlink_to("nowhere" if fault == "dead link" else path.parent)


def damage(path: Path, fault: str, rng: random.Random) -> None:
    data = bytearray(path.read_bytes())
    if fault == "flipped" and data:
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    cuts = {"cut": data[: rng.randrange(len(data) + 1)], "empty": b"", "zeros": bytes(len(data))}
    path.write_bytes(cuts.get(fault, bytes(data) + bytes(5000 * (fault == "longer"))))


def hurt(folder: Path, rng: random.Random) -> list[tuple[str, str]]:
    places = sorted(path.relative_to(folder) for path in folder.rglob("*"))
    done = []
    for place in rng.sample(places, rng.choice([1, 2, 3])):
        path, fault = folder / place, rng.choice(FAULTS)
        if path.exists() and FAULTS.index(fault) < 5:
            put_in_its_place(path, fault)
        elif path.is_file():
            damage(path, fault, rng)
        done.append((str(place), fault))
    return done


def assert_nothing_invented(path: Path) -> None:
    """Whatever stamp a sample has, it is the sample of that instant."""
    with open_session_store(path) as reader:
        for known in STREAMS:
            n = reader.stream(known.name).n_samples if known.name in reader.streams else 0
            if n:
                stream = reader.stream(known.name)
                at = np.rint((stream.stamps.rows(0, n) - known.start) * (known.info.fs or 3.0)).astype(int)
                np.testing.assert_array_equal(stream.data.rows(0, n), known.data(0, N[known.name])[at])


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
def test_what_is_left_is_given_back_and_nothing_is_invented(cut: Path, tmp_path: Path, seed: int):
    rng = random.Random(seed)
    for number in range(12):
        folder = Path(shutil.copytree(cut, tmp_path / str(number) / "session"))
        faults = hurt(folder, rng)
        with suppress(SessionError):
            recover_session(folder)
        saved = salvage_session(folder)
        assert verify_session(saved).ok, faults
        assert_nothing_invented(saved)
        shutil.rmtree(tmp_path / str(number))
