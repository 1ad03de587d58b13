"""`windows`, `import`, and the commands that take folders of sessions."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from myogestic_tui.session import labeled_windows, windows


def test_windows_are_written_as_numpy_opens_them(call, session, tmp_path):
    told = call("windows", tmp_path / "sessions", "--win", "0.5", "--hop", "0.25", "--json").json()
    assert told["shape"] == [9, 4, 50]
    W = windows([session], "emg", 0.5, 0.25)
    assert (told["class_names"], told["sessions"]) == (["Rest", "Fist"], np.unique(W.meta["session"]).tolist())
    with np.load(tmp_path / "windows.npz") as arrays:
        np.testing.assert_array_equal(arrays["X"], W.X)
        np.testing.assert_array_equal(arrays["y"], W.y)
        np.testing.assert_array_equal(arrays["groups"], W.groups())
        assert tuple(arrays["class_names"]) == W.class_names
        assert tuple(arrays["channel_names"]) == W.channel_names
        assert arrays["fs"] == W.fs
        for column in W.meta.dtype.names:
            np.testing.assert_array_equal(arrays[column], W.meta[column])
    assert call("windows", session).code == 2
    assert call("windows", session, "--class", "1", "--win", "0.5", "--hop", "0.5", "--overwrite").code == 0
    with np.load(tmp_path / "windows.npz") as arrays:
        assert arrays["y"].tolist() == [1, 1]


def test_classes_go_by_name_and_margins_channels_and_rates_are_chosen(call, session, tmp_path):
    how = ["--class", "Fist", "--class", "Rest", "--skip-start", "0.2", "--delay", "0.1", "--channels", "ch3,ch1"]
    told = call("windows", session, "--win", "0.2", "--hop", "0.2", *how, "--resample", "50", "--json").json()
    assert told["class_names"] == ["Fist", "Rest"]
    W = windows(
        session,
        "emg",
        0.2,
        0.2,
        ["Fist", "Rest"],
        skip_start_s=0.2,
        delay_s=0.1,
        channels=["ch3", "ch1"],
        resample=50.0,
    )
    with np.load(tmp_path / "windows.npz") as arrays:
        np.testing.assert_array_equal(arrays["X"], W.X)
        assert arrays["channel_names"].tolist() == ["ch3", "ch1"]
    assert call("windows", session, "--channels", "0,2", "--overwrite", "--json").json()["channel_names"] == [
        "ch1",
        "ch3",
    ]
    done = call("windows", session, "--class", "Fits", "--overwrite")
    assert (done.code, "no session has a class 'Fits'" in done.err) == (2, True)


def test_no_window_is_an_error_and_no_file(call, session, tmp_path):
    done = call("windows", session, "--win", "60", "--hop", "1")
    assert done.code == 1
    assert "no window of 60 s" in done.err
    assert not (tmp_path / "windows.npz").exists()


def test_windows_are_a_table_where_that_is_asked_for(call, session, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")
    assert call("windows", session, "--win", "0.5", "--hop", "0.25", "-o", "w.parquet").code == 0
    W = windows(session, "emg", 0.5, 0.25)
    table = parquet.read_table(tmp_path / "w.parquet")
    names = [*W.meta.dtype.names, "class_index", "class_name", *W.channel_names]
    assert table.column_names == names
    assert table["class_name"].to_pylist() == [W.class_names[index] for index in W.y]
    for number, channel in enumerate(W.channel_names):
        np.testing.assert_array_equal(np.array(table[channel].to_pylist(), W.X.dtype), W.X[:, number])
    for column in W.meta.dtype.names:
        assert table[column].to_pylist() == W.meta[column].tolist()
    assert json.loads(table.schema.metadata[b"myogestic_tui"])["class_names"] == list(W.class_names)
    done = call("windows", session, "-o", "w.csv")
    assert (done.code, ".npz or .parquet" in done.err) == (2, True)


def test_a_stream_that_is_not_there_is_named(call, session):
    done = call("windows", session, "--stream", "EEG")
    assert done.code == 1
    assert "EEG" in done.err


def test_an_xdf_file_becomes_a_session(call, session, tmp_path):
    file = tmp_path / call("export", session, "--to", "xdf").out.strip()
    made = call("import", file, "--sessions", tmp_path / "other", "--json").json()
    assert made["streams"]["emg"]["n_samples"] == 300
    assert made["labels"] == {"Rest": 2, "Fist": 1}
    assert call("import", tmp_path / "sessions" / "nothing.xdf").code == 2
    (tmp_path / "broken.xdf").write_text("nothing of the kind")
    done = call("import", tmp_path / "broken.xdf")
    assert (done.code, "no XDF file" in done.err) == (1, True)


def test_all_sessions_of_a_folder_are_exported(call, session, tmp_path):
    (tmp_path / "sessions" / "2020-01-01_00-00-00.session.zip").write_bytes(b"broken")
    done = call("export", tmp_path / "sessions", "--to", "npz")
    assert done.code == 1
    assert len(done.out.splitlines()) == 1
    assert "2020-01-01_00-00-00" in done.err


def test_a_cluster_does_the_same(session, tmp_path):
    """One process that starts a cluster of one worker and then runs the commands against it."""
    script = f"""
import json, sys
from distributed import LocalCluster
from myogestic_tui.cli.command_table import run
if __name__ == "__main__":
    with LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, host="127.0.0.1", dashboard_address=None, protocol="tcp"
    ) as cluster:
        folder, address = {str(tmp_path / "sessions")!r}, cluster.scheduler_address
        codes = [
            run(["windows", folder, "--win", "0.5", "--hop", "0.25", "--dask", address]),
            run(["export", folder, "--to", "csv", "--dask", address]),
            run(["verify", folder, "--json", "--dask", address]),
        ]
    print(json.dumps(codes), file=sys.stderr)
"""
    environ = {**os.environ, "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=180)
    assert json.loads(done.stderr.splitlines()[-1]) == [0, 0, 0], done.stderr
    with np.load(tmp_path / "windows.npz") as arrays:
        np.testing.assert_array_equal(arrays["X"], labeled_windows([session], "emg", 0.5, 0.25)[0])
    assert len(list((tmp_path / "exports").glob("*.csv"))) == 2
    assert '"ok": true' in done.stdout
