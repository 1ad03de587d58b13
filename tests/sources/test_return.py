"""A stream that dies is lost, found again, and never mixed with another one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from myogestic_tui import Stream
from myogestic_tui.app.streams import StreamTable
from myogestic_tui.sources import LSLSource
from myogestic_tui.sources.discovery import discovery
from tests.sending import wait_for
from tests.sources.helpers import ChildOutlet, Reader


def state(reader: Reader) -> str:
    return reader.source.condition().state


def assert_whole_runs(reader: Reader, runs: int) -> None:
    """The first channel counts up by one, and begins anew once per further outlet."""
    steps = np.diff(reader.data[:, 0])
    assert np.count_nonzero(steps != 1) == runs - 1
    np.testing.assert_array_equal(reader.data[:, 3] - reader.data[:, 0], 3)


def listed_beside(reader: Reader) -> set[str]:
    """The outlets that are on the network and not connected, where the reader's stream is all that is."""
    stream = Stream("emg", reader.source)
    stream.info = reader.info
    table = StreamTable(lambda _: None)
    table.add([stream])
    table.discover()
    wait_for(lambda: table.discovering)
    return {one.uid for one in table.seen()}


@pytest.mark.parametrize("source_id", ["dev-1", ""])
def test_an_outlet_that_was_killed_and_started_again_goes_on_and_costs_nothing_else(
    unique: str, source_id: str
) -> None:
    name = {"source_id": source_id and f"{unique}-{source_id}"}
    with (
        ChildOutlet(unique, **name) as first,
        ChildOutlet(f"{unique}-other", source_id=f"{unique}-other"),
        Reader(LSLSource(unique)) as late,
        Reader(LSLSource(unique)) as reader,
        Reader(LSLSource(f"{unique}-other")) as other,
    ):
        late.until_count(1)
        reader.until_count(1)
        unread_from = late.count
        reader.until_count(reader.count + 1000)
        first.kill()
        reader.until(lambda: other.read() >= 0 and state(reader) == "lost")
        assert "no data for" in reader.source.condition().message
        other.until(lambda: state(other) == "live")
        late.until_count(unread_from + 500)  # what had arrived when the outlet died is read after it
        before = reader.count
        with ChildOutlet(unique, **name) as second:
            reader.until(lambda: other.read() >= 0 and reader.count > before + 500)
            assert state(reader) == "live"
            assert reader.source.seen.uid == second.uid
            assert second.uid not in listed_beside(reader)
    assert_whole_runs(late, 1)
    assert_whole_runs(reader, 2)
    assert_whole_runs(other, 1)
    assert other.stamps[-1] > reader.stamps[-1] - 10.0


def test_of_an_outlet_that_may_have_ended_nobody_says_that_it_is_there(unique: str) -> None:
    """The network lists it for some seconds more."""
    told: list[str] = []
    with ChildOutlet(unique, source_id=unique) as outlet, Reader(LSLSource(unique)) as reader:
        reader.until_count(1)
        outlet.kill()

        def gone() -> bool:
            told.append(reader.source.condition().message)
            return "searching on" in told[-1]

        reader.until(gone)
    early = [one for one in told if one and float(one.split()[3]) < 5.0]
    assert early
    assert not any("outlet is there" in one for one in early)


LAYOUT: dict[str, Any] = {"channel_names": list("abcd"), "units": ["microvolts"] * 4}
SAME_COUNT = {"fs": 250.0, "channel_names": list("abxd"), "units": ["volts"] * 4}
OTHER_COUNT = {"n_channels": 5, "dtype": "float64", "channel_names": list("abcde"), "units": ["microvolts"] * 5}
CHANGES = [
    pytest.param(SAME_COUNT, ["250 Hz instead of 500 Hz", "channel 3 is 'x' instead of 'c'", "'volts'"], id="moved"),
    pytest.param(OTHER_COUNT, ["5 channels instead of 4", "float64 instead of float32"], id="other-count"),
]


