"""An export as a job of the recorder: in a child process, with progress."""

from __future__ import annotations

import pytest

from myogestic_tui.errors import ConfigError
from myogestic_tui.session import start_job
from tests.export.test_xdf import load


def test_a_child_process_exports_and_ends(recorded, tmp_path):
    job = start_job("export", recorded.path, {"to": str(tmp_path / "out"), "format": "xdf"})
    assert job.wait(120) == {"path": str(tmp_path / "out")}
    assert job.poll().fraction == 1.0
    (file,) = (tmp_path / "out").iterdir()
    assert set(load(file)[0]) == {"emg", "vhi_control", "imu", "markers", "labels", "notes"}
    again = start_job("export", recorded.path, {"to": str(tmp_path / "out"), "format": "xdf"})
    with pytest.raises(ConfigError, match="there already"):
        again.wait(120)
