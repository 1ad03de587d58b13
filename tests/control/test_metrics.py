"""The file for node-exporter: true, whole at any instant, and readable whatever a stream is called."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from myogestic_tui import App, Stream
from myogestic_tui.cli import main
from myogestic_tui.control import metrics_file
from myogestic_tui.control.metrics_file import MetricsFile, metrics_text
from myogestic_tui.errors import DiskError
from tests.sending import RampSource, wait_for

HOSTILE = 'a"b\\c\nd{e="f"} 1'
LINE = re.compile(r'myogestic_\w+(\{(\w+="([^"\\\n]|\\[\\"n])*",?)*\})? (-?[\d.e+-]+|nan|inf)')


def values(text: str) -> dict[str, float]:
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in text.splitlines() if line[0] != "#"}


@pytest.fixture
def app(tmp_path: Path):
    app = App("metrics", sessions_dir=tmp_path / "sessions")
    app.streams(Stream("emg", source=RampSource()), Stream(HOSTILE, source=RampSource()))
    app.open()
    wait_for(lambda: all(stream.info is not None for stream in app.ctx.streams.values()))
    yield app
    app.shut()


def test_it_says_what_the_status_says_and_every_line_is_one_that_prometheus_reads(app: App):
    app.start_recording()
    wait_for(lambda: app.ctx.session.snapshot().n_samples.get("emg", 0) > 100)
    status = app.status()
    text = metrics_text(status, up=True)
    for line in text.splitlines():
        assert line.startswith(("# HELP myogestic_", "# TYPE myogestic_")) or LINE.fullmatch(line), line
    read = values(text)
    assert (read["myogestic_up"], read["myogestic_recording"]) == (1.0, 1.0)
    assert read["myogestic_session_bytes"] == status.session.bytes
    assert read['myogestic_stream_nominal_hz{stream="emg"}'] == 500.0
    assert read["myogestic_disk_free_bytes"] == status.disk.free_bytes
    name = HOSTILE.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    assert read[f'myogestic_stream_recording{{stream="{name}"}}'] == 1.0
    app.stop_recording()
    assert "session_bytes" not in metrics_text(app.status(), up=True)
    names = [line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")]
    assert len(names) == len(set(names))


def test_it_is_replaced_in_one_step_and_says_at_the_end_that_there_is_no_recorder(
    app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(metrics_file, "PERIOD_S", 0.01)
    path = tmp_path / "out" / "myogestic.prom"
    path.parent.mkdir()
    writer = MetricsFile(path, app.status)
    writer.start()
    inode = path.stat().st_ino
    wait_for(lambda: path.stat().st_ino != inode)
    for _ in range(200):
        assert values(path.read_text())["myogestic_up"] == 1.0
    writer.stop()
    assert values(path.read_text()) == {"myogestic_up": 0.0}
    assert [one.name for one in path.parent.iterdir()] == [path.name]


def test_a_place_that_cannot_be_written_is_named_and_one_that_vanishes_is_survived(
    app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(metrics_file, "PERIOD_S", 0.01)
    with pytest.raises(DiskError, match=r"nowhere/x\.prom"):
        MetricsFile(tmp_path / "nowhere" / "x.prom", app.status).start()
    path = tmp_path / "there" / "x.prom"
    path.parent.mkdir()
    writer = MetricsFile(path, app.status)
    writer.start()
    path.parent.rename(tmp_path / "away")
    wait_for(lambda: writer._trouble)
    (tmp_path / "away").rename(path.parent)
    wait_for(lambda: not writer._trouble)
    writer.stop()


def test_a_file_that_node_exporter_would_not_read_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as ended:
        main(["--sessions", str(tmp_path), "serve", "--metrics", str(tmp_path / "myogestic.txt")])
    assert ended.value.code == 2
    assert ".prom" in capsys.readouterr().err


def test_a_status_of_nothing_is_written_too(app: App):
    bare = msgspec.structs.replace(app.status(), session=None, streams=(), problems=())
    assert values(metrics_text(bare, up=True))["myogestic_recording"] == 0.0