@pytest.mark.parametrize(("change", "reasons"), CHANGES)
def test_one_that_comes_back_changed_is_refused_until_it_is_restored(
    change: dict[str, Any], reasons: list[str], unique: str
) -> None:
    layout = {**LAYOUT, "source_id": f"{unique}-id"}
    with ChildOutlet(unique, **layout) as first, Reader(LSLSource(unique)) as reader:
        reader.until(lambda: len(reader.source.take_clock_estimates()) > 0)
        first.kill()
        with ChildOutlet(unique, **{**layout, **change}):
            reader.until(lambda: state(reader) == "refused")
            assert all(reason in reader.source.condition().message for reason in reasons)
            assert_whole_runs(reader, 1)
            refused_at = reader.count
            with ChildOutlet(unique, **layout) as third:
                reader.until_count(refused_at + 200)
                assert state(reader) == "live"
                assert reader.source.seen.uid == third.uid
    assert_whole_runs(reader, 2)


def test_a_twin_never_takes_the_place_of_the_one_that_died(unique: str) -> None:
    same = {"source_id": f"{unique}-same"}
    with ChildOutlet(unique, **same) as first, ChildOutlet(unique, **same) as twin:
        discovery().wait_for(lambda seen: seen.uid == twin.uid, 120)
        with Reader(LSLSource(uid=first.uid)) as reader:
            reader.until_count(50)
            first.kill()
            reader.until(lambda: not discovery().has(first.uid) and state(reader) == "lost")
            dead_at = reader.count
            with ChildOutlet(unique, **same) as again:
                reader.until_count(dead_at + 200)
                assert reader.source.seen.uid == again.uid
    assert_whole_runs(reader, 2)


def test_a_frozen_outlet_delivers_what_it_missed_once_it_thaws(unique: str) -> None:
    with ChildOutlet(unique, source_id=f"{unique}-id") as child, Reader(LSLSource(unique)) as reader:
        reader.until_count(50)
        child.freeze()
        reader.until(lambda: state(reader) == "lost")
        child.thaw()
        reader.until_count(reader.count + 1000)
        assert state(reader) == "live"
    assert_whole_runs(reader, 1)


def test_markers_of_an_outlet_that_came_back_are_taken(unique: str) -> None:
    layout = {"n_channels": 1, "fs": 0.0, "dtype": "string", "type": "Markers", "source_id": f"{unique}-id"}
    with ChildOutlet(unique, **layout) as first, Reader(LSLSource(unique)) as reader:
        first.say("one")
        reader.until_count(1)
        assert state(reader) == "live"
        reader.until(lambda: len(reader.source.take_clock_estimates()) > 0)
        first.kill()
        with ChildOutlet(unique, **layout) as second:
            reader.until(lambda: reader.source.seen.uid == second.uid)
            second.say("two")
            reader.until_count(2)
    assert reader.data[:, 0].tolist() == ["one", "two"]


def test_a_name_that_liblsl_cannot_ask_for_is_connected_and_found_again(unique: str) -> None:
    """Liblsl puts names into its queries as they are: an apostrophe makes its own recovery blind."""
    name = f'Bob\'s "left" <é> {unique}'
    with ChildOutlet(name) as first, Reader(LSLSource(name)) as reader:
        reader.until_count(100)
        first.kill()
        with ChildOutlet(name) as second:
            reader.until(lambda: reader.source.seen.uid == second.uid)
            reader.until_count(reader.count + 100)
    assert_whole_runs(reader, 2)


def test_a_silent_marker_stream_is_live_while_its_outlet_is_there(unique: str) -> None:
    layout = {"n_channels": 1, "fs": 0.0, "dtype": "string", "type": "Markers", "source_id": f"{unique}-id"}
    with ChildOutlet(unique, **layout) as child, Reader(LSLSource(unique)) as reader:
        for text in ("early", "late"):
            child.say(text)
            reader.until(lambda text=text: text in reader.data[:, 0])
            assert state(reader) == "live"
