"""`windows`, `import`, and the commands that take folders of sessions."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np

from myogestic_tui.session import labeled_windows


def test_windows_are_written_as_numpy_opens_them(run, session, tmp_path):
    told = run("windows", tmp_path / "sessions", "--win", "0.5", "--hop", "0.25", "--json").json()
    assert told["shape"] == [9, 4, 50]
    X, y, groups = labeled_windows([session], "emg", 0.5, 0.25)
    with np.load(tmp_path / "windows.npz") as arrays:
        np.testing.assert_array_equal(arrays["X"], X)
        np.testing.assert_array_equal(arrays["y"], y)
        np.testing.assert_array_equal(arrays["groups"], groups)
    assert run("windows", session).code == 2
    assert run("windows", session, "--class", "1", "--win", "0.5", "--hop", "0.5", "--overwrite").code == 0
    with np.load(tmp_path / "windows.npz") as arrays:
        assert arrays["y"].tolist() == [1, 1]


def test_a_stream_that_is_not_there_is_named(run, session):
    done = run("windows", session, "--stream", "EEG")
    assert done.code == 1
    assert "EEG" in done.err


def test_an_xdf_file_becomes_a_session(run, session, tmp_path):
    file = tmp_path / run("export", session, "--to", "xdf").out.strip()
    made = run("import", file, "--sessions", tmp_path / "other", "--json").json()
    assert made["streams"]["emg"]["n_samples"] == 300
    assert made["labels"] == {"Rest": 2, "Fist": 1}
    assert run("import", tmp_path / "sessions" / "nothing.xdf").code == 2
    (tmp_path / "broken.xdf").write_text("nothing of the kind")
    done = run("import", tmp_path / "broken.xdf")
    assert (done.code, "no XDF file" in done.err) == (1, True)


def test_all_sessions_of_a_folder_are_exported(run, session, tmp_path):
    (tmp_path / "sessions" / "2020-01-01_00-00-00.session.zip").write_bytes(b"broken")
    done = run("export", tmp_path / "sessions", "--to", "npz")
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
