"""A connection that is dead while the outlet is there: a second one takes its place, and nothing is lost or doubled."""

from __future__ import annotations

import numpy as np
import pytest

from .hosts import Outlet, Reader, TwoHosts, needs_nft

SOON = 3.0
"""Seconds of silence after which these tests have a second connection tried; 15 is what the product has."""


def lost(reader: Reader) -> int:
    """Samples that are missing; there is at most one hole, and nothing came twice or out of order."""
    steps = np.diff(reader.ask(data=True)["data"])
    assert np.count_nonzero(steps != 1) <= 1, steps[steps != 1]
    return int(steps.max()) - 1


def sent_and_read(two: TwoHosts, unique: str, **layout) -> tuple[Outlet, Reader]:
    outlet = Outlet(two.sender, unique, source_id=f"{unique}-id", **layout)
    reader = Reader(two.recorder, name=unique, path_timeout=SOON)
    reader.until(count=0 if layout else 200, state="live", offsets=1)
    return outlet, reader


def goes_on(reader: Reader, outlet: Outlet) -> None:
    now = reader.until(state="live", uid=outlet.uid)
    reader.until(count=now["count"] + 200)


def test_one_of_two_cables_is_pulled(hosts, unique):
    two = hosts(cables=2)
    outlet, reader = sent_and_read(two, unique)
    two.pull(two.used_cable())
    reader.until(state="lost", message="its outlet ")
    goes_on(reader, outlet)
    assert 0 < lost(reader) < 200 * (SOON + 60)


def test_the_address_of_the_recorder_changes(hosts, unique):
    two = hosts()
    outlet, reader = sent_and_read(two, unique)
    two.recorder.run("ip", "address", "delete", "10.77.1.1/24", "dev", "c1")
    two.recorder.run("ip", "address", "add", "10.77.1.9/24", "dev", "c1")
    reader.until(state="lost")
    goes_on(reader, outlet)
    assert 0 < lost(reader) < 200 * (SOON + 60)


@pytest.mark.slow
def test_a_cable_that_is_put_back_costs_nothing_though_a_second_connection_may_be_there_first(hosts, unique):
    """TCP tries again 6.2 s and 12.6 s after the cable was pulled: it is put back between the two."""
    two = hosts()
    outlet, reader = sent_and_read(two, unique)
    two.pull(1)
    reader.until(message="no data for 7.")
    two.plug(1)
    goes_on(reader, outlet)
    assert lost(reader) == 0


@pytest.mark.slow
@needs_nft
def test_a_connection_that_is_dead_for_good_is_given_as_long_again_and_what_the_second_brought_is_kept(hosts, unique):
    two = hosts()
    outlet, reader = sent_and_read(two, unique)
    two.cut()
    waiting = reader.until(message="a second connection brings samples")
    held_from = waiting["count"]
    goes_on(reader, outlet)
    assert 0 < lost(reader) < 200 * (SOON + 4), held_from


@pytest.mark.slow
@needs_nft
def test_at_the_end_of_a_recording_what_the_second_brought_is_handed_out_at_once(hosts, unique):
    two = hosts()
    _, reader = sent_and_read(two, unique)
    two.cut()
    before = reader.until(message="a second connection brings samples")
    after = reader.ask(release=True, until={"count": before["count"] + 1}, patience=1.0)
    assert after["held"]


@pytest.mark.slow
@needs_nft
def test_markers_of_a_dead_connection_arrive_by_the_second(hosts, unique):
    two = hosts()
    outlet, reader = sent_and_read(two, unique, n_channels=1, fs=0.0, dtype="string", type="Markers")
    outlet.say("one")
    reader.until(count=1)
    two.cut()
    reader.until(message="")
    outlet.say("lost on the way")
    wait_for_second(two)
    outlet.say("two")
    reader.until(state="lost", message="its connection is dead")
    reader.ask(reconnect="")
    reader.until(count=2, state="live")
    assert reader.ask(data=True)["data"] == ["one", "two"]


def wait_for_second(two: TwoHosts) -> None:
    import time

    end = time.monotonic() + 120
    first = two.connections()
    while not two.connections() - first:
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.slow
def test_reconnecting_by_hand_goes_on_with_the_same_outlet(hosts, unique):
    two = hosts()
    outlet, reader = sent_and_read(two, unique)
    now = reader.ask(reconnect="")
    reader.until(count=now["count"] + 200, uid=outlet.uid)
    goes_on(reader, outlet)
    assert lost(reader) < 200 * 8
