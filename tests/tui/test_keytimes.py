"""What is known of the time of a key: it reaches back to the last proof that the link lived."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from myogestic_tui.tui.key_timing import ASK_SECONDS, OVERDUE_SECONDS, TOGETHER_SECONDS, KeyTimes, answers_prove


def living(*, until: float = 10.0) -> KeyTimes:
    """A link that has answered every second in 50 ms."""
    times = KeyTimes(0.0)
    for second in range(1, int(until) + 1):
        assert times.due(float(second))
        times.asked(float(second))
        times.answered(second + 0.05)
        times.reading(second + 0.05)
    return times


def test_a_key_on_a_link_that_lives_has_no_doubt() -> None:
    times = living()
    times.reading(10.3)
    assert times.doubt(10.4, 1) == 0.0


def test_all_keys_of_one_read_share_the_doubt_back_to_the_question_that_was_answered() -> None:
    times = living()
    times.reading(10.4)
    assert times.doubt(10.5, 3) == pytest.approx(0.5)


@pytest.mark.parametrize("n_keys", [1, 5])
def test_an_answer_that_is_owed_puts_keys_in_doubt_without_a_bound(n_keys: int) -> None:
    times = living()
    times.asked(11.0)
    times.reading(300.0)
    assert times.doubt(300.1, n_keys) == pytest.approx(290.1)


def test_keys_behind_a_late_answer_are_in_doubt_until_one_comes_in_time() -> None:
    times = living()
    times.asked(11.0)
    times.reading(23.9)
    times.answered(24.0)
    assert times.doubt(24.1, 1) == pytest.approx(13.1)
    assert times.due(24.1), "it asks again at once"
    times.asked(24.1)
    assert times.doubt(24.14, 1) == pytest.approx(13.14)
    times.answered(24.2)
    times.reading(24.3)
    assert times.doubt(24.4, 1) == 0.0


def test_packets_of_a_link_that_lives_again_are_one_read() -> None:
    times = KeyTimes(0.0, proving=False)
    times.reading(5.0)
    assert times.doubt(5.0, 1) == 0.0
    times.reading(20.0)
    assert times.doubt(20.0, 2) == pytest.approx(15.0)
    assert times.doubt(20.001, 1) == pytest.approx(15.001)
    times.reading(20.5)
    assert times.doubt(20.5, 1) == 0.0


def test_a_terminal_that_never_answers_costs_one_doubt() -> None:
    times = KeyTimes(0.0)
    times.asked(1.0)
    times.reading(13.9)
    assert times.doubt(14.0, 1) == pytest.approx(14.0)
    times.reading(15.0)
    assert times.doubt(15.0, 1) == 0.0
    assert not times.due(99.0), "it is not asked again"
    assert not times.waits


def test_answers_of_a_multiplexer_prove_nothing() -> None:
    assert answers_prove({})
    for name in ("TMUX", "STY", "ZELLIJ"):
        assert not answers_prove({name: "1"})
    times = KeyTimes(0.0, proving=False)
    assert not times.due(5.0)
    times.asked(1.0)
    times.answered(1.001)
    times.reading(14.0)
    assert times.doubt(14.1, 2) == pytest.approx(14.1)


def test_a_program_that_stood_still_doubts_the_keys_that_waited() -> None:
    times = living()
    assert times.doubt(40.0, 1) == pytest.approx(30.0)


def test_output_that_is_not_taken_and_keys_from_before_the_screens_are_doubted() -> None:
    times = living()
    times.reading(10.4)
    assert times.doubt(10.5, 1, stalled_since=8.0) == pytest.approx(2.5)
    times = KeyTimes(5.0)
    times.opened(3.0)
    assert times.doubt(5.1, 1) == pytest.approx(2.1)
    times.reading(7.0)
    assert times.doubt(7.1, 1) == 0.0


@settings(deadline=None, max_examples=40)
@given(
    stall=st.tuples(st.floats(3.0, 30.0), st.floats(OVERDUE_SECONDS + ASK_SECONDS + 0.2, 60.0)),
    pressed=st.lists(st.floats(0.0, 100.0), min_size=1, max_size=12, unique=True),
    cut=st.floats(0.0, 0.004),
    trip=st.floats(0.001, 0.1),
)
def test_the_doubt_covers_the_true_delay_whatever_stalls(
    stall: tuple[float, float], pressed: list[float], cut: float, trip: float
) -> None:
    """A simulated link that stalls once: bytes of both directions wait, and come one after the other in order."""
    begins, ends = stall[0], sum(stall)

    def over(at: float) -> float:
        return max(at + trip, ends) if begins <= at + trip and at < ends else at + trip

    times, now, sent, arriving = KeyTimes(0.0), 0.0, [], []
    arriving = [(key, over(key), "key") for key in sorted(pressed)]
    while now < 170.0:
        now += 0.05
        if times.due(now):
            times.asked(now)
            answers = over(now)
            arriving.append((answers, over(answers), "answer"))
        ready = sorted(one for one in arriving if one[1] <= now)
        arriving = [one for one in arriving if one[1] > now]
        for place, (at, came, what) in enumerate(ready):
            read = now + place * cut
            if what == "answer":
                times.answered(read)
                continue
            doubt = times.doubt(read, 1)
            if came - at > trip + 1e-9:
                sent.append((read - at, doubt))
        times.reading(now)
    lone = ASK_SECONDS + OVERDUE_SECONDS + 2 * trip + 0.1
    for delay, doubt in sent:
        assert doubt >= delay - trip - TOGETHER_SECONDS or (doubt == 0.0 and delay < lone)
