"""Archives that mean harm are refused by name, write nothing outside, and do not fill the memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from myogestic_tui.errors import SessionDamagedError, SessionError
from myogestic_tui.session import open_session_store, salvage_session, verify_session
from tests.archive.hostile import BOMBS, ESCAPES, largest_meta, many_members

NAMED = {
    "absolute": "/tmp/escaped",
    "parent": "../escaped",
    "twice": "emg.zarr/c/0/0",
    "symlink": "labels.json",
    "overlapping": "m1",
}

MEMORY_LIMIT_MB = 500


@pytest.mark.parametrize("kind", ESCAPES)
def test_refused_with_the_members_name(kind, archive, tmp_path):
    (tmp_path / "in").mkdir()
    path = ESCAPES[kind](archive, tmp_path / "in")
    with pytest.raises(SessionDamagedError, match=path.name) as error:
        open_session_store(path)
    assert NAMED.get(kind, "") in str(error.value)
    for level in ("quick", "full"):
        outcome = verify_session(path, level)
        assert not outcome.ok
        assert outcome.findings[0].text == str(error.value)


@pytest.mark.parametrize("kind", ESCAPES)
def test_salvage_writes_nothing_outside(kind, archive, tmp_path):
    inside = tmp_path / "in"
    inside.mkdir()
    path = ESCAPES[kind](archive, inside)
    outside = {*tmp_path.rglob("*")} - {*inside.rglob("*")}
    try:
        saved = salvage_session(path)
    except SessionError:
        assert path.exists()
    else:
        assert verify_session(saved).ok
    assert {*tmp_path.rglob("*")} - {*inside.rglob("*")} == outside
    assert not Path("/tmp/escaped").exists()


CHILD = """
import sys
from pathlib import Path
from myogestic_tui.errors import MyoGesticError
from myogestic_tui.session import open_session_store, read_archive_summary, salvage_session, verify_session
from myogestic_tui.session.archive.archive import Archive

def read():
    with open_session_store(path) as session:
        for stream in session.streams:
            session.stores[stream][:200]
            session.timestamps(stream)

def verify():
    assert not verify_session(path).ok
    verify_session(path, "quick")

path, steps = Path(sys.argv[1]), sys.argv[2].split()
for step in steps:
    try:
        print(eval(step)(*([] if step in ("read", "verify") else [path])))
    except MyoGesticError as error:
        print(f"{type(error).__name__}: {str(error)[:200]}")
status = Path("/proc/self/status").read_text()
print(status.split("VmHWM:")[1].split()[0])
"""


def peak_mb(path: Path, steps: str) -> tuple[int, str]:
    """Peak memory in MB of a process that does `steps` with an archive, and what they said."""
    done = subprocess.run([sys.executable, "-c", CHILD, path, steps], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    *_, kilobytes = done.stdout.split()
    return int(kilobytes) // 1024, done.stdout


@pytest.mark.parametrize("kind", BOMBS)
def test_memory_stays_bounded(kind, archive, tmp_path):
    (tmp_path / "in").mkdir()
    path = BOMBS[kind](archive, tmp_path / "in")
    megabytes, said = peak_mb(path, "verify read read_archive_summary salvage_session")
    assert megabytes < MEMORY_LIMIT_MB, said


def test_memory_stays_bounded_with_as_many_members_as_are_read(archive, tmp_path):
    megabytes, said = peak_mb(many_members(archive, tmp_path), "Archive")
    assert megabytes < MEMORY_LIMIT_MB, said


def test_memory_stays_bounded_with_as_much_json_as_is_read(archive, tmp_path):
    megabytes, said = peak_mb(largest_meta(archive, tmp_path), "open_session_store")
    assert megabytes < MEMORY_LIMIT_MB, said
