"""The log of what a recording and its packing sync is what the system sees."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from myogestic_tui.session import list_sessions, pack_session
from tests.power_cut.disk_log import DiskLog, Name, Sync
from tests.power_cut.scenarios import record

CALLS = "fsync,fdatasync,syncfs,rename,renameat,renameat2"


def child(root: Path) -> None:
    """Record and pack with syncs that reach the disk; print what the log saw."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DiskLog, "passed_on", True)
        log = record(root, patch)
        pack_session(list_sessions(root / "sessions")[0])
    syncs = [(event.call, event.path) for event in log.events if isinstance(event, Sync) and event.path]
    moved = {event.group for event in log.events if isinstance(event, Name) and event.call in ("rename", "replace")}
    print(json.dumps([syncs, len(moved)]))


@pytest.mark.slow
def test_the_log_is_what_the_system_sees(tmp_path: Path):
    strace = shutil.which("strace")
    if strace is None or subprocess.run([strace, "-f", "true"], capture_output=True, check=False).returncode:
        pytest.skip("strace is not here, or not permitted")
    root, trace = tmp_path / "disk", tmp_path / "trace"
    root.mkdir()
    command = [sys.executable, "-c", "import sys, pathlib; from tests.power_cut.test_against_strace import child;"]
    command[-1] += "child(pathlib.Path(sys.argv[1]))"
    done = subprocess.run(
        [strace, "-f", "-y", "-qq", "-e", f"trace={CALLS}", "-e", "signal=none", "-o", trace, *command, root],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert done.returncode == 0, done.stderr
    syncs, n_renames = json.loads(done.stdout)
    assert [tuple(one) for one in syncs] == syncs_in(trace, root)
    assert n_renames == renames_in(trace, root) > 20


def syncs_in(trace: Path, root: Path) -> list[tuple[str, str]]:
    """Call and path of each sync below `root`."""
    found = re.findall(r"(fsync|fdatasync|syncfs)\(\d+<(.*?)>", trace.read_text())
    return [(call, path.removeprefix(f"{root}/")) for call, path in found if path.startswith(f"{root}/")]


def renames_in(trace: Path, root: Path) -> int:
    """How many files below `root` got another name."""
    return sum("rename" in line and f'"{root}/' in line and "= 0" in line for line in trace.read_text().splitlines())
