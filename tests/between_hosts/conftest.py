"""Tests that need two computers: made of namespaces, skipped where this account may not make any."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from .hosts import TwoHosts, not_permitted

CLOCK = ("--time", "--monotonic", "1")


@pytest.fixture
def hosts(unique: str) -> Iterator[Callable[..., TwoHosts]]:
    """Make two computers with so many ``cables``; whose clocks are ahead by so many seconds."""
    made: list[TwoHosts] = []

    def make(cables: int = 1, ahead: int = 0, recorder_ahead: int = 0) -> TwoHosts:
        if reason := not_permitted(*CLOCK) if ahead or recorder_ahead else not_permitted():
            pytest.skip(f"two hosts cannot be made here: {reason}")
        made.append(TwoHosts(unique, cables, ahead, recorder_ahead))
        return made[-1]

    yield make
    for two in made:
        two.close()
