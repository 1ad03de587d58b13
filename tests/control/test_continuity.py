"""A recorder that is killed while it records continues by itself, with the same streams, take and label."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

import msgspec
import pytest

from myogestic_tui import App
from myogestic_tui.app.interface import AddLabel, MarkChannel, SetTake, Start, Status, Stop
from myogestic_tui.control import spawn
from myogestic_tui.control.client import RecorderClient
from myogestic_tui.control.resume import FILE, MOST_ATTEMPTS, Continuity, continued_name
from myogestic_tui.session import open_session_store, verify_session
from myogestic_tui.session.format.layout import FOLDER_STAMP
from myogestic_tui.session.format.lock import recorder_of
from myogestic_tui.session.reading.archive_of import archives_of
from tests.sending import RampOutlet, wait_for

PATIENCE = 120.0
N_STREAMS = 8
RESTARTED = ("unshare", "--time", "--monotonic", "50000", "--boottime", "50000")
"""Runs a command with clocks of another boot of the machine."""


class Service:
    """``serve``, started again by the test as systemd would."""

    def __init__(self, sessions: Path, config: Path) -> None:
        self.sessions, self.config = sessions, config
        self.log = config.with_name("serve.log")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *prefix: str) -> RecorderClient:
        command = [
            *prefix,
            sys.executable,
            "-m",
            "myogestic_tui",
            "--sessions",
            self.sessions,
            "--config",
            self.config,
            "serve",
        ]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(command, cwd=self.config.parent, stderr=log)
        wait_for(lambda: (holder := recorder_of(self.sessions)) is not None and holder.socket, PATIENCE)
        return spawn.attach(self.sessions, start=False)

    def end(self, number: int) -> int:
        assert self._process is not None
        self._process.send_signal(number)
        return self._process.wait(PATIENCE)

    def close(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self.end(signal.SIGKILL)


def configured(folder: Path, names: list[str], *, resume: bool = True) -> Path:
    streams = "".join(f"[[streams]]\nname = '{name}'\nas = 's{i}'\n" for i, name in enumerate(names))
    file = folder / "myogestic.toml"
    file.write_text(
        f"gestures = [{{ name = 'Rest' }}, {{ name = 'Fist' }}]\n{streams}[record]\nresume = {str(resume).lower()}\n"
    )
    return file


@pytest.fixture
def service(tmp_path: Path, unique: str) -> Iterator[Service]:
    """A service that expects one stream."""
    service = Service(tmp_path / "sessions", configured(tmp_path, [unique]))
    yield service
    service.close()


@pytest.fixture
def outlet(unique: str) -> Iterator[RampOutlet]:
    with RampOutlet(unique, n_channels=4, fs=500.0) as outlet:
        yield outlet


def all_recorded(n_streams: int = 1):
    def recorded(status: Status) -> bool:
        flowing = [one for one in status.streams if one.recording and one.n_samples > 0]
        return status.state == "recording" and len(flowing) == n_streams

    return recorded


def recording(client: RecorderClient, n_streams: int = 1) -> Path:
    """Start once all is live; the session's folder, once every stream has samples in it."""
    assert client.wait_for(lambda status: sum(one.state == "live" for one in status.streams) == n_streams, PATIENCE)
    reply = client.execute(Start())
    assert reply.ok, reply.message
    assert client.wait_for(all_recorded(n_streams), PATIENCE)
    return Path(reply.path)


def marked(sessions: Path) -> str | None:
    """The session that the file says is being recorded."""
    try:
        running = json.loads((sessions / ".myogestic" / FILE).read_bytes())["running"]
    except FileNotFoundError:
        return None
    return running and running["session"]


def continued(client: RecorderClient, before: Path, n_streams: int = 1) -> Path:
    """The session that continues ``before``, once every stream has samples in it."""

    def other(status: Status) -> bool:
        return status.session is not None and status.session.path != str(before) and all_recorded(n_streams)(status)

    assert client.wait_for(other, PATIENCE), client.status()
    return Path(client.status().session.path)


def archive_of(folder: Path) -> Path | None:
    found = archives_of(folder)  # not only by its name: another of the same second is called that and _2
    return found[0] if found else None


