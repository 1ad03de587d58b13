"""A session on the network again, recorded again: the same samples, the same spacing, the same layout."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from myogestic_tui.app.job_queue import JobQueue
from myogestic_tui.errors import ConfigError
from myogestic_tui.session import Session, open_session_store
from myogestic_tui.sources.lsl_source import LSLSource
from myogestic_tui.sources.replay_outlets import Replay
from tests.windows.making import make_session


def record_again(source, name, info, session, n_samples):
    """Take everything that an outlet sends into a session."""
    session.init_stream(name, info)
    taken, deadline = 0, time.monotonic() + 120
    while taken < n_samples and time.monotonic() < deadline:
        data, stamps = source.read()
        session.append(name, data, stamps)
        taken += len(stamps)
        threading.Event().wait(0.02)
    source.disconnect()


def test_replay_recorded_again_equals_the_original(tmp_path, unique):
    path = make_session(tmp_path / "first", seconds=4.0, gap=(2.0, 0.5))
    again = Session(tmp_path / "second")
    with open_session_store(path) as original:
        with Replay(original, suffix=f"-{unique}", speed=2.0) as replay:
            assert replay.names == [f"emg-{unique}", f"markers-{unique}", f"vhi_control-{unique}"]
            sources = {name: LSLSource(f"{name}-{unique}", timeout=240.0) for name in original.streams}
            infos = {name: source.connect() for name, source in sources.items()}
            assert replay.wait_for_consumers(120.0)
            takers = [
                threading.Thread(
                    target=record_again, args=(sources[name], name, infos[name], again, original.n_samples(name))
                )
                for name in sources
            ]
            for taker in takers:
                taker.start()
            replay.run()
            for taker in takers:
                taker.join(150.0)
        assert replay.sent == {f"{name}-{unique}": original.n_samples(name) for name in original.streams}
        again.finish()
        with open_session_store(again.path) as copy:
            for name in original.streams:
                before, after = original.stream_info(name), copy.stream_info(name)
                for field in ("n_channels", "fs", "dtype", "channel_names", "units", "channel_types", "type"):
                    assert getattr(before, field) == getattr(after, field), (name, field)
                data, times = original.get_continuous(name)
                data_again, times_again = copy.get_continuous(name, clock="raw")
                np.testing.assert_array_equal(data_again, data)
                np.testing.assert_allclose(np.diff(times_again), np.diff(times) / 2.0, atol=2e-6)
            firsts = [copy.get_continuous(name, clock="raw")[1][0] for name in ("emg", "vhi_control")]
            assert firsts[1] - firsts[0] == pytest.approx(0.25 / 2.0, abs=1e-4)
            assert after.source_id.endswith(unique)


def test_a_replay_job_goes_round_beside_other_jobs_until_it_is_cancelled(tmp_path, unique):
    path = make_session(tmp_path, seconds=0.5, more=False)
    ended = []
    jobs = JobQueue(lambda: True, ended.append)
    number = jobs.add("replay", path, {"loop": "yes", "suffix": f"-{unique}"})
    jobs.add("quick-verify", path)
    source = LSLSource(f"emg-{unique}", timeout=240.0)
    source.connect()
    taken = 0
    until(lambda: [job.kind for job in ended] == ["quick-verify"], jobs)
    while taken < 1200:
        taken += len(source.read()[1])
        threading.Event().wait(0.02)
    assert jobs.busy
    jobs.cancel(number)
    until(lambda: not jobs.busy, jobs)
    assert [(job.kind, job.state) for job in ended[1:]] == [("replay", "cancelled")]
    source.disconnect()


def until(condition, jobs):
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline, jobs.statuses()
        jobs.poll()
        threading.Event().wait(0.02)


def test_what_cannot_be_replayed_is_said(tmp_path):
    with open_session_store(make_session(tmp_path, seconds=0.5, more=False)) as session:
        for speed in (0, -1, float("nan")):
            with pytest.raises(ConfigError, match="speed"):
                Replay(session, speed=speed)
        with pytest.raises(ConfigError, match="no stream"):
            Replay(session, [])
