"""The recorder's clock is LSL's."""

from __future__ import annotations

from myogestic_tui.clock import local_clock


def test_it_is_the_clock_of_lsl():
    from mne_lsl.lsl import local_clock as lsl_clock

    before = local_clock()
    theirs = lsl_clock()
    assert before - 0.001 <= theirs <= local_clock() + 0.001
