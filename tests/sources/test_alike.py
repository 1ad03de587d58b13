"""Streams that nothing tells apart: what returns goes to one of them, or to none and the operator is asked."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from myogestic_tui.sources import LSLSource
from tests.sources.helpers import ChildOutlet, Reader


class Named(LSLSource):
    def __init__(self, owner: str, **selection: Any) -> None:
        super().__init__(**selection)
        self.owner = owner


def until(readers: list[Reader], condition: Any) -> None:
    """Read all of them until the condition holds."""
    readers[0].until(lambda: all(reader.read() >= 0 for reader in readers[1:]) and condition())


def asks(reader: Reader, *words: str) -> bool:
    condition = reader.source.condition()
    return condition.state == "lost" and all(word in condition.message for word in words)


@pytest.mark.parametrize("source_id", ["", "shared"])
def test_two_alike_that_die_together_are_given_back_by_the_operator(unique: str, source_id: str) -> None:
    layout = {"source_id": source_id and f"{unique}-{source_id}"}
    with ChildOutlet(unique, **layout) as one, ChildOutlet(unique, **layout) as two:
        left, right = Reader(Named("left", uid=one.uid)), Reader(Named("right", uid=two.uid))
        with left, right:
            until([left, right], lambda: left.count > 50 and right.count > 50)
            one.kill()
            two.kill()
            with ChildOutlet(unique, **layout) as back:
                words = "left or right", "right or left", back.uid[:8]
                until([left, right], lambda: asks(left, words[0], back.uid[:8]) and asks(right, words[1]))
                counts = left.count, right.count
                right.source.reconnect(back.uid)
                until([left, right], lambda: right.count > counts[1] + 200)
                assert right.source.condition().state == "live"
                assert (left.count, left.source.condition().state) == (counts[0], "lost")
                with ChildOutlet(unique, **layout) as last:
                    until([left, right], lambda: left.count > counts[0] + 200)
                    assert (left.source.seen.uid, right.source.seen.uid) == (last.uid, back.uid)


def test_of_two_alike_only_the_one_that_died_takes_what_returns(unique: str) -> None:
    with ChildOutlet(unique) as one, ChildOutlet(unique) as two:
        left, right = Reader(Named("left", uid=one.uid)), Reader(Named("right", uid=two.uid))
        with left, right:
            until([left, right], lambda: left.count > 50 and right.count > 50)
            one.kill()
            with ChildOutlet(unique) as back:
                until(
                    [left, right], lambda: left.source.seen.uid == back.uid and left.source.condition().state == "live"
                )
                before = right.count
                until([left, right], lambda: right.count > before + 200)
                assert right.source.seen.uid == two.uid
    assert np.count_nonzero(np.diff(right.data[:, 0]) != 1) == 0


def test_when_both_return_nobody_guesses(unique: str) -> None:
    with ChildOutlet(unique) as one, ChildOutlet(unique) as two:
        left, right = Reader(Named("left", uid=one.uid)), Reader(Named("right", uid=two.uid))
        with left, right:
            until([left, right], lambda: left.count > 50 and right.count > 50)
            one.kill()
            two.kill()
            with ChildOutlet(unique) as back, ChildOutlet(unique) as other:
                both = back.uid[:8], other.uid[:8]
                until([left, right], lambda: asks(left, *both) and asks(right, *both))


def test_a_difference_in_layout_tells_which_of_two_returned(unique: str) -> None:
    with ChildOutlet(unique) as one, ChildOutlet(unique, n_channels=5) as two:
        left, right = Reader(Named("left", uid=one.uid)), Reader(Named("right", uid=two.uid))
        with left, right:
            until([left, right], lambda: left.count > 50 and right.count > 50)
            one.kill()
            two.kill()
            with ChildOutlet(unique, n_channels=5) as back:
                until([left, right], lambda: right.source.seen.uid == back.uid)
                until([left, right], lambda: left.source.condition().state == "lost")


def test_two_streams_of_one_outlet_both_return_to_it(unique: str) -> None:
    with ChildOutlet(unique) as one:
        left, right = Reader(Named("left", name=unique)), Reader(Named("right", name=unique))
        with left, right:
            until([left, right], lambda: left.count > 50 and right.count > 50)
            one.kill()
            with ChildOutlet(unique) as back:
                until([left, right], lambda: left.source.seen.uid == right.source.seen.uid == back.uid)
