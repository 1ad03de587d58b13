"""Long work runs in a child of low priority that can be watched, held, called off and killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from myogestic_tui.app import job_queue
from myogestic_tui.app.job_queue import JobQueue
from myogestic_tui.errors import ConfigError, SessionDamagedError, SessionError
from myogestic_tui.session import finish_interrupted, list_trash, start_job, verify_session
from myogestic_tui.session.library.jobs import Job, JobProgress
from myogestic_tui.session.library.priority import EXPENDABLE
from tests.archive.sessions import assert_holds, cut_off_folder, entries, flip

LIMIT_S = 120.0


def until(job: Job, state: str) -> JobProgress:
    deadline = time.monotonic() + LIMIT_S
    while (progress := job.poll()).state != state:
        assert time.monotonic() < deadline, progress
        time.sleep(0.005)
    return progress


@pytest.fixture
def large(folder: Path) -> Path:
    """A folder that takes a while to pack where a limit is set."""
    (folder / "more").mkdir()
    for number in range(60):
        (folder / "more" / str(number)).write_bytes(os.urandom(50_000))
    return folder


@pytest.fixture
def slow(large: Path) -> Job:
    """A job that has begun to pack, at a rate at which it would take a minute, and waits."""
    job = start_job("pack", large)
    job.limit(100_000)
    deadline = time.monotonic() + LIMIT_S
    while not list(large.parent.glob("*.tmp")):
        assert time.monotonic() < deadline
        time.sleep(0.005)
    yield job
    job.cancel()
    with suppress(SessionError):
        job.wait(LIMIT_S)


def test_packing(folder, tmp_path):
    job = start_job("pack", folder)
    result = job.wait(LIMIT_S)
    assert job.poll().state == "done"
    assert job.poll().fraction == 1.0
    assert entries(tmp_path) == [Path(result["path"]).name]
    assert_holds(Path(result["path"]))


def test_recovering(tmp_path):
    folder = cut_off_folder(tmp_path)
    assert start_job("recover", folder).wait(LIMIT_S) == {"path": str(folder), "damage": ""}
    assert_holds(folder)


@pytest.mark.parametrize("kind", ["verify", "quick-verify"])
def test_verifying(archive, kind):
    outcome = start_job(kind, archive).wait(LIMIT_S)
    assert (outcome["level"], outcome["ok"]) == ("full" if kind == "verify" else "quick", True)
    (archive.parent / "cut.session.zip").write_bytes(archive.read_bytes()[:-1])
    outcome = start_job(kind, archive.parent / "cut.session.zip").wait(LIMIT_S)
    assert not outcome["ok"]
    assert "no archive ends" in outcome["findings"][0]["text"]


def test_salvaging(archive, tmp_path):
    flip(archive, "emg.zarr/c/3/0")
    result = start_job("salvage", archive).wait(LIMIT_S)
    assert verify_session(result["path"]).ok
    assert len(list_trash(tmp_path)) == 1


def test_what_fails_fails_with_the_same_error(tmp_path):
    noise = tmp_path / "noise.session.zip"
    noise.write_bytes(b"noise")
    job = start_job("salvage", noise)
    with pytest.raises(SessionDamagedError, match="nothing in it can be read"):
        job.wait(LIMIT_S)
    assert job.poll().state == "failed"
    assert "nothing in it can be read" in job.poll().message
    with pytest.raises(FileNotFoundError):
        start_job("verify", tmp_path / "nowhere").wait(LIMIT_S)


def test_there_must_be_such_a_kind(tmp_path):
    with pytest.raises(ConfigError, match="pack"):
        start_job("polish", tmp_path)


def test_options_reach_the_child(folder):
    with pytest.raises(SessionError, match="stays as a folder"):
        start_job("pack", folder, {"keep_free": str(1 << 60)}).wait(LIMIT_S)


def test_the_child_has_a_low_priority(slow):
    child = psutil.Process(slow.pid)
    assert child.nice() >= os.nice(0) + 10 or child.nice() == 19
    assert child.ionice().ioclass == psutil.IOPRIO_CLASS_IDLE


def test_when_memory_runs_out_the_child_is_ended_before_the_recorder(slow):
    scores = [int(Path(f"/proc/{pid}/oom_score_adj").read_text()) for pid in (slow.pid, os.getpid())]
    assert scores[0] >= EXPENDABLE > scores[1]


def test_paused_it_waits_and_resumed_it_ends(slow, large):
    slow.pause()
    assert slow.poll().state == "paused"
    slow.limit(0)
    with pytest.raises(TimeoutError):
        slow.wait(1.0)
    before = slow.poll().fraction
    assert before < 1.0
    slow.resume()
    assert_holds(Path(slow.wait(LIMIT_S)["path"]))


def test_cancelled_it_takes_away_what_it_made(slow, large):
    slow.cancel()
    assert slow.wait(LIMIT_S) is None
    assert slow.poll().state == "cancelled"
    assert entries(large.parent) == [large.name]
    assert finish_interrupted(large.parent)


def test_cancelled_while_paused(slow, large):
    slow.pause()
    slow.cancel()
    assert slow.wait(LIMIT_S) is None
    assert entries(large.parent) == [large.name]


def test_killed_it_says_so_and_the_next_start_goes_on(slow, large):
    os.kill(slow.pid, signal.SIGKILL)
    with pytest.raises(SessionError, match="SIGKILL"):
        slow.wait(LIMIT_S)
    [archive] = finish_interrupted(large.parent)
    assert entries(large.parent) == [archive.name]
    assert_holds(archive)


PARENT = """
import subprocess, sys, time
kind, path, said = sys.argv[1:]
command = [sys.executable, "-m", "myogestic_tui.session.library.jobs", kind, path]
job = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=open(said, "w"))
job.stdin.write(b"rate 100000\\n")
job.stdin.flush()
while not open(said).read():
    time.sleep(0.005)
