"""Power cuts at any instant, of which any part of what was not synced reached the disk: seeded, many."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.power_cut.disk_log import Choose, DiskLog, Keep, lay_out, without_syncs
from tests.power_cut.scenarios import SCENARIOS, check

PAGE = 4096


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS)
def test_what_was_promised_survives_any_power_cut(
    scenario: Callable[[Path, pytest.MonkeyPatch], DiskLog], seed: int, tmp_path: Path
):
    replay(scenario, seed, 60, tmp_path)


def replay(scenario: Callable[[Path, pytest.MonkeyPatch], DiskLog], seed: int, runs: int, where: Path) -> int:
    """Run the scenario once, and cut the power at `runs` instants; how many came after a first promise."""
    rng, n = random.Random(seed), 0
    root = where / "disk"
    root.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        log = scenario(root, patch)
    with without_syncs():
        for run in range(runs):
            at = rng.randint(log.n_before, len(log.events))
            state, promised = log.crash(at, some_names(rng), some_content(rng)), log.promised(at)
            if promised is None:
                continue
            left = lay_out(state, where / f"left{run}")
            try:
                check(left, promised)
            except BaseException as error:
                error.add_note(f"seed {seed}, run {run}, after event {at}: {log.events[at - 1]}")
                raise
            shutil.rmtree(left)
            n += 1
    assert n
    return n


def some_names(rng: random.Random) -> Keep:
    """Each call's names reach the disk or do not."""
    share = rng.choice([0.1, 0.5, 0.9])
    kept: dict[int, bool] = {}
    return lambda group: kept.setdefault(group, rng.random() < share)


def some_content(rng: random.Random) -> Choose:
    """The old content, the new one, a part of it, or all of it with pages that were not written yet."""

    def choose(synced: bytes, now: bytes) -> bytes:
        if synced == now:
            return now
        common = len(synced) if now.startswith(synced) else 0
        end = rng.randint(common, len(now))
        hole, page_end = max(common, end - end % PAGE), min(len(now), end - end % PAGE + PAGE)
        holed = now[:hole] + bytes(page_end - hole) + now[page_end:]
        return rng.choice([synced, now, now[:end], holed, now[:hole] + bytes(len(now) - hole)])

    return choose
