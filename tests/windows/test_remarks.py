"""What is reported of windows that a stream cannot give."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from myogestic_tui.clock import local_clock
from myogestic_tui.errors import ClockError
from myogestic_tui.info import StreamInfo
from myogestic_tui.session import Session, labeled_windows

SECONDS = 12.0


def recorded(base, stamps, taken, host=""):
    """Samples at 250 Hz that come as they are taken; Rest from 0 s on, Fist from 6 s on."""
    start = local_clock() - SECONDS - 1.0
    session = Session(base, class_names=["Rest", "Fist"], started_at=start)
    session.init_stream("emg", StreamInfo(2, 250.0, hostname=host), began=start)
    for first in range(0, len(taken), 50):
        part = slice(first, first + 50)
        rows = np.ones((len(taken[part]), 2), np.float32)
        session.append("emg", rows, np.asarray(stamps(start + taken[part])), start + taken[part][-1] + 0.01)
    session.mark_arrival("emg", start + SECONDS)
    for at, index in ((0.1, 0), (6.0, 1)):
        session.add_label(index, start + at)
    session.request_stop(start + SECONDS)
    session.finish()
    session.close()
    return session.path


def said(caplog, path, **options):
    caplog.clear()
    labeled_windows(path, "emg", 0.5, 0.5, **options)
    return [record.getMessage() for record in caplog.records]


def test_a_class_without_windows_is_named_where_the_stream_ended_early(tmp_path, caplog):
    path = recorded(tmp_path, lambda at: at, np.arange(1000) / 250.0)
    assert said(caplog, path) == ["emg has no samples after 4.0 s; 0 windows for Fist"]
    assert said(caplog, path, classes={0}) == ["emg has no samples after 4.0 s"]


def test_a_class_without_windows_is_named_where_the_stream_came_late(tmp_path, caplog):
    path = recorded(tmp_path, lambda at: at, 8.0 + np.arange(1000) / 250.0)
    assert said(caplog, path) == ["emg has no samples before 8.0 s; 0 windows for Rest"]


def test_a_clock_that_was_never_compared_is_told(tmp_path, caplog):
    path = recorded(tmp_path, lambda at: at, np.arange(3000) / 250.0, host="elsewhere")
    assert said(caplog, path) == [
        "emg: its clock was not compared; 2 windows within 0.2 s of a label change left out",
        "emg: no clock comparison with elsewhere: its time stamps are taken as they are, ±0.2 s",
    ]


def test_stamps_that_are_no_numbers_are_named_as_the_reason(tmp_path, caplog):
    path = recorded(tmp_path, lambda at: np.full_like(at, np.nan), np.arange(3000) / 250.0)
    shutil.rmtree(path / "emg_arrival.zarr")
    meta = json.loads((path / "meta.json").read_text())
    meta["streams"]["emg"].pop("time")
    (path / "meta.json").write_text(json.dumps(meta))
    with pytest.raises(ClockError, match="3000 of 3000 stamps are no numbers, and nothing tells"):
        labeled_windows(path, "emg", 0.5, 0.5)
    assert said(caplog, path, times="raw") == ["emg: its time stamps are no numbers; no window can be cut by them"]