print(job.pid, flush=True)
time.sleep(600)
"""


def said_without_parent(kind: str, path: Path) -> list[dict]:
    """What a job prints whose parent is killed while it is at work, at a rate at which it would take a minute."""
    said = path.parent / ".said"
    command = [sys.executable, "-c", PARENT, kind, path, said]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
    _, alive = psutil.wait_procs([child], timeout=LIMIT_S)
    assert not alive
    return [json.loads(line) for line in said.read_text().splitlines()]


def test_packing_outlives_the_recorder(large):
    said = said_without_parent("pack", large)
    assert_holds(Path(said[-1]["result"]["path"]))


def test_verifying_does_not_outlive_the_recorder(large):
    said = said_without_parent("verify", large)
    assert 0 < said[-1]["fraction"] < 1


def test_its_lines_are_json_for_anyone_to_read(folder):
    command = [sys.executable, "-m", "myogestic_tui.session.library.jobs"]
    done = subprocess.run([*command, "pack", folder], capture_output=True, text=True, timeout=LIMIT_S, input="resume\n")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert all(set(line) == {"fraction", "bytes_per_s", "left_s"} for line in lines[:-1])
    assert lines[-1] == {"result": {"path": f"{folder}.session.zip", "damage": ""}}
    wrong = subprocess.run([*command, "pack"], capture_output=True, text=True, timeout=LIMIT_S)
    assert wrong.returncode == 2
    assert wrong.stderr.startswith("usage:")


def drained(queue: JobQueue) -> float:
    """Look after the jobs until none is left; seconds that took."""
    began = time.monotonic()
    while queue.busy:
        assert time.monotonic() < began + LIMIT_S, queue.statuses()
        queue.poll()
        time.sleep(0.01)
    return time.monotonic() - began


def test_while_a_recording_runs_a_job_takes_no_more_than_its_share_of_the_disk(archive, tmp_path, monkeypatch):
    monkeypatch.setattr(job_queue, "THROTTLED_BYTES_PER_S", archive.stat().st_size)
    for is_recording in (True, False):
        queue = JobQueue(lambda recording=is_recording: recording, lambda _: None)
        queue.add("copy", archive, {"to": str(tmp_path / str(is_recording))})
        seconds = drained(queue)
        assert [job.state for job in queue.statuses()] == ["done"]
        assert seconds >= 2.0 or not is_recording, "written and read back, a second each"


def test_all_jobs_are_done_however_many_and_none_twice(archive, monkeypatch):
    monkeypatch.setattr(job_queue, "_KEPT", 1)
    monkeypatch.setattr(job_queue, "_TOLD", 1)
    ended: list[str] = []
    queue = JobQueue(lambda: False, lambda job: ended.append(job.path))
    copies = [archive.parent / f"{number}.session.zip" for number in range(4)]
    for copy in [*copies, *copies]:
        copy.write_bytes(archive.read_bytes())
        queue.add("quick-verify", copy)
    assert queue.n_waiting == 3
    assert len(queue.statuses()) == 2
    drained(queue)
    assert ended == [str(copy) for copy in copies]
    queue.add("verify", archive)
    queue.add("quick-verify", archive)
    assert queue.cancel(0) == 2
    drained(queue)
    assert queue.n_waiting == 0