def is_linked(archive: Path | None) -> bool:
    """Whether an archive names the session that continues it."""
    if archive is None:
        return False
    with open_session_store(archive) as reader:
        return bool(reader.summary().continued_by)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGABRT])
def test_a_killed_service_continues_with_the_same_streams_take_and_label(number, tmp_path, unique):
    names = [f"{unique}-{i}" for i in range(N_STREAMS)]
    service = Service(tmp_path / "sessions", configured(tmp_path, names))
    with ExitStack() as stack:
        stack.callback(service.close)
        outlets = [stack.enter_context(RampOutlet(name, n_channels=4, fs=500.0)) for name in names]
        with service.start() as client:
            client.execute(SetTake(subject="P07", task="grasp", take=3))
            first = recording(client, N_STREAMS)
            assert client.execute(AddLabel(class_index=1)).ok
            assert client.execute(MarkChannel(stream="s2", channel=1)).ok
            wait_for(lambda: marked(service.sessions) == str(first), PATIENCE)
            assert service.end(number) == -number
        assert recorder_of(service.sessions) is None
        killed_at = time.monotonic()
        with service.start() as client:
            second = continued(client, first, N_STREAMS)
            print(f"continued {time.monotonic() - killed_at:.1f} s after the kill")
            wait_for(lambda: archive_of(first), PATIENCE)
            assert client.wait_for(lambda status: status.session.notes, PATIENCE)
            assert client.execute(Stop()).ok
            wait_for(lambda: archive_of(second), PATIENCE)
            wait_for(lambda: is_linked(archive_of(first)), PATIENCE)
            assert client.status().take.take == 4
        assert service.end(signal.SIGTERM) == 0
    assert marked(service.sessions) is None
    archives = [archive_of(first), archive_of(second)]
    assert all(verify_session(archive).ok for archive in archives)
    with open_session_store(archives[0]) as before, open_session_store(archives[1]) as after:
        one, two = before.summary(), after.summary()
        assert (one.continued_by, two.continues) == (second.name, first.name)
        assert (two.subject, two.task, two.take, two.name) == ("P07", "grasp", 3, "P07_grasp_03_continued")
        assert one.name == "P07_grasp_03"
        assert sorted(one.streams) == sorted(two.streams) == [f"s{i}" for i in range(N_STREAMS)]
        assert [label.class_index for label in after.label_track] == [1]
        assert after.meta.bad_channels == {"s2": [1]}
        lost = [
            after.ts_stores[f"s{i}"][0] - before.ts_stores[f"s{i}"][-1] - 1 / outlet.fs
            for i, outlet in enumerate(outlets)
        ]
        assert after.meta.extra["not_recorded_s"] == pytest.approx(max(lost), abs=0.002)
        for session, other in ((before, f"continued by {second.name}"), (after, f"continues {first.name}")):
            (note,) = [note for note in session.notes if note.text.startswith(other)]
            told = re.search(r"([\d.]+) s[ ,]", note.text)
            assert told is not None
            assert float(told[1]) == pytest.approx(max(lost), abs=0.06)
            assert "by the sources' time stamps" in note.text
    log = service.log.read_text()
    assert f"WARNING myogestic_tui.control.recover_unfinished: {first}" in log
    assert ("Fatal Python error: Aborted" in log) == (number == signal.SIGABRT)


def test_a_recording_whose_start_was_answered_is_continued_however_soon_the_kill_comes(service, outlet):
    with service.start() as client:
        assert client.wait_for(lambda status: any(one.state == "live" for one in status.streams), PATIENCE)
        reply = client.execute(Start())
        assert marked(service.sessions) == reply.path
        service.end(signal.SIGKILL)
    with service.start() as client:
        second = continued(client, Path(reply.path))
        assert client.execute(Stop()).ok
        assert marked(service.sessions) is None
        wait_for(lambda: archive_of(second), PATIENCE)
    service.end(signal.SIGTERM)
    with open_session_store(archive_of(second)) as reader:
        assert reader.summary().continues == Path(reply.path).name


