"""Each source's clock is compared with ours, and a comparison is stored once."""

from __future__ import annotations

import threading
import time

import numpy as np

from myogestic_tui.info import StreamInfo
from myogestic_tui.sources import LSLSource, Outlet
from myogestic_tui.sources import lsl_source as lsl_module
from myogestic_tui.sources.inlet import Inlet, buffer_samples
from myogestic_tui.sources.liblsl import lsl_clock
from myogestic_tui.stream.source import ClockedSource, ClockEstimate, MonitoredSource, Source
from tests.sources.helpers import ChildOutlet, Reader


def test_the_monotonic_clock_is_the_lsl_clock() -> None:
    before, lsl, after = time.monotonic(), lsl_clock(), time.monotonic()
    assert before - 1e-4 <= lsl <= after + 1e-4


def test_a_source_is_all_that_a_stream_asks_for(unique: str) -> None:
    source = LSLSource(unique)
    assert isinstance(source, Source)
    assert isinstance(source, ClockedSource)
    assert isinstance(source, MonitoredSource)


def test_offsets_come_with_uncertainty_and_remote_time(unique: str, monkeypatch) -> None:
    monkeypatch.setattr(lsl_module, "CLOCK_EVERY", 0.1)
    found: list[ClockEstimate] = []
    with ChildOutlet(unique, source_id=unique) as child, Reader(LSLSource(unique)) as reader:

        def enough(count: int) -> bool:
            found.extend(reader.source.take_clock_estimates())
            return len(found) >= count

        reader.until(lambda: enough(2))
        assert reader.source.take_clock_estimates() == []
        child.freeze()
        reader.until(lambda: reader.source.condition().state == "lost")
        enough(0)
        asked = time.monotonic()
        reader.until(lambda: time.monotonic() - asked > 2.5)
        assert reader.source.take_clock_estimates() == [], "an unchanged estimate was handed out again"
    for estimate in found:
        assert abs(estimate.offset) < 0.05 + estimate.uncertainty, "one machine has one clock"
        assert 0 <= estimate.uncertainty < 5.0
        assert estimate.remote_time + estimate.offset <= estimate.collected_at
    assert np.all(np.diff([estimate.remote_time for estimate in found]) > 0)


def test_a_comparison_under_way_holds_up_no_pull(unique: str) -> None:
    """The first estimate takes liblsl about 0.6 s; a shared lock would hold back every sample until then."""
    with Outlet(unique, StreamInfo(1, 1000.0, source_id=unique)) as outlet, Reader(LSLSource(unique)) as reader:
        inlet: Inlet = reader.source._link.inlet
        assert outlet.wait_for_consumers(120)
        stop = threading.Event()

        def compare() -> None:
            while not inlet.has_clock and not stop.wait(0.001):
                inlet.clock_estimate()

        comparing = threading.Thread(target=compare)
        comparing.start()
        pulls = 0
        while comparing.is_alive():
            inlet.pull()
            pulls += 1
        stop.set()
        comparing.join()
    assert pulls > 50


def test_the_inlets_buffer_is_360_s_but_at_most_512_mb() -> None:
    assert buffer_samples(64, 2048.0, 4) == 360 * 2048
    assert buffer_samples(256, 10_000.0, 4) * 256 * 4 < 512 << 20
    assert buffer_samples(256, 10_000.0, 4) > 30 * 10_000
    assert buffer_samples(1, 0.0, 8) == 36_000
    assert buffer_samples(1, 0.01, 4) == 16
