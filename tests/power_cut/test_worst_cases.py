"""Power cuts at the instants that matter: after each promise, and after whatever was there has gone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.power_cut.disk_log import DiskLog, lay_out, without_syncs
from tests.power_cut.scenarios import SCENARIOS, check


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS)
def test_what_was_promised_survives(scenario: Callable[[Path, pytest.MonkeyPatch], DiskLog], tmp_path: Path):
    root = tmp_path / "disk"
    root.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        log = scenario(root, patch)
    with without_syncs():
        for number, (at, state) in enumerate(log.worst()):
            try:
                check(lay_out(state, tmp_path / f"left{number}"), log.promised(at))
            except BaseException as error:
                error.add_note(f"state {number}, after {log.events[at - 1]}")
                raise