def test_one_that_is_killed_twice_in_a_row_links_all_three(service, outlet):
    with service.start() as client:
        sessions = [recording(client)]
        wait_for(lambda: marked(service.sessions), PATIENCE)
    for _ in range(2):
        service.end(signal.SIGKILL)
        with service.start() as client:
            assert client.wait_for(lambda status: status.state == "recording", PATIENCE)
            sessions.append(Path(client.status().session.path))
            if len(sessions) == 3:
                assert client.wait_for(all_recorded(), PATIENCE)
                wait_for(lambda: all(is_linked(archive_of(session)) for session in sessions[:2]), PATIENCE)
    service.end(signal.SIGTERM)
    summaries = []
    for session in sessions:
        assert verify_session(archive_of(session)).ok
        with open_session_store(archive_of(session)) as reader:
            summaries.append((reader.summary().continues, reader.summary().continued_by))
            links = [note.text.partition(":")[0] for note in reader.notes]
            assert len(links) == len(set(links)) == sum(map(bool, summaries[-1]))
    names = [session.name for session in sessions]
    assert summaries == [("", names[1]), (names[0], names[2]), (names[1], "")]


def test_info_and_the_list_show_what_continues_what(service, outlet):
    with service.start() as client:
        first = recording(client)
        wait_for(lambda: marked(service.sessions), PATIENCE)
    service.end(signal.SIGKILL)
    with service.start() as client:
        second = continued(client, first)
        wait_for(lambda: is_linked(archive_of(first)), PATIENCE)
    service.end(signal.SIGTERM)
    told = {}
    for folder in (first, second):
        command = [sys.executable, "-m", "myogestic_tui", "info", str(archive_of(folder))]
        told[folder] = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=True).stdout
    assert f"continued by {second.name}" in told[first]
    assert f"continues    {first.name}" in told[second]


def test_what_was_stopped_is_not_continued(service, outlet):
    with service.start() as client:
        recording(client)
        wait_for(lambda: marked(service.sessions), PATIENCE)
        assert client.execute(Stop()).ok
        wait_for(lambda: marked(service.sessions) is None, PATIENCE)
    service.end(signal.SIGKILL)
    with service.start() as client:
        assert client.wait_for(lambda status: any(one.state == "live" for one in status.streams), PATIENCE)
        assert client.status().state == "idle"


def test_a_service_that_is_ended_while_recording_is_idle_afterwards(service, outlet):
    with service.start() as client:
        recording(client)
    assert service.end(signal.SIGTERM) == 0
    assert marked(service.sessions) is None
    with service.start() as client:
        assert client.wait_for(lambda status: any(one.state == "live" for one in status.streams), PATIENCE)
        assert client.status().state == "idle"


def test_without_resume_the_session_is_recovered_and_packed_and_nothing_starts(service, outlet, tmp_path, unique):
    configured(tmp_path, [unique], resume=False)
    with service.start() as client:
        first = recording(client)
    service.end(signal.SIGKILL)
    with service.start() as client:
        wait_for(lambda: archive_of(first), PATIENCE)
        assert client.status().state == "idle"
    log = service.log.read_text()
    assert f"WARNING myogestic_tui.control.recover_unfinished: {first}: its recorder ended without being stopped" in log


def test_a_folder_that_is_gone_does_not_keep_the_recording_from_continuing(service, outlet):
    with service.start() as client:
        client.execute(SetTake(subject="P07", task="grasp"))
        first = recording(client)
        wait_for(lambda: marked(service.sessions), PATIENCE)
    service.end(signal.SIGKILL)
    shutil.rmtree(first)
    wait_for(lambda: datetime.now().strftime(FOLDER_STAMP) != first.name, PATIENCE)  # its name is free again
    with service.start() as client:
        second = continued(client, first)
        wait_for(lambda: "is no longer there" in service.log.read_text(), PATIENCE)
        assert client.execute(Stop()).ok
        wait_for(lambda: archive_of(second), PATIENCE)
    with open_session_store(archive_of(second)) as session:
        assert session.meta.extra["continues"] == first.name
        assert (session.meta.subject, session.meta.take) == ("P07", 1)
        assert session.meta.name == "P07_grasp_01_continued"
        assert any("is not known" in note.text for note in session.notes)


