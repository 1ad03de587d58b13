"""What an outlet sends from its first consumer on, and had sent when it ended, is read: once, in order, no other's."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from myogestic_tui.info import StreamInfo
from myogestic_tui.sources import LSLSource, Outlet, return_probe
from myogestic_tui.sources.discovery import discovery
from myogestic_tui.sources.liblsl import InfoHandle
from myogestic_tui.sources.network_query import resolve
from tests.sending import wait_for
from tests.sources.helpers import PATIENCE, Reader

FS = 500.0


def life(name: str, source_id: str = "dev") -> Outlet:
    info = StreamInfo(n_channels=2, fs=FS, dtype="int32", type="EMG", source_id=f"{name}-{source_id}")
    return Outlet(name, info)


def send(outlet: Outlet, first: int, n: int = 50) -> None:
    rows = np.arange(first, first + n, dtype=np.int32)
    outlet.push(np.repeat(rows[:, None], 2, axis=1), rows / FS)


def waits(reader: Reader, n: int) -> None:
    """Until so many samples wait for the reader."""
    wait_for(lambda: reader.source._link.inlet.waiting >= n, PATIENCE)


def assert_counted(reader: Reader, n: int) -> None:
    assert reader.data[:, 0].tolist() == list(range(n))


class Sending:
    """Sends in real time, in a thread of its own, until it is stopped."""

    def __init__(self, outlet: Outlet, first: int) -> None:
        self.sent = first
        self._outlet = outlet
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        while not self._end.wait(0.02):
            send(self._outlet, self.sent, 10)
            self.sent += 10

    def __enter__(self) -> Sending:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()


def test_an_outlet_that_ends_while_it_is_looked_at_costs_the_next_one_nothing(
    unique: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    looking, go_on = threading.Event(), threading.Event()

    def slow(uid: str, seconds: float) -> InfoHandle | None:
        looking.set()
        go_on.wait(PATIENCE)
        return resolve(uid, seconds)

    monkeypatch.setattr(return_probe, "resolve", slow)
    with life(unique) as first, Reader(LSLSource(unique)) as reader:
        send(first, 0)
        reader.until_count(50)
        first.close()
        with life(unique):
            reader.until(looking.is_set)
        with life(unique) as second:
            wait_for(lambda: discovery().has(second.uid), PATIENCE)
            go_on.set()
            reader.until(lambda: second.has_consumers)
            with Sending(second, 50) as sending:
                reader.until(lambda: reader.source.seen.uid == second.uid and reader.count >= 1000)
            reader.until(lambda: reader.data[-1, 0] == sending.sent - 1)
    assert_counted(reader, sending.sent)


def test_what_an_outlet_had_sent_when_it_ended_is_read_before_what_the_next_one_sends(unique: str) -> None:
    """However late: the next one is subscribed to while nothing is read, as when the disk hangs."""
    with life(unique) as first, Reader(LSLSource(unique)) as reader:
        send(first, 0)
        waits(reader, 50)
        first.close()
        with life(unique) as second:
            assert second.wait_for_consumers(PATIENCE)
            send(second, 50)
            reader.until_count(100)
    assert_counted(reader, 100)


def test_a_recording_that_ends_takes_what_the_outlet_sent_since_its_return(unique: str) -> None:
    with life(unique) as first, Reader(LSLSource(unique)) as reader:
        send(first, 0)
        reader.until_count(50)
        first.close()
        with life(unique) as second:
            reader.until(lambda: second.has_consumers)
            send(second, 50)
            reader.until(lambda: not reader.source.release())
            reader.until_count(100)
    assert_counted(reader, 100)


def test_reconnecting_takes_what_had_come_already(unique: str) -> None:
    with life(unique) as outlet, Reader(LSLSource(unique)) as reader:
        send(outlet, 0)
        waits(reader, 50)
        reader.source.reconnect()
        reader.until_count(50)
        reader.until(lambda: reader.source._link.inlet is not None)
        send(outlet, 50)
        reader.until_count(100)
    assert_counted(reader, 100)


def test_nothing_of_a_twin_is_taken_for_what_the_outlet_sent_since_its_return(unique: str) -> None:
    with life(unique) as twin, life(unique) as first:
        wait_for(lambda: discovery().has(twin.uid) and discovery().has(first.uid), PATIENCE)
        with Reader(LSLSource(uid=first.uid)) as reader:
            send(first, 0)
            reader.until_count(50)
            first.close()
            twin.wait_for_consumers(3.0)  # liblsl would have moved to it by then
            send(twin, -200)
            with life(unique) as again:
                reader.until(lambda: again.has_consumers)
                send(twin, -150)
                send(again, 50)
                reader.until_count(100)
    assert_counted(reader, 100)
