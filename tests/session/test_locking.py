from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import ANY

import pytest

from myogestic_tui.errors import DiskError, SessionLockedError
from myogestic_tui.session import Session, open_session_store, recover_session, session_state
from myogestic_tui.session.format import lock
from myogestic_tui.session.format.lock import (
    Holder,
    keep_sessions_folder,
    lock_session,
    lock_sessions_folder,
    recorder_of,
    session_holder,
)
from myogestic_tui.session.recording import checkpoint
from tests.sending import wait_for
from tests.session.folders import recorded
from tests.session.known import STREAMS

EMG = STREAMS[0]

HOLD = """
import sys
from pathlib import Path
from myogestic_tui.session.format.lock import lock_session, lock_sessions_folder
where, kind = Path(sys.argv[1]), sys.argv[2]
lock = lock_session(where, purpose="recording") if kind == "session" else lock_sessions_folder(where, socket="/run/x")
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def held(where: Path, kind: str) -> Iterator[subprocess.Popen]:
    """Another process holds the lock."""
    command = [sys.executable, "-c", HOLD, str(where), kind]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "held\n"
        yield child
        child.communicate()


def test_a_folder_that_another_process_records_into_is_refused_by_name_and_pid(tmp_path: Path):
    session = recorded(tmp_path, [(EMG, 100, 10)])
    session.finish()
    with held(session.path, "session") as child:
        assert session_state(session.path) == "recording"
        for attempt in (lambda: lock_session(session.path, purpose="packing"), lambda: session.save_meta("x")):
            with pytest.raises(SessionLockedError, match=rf"recording by .+ \(pid {child.pid}\)"):
                attempt()
    session.save_meta("x")


def test_recovery_never_touches_a_folder_that_is_being_recorded(tmp_path: Path):
    session = recorded(tmp_path, [(EMG, 700, 10)])
    for attempt in (recover_session, Session):
        with pytest.raises(SessionLockedError, match=f"pid {os.getpid()}"):
            attempt(session.path)
    assert (session.path / "journal").is_dir()
    session.finish()


def test_a_stale_lock_does_not_block(tmp_path: Path):
    folder = tmp_path / "s"
    folder.mkdir()
    with held(folder, "session") as child:
        child.send_signal(signal.SIGKILL)
        child.wait()
    assert (folder / ".lock").exists()
    assert session_holder(folder) is None
    lock_session(folder, purpose="recording").release()
    assert not (folder / ".lock").exists()


def test_a_lock_that_is_removed_while_recording_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(checkpoint, "SYNC_SECONDS", 0.02)
    session = recorded(tmp_path, [(EMG, 700, 10)])
    (session.path / ".lock").unlink()
    wait_for(lambda: session_holder(session.path))
    with pytest.raises(SessionLockedError, match=f"pid {os.getpid()}"):
        recover_session(session.path)
    session.finish()
    assert not (session.path / ".lock").exists()


def test_a_folder_that_is_moved_while_recording_ends_the_session_and_can_be_recovered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(checkpoint, "SYNC_SECONDS", 0.02)
    session = recorded(tmp_path / "s", [(EMG, 700, 10)])
    moved = session.path.rename(tmp_path / "moved")
    wait_for(lambda: session.error)
    assert "moved or deleted" in str(session.error)
    with pytest.raises(DiskError):
        session.finish()
    assert not session.path.exists()
    with open_session_store(recover_session(moved)) as reader:
        assert EMG.assert_prefix(reader) == 700


def test_a_recorder_whose_state_folder_is_removed_is_found_again(tmp_path: Path):
    with lock_sessions_folder(tmp_path, socket="/run/x") as lock:
        shutil.rmtree(tmp_path / ".myogestic")
        keep_sessions_folder(lock)
        assert recorder_of(tmp_path) == Holder(os.getpid(), ANY, "recording", "/run/x")
        shutil.rmtree(tmp_path)
        keep_sessions_folder(lock)
        assert not tmp_path.exists()


def test_a_sessions_folder_that_no_message_could_name_is_refused(tmp_path: Path):
    with pytest.raises(DiskError, match=r"dcfc.* not UTF-8"):
        lock_sessions_folder(tmp_path / os.fsdecode(b"\xfc"))


def test_a_lock_file_of_garbage_does_not_block(tmp_path: Path):
    (tmp_path / ".lock").write_bytes(b"\xff" * 100)
    with lock_session(tmp_path, purpose="recording"), pytest.raises(SessionLockedError):
        lock_session(tmp_path, purpose="packing")


def test_one_sessions_folder_has_one_recorder_who_says_where_it_answers(tmp_path: Path):
    assert recorder_of(tmp_path) is None
    with held(tmp_path, "sessions") as child:
        holder = recorder_of(tmp_path)
        assert holder is not None
        assert (holder.pid, holder.socket) == (child.pid, "/run/x")
        with pytest.raises(SessionLockedError, match=f"pid {child.pid}"):
            lock_sessions_folder(tmp_path)
    with lock_sessions_folder(tmp_path, socket="/run/y"):
        pass
    assert recorder_of(tmp_path) is None


def test_a_holder_that_lets_go_while_it_is_looked_at_holds_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def let_go(path: Path) -> None:
        held.release()

    with lock_session(tmp_path, purpose="packing") as held:
        kept = os.dup(held._fd)  # the file is removed first, and let go of after that
        monkeypatch.setattr(lock, "_read", let_go)
        assert session_holder(tmp_path) is None
        os.close(kept)


def test_looking_who_holds_a_folder_never_keeps_anybody_out(tmp_path: Path):
    looker = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, pathlib; from myogestic_tui.session.format.lock import session_holder\n"
            "print('on', flush=True)\n"
            "while True: session_holder(pathlib.Path(sys.argv[1]))",
            str(tmp_path),
        ],
        stdout=subprocess.PIPE,
    )
    with looker:
        assert looker.stdout is not None
        looker.stdout.readline()
        for _ in range(300):
            lock_session(tmp_path, purpose="recording").release()
        looker.kill()


def test_a_folder_that_cannot_be_written_is_said_so_at_the_start(tmp_path: Path):
    (tmp_path / "file").write_text("")
    for base in (tmp_path / "file", tmp_path / "file" / "below", Path("/proc/nowhere")):
        with pytest.raises(DiskError, match="cannot"):
            Session(base)
