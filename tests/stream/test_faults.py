"""What a source does wrong is refused, said by name, and survived."""

from __future__ import annotations

import re
import threading

import numpy as np
import pytest

from myogestic_tui import Stream, StreamInfo
from myogestic_tui.clock import local_clock
from myogestic_tui.errors import AmbiguousStreamError, ConfigError, SourceError
from myogestic_tui.session import Session, open_session_store
from tests.sending import wait_for
from tests.stream.scripted import ScriptedSource, chunk
from tests.stream.test_recording import Running

INFO = StreamInfo(3, 100.0)
GOOD = np.zeros((5, 3), dtype=np.float32)
STAMPS = np.arange(5.0)
FAULTS = {
    "transposed": ((GOOD.T, STAMPS), "transposed"),
    "1-D": ((np.zeros(5, np.float32), STAMPS), "1-D data"),
    "another width": ((np.zeros((5, 4), np.float32), STAMPS), r"\(5, 4\)"),
    "3-D": ((GOOD[None], STAMPS), "3-D"),
    "another dtype": ((GOOD.astype(np.float64), STAMPS), "float64 samples"),
    "too few stamps": ((GOOD, STAMPS[:3]), r"\(3,\) time stamps for 5 samples"),
    "stamps without samples": ((GOOD[:0], STAMPS), "time stamps"),
    "stamps of text": ((GOOD, np.array(["a"] * 5)), "time stamps"),
    "no pair": (GOOD, "ValueError"),
    "nothing at all": (None, "TypeError"),
    "its own error": (SourceError("the amplifier says no"), "the amplifier says no"),
    "any error": (ZeroDivisionError("boom"), "ZeroDivisionError: boom"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_reported_by_name_and_the_next_samples_are_recorded(fault, tmp_path):
    item, told = FAULTS[fault]
    session, source, start = Session(tmp_path), ScriptedSource(INFO), local_clock()
    with Running(source) as stream:
        stream.begin(session, start)
        source.give(chunk(0, 10, INFO, start), item)
        wait_for(lambda: "SourceError" in stream.message)
        assert stream.message.startswith("emg: SourceError: ")
        assert re.search(told, stream.message)
        source.give(chunk(10, 10, INFO, start))
        assert "SourceError" in stream.message, "it was lost; the operator has to see that"
        assert stream.finish(start + 1.0, 30.0)
    session.finish()
    with open_session_store(session.path) as reader:
        np.testing.assert_array_equal(reader.stores["emg"][:, 0], np.arange(20) * 10)


def test_repeated_faults_are_counted():
    source = ScriptedSource(INFO)
    with Running(source) as stream:
        source.give((GOOD.T, STAMPS), (GOOD.T, STAMPS), (GOOD.T, STAMPS))
        assert "(3 times)" in stream.message


def test_a_source_that_raises_is_connected_anew():
    source = ScriptedSource(INFO)
    with Running(source) as stream:
        source.give(OSError("unplugged"))
        wait_for(lambda: source.n_connects == 2)
        source.give(chunk(0, 10, INFO, local_clock()))
        assert stream.get_window()[0].shape == (3, 10)


class RaisesInDisconnect(ScriptedSource):
    def disconnect(self) -> None:
        raise RuntimeError("no")


def test_disconnect_may_raise():
    with Running(RaisesInDisconnect(INFO)):
        pass


class Ambiguous(ScriptedSource):
    def connect(self) -> StreamInfo:
        raise AmbiguousStreamError("two streams are named EMG: on amp-pc, on amp-pc-2")


def test_why_it_cannot_connect_is_said():
    source = Ambiguous(INFO, there=False)
    with Running(source) as stream:
        wait_for(lambda: "amp-pc-2" in stream.message)
        assert stream.info is None
        assert stream.get_window()[0].shape == (0, 0)
        assert stream.get_timestamps().shape == (0,)
        assert stream.health().age_s is None
        assert stream.quality() == ()


@pytest.mark.parametrize(
    "changed",
    [
        StreamInfo(4, 100.0),
        StreamInfo(3, 200.0),
        StreamInfo(3, 100.0, "int16"),
        StreamInfo(3, 100.0, channel_names=("a", "b", "c")),
        StreamInfo(3, 100.0, units=("mV", "mV", "mV")),
    ],
    ids=["channels", "rate", "dtype", "labels", "units"],
)
def test_what_comes_back_changed_is_refused_and_taken_again_once_it_is_as_before(changed, tmp_path):
    session, source, start = Session(tmp_path), ScriptedSource(INFO), local_clock()
    with Running(source) as stream:
        stream.begin(session, start)
        source.give(chunk(0, 10, INFO, start))
        source.info = changed
        source.put(OSError("unplugged"))
        wait_for(lambda: stream.condition().state == "refused")
        assert "came back changed" in stream.message
        assert stream.info is INFO
        assert stream.recording
        source.info = INFO
        wait_for(lambda: stream.condition().state == "live")
        source.give(chunk(20, 10, INFO, start))
        stream.finish(start + 1.0, 30.0)
    session.finish()
    with open_session_store(session.path) as reader:
        index = np.r_[0:10, 20:30]
        np.testing.assert_array_equal(reader.stores["emg"][:, 0], index * 10)


class Stuck(ScriptedSource):
    """A driver that does not return."""

    def __init__(self) -> None:
        super().__init__(INFO)
        self.inside, self.free = threading.Event(), threading.Event()

    def read(self):
        self.inside.set()
        self.free.wait(300.0)
        return super().read()


def test_stop_and_finish_are_bounded_also_with_a_source_that_hangs(tmp_path):
    source = Stuck()
    stream, session = Stream("emg", source), Session(tmp_path)
    stream.start()
    assert source.inside.wait(120.0)
    stream.begin(session, local_clock())
    assert not stream.finish(local_clock(), 0.05)
    assert not stream.recording
    assert not stream.stop(0.05)
    source.free.set()
    assert stream.stop(120.0)
    session.finish()


def test_a_stream_can_be_started_again():
    source = ScriptedSource(INFO)
    with Running(source) as stream:
        stream.start()
    assert source.n_connects == 1
    assert not [thread for thread in threading.enumerate() if thread.name == "stream-emg"]
    with Running(source) as stream:
        wait_for(lambda: source.n_connects == 2)
        assert [thread.name for thread in threading.enumerate()].count("stream-emg") == 1


def test_unusable_arguments_are_refused():
    for options in ({"name": ""}, {"window_seconds": 0}, {"buffer_seconds": -1}):
        with pytest.raises(ConfigError):
            Stream(**{"name": "emg", "source": ScriptedSource(INFO), **options})


def test_values_that_are_not_numbers_are_stored_as_they_are(tmp_path):
    session, source, start = Session(tmp_path), ScriptedSource(INFO), local_clock()
    data, stamps = chunk(0, 120, INFO, start)
    data[50], data[70, 1], data[90, 2] = np.nan, np.inf, 3e38
    with Running(source) as stream:
        stream.begin(session, start)
        source.give((data, stamps))
        wait_for(lambda: bool(stream.quality()))
        assert [one.flags for one in stream.quality()] == ["N", "N", "N"]
        stream.finish(start + 2.0, 30.0)
    session.finish()
    with open_session_store(session.path) as reader:
        np.testing.assert_array_equal(reader.stores["emg"][:], data)


def test_the_same_failure_to_connect_is_logged_once(caplog):
    class Away(ScriptedSource):
        def connect(self):
            self.n_connects += 1
            raise ZeroDivisionError("no such port")

    source = Away(INFO, there=False)
    stream = Stream("emg", source)
    with caplog.at_level("WARNING"):
        stream.start()
        wait_for(lambda: source.n_connects >= 3)
        assert stream.stop(120.0)
    assert [record.message for record in caplog.records] == ["emg: connect() failed"]
    assert "no such port" in stream.message
