"""What arrives between the start and the stop is recorded, whatever clock its stamps are in and however late it is."""

from __future__ import annotations

import os
import re
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from myogestic_tui import App, Stream, StreamInfo
from myogestic_tui.clock import local_clock
from myogestic_tui.session import Session, open_session_store, recover_session
from tests.sending import RampSource, wait_for
from tests.stream.scripted import ClockedScriptedSource, ScriptedSource, chunk, estimate
from tests.stream.test_recording import Running, stored

INFO = StreamInfo(3, 100.0)


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    session = Session(tmp_path)
    yield session
    session.finish()


def numbers(session: Session) -> list[int]:
    return (stored(session)[0][:, 0] / 10).astype(int).tolist()


@pytest.mark.parametrize("behind", [20.0, -20.0, 5.0, 3600.0, -86400.0])
def test_another_machine_s_clock_costs_no_sample_before_it_is_compared(session, behind):
    source = ClockedScriptedSource(INFO)
    with Running(source) as stream:
        start = local_clock()
        stream.begin(session, start)
        source.give(chunk(0, 20, INFO, local_clock() - behind), chunk(20, 20, INFO, local_clock() - behind))
        source.estimates = [estimate(behind)]
        source.give(chunk(40, 20, INFO, local_clock() - behind - 0.4))
        stream.finish(local_clock() + 1.0, 30.0)
    assert numbers(session) == list(range(60))


@pytest.mark.parametrize("leap", [15.0, 200_000.0, 1.79e9, -15.0, -200_000.0])
def test_stamps_that_leap_before_the_end_cost_no_sample(session, leap):
    source = ScriptedSource(INFO)
    with Running(source) as stream:
        start = local_clock()
        stream.begin(session, start)
        source.give(chunk(0, 20, INFO, local_clock()))
        source.give(chunk(20, 20, INFO, local_clock() + leap))
        source.put_for_the_end(stream, chunk(40, 20, INFO, local_clock() + leap))
        assert stream.finish(local_clock(), 30.0)
    assert numbers(session) == list(range(60))


@pytest.mark.parametrize("stamp", [np.nan, np.inf, 0.0, 12_345.0])
def test_stamps_that_are_none_cost_no_sample(session, stamp):
    source = ScriptedSource(INFO)
    data = chunk(0, 60, INFO, 0.0)[0]
    with Running(source) as stream:
        stream.begin(session, local_clock())
        for first in (0, 20):
            source.give((data[first : first + 20], np.full(20, stamp)))
        source.put_for_the_end(stream, (data[40:], np.full(20, stamp)))
        assert stream.finish(local_clock(), 30.0)
    assert numbers(session) == list(range(60))


@pytest.mark.parametrize("lag", [3.0, 10.0, 25.0])
def test_samples_that_come_late_are_all_there_once_they_have_come(session, lag):
    """A bridge that holds each sample back; its clock is right, and compared."""
    source = ClockedScriptedSource(INFO)
    source.estimates = [estimate(0.0)]
    with Running(source) as stream:
        source.give(chunk(0, 1, INFO, local_clock() - lag))
        start = local_clock()
        stream.begin(session, start)
        source.give(chunk(0, 100, INFO, local_clock() - lag - 1.0))
        assert lag - 0.1 < stream.lag_s < lag + 60.0
        stop = local_clock()
        late = start - lag + 0.01
        n_late = int(100 * (stop - late)) + 200
        source.put_for_the_end(stream, *(chunk(n, 100, INFO, late) for n in range(0, n_late, 100)))
        assert stream.finish(stop, 30.0)
    stamps = stored(session)[1]
    inside = stamps[(stamps >= start) & (stamps <= stop)]
    assert len(inside) >= int((stop - start) * 100)
    assert stamps[-1] <= stop


class Bridge(RampSource):
    """Holds each sample back for ``lag`` seconds."""

    lag = 2.5

    def read(self):
        data, stamps = super().read()
        return data, stamps - self.lag


def test_the_app_waits_for_samples_that_come_late_and_says_so(tmp_path, unique):
    app = App(unique, sessions_dir=tmp_path)
    app.streams(Stream("emg", source=Bridge()))
    said: list[str] = []
    message = app.parts.message
    shown = message.set
    message.set = lambda text: (said.append(text), shown(text))  # type: ignore[method-assign, func-returns-value]
    app.open()
    wait_for(lambda: app.ctx.streams["emg"].lag_s > 2.0)
    app.start_recording()
    session = app.ctx.session
    assert session is not None
    wait_for(lambda: session.n_samples("emg") > 100)
    asked = local_clock()
    app.stop_recording()
    app.shut()
    assert any(re.match(r"stopping; samples come late and are waited for: emg [2-9]\.\d s", text) for text in said)
    with open_session_store(session.path) as reader:
        start, stop = (anchor.lsl for anchor in reader.meta.anchors)
        stamps = reader.ts_stores["emg"][:]
        assert asked <= stop < asked + Bridge.lag, "the stop is when it was asked for, not when the last sample came"
        assert reader.meta.duration_s == stop - start
        assert stamps[-1] == pytest.approx(stop, abs=0.01)


