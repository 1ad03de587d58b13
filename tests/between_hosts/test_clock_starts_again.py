"""A sender that starts again with another clock: what is told meanwhile, and what the session holds in the end."""

from __future__ import annotations

import time

import numpy as np
import pytest

from myogestic_tui.session import open_session_store

from .hosts import Outlet
from .recorder import Recorder, said

FS = 200.0


@pytest.mark.slow
def test_what_is_told_while_a_sender_starts_again_is_what_the_session_holds(hosts, unique, tmp_path):
    two = hosts(ahead=90_000)
    outlet = Outlet(two.sender, unique, source_id=f"{unique}-id", fs=FS)
    recorder = Recorder(two.recorder, tmp_path, f'[[streams]]\nname = "{unique}"\nas = "emg"\n')
    recorder.until(lambda status: (status["streams"]["emg"]["clock_offset"] or 0.0) < -80_000)
    recorder.ctl("start")
    recorder.until(lambda status: status["streams"]["emg"]["n_samples"] > 5 * FS)
    outlet.kill()
    killed = time.monotonic()
    recorder.until(lambda status: said(status, "emg: no data for", "counted as lost"))
    recorder.until(lambda status: status["streams"]["emg"]["silent_s"] > 4.0)
    before = recorder.status()["streams"]["emg"]
    assert before["lost_samples"] == pytest.approx(before["silent_s"] * FS, rel=0.05)
    two.reboot(300)
    Outlet(two.sender, unique, source_id=f"{unique}-id", fs=FS)
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
