"""A stream with a counter channel: its losses are exact wherever a session is looked at, and stay so on disk."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from myogestic_tui import Stream, StreamInfo
from myogestic_tui.errors import ConfigError
from myogestic_tui.session import Session, open_session_store, recover_session, salvage_session, verify_session
from tests.sending import wait_for
from tests.windows.making import LONG_AGO

FS, LOST = 500.0, (7, 400)
SCRIPT = """
import os, sys
sys.path.insert(0, {root!r})
from tests.session.test_counter import begin
session = begin({folder!r})
print(session.path, flush=True)
os._exit(9)
"""


def begin(folder: Path | str) -> Session:
    """A session whose stream lost 7 and 400 samples that no stamp shows: its counter is channel 3."""
    session = Session(folder)
    info = StreamInfo(3, FS, channel_names=("a", "b", "count")).with_counter("count")
    session.init_stream("emg", info, began=LONG_AGO)
    numbers = np.concatenate([np.arange(2000), np.arange(2007, 5000), np.arange(5400, 8000)])
    data = np.zeros((len(numbers), 3), np.float32)
    data[:, 2] = numbers % 256
    for start in range(0, len(data), 100):
        stamps = 100.0 + np.arange(start, min(start + 100, len(data))) / FS
        session.append("emg", data[start : start + 100], stamps, arrived=LONG_AGO)
    return session


def exact(path: Path) -> None:
    with open_session_store(path) as session:
        told = session.summary().streams["emg"]
        measured = session.measured("emg")
    assert [round(gap.seconds * FS) for gap in measured.gaps if not gap.kind] == [7, 400 % 256]
    assert told.lost_samples == 7 + 400 % 256
    assert measured.counter == 2


def test_what_the_recorder_the_reader_and_verify_tell_is_exact(tmp_path):
    session = begin(tmp_path)
    session.finish()
    exact(session.path)
    archive = session.pack_to_zip()
    exact(archive)
    outcome = verify_session(archive)
    assert outcome.ok
    assert any("2 gaps" in finding.text for finding in outcome.findings), outcome.findings


def test_a_session_that_was_cut_off_tells_the_same_before_and_after_recovery(tmp_path):
    script = SCRIPT.format(root=str(Path(__file__).parents[2]), folder=str(tmp_path))
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 9, done.stderr
    path = Path(done.stdout.strip())
    exact(path)
    exact(recover_session(path))


def test_what_salvage_saves_tells_the_same_and_what_the_damage_took(tmp_path):
    session = begin(tmp_path)
    session.finish()
    (session.path / "emg.zarr/c/4/0").unlink()
    saved = salvage_session(session.path)
    with open_session_store(saved) as salvaged:
        told = salvaged.summary().streams["emg"]
        gaps = [(gap.index, round(gap.seconds * FS), gap.reason) for gap in salvaged.measured("emg").gaps]
    assert gaps == [(2000, 507, "lost to damage of the file"), (4493, 400 % 256, "")]
    assert told.remarks == ["2 gaps, 651 samples lost (8.4 %)"]
    said = [finding.text for finding in verify_session(saved).findings]
    assert "emg: 2 gaps, 651 samples lost (8.4 %)" in said
    assert not any("should count" in text for text in said)


def test_a_channel_that_does_not_count_is_reported(tmp_path):
    session = Session(tmp_path)
    session.init_stream("emg", StreamInfo(1, FS, counter=0))
    session.append("emg", np.ones((2000, 1), np.float32), 100.0 + np.arange(2000) / FS)
    session.finish()
    outcome = verify_session(session.path)
    assert outcome.ok
    assert any("channel 1 should count samples but does not" in finding.text for finding in outcome.findings)


def test_a_channel_that_is_not_there_is_named_with_those_that_are():
    info = StreamInfo(3, FS, channel_names=("a", "b", "count"))
    assert [info.with_counter(text).counter for text in ("count", "channel 3", 3, "3")] == [2, 2, 2, 2]
    for wrong in ("channel 4", "c", 0, -1, "", "channel"):
        with pytest.raises(ConfigError, match="no such channel; there are 3: a, b, count"):
            info.with_counter(wrong)
    with pytest.raises(ConfigError, match="nominal rate"):
        StreamInfo(1, 0.0).with_counter(1)
    with pytest.raises(ConfigError, match="counter is 3"):
        StreamInfo(3, FS, counter=3)


class Steady:
    """A device that says nothing; only its layout matters."""

    def connect(self) -> StreamInfo:
        return StreamInfo(3, FS)

    def read(self):
        return np.empty((0, 3), np.float32), np.empty(0)

    def disconnect(self) -> None:
        pass


def test_a_stream_without_the_channel_is_recorded_all_the_same_and_says_so():
    with_it, without = Stream("with", Steady(), counter="channel 2"), Stream("without", Steady(), counter="channel 9")
    for stream in (with_it, without):
        stream.start()
        wait_for(lambda stream=stream: stream.info is not None)
        stream.stop()
    assert with_it.info.counter == 1
    assert without.info.counter is None
    assert "counter 'channel 9': no such channel" in without.message
