"""The check at the end of a run finds what a test left, says so, and fails the run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).parents[1]
CONFTEST = "from tests.leftovers import pytest_configure\n"


def run(folder: Path, test: str) -> subprocess.CompletedProcess[str]:
    """Run one test in a run of its own."""
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "test_one.py").write_text(test)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", "-c", os.devnull]
    (folder / "tmp").mkdir()
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(folder / "tmp")}
    return subprocess.run(
        [*command, "--rootdir", folder, folder], cwd=folder, env=environ, capture_output=True, text=True, timeout=240
    )


def test_a_run_that_leaves_nothing_passes_and_its_folders_are_gone(tmp_path: Path):
    done = run(
        tmp_path, "def test(tmp_path):\n    (tmp_path / 'file').touch()\n    print(tmp_path)\n    assert tmp_path\n"
    )
    assert done.returncode == 0, done.stdout
    assert "LEFT BEHIND" not in done.stdout
    assert list((tmp_path / "tmp").iterdir()) == []


def test_a_process_that_is_left_fails_the_run(tmp_path: Path):
    done = run(
        tmp_path,
        "import subprocess, sys, tests.leftovers\n"
        "def test():\n"
        "    tests.leftovers.GRACE_SECONDS = 0.1\n"
        "    one = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'], start_new_session=True,\n"
        "        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)\n"
        "    open('pid', 'w').write(str(one.pid))\n"
        "    one.returncode = 0\n",
    )
    left = psutil.Process(int((tmp_path / "pid").read_text()))
    left.kill()
    assert done.returncode == 1, done.stdout
    assert f"LEFT BEHIND: process {left.pid}" in done.stdout


def test_a_file_that_is_left_fails_the_run(tmp_path: Path):
    done = run(tmp_path, "import tempfile\ndef test():\n    tempfile.mkdtemp(prefix='scratch-')\n")
    assert done.returncode == 1, done.stdout
    assert "LEFT BEHIND: temporary file scratch-" in done.stdout


def test_a_mount_that_is_left_fails_the_run(tmp_path: Path):
    done = run(
        tmp_path,
        "import subprocess, pytest\n"
        "def test(tmp_path):\n"
        "    if subprocess.run(['mount', '-t', 'tmpfs', 'tmpfs', tmp_path], capture_output=True).returncode:\n"
        "        pytest.skip('mounting is not permitted here')\n"
        "    open('mount', 'w').write(str(tmp_path))\n",
    )
    if not (tmp_path / "mount").exists():
        pytest.skip("mounting is not permitted here")
    mounted = (tmp_path / "mount").read_text()
    subprocess.run(["umount", mounted], check=True)
    assert done.returncode == 1, done.stdout
    assert f"LEFT BEHIND: mount {mounted}" in done.stdout
