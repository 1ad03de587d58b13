"""Killed at any instant, packing and repairing end with one good archive after the next start, and nothing else."""

from __future__ import annotations

import random

import pytest

from myogestic_tui.session import pack_session, recover_session, salvage_session
from tests.archive.killing import copy, duration, kill_and_restart, salvage_and_restart
from tests.archive.sessions import assert_holds, cut_off_folder, flip

RUNS = 15


@pytest.fixture
def rng():
    seed = random.randrange(1 << 30)
    print("seed", seed)
    return random.Random(seed)


def test_killed_while_packing(made_folder, tmp_path, rng):
    longest = 1.1 * duration(pack_session, made_folder, tmp_path)
    for run in range(RUNS):
        assert_holds(kill_and_restart(pack_session, made_folder, tmp_path / f"run{run}", rng, longest))


def test_killed_while_recovering(tmp_path, rng):
    cut_off = cut_off_folder(tmp_path / "cut_off")
    longest = 1.1 * duration(recover_session, cut_off, tmp_path)
    for run in range(RUNS // 2):
        assert_holds(kill_and_restart(recover_session, cut_off, tmp_path / f"run{run}", rng, longest))


def test_killed_while_salvaging(made_archive, tmp_path, rng):
    damaged = copy(made_archive, tmp_path / "damaged")
    flip(damaged, "emg.zarr/c/3/0")
    longest = 1.1 * duration(salvage_session, damaged, tmp_path)
    for run in range(RUNS // 2):
        salvage_and_restart(damaged, tmp_path / f"run{run}", rng, longest)
