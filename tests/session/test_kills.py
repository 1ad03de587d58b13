from __future__ import annotations

import subprocess
import sys

RUNS = 30


def test_a_recorder_killed_at_random_instants_loses_nothing_that_append_returned_from():
    done = subprocess.run(
        [sys.executable, "-m", "tests.session.kill_many", "--runs", str(RUNS)],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("run ") == RUNS
