"""XDF files become sessions with the same samples, raw stamps, clock offsets and corrected times."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import numpy as np
import pytest

from myogestic_tui.errors import ConfigError, DiskError, SessionDamagedError
from myogestic_tui.session import open_session_store, unfinished_sessions, verify_session
from myogestic_tui.session.export import export_xdf
from myogestic_tui.session.import_xdf import import_xdf
from myogestic_tui.session.packing.interrupted_work import clean_up


def test_out_and_in_again_changes_nothing(session, tmp_path):
    session.meta.created = "2026-05-17T14:23:05+02:00"
    (path,) = export_xdf(session, tmp_path / "take 4.xdf").paths
    imported = import_xdf(path, tmp_path / "sessions")
    assert verify_session(imported).ok
    with open_session_store(imported) as copy:
        assert copy.streams == session.streams
        for name in session.streams:
            data, raw = session.get_continuous(name, clock="raw")
            data_again, raw_again = copy.get_continuous(name, clock="raw")
            np.testing.assert_array_equal(data_again, data)
            np.testing.assert_array_equal(raw_again, raw)
            np.testing.assert_allclose(copy.timestamps(name), session.timestamps(name), atol=1e-6)
            before, after = session.stream_info(name), copy.stream_info(name)
            for field in ("n_channels", "fs", "dtype", "units", "channel_types", "type", "source_id"):
                assert getattr(after, field) == getattr(before, field), (name, field)
            assert after.names == before.names
            assert "<info>" in after.desc_xml
        assert [(e.timestamp, e.class_index, e.bad) for e in copy.label_track] == [
            (e.timestamp, e.class_index, e.bad) for e in session.label_track
        ]
        assert copy.class_names == session.class_names
        assert [(n.timestamp, n.text) for n in copy.notes] == [(n.timestamp, n.text) for n in session.notes]
        assert (copy.meta.subject, copy.meta.task, copy.meta.take) == ("P07", "grasp", 4)
        assert copy.meta.created == session.meta.created
        assert copy.extras["imported_from"] == "take 4.xdf"


def test_a_marker_stream_becomes_labels(session, tmp_path):
    (path,) = export_xdf(session, tmp_path / "a.xdf", ["emg", "markers"]).paths
    with open_session_store(import_xdf(path, tmp_path / "sessions", label_stream="markers")) as copy:
        texts = [copy.class_names[event.class_index] for event in copy.label_track if event.source == "marker"]
        assert "größer µ" in texts
        assert "markers" in copy.streams
    with pytest.raises(ConfigError, match="nothing"):
        import_xdf(path, tmp_path / "sessions", label_stream="nothing")


def test_half_of_an_import_that_was_killed_is_no_recording(session, tmp_path):
    (path,) = export_xdf(session, tmp_path / "a.xdf", ["emg"]).paths
    sessions = tmp_path / "sessions"
    code = (
        "import os, signal, sys\n"
        "from myogestic_tui.session import import_xdf\n"
        "import_xdf.set_imported_time = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)\n"
        "import_xdf.import_xdf(*sys.argv[1:])\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path), str(sessions)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert list(sessions.rglob("emg.zarr")), "it had begun"
    assert not unfinished_sessions(sessions)
    clean_up(sessions)
    assert not list(sessions.rglob("emg.zarr"))
    made = import_xdf(path, sessions)
    assert made.parent == sessions
    assert os.listdir(sessions) == [made.name]


def test_a_folder_that_takes_no_session_is_named(session, tmp_path):
    (path,) = export_xdf(session, tmp_path / "a.xdf", ["emg"]).paths
    with pytest.raises(DiskError, match="/proc/self"):
        import_xdf(path, "/proc/self")


def test_imports_of_one_second_and_a_recording_of_that_second_have_names_of_their_own(session, tmp_path, monkeypatch):
    (path,) = export_xdf(session, tmp_path / "a.xdf", ["emg"]).paths
    sessions = tmp_path / "sessions"
    monkeypatch.setattr("myogestic_tui.session.format.layout.FOLDER_STAMP", "2026-05-17_14-23-05")
    (sessions / "2026-05-17_14-23-05").mkdir(parents=True)
    made = [import_xdf(path, sessions) for _ in range(2)]
    assert len({one.name for one in made}) == 2
    assert all(verify_session(one).ok and "2026-05-17_14-23-05_" in one.name for one in made)


@pytest.mark.parametrize("content", [b"", b"XDF:", b"no such thing at all", b"XDF:\x01\x05\x02\x00abc"])
def test_what_is_no_xdf_is_refused_and_leaves_nothing(content, tmp_path):
    path = tmp_path / "broken.xdf"
    path.write_bytes(content)
    with pytest.raises(SessionDamagedError, match=r"broken\.xdf"):
        import_xdf(path, tmp_path / "sessions")
    assert not (tmp_path / "sessions").exists()
    with pytest.raises(ConfigError, match="not there"):
        import_xdf(tmp_path / "absent.xdf", tmp_path)