def test_one_that_is_killed_again_and_again_gives_up(service, outlet):
    with service.start() as client:
        first = recording(client)
        wait_for(lambda: marked(service.sessions), PATIENCE)
    service.end(signal.SIGKILL)
    file = service.sessions / ".myogestic" / FILE
    kept = json.loads(file.read_bytes())
    kept["running"]["attempts"] = MOST_ATTEMPTS
    file.write_bytes(json.dumps(kept).encode())
    with service.start() as client:
        wait_for(lambda: archive_of(first), PATIENCE)
        assert client.status().state == "idle"
        assert f"{MOST_ATTEMPTS} recordings in a row" in client.status().message + service.log.read_text()


def test_streams_that_are_not_back_yet_join_as_they_come(service, unique):
    with RampOutlet(unique, n_channels=4, fs=500.0), service.start() as client:
        first = recording(client)
        wait_for(lambda: marked(service.sessions), PATIENCE)
        service.end(signal.SIGKILL)
    with service.start() as client:
        assert client.wait_for(lambda status: status.state == "recording", PATIENCE)
        with RampOutlet(unique, n_channels=4, fs=500.0):
            second = continued(client, first)
            wait_for(lambda: archive_of(first), PATIENCE)
        service.end(signal.SIGTERM)
    with open_session_store(archive_of(second)) as session:
        # another outlet, whose clock may be another: the recorder's own clock tells, and only about
        (note,) = [note for note in session.notes if note.text.startswith("continues")]
        assert "for about" in note.text


@pytest.mark.skipif(
    subprocess.run([*RESTARTED, "true"], capture_output=True).returncode != 0, reason="no time namespace may be made"
)
def test_after_a_restart_of_the_machine_the_note_tells_that_its_clocks_leave_a_doubt(service, unique):
    with RampOutlet(unique, n_channels=4, fs=500.0), service.start() as client:
        first = recording(client)
        wait_for(lambda: marked(service.sessions), PATIENCE)
        service.end(signal.SIGKILL)
    with RampOutlet(unique, n_channels=4, fs=500.0), service.start(*RESTARTED) as client:
        second = continued(client, first)
        wait_for(lambda: archive_of(first), PATIENCE)
        service.end(signal.SIGTERM)
    wait_for(lambda: archive_of(second), PATIENCE)
    for folder in (first, second):
        assert verify_session(archive_of(folder)).ok
        with open_session_store(archive_of(folder)) as session:
            (note,) = session.notes
            assert "the machine was restarted or its clock set meanwhile" in note.text
            start = session.meta.anchors[0].lsl
            assert note.timestamp == pytest.approx(start + (session.meta.duration_s if folder == first else 0), abs=0.1)


def test_a_recorder_that_a_viewer_started_continues_as_well(service, outlet):
    with spawn.attach(service.sessions, config_file=service.config) as client:
        first = recording(client)
        wait_for(lambda: marked(service.sessions), PATIENCE)
        os.kill(client.pid, signal.SIGKILL)
        wait_for(lambda: recorder_of(service.sessions) is None, PATIENCE)
    with spawn.attach(service.sessions, config_file=service.config) as client:
        continued(client, first)
        os.kill(client.pid, signal.SIGKILL)
        wait_for(lambda: recorder_of(service.sessions) is None, PATIENCE)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"running": 3}', b"\xff" * 100], ids=repr)
def test_a_file_that_cannot_be_read_is_reported_and_continues_nothing(tmp_path, caplog, content):
    (tmp_path / ".myogestic").mkdir()
    (tmp_path / ".myogestic" / FILE).write_bytes(content)
    app = App(sessions_dir=tmp_path)
    continuity = Continuity(tmp_path, resume=True)
    continuity.begin(app)
    assert app.ctx.state == "idle"
    assert "cannot be read" in caplog.text


@pytest.mark.parametrize(
    ("name", "next_name"),
    [
        ("", ""),
        ("grasp_03", "grasp_03_continued"),
        ("grasp_03_continued", "grasp_03_continued_2"),
        ("grasp_03_continued_2", "grasp_03_continued_3"),
        ("_continued", "_continued_continued"),
        ("to_be_continued_soon", "to_be_continued_soon_continued"),
    ],
)
def test_names_stay_distinguishable(name, next_name):
    assert continued_name(name) == next_name


def test_the_file_is_plain(tmp_path):
    from myogestic_tui.control.resume import Kept, Running

    kept = Kept(running=Running(session=str(tmp_path), streams={"emg": None}))
    assert msgspec.json.decode(msgspec.json.encode(kept), type=Kept) == kept
