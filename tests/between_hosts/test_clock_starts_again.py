"""Senders whose clock is another one, and begins anew: nothing is cut, and a pause is as long as it was."""

from __future__ import annotations

import json
import time
from typing import Any

import numpy as np
import pytest

from myogestic_tui.session import open_session_store

from .hosts import PATIENCE, Host, Outlet
from .recorder import COMMAND, Recorder, said

FS = 200.0


class OtherBoot:
    """A host after it was started again: its clock counts from another instant."""

    def __init__(self, host: Host, ahead: int) -> None:
        self._host, self._ahead = host, str(ahead)

    def start(self, *command: object, **options: Any) -> Any:
        clock = ("--time", "--monotonic", self._ahead, "--boottime", self._ahead)
        return self._host.start("unshare", *clock, "--fork", "--kill-child", *command, **options)


@pytest.mark.slow
@pytest.mark.parametrize("behind", [20, -20])
def test_a_clock_20_s_off_costs_no_sample_at_the_start(hosts, unique, tmp_path, behind):
    two = hosts(ahead=-behind)
    Outlet(two.sender, unique, source_id=f"{unique}-id", fs=FS)
    done = two.recorder.run(*COMMAND, "record", unique, "--seconds", "3", "--json", cwd=tmp_path, timeout=2 * PATIENCE)
    told = json.loads(done.stdout)
    with open_session_store(tmp_path / told["path"]) as reader:
        start, stop = (anchor.lsl for anchor in reader.meta.anchors)
        (stem,) = reader.streams
        numbers = reader.stores[stem][:][:, 0]
        assert (np.diff(numbers) == 1).all()
        assert len(numbers) >= 0.95 * (stop - start) * FS
        times = reader.ts_stores[stem][:] + np.median(reader.clock_stores[stem][:, 1])
        assert abs(times[0] - start) < 0.3
        assert abs(times[-1] - stop) < 0.3


@pytest.mark.slow
@pytest.mark.parametrize("again", [300, 180_000])
def test_a_sender_that_starts_again_is_a_pause_of_its_true_length(hosts, unique, tmp_path, again):
    two = hosts(ahead=90_000)
    outlet = Outlet(two.sender, unique, source_id=f"{unique}-id", fs=FS)
    recorder = Recorder(two.recorder, tmp_path, f'[[streams]]\nname = "{unique}"\nas = "emg"\n')
    recorder.until(lambda status: (status["streams"]["emg"]["clock_offset"] or 0.0) < -80_000)
    recorder.ctl("start")
    recorder.until(lambda status: status["streams"]["emg"]["n_samples"] > 5 * FS)
    outlet.kill()
    killed = time.monotonic()
    recorder.until(lambda status: said(status, "emg: nothing for", "counted as lost"))
    recorder.until(lambda status: status["streams"]["emg"]["silent_s"] > 4.0)
    before = recorder.status()["streams"]["emg"]
    assert before["lost_samples"] == pytest.approx(before["silent_s"] * FS, rel=0.05)
    Outlet(OtherBoot(two.sender, again), unique, source_id=f"{unique}-id", fs=FS)  # type: ignore[arg-type]
    recorder.until(lambda status: status["streams"]["emg"]["silent_s"] == 0.0)
    back = time.monotonic()
    recorder.until(lambda status: said(status, "emg: the sender's clock restarted", "s without samples"))
    live = recorder.until(lambda status: time.monotonic() > back + 12.0)["streams"]["emg"]
    recorder.ctl("stop")
    recorder.stop()
    assert (live["gaps"], live["leaps"]) == (1, 1)
    assert 4.0 < live["lost_s"] < back - killed + 1.0
    (path,) = (tmp_path / "sessions").glob("*.session.zip")
    with open_session_store(path) as reader:
        numbers = reader.stores["emg"][:][:, 0]
        (place,) = np.flatnonzero(np.diff(numbers) < 0) + 1
        pause = np.diff(reader.arrival_stores["emg"][:, 1]).max()
        assert pause - 2.0 < live["lost_s"] < pause + 0.3, "what was held back meanwhile arrived at once"
        gaps = [gap for gap in reader.meta.streams["emg"].gaps if gap.seconds > 1.0]
        assert [gap.index for gap in gaps] == [place]
        assert gaps[0].seconds == pytest.approx(live["lost_s"], abs=0.05)
