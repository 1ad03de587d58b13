"""A session begins before its key, with what streams hold in memory: true stamps, true arrivals, nothing twice."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from myogestic_tui import App, Stream, StreamInfo
from myogestic_tui.cli import main
from myogestic_tui.clock import local_clock
from myogestic_tui.config import parse_config
from myogestic_tui.errors import ConfigError
from myogestic_tui.session import Session, open_session_store, verify_session
from myogestic_tui.session.export import export_session
from myogestic_tui.session.reading.facts import read_facts
from myogestic_tui.stream import held_samples
from tests.sending import RampSource, ramp, wait_for
from tests.stream.scripted import ScriptedSource, chunk

BEFORE = 0.8


@contextmanager
def running(folder: Path, *streams: Stream, before_s: float = BEFORE) -> Iterator[App]:
    app = App("before", config=parse_config(f"[record]\nbefore_s = {before_s}"), sessions_dir=folder)
    app.ctx.class_names = ["Rest", "Fist"]
    app.streams(*streams)
    app.open()
    for stream in streams:
        stream.poll_s = 0.01
    try:
        yield app
    finally:
        app.shut()


def hold(stream: Stream, seconds: float) -> None:
    wait_for(lambda: stream.held_since is not None and local_clock() - stream.held_since > seconds)


def record(app: App, *, n_samples: int = 1) -> tuple[Session, float]:
    """A recording of at least so many samples that came after the key, and when the key was."""
    asked = local_clock()
    session = app.start_recording()
    before = session.snapshot().n_samples.get("emg", 0)
    wait_for(lambda: session.snapshot().n_samples.get("emg", 0) >= before + n_samples)
    assert app.stop_recording()
    return session, asked


def stamps_of(session: Session, name: str = "emg") -> np.ndarray:
    return session.ts_stores[name][:]


def test_a_session_begins_before_its_key_with_true_stamps_and_arrivals_and_its_label_at_the_key(tmp_path: Path):
    with running(tmp_path, Stream("emg", source=RampSource())) as app:
        hold(app.ctx.streams["emg"], BEFORE + 0.3)
        app.add_label(1)
        _, asked = record(app)
        source = app.ctx.streams["emg"].source
    (path,) = tmp_path.glob("*.session.zip")
    with open_session_store(path) as reader:
        start, stop = (anchor.lsl for anchor in reader.meta.anchors)
        key = start + reader.meta.extra["before_s"]
        assert reader.meta.extra["before_s"] == pytest.approx(BEFORE, abs=1e-9)
        assert asked <= key <= asked + 60.0
        assert [label.timestamp for label in reader.label_track] == [key]
        data, stamps = reader.stores["emg"][:], reader.ts_stores["emg"][:]
        assert start <= stamps[0] < start + 0.01
        first = round((stamps[0] - source.start) * 500)
        np.testing.assert_array_equal(data, ramp(first, len(data), 4))
        arrivals = reader.stream("emg").arrival
        rows = arrivals.rows(0, arrivals.n_rows)
        early = rows[(rows[:, 0] > 0) & (rows[:, 1] < key)]
        assert len(early) > 2
        taken = stamps[early[:, 0].astype(int) - 1]
        assert np.all(early[:, 1] >= taken)
        summary = reader.summary()
        assert summary.duration_s == pytest.approx(stop - start)
        assert summary.before_s == pytest.approx(BEFORE)
        measured = summary.streams["emg"]
        assert (measured.gaps, measured.head_s, measured.tail_s) == (0, 0.0, 0.0)


def test_every_surface_says_that_it_begins_before_its_key(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    with running(tmp_path / "sessions", Stream("emg", source=RampSource())) as app:
        hold(app.ctx.streams["emg"], BEFORE + 0.3)
        app.start_recording()
        words = "begins 0.8 s before its recording was started"
        assert words in app.status().message
        assert app.status().session.before_s == pytest.approx(BEFORE)
        app.stop_recording()
    (path,) = (tmp_path / "sessions").glob("*.session.zip")
    assert [words in finding.text for finding in verify_session(path).findings].count(True) == 1
    for command in (["info"], ["verify"]):
        with pytest.raises(SystemExit):
            main([*command, str(path)])
        assert words in capsys.readouterr().out
    with open_session_store(path) as reader:
        exported = export_session(reader, "npz", tmp_path / "out.npz")
        assert any(words in remark for remark in exported.remarks)
        assert ("start", words) in read_facts(reader).fields


def test_a_stream_that_connected_later_joins_later_and_the_session_begins_with_the_first(tmp_path: Path):
    early, late = RampSource(), RampSource()
    late.available.clear()
    with running(tmp_path, Stream("emg", source=early), Stream("late", source=late), before_s=30) as app:
        hold(app.ctx.streams["emg"], 1.6)
        late.available.set()
        hold(app.ctx.streams["late"], 0.2)
        session, _ = record(app)
        assert 1.6 < session.meta.extra["before_s"] < 30
        streams = session.meta.streams
        assert streams["emg"].joined_at is None
        assert streams["late"].joined_at == pytest.approx(stamps_of(session, "late")[0], abs=1.0)
        assert stamps_of(session)[0] == pytest.approx(session.meta.anchors[0].lsl, abs=0.05)


@pytest.mark.parametrize("usable", [True, False], ids=["good stamps", "stamps that tell nothing"])
def test_no_sample_stands_in_two_sessions_and_none_is_left_out_between_them(tmp_path: Path, usable: bool):
    source = ScriptedSource(StreamInfo(2, 200.0))
    with running(tmp_path, Stream("emg", source=source), before_s=30) as app:
        stream = app.ctx.streams["emg"]
        wait_for(lambda: stream.info is not None)

        def give(first: int) -> None:
            data, stamps = chunk(first, 20, source.info, 0.0)
            source.give((data, local_clock() - 0.1 + np.arange(20) / 200 if usable else stamps * 0 + 5e6))

        give(0)
        app.start_recording()
        one = app.ctx.session
        give(20)
        app.stop_recording()
        give(40)
        give(60)
        app.start_recording()
        give(80)
        app.stop_recording()
        two = app.ctx.session
        counted = [session.stores["emg"][:, 0] // 10 for session in (one, two)]
    together = np.concatenate(counted)
    assert together[-1] == 99
    np.testing.assert_array_equal(np.diff(together), 1)


def test_what_a_discarded_recording_had_belongs_to_the_next(tmp_path: Path):
    with running(tmp_path, Stream("emg", source=RampSource()), before_s=30) as app:
        hold(app.ctx.streams["emg"], 0.4)
        first = app.start_recording()
        begin = first.meta.anchors[0].lsl
        app.discard_recording()
        session, _ = record(app)
        assert session.meta.anchors[0].lsl == pytest.approx(begin, abs=1e-6)


def test_why_time_is_missing_within_the_seconds_before_is_kept(tmp_path: Path):
    source = ScriptedSource(StreamInfo(2, 2000.0))
    with running(tmp_path, Stream("emg", source=source), before_s=30) as app:
        wait_for(lambda: app.ctx.streams["emg"].info is not None)
        start = local_clock()
        source.give(chunk(0, 200, source.info, start), OSError("unplugged"))
        wait_for(lambda: source.n_connects == 2)
        source.give(chunk(2600, 200, source.info, start))
        wait_for(lambda: local_clock() > start + 1.4)
        app.start_recording()
        source.give(chunk(2800, 100, source.info, start))
        app.stop_recording()
        (gap,) = [gap for gap in app.ctx.session.meta.streams["emg"].gaps if gap.kind not in ("head", "tail")]
    assert (gap.index, gap.reason) == (200, "source was lost")
    assert gap.seconds == pytest.approx(1.2, abs=0.01)


def test_more_than_its_rate_says_is_held_too(tmp_path: Path):
    """Events have no rate, and some devices send at another than they tell."""
    for fs in (0.0, 100.0):
        source = ScriptedSource(StreamInfo(1, fs))
        with running(tmp_path / str(fs), Stream("emg", source=source), before_s=10) as app:
            wait_for(lambda stream=app.ctx.streams["emg"]: stream.info is not None)
            for first in range(0, 5000, 500):
                data = (np.arange(first, first + 500)[:, None]).astype("float32")
                source.give((data, local_clock() + np.arange(-500, 0) * 1e-6))
            app.start_recording()
            app.stop_recording()
            session = app.ctx.session
            events = session.stores["emg"][:, 0]
            np.testing.assert_array_equal(events, np.arange(5000 - len(events), 5000))
            assert len(events) >= 4500  # but for the first, stamped before it connected


def test_what_does_not_fit_into_the_bound_is_left_out_and_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(held_samples, "MOST_HELD_BYTES", 12 * 1500)
    slow, fast = RampSource(1, 100.0), RampSource(1, 1000.0)
    short = Stream("fast", source=fast, buffer_seconds=1.0)
    with running(tmp_path, Stream("emg", source=slow), short, before_s=4.0) as app:
        hold(app.ctx.streams["emg"], 3.0)
        session, _ = record(app)
        assert short._ring.capacity == 1500
        start, joined = session.meta.anchors[0].lsl, session.meta.streams["fast"].joined_at
        assert joined - start > 1.0
        assert stamps_of(session, "fast")[0] == pytest.approx(joined, abs=0.1)
        (head,) = session.meta.streams["fast"].gaps
        assert (head.kind, head.seconds) == ("head", pytest.approx(joined - start, abs=0.1))


def test_without_the_setting_nothing_changes(tmp_path: Path):
    with running(tmp_path, Stream("emg", source=RampSource()), before_s=0) as app:
        hold(app.ctx.streams["emg"], 0.5)
        session, asked = record(app)
        assert stamps_of(session)[0] >= asked
        assert "before_s" not in session.meta.extra
        assert not any("before its" in finding.text for finding in verify_session(session.path).findings)


@pytest.mark.parametrize("value", ["-1", "601", "nan", "'long'"])
def test_seconds_that_cannot_be_held_are_refused_by_name(value: str):
    with pytest.raises(ConfigError, match=r"record\.before_s"):
        parse_config(f"[record]\nbefore_s = {value}")


_FULL = """
import resource, sys
import numpy as np
from myogestic_tui.clock import local_clock
from myogestic_tui import Stream, StreamInfo
from myogestic_tui.session import Session
info = StreamInfo(256, 10_000.0)
stream = Stream("emg", None)
stream.info = info
stream.hold(30.0)
stream._prepare(info)
session = Session(sys.argv[1])
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
base = peak()
start = local_clock() - 32.0
data = np.ones((2000, 256), "float32")
for k in range(160):
    stamps = start + (k * 2000 + np.arange(2000)) / 10_000
    stream._keep(data, stamps, float(stamps[-1]))
held = peak()
stream.begin(session, local_clock() - 30.0)
written = peak()
n = session.snapshot().n_samples["emg"]
stream._take.finish(drained=True)
session.finish()
print(n, held - base, written - base)
"""


@pytest.mark.slow
def test_256_channels_at_10_khz_for_30_s_take_what_the_documents_say(tmp_path: Path):
    ran = subprocess.run([sys.executable, "-c", _FULL, str(tmp_path)], capture_output=True, text=True, check=True)
    n, held, written = map(int, ran.stdout.split())
    assert 295_000 <= n <= 300_000
    assert held < 340e6  # 32 s of 10.3 MB
    assert written < held + 60e6