def test_the_requested_stop_survives_a_kill(tmp_path):
    child = os.fork()
    if child == 0:
        session = Session(tmp_path, reserve_bytes=0, started_at=-100.0)
        session.init_stream("emg", INFO)
        session.append("emg", *chunk(0, 50, INFO, -100.0))
        session.request_stop(-60.0)
        session.request_stop(-50.0)
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    [folder] = [path for path in tmp_path.iterdir() if not path.name.startswith(".")]
    with open_session_store(recover_session(folder)) as reader:
        assert [anchor.lsl for anchor in reader.meta.anchors] == [-100.0, -60.0]
        assert reader.meta.duration_s == 40.0
        assert reader.meta.state == "recovered"


def test_a_session_cut_off_without_a_stop_says_no_stop(tmp_path):
    child = os.fork()
    if child == 0:
        session = Session(tmp_path, reserve_bytes=0, started_at=-100.0)
        session.init_stream("emg", INFO)
        session.append("emg", *chunk(0, 50, INFO, -100.0))
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    [folder] = [path for path in tmp_path.iterdir() if not path.name.startswith(".")]
    with open_session_store(recover_session(folder)) as reader:
        assert [anchor.lsl for anchor in reader.meta.anchors] == [-100.0]


def test_anchors_tie_the_requested_instants_to_wall_clock_time(tmp_path):
    from datetime import datetime

    now = local_clock()
    session = Session(tmp_path, reserve_bytes=0, started_at=now - 30.0)
    session.request_stop(now - 10.0)
    session.finish()
    with open_session_store(session.path) as reader:
        utc = [datetime.fromisoformat(anchor.utc) for anchor in reader.meta.anchors]
        assert (utc[1] - utc[0]).total_seconds() == pytest.approx(20.0, abs=0.1)
        assert abs((datetime.fromisoformat(reader.meta.created) - utc[0]).total_seconds()) <= 1.0
        assert [anchor.lsl for anchor in reader.meta.anchors] == [now - 30.0, now - 10.0]


def test_taking_a_stream_out_and_in_again_tells_why_and_when(tmp_path, unique):
    app = App(unique, sessions_dir=tmp_path)
    app.streams(Stream("emg", source=RampSource()))
    app.open()
    stream = app.ctx.streams["emg"]
    wait_for(lambda: stream.info is not None)
    app.start_recording()
    session = app.ctx.session
    assert session is not None
    wait_for(lambda: session.n_samples("emg") > 100)
    app.parts.selection.select(stream, False, who="script")
    n = session.n_samples("emg")
    out = local_clock()
    wait_for(lambda: local_clock() - out > 1.5)
    app.parts.selection.select(stream, True, who="script")
    wait_for(lambda: session.n_samples("emg") > n + 100)
    app.stop_recording()
    app.shut()
    with open_session_store(session.path) as reader:
        rows = reader.arrival_stores["emg"][:]
        silent = rows[rows[:, 0] == n][:, 1]
        assert np.ptp(silent) >= 1.4, "the record says until when it was out"
        [gap] = [gap for gap in reader.meta.streams["emg"].gaps if gap.seconds > 1.0]
        assert (gap.index, gap.reason) == (n, "taken out by the operator")


def test_the_first_markers_of_somebody_who_waits_to_be_heard_are_recorded(tmp_path, unique):
    from myogestic_tui.cli.headless import Capture
    from myogestic_tui.config import parse_config
    from myogestic_tui.sources import Outlet

    markers, emg = StreamInfo(1, 0.0, "string", source_id=f"{unique}-m"), StreamInfo(1, 100.0, source_id=f"{unique}-e")
    config = parse_config(f'[[streams]]\nname = "{unique}-m"\n[[streams]]\nname = "{unique}-e"\n')
    sent: dict[str, list[float]] = {"m": [], "e": []}

    def send(outlet: Outlet, key: str) -> None:
        assert outlet.wait_for_consumers(120.0)
        for number in range(40):
            at = local_clock()
            if key == "m":
                outlet.push_text([[f"{number}"]], [at])
            else:
                outlet.push(np.full((1, 1), number, np.float32), np.array([at]))
            sent[key].append(at)
            paused.wait(0.01)

    paused = threading.Event()
    with Outlet(f"{unique}-m", markers) as one, Outlet(f"{unique}-e", emg) as two:
        senders = [threading.Thread(target=send, args=pair) for pair in ((one, "m"), (two, "e"))]
        for sender in senders:
            sender.start()
        app = App(unique, config=config, sessions_dir=tmp_path)
        path = Capture(app, seconds=6.0, wait_s=120.0).run()
        for sender in senders:
            sender.join()
    assert path is not None
    with open_session_store(path) as reader:
        assert reader.stores[f"{unique}-m"][:][:, 0].tolist() == [str(number) for number in range(40)]
        np.testing.assert_array_equal(reader.ts_stores[f"{unique}-e"][:], sent["e"])
