"""The stream that is meant is the one that is recorded, or none."""

from __future__ import annotations

import time

import numpy as np
import pytest

from myogestic_tui.errors import AmbiguousStreamError, ConfigError, StreamNotFoundError
from myogestic_tui.info import StreamInfo
from myogestic_tui.sources import LSLSource, Outlet
from myogestic_tui.sources.discovery import FORGET_AFTER, discovery
from tests.sources.helpers import ChildOutlet, Reader, connect


def test_a_bare_name_that_two_outlets_have_is_refused_with_both(unique: str) -> None:
    left, right = StreamInfo(1, 100.0, source_id=f"{unique}-left"), StreamInfo(2, 100.0, source_id=f"{unique}-right")
    with Outlet(unique, left), Outlet(unique, right):
        discovery().wait_for(lambda seen: seen.source_id == f"{unique}-right", 120)
        with pytest.raises(AmbiguousStreamError) as refusal:
            connect(LSLSource(unique))
        assert f"{unique}-left" in str(refusal.value)
        assert f"{unique}-right" in str(refusal.value)
        with Reader(LSLSource(unique, source_id=f"{unique}-right")) as reader:
            assert reader.info.n_channels == 2
        with Reader(LSLSource(unique, query="channel_count=1")) as reader:
            assert reader.info.source_id == f"{unique}-left"


def test_two_outlets_with_equal_metadata_stay_two(unique: str) -> None:
    info = StreamInfo(1, 100.0, source_id=f"{unique}-same", type="EMG")
    with Outlet(unique, info) as first, Outlet(unique, info) as second:
        network = discovery()
        assert network.wait_for(lambda seen: seen.uid == first.uid, 120)
        assert network.wait_for(lambda seen: seen.uid == second.uid, 120)
        mine = [seen for seen in network.streams() if seen.name == unique]
        assert {seen.uid for seen in mine} == {first.uid, second.uid}
        assert len({seen.key for seen in mine}) == 2
        with Reader(LSLSource(uid=first.uid)) as one, Reader(LSLSource(uid=second.uid)) as two:
            assert first.wait_for_consumers(120)
            assert second.wait_for_consumers(120)
            first.push(np.full((10, 1), 1, np.float32), np.arange(10.0) + 1)
            second.push(np.full((20, 1), 2, np.float32), np.arange(20.0) + 1)
            one.until_count(10)
            two.until_count(20)
    assert set(one.data[:, 0]) == {1}
    assert set(two.data[:, 0]) == {2}


def test_every_part_of_a_selection_counts(unique: str) -> None:
    info = StreamInfo(1, 100.0, source_id=f"{unique}-id", type="EMG")
    with Outlet(unique, info) as outlet:
        host = discovery().wait_for(lambda seen: seen.uid == outlet.uid, 120)[0].hostname
        right = {"type": "EMG", "source_id": f"{unique}-id", "hostname": host, "query": f"name='{unique}'"}
        connect(source := LSLSource(unique, **right))
        source.disconnect()
        wrong = {"type": "EEG", "source_id": "other", "hostname": "elsewhere", "query": "channel_count>1"}
        for field, value in wrong.items():
            with pytest.raises(StreamNotFoundError):
                LSLSource(unique, **{**right, field: value}, timeout=0.1).connect()


def test_a_query_reaches_into_the_description(unique: str) -> None:
    with (
        Outlet(unique, StreamInfo(2, 100.0, channel_names=("a", "b"), source_id=f"{unique}-ab")),
        Outlet(unique, StreamInfo(2, 100.0, channel_names=("c", "d"), source_id=f"{unique}-cd")),
    ):
        query = f"name='{unique}' and desc/channels/channel[1]/label='c' or name='{unique}-nobody'"
        with Reader(LSLSource(query=query)) as reader:
            assert reader.info.channel_names == ("c", "d")


def test_a_stream_that_is_not_there_is_answered_with_those_that_are(unique: str) -> None:
    with Outlet(f"{unique}-there", StreamInfo(3, 100.0, "int16", type="IMU")) as outlet:
        assert discovery().wait_for(lambda seen: seen.uid == outlet.uid, 120)
        with pytest.raises(StreamNotFoundError, match=rf"{unique}-there \[IMU\]: 3 ch int16 100 Hz"):
            LSLSource(f"{unique}-absent", timeout=0.1).connect()
        with pytest.raises(StreamNotFoundError, match=rf"no stream with name '.*', did you mean '{unique}-there'\?"):
            LSLSource(f"{unique}-THERE", timeout=0.1).connect()


def test_a_selection_of_nothing_is_refused() -> None:
    with pytest.raises(ConfigError, match="selects no stream"):
        LSLSource()


def test_a_late_outlet_is_found_by_who_keeps_asking(unique: str) -> None:
    source = LSLSource(unique, timeout=0.1)
    with pytest.raises(StreamNotFoundError):
        source.connect()
    assert source.condition().state == "lost"
    assert source.read()[1].size == 0
    with Outlet(unique, StreamInfo(1, 100.0)):
        assert connect(source).n_channels == 1
    source.disconnect()
    source.disconnect()


def test_discovery_sees_streams_come_go_and_come_back(unique: str) -> None:
    network, before = discovery(), discovery().changes
    with ChildOutlet(unique, source_id=f"{unique}-id") as child:
        seen = network.wait_for(lambda seen: seen.name == unique, 120)[0]
        assert (seen.uid, seen.source_id, seen.n_channels, seen.fs) == (child.uid, f"{unique}-id", 4, 500.0)
        assert network.has(child.uid)
        child.kill()
        end = time.monotonic() + 120
        while network.has(child.uid):
            assert time.monotonic() < end
            network.wait_changed(network.changes, 1.0)
    assert network.changes >= before + 2
    assert network.heard_at(child.uid) < time.monotonic() - FORGET_AFTER / 2
    with ChildOutlet(unique, source_id=f"{unique}-id") as again:
        assert network.wait_for(lambda seen: seen.uid == again.uid, 120)


def test_asking_what_is_there_never_waits_for_the_network(unique: str) -> None:
    network = discovery()
    began = time.monotonic()
    for _ in range(100):
        network.streams()
        network.streams(f"name='{unique}'")
    assert time.monotonic() - began < 60.0


def test_a_closed_discovery_is_begun_anew(unique: str) -> None:
    first = discovery()
    first.close()
    first.close()
    assert first.closed
    again = discovery()
    assert again is not first
    with Outlet(unique, StreamInfo(1, 100.0)):
        assert again.wait_for(lambda seen: seen.name == unique, 120)
