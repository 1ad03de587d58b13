"""Cued protocols: what comes when, and that labels stand where the cues began."""

from __future__ import annotations

import threading
from collections import Counter

import pytest

from myogestic_tui.app import protocol
from myogestic_tui.app.protocol import ProtocolRunner, make_plan
from myogestic_tui.clock import local_clock
from myogestic_tui.errors import ConfigError


class Log:
    """What a runner reported, and an event at its end."""

    def __init__(self) -> None:
        self.cues: list[tuple[int, float]] = []
        self.end = ""
        self.ended = threading.Event()
        self.cued = threading.Event()

    def on_cue(self, class_index: int, at: float) -> None:
        self.cues.append((class_index, at))
        self.cued.set()

    def on_end(self, how: str) -> None:
        self.end = how
        self.ended.set()


def run(**kwargs) -> tuple[ProtocolRunner, Log, float]:
    log = Log()
    runner = ProtocolRunner(make_plan("p", **kwargs), log.on_cue, log.on_end)
    began = local_clock()
    runner.start()
    return runner, log, began


def test_a_shuffle_is_repeatable_and_balanced() -> None:
    steps = [(0, 1.0), (1, 1.0), (2, 1.0)]
    one = make_plan("p", steps, repeats=20, shuffle=True, seed=7)
    assert one == make_plan("p", steps, repeats=20, shuffle=True, seed=7)
    assert one.cues != make_plan("p", steps, repeats=20, shuffle=True, seed=8).cues
    for block in range(20):
        assert Counter(cue.class_index for cue in one.cues[3 * block : 3 * block + 3]) == {0: 1, 1: 1, 2: 1}


@pytest.mark.parametrize(("steps", "repeats"), [([], 1), ([(0, 0.0)], 1), ([(0, 1.0)], 0)])
def test_a_protocol_with_nothing_to_do_is_refused(steps, repeats) -> None:
    with pytest.raises(ConfigError):
        make_plan("p", steps, repeats=repeats)


def test_cues_come_in_order_and_never_early() -> None:
    _, log, began = run(steps=[(1, 0.1), (0, 0.05)], repeats=3, lead_in=0.1)
    assert log.ended.wait(120)
    assert [index for index, _ in log.cues] == [1, 0, 1, 0, 1, 0, -1]
    planned = [0.1, 0.2, 0.25, 0.35, 0.4, 0.5, 0.55]
    for (_, at), due in zip(log.cues, planned, strict=True):
        assert at - began >= due - 0.001
    assert log.end == "done"


def test_a_pause_ends_the_label_and_what_was_left_of_the_cue_comes_after(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [local_clock()]
    monkeypatch.setattr(protocol, "local_clock", lambda: now[0])
    runner, log, _ = run(steps=[(1, 1.0)], lead_in=0.0)
    assert log.cued.wait(120)
    now[0] += 0.7
    runner.pause(True)
    assert runner.status().state == "paused"
    now[0] += 60.0
    assert not log.ended.wait(0.5), "it continued while paused"
    assert runner.status().cue_elapsed_s == pytest.approx(0.7)
    runner.pause(False)
    assert runner.status().cue_elapsed_s == pytest.approx(0.7)
    now[0] += 0.29
    assert runner.status().state == "running"
    now[0] += 0.02
    assert log.ended.wait(120)
    assert [index for index, _ in log.cues] == [1, -1, 1, -1]


def test_skip_and_abort() -> None:
    runner, log, _ = run(steps=[(1, 60.0), (2, 60.0)], lead_in=60.0)
    for expected in (1, 2):
        log.cued.clear()
        runner.skip()
        assert log.cued.wait(120)
        assert log.cues[-1][0] == expected
    runner.abort()
    assert log.ended.wait(120)
    assert (log.end, runner.active) == ("aborted", False)
    assert log.cues[-1][0] == -1
