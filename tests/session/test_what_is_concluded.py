"""What stands in the metadata of a session, while it is recorded and once it is finished."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from myogestic_tui.clock import local_clock
from myogestic_tui.errors import ConfigError
from myogestic_tui.session import Session, open_session_store
from tests.session.folders import feed, recorded
from tests.session.known import STREAMS

EMG = STREAMS[0]
CHUNK = int(EMG.info.fs)


@pytest.mark.parametrize("n", [2 * CHUNK, 2 * CHUNK + 1, 3 * CHUNK - 1])
def test_the_last_stamp_is_that_of_the_last_sample(n: int, tmp_path: Path):
    session = recorded(tmp_path, [(EMG, n, 100)])
    session.finish()
    with open_session_store(session.path) as reader:
        stream = reader.meta.streams["emg"]
        assert stream.last_timestamp == reader.ts_stores["emg"][-1]
        assert stream.first_timestamp == reader.ts_stores["emg"][0]


def test_a_session_is_anchored_at_its_start_and_its_stop(tmp_path: Path):
    before = local_clock()
    session = recorded(tmp_path, [(EMG, 10, 10)])
    session.finish()
    with open_session_store(session.path) as reader:
        start, stop = reader.meta.anchors
        assert before <= start.lsl <= stop.lsl <= local_clock()
        assert reader.meta.duration_s == stop.lsl - start.lsl


def test_metadata_are_on_the_disk_as_soon_as_they_are_saved(tmp_path: Path):
    session = recorded(tmp_path, [(EMG, 10, 10)])
    session.set_fields(electrode="17")
    session.save_meta()
    said = json.loads((session.path / "meta.json").read_bytes())
    assert (said["electrode"], said["state"]) == ("17", "recording")
    session.finish()


def test_a_label_that_is_added_is_the_one_that_is_returned(tmp_path: Path):
    session = recorded(tmp_path, [(EMG, 10, 10)])
    assert [session.add_label(1, 3.0)] == session.label_track
    feed(session, EMG, 10, 20, 10)
    session.finish()


@pytest.mark.parametrize("take", [1 << 63, 10**30])
def test_a_take_that_cannot_be_stored_is_refused_before_anything_is_made(take: int, tmp_path: Path):
    with pytest.raises(ConfigError):
        Session(tmp_path / "s", fields={"take": take})
    assert not (tmp_path / "s").exists()
