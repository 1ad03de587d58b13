"""A disk too slow to have all but the last two seconds is a line of "needs you"."""

from __future__ import annotations

import pytest

from myogestic_tui.app import interface as r
from myogestic_tui.app.status import _unsynced_problems


@pytest.mark.parametrize(("age", "told"), [(0.0, False), (1.9, False), (6.2, True)])
def test_what_a_power_cut_would_take_is_told_beyond_two_seconds(age: float, told: bool):
    problems = _unsynced_problems(r.SessionStatus(path="x", unsynced_s=age))
    assert [problem.text for problem in problems] == (
        ["slow: the last 6 s are not on it yet; a power cut now would take them"] if told else []
    )
