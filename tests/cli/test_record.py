"""`record` on real outlets: what it leaves on disk, how it ends, and what it says when it cannot."""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest

from myogestic_tui.app.label_markers import LABEL_STREAM, LabelOutlet
from myogestic_tui.session import open_session_store, windows
from myogestic_tui.sources import LSLSource
from tests.sending import RampOutlet, wait_for

from .conftest import COMMAND, GENERATOR, PATIENCE, sending


def the_archive(folder: Path) -> Path:
    (archive,) = (folder / "sessions").glob("*.session.zip")
    return archive


def test_a_named_stream_is_recorded_labelled_by_the_clock_and_packed(run, outlet, tmp_path):
    sheet = ("--name", "first try", "--subject", "P07", "--task", "grasp", "--take", 4, "--set", "hand=left")
    told = run("record", outlet, "--labels", "Rest:0.5,Fist:1", "--repeat", 2, *sheet, "--json").json()
    assert (told["subject"], told["task"], told["take"], told["fields"]) == ("P07", "grasp", 4, {"hand": "left"})
    again = run("record", outlet, "--seconds", 1, "--take", 4)
    assert (again.code, again.out) == (2, "")
    assert "is there already, 05 is the next" in again.err
    assert (told["state"], told["name"], told["labels"]) == ("packed", "first try", {"Rest": 2, "Fist": 2})
    stream = told["streams"][outlet]
    assert (stream["n_channels"], stream["dtype"], stream["fs"]) == (8, "float32", 500.0)
    assert (stream["gaps"], stream["lost_samples"]) == (0, 0)
    assert Path(tmp_path, told["path"]) == the_archive(tmp_path)
    assert told["path"].endswith("_first_try.session.zip")
    with open_session_store(the_archive(tmp_path)) as session:
        assert session.class_names == ["Rest", "Fist"]
        assert [label.class_index for label in session.label_track] == [0, 1, 0, 1]
        assert {label.source for label in session.label_track} == {"protocol"}
        times = np.array([label.timestamp for label in session.label_track])
        assert np.allclose(times - times[0], [0, 0.5, 1.5, 2.0], atol=1e-3)
        stamps = session.timestamps(outlet, clock="corrected")
        assert stamps[0] < times[1], "however busy the machine is"
        assert stamps[-1] - times[0] >= 2.9


def test_the_labels_of_a_recording_move_a_synthetic_hand(run, tmp_path, unique):
    """Of a generator that another terminal started, from the first label on."""
    with sending([*COMMAND, "generate", "--name", unique, "--channels", "8", "--rate", "500"], tmp_path):
        told = run("record", unique, "--labels", "Rest:2.5,Fist:2.5,Pinch:2.5", "--json").json()
    assert list(told["streams"]) == [unique]
    W = windows(tmp_path / told["path"], unique, 0.3, 0.1, skip_start_s=1.8)
    rms = np.sqrt(np.mean(np.square(W.X), axis=2))
    rest, fist, pinch = (np.median(rms[W.y == index], axis=0) for index in range(3))
    assert rest.max() < 30.0, "microvolts"
    assert fist.max() > 60.0
    assert pinch.max() > 60.0
    assert np.argmax(fist) != np.argmax(pinch)


def test_who_records_the_labels_of_a_recording_has_them_all(tmp_path, unique):
    """He subscribes while `record` waits for its stream."""
    recorder = subprocess.Popen(
        [*COMMAND, "record", unique, "--labels", "Rest:0.3,Fist:0.3", "--wait", "60"],
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    source = LSLSource(LABEL_STREAM, source_id=LabelOutlet(tmp_path / "sessions").source_id, timeout=240.0)
    heard: list[tuple[str, float]] = []
    with recorder:
        source.connect()
        with RampOutlet(unique):

            def both_came() -> bool:
                texts, stamps = source.read()
                heard.extend(zip((str(text) for (text,) in texts), stamps.tolist(), strict=True))
                return len(heard) >= 2

            wait_for(both_came)
            assert recorder.wait(PATIENCE) == 0, recorder.communicate()
        source.disconnect()
    with open_session_store(the_archive(tmp_path)) as session:
        names = [(session.class_names[label.class_index], label.timestamp) for label in session.label_track]
    assert heard == names
    assert [name for name, _ in names] == ["Rest", "Fist"]


@pytest.mark.parametrize("what", ["--all", "no such stream"])
def test_what_a_recorder_itself_sends_is_nothing_to_record(run, tmp_path, unique, what):
    (tmp_path / "myogestic.toml").write_text(f'[lsl]\nsession_id = "{unique}"\n')
    done = run("record", what, "--wait", 4)
    assert done.code == 3
    assert "no stream on the network" in done.err if what == "--all" else "nothing is on the network" in done.err
    assert "myogestic_labels" not in done.err


def test_a_stream_of_the_configuration_is_recorded_under_its_other_name(run, outlet, tmp_path, cut_off):
    """And what an earlier recorder left cut off is recovered and packed on the way."""
    (tmp_path / "myogestic.toml").write_text(f'[[streams]]\nname = "{outlet}"\nas = "left"\n')
    done = run("record", "--seconds", 1, "--json")
    assert list(done.json()["streams"]) == ["left"]
    assert "had been cut off; it is recovered" in done.err
    assert {one["state"] for one in run("sessions", "--json").json()} == {"packed"}
    assert not (tmp_path / cut_off).exists()


def test_all_takes_everything_that_is_on_the_network(run, tmp_path, unique):
    (tmp_path / "myogestic.toml").write_text(f'[lsl]\nsession_id = "{unique}"\n')
    with sending([*COMMAND, "generate", "--name", unique, "--channels", "4", "--rate", "500"], tmp_path):
        done = run("record", "--all", "--seconds", 1, "--json")
    assert done.code == 0, done.err
    assert set(done.json()["streams"]) == {unique, "vhi_control"}


def test_an_unknown_stream_lists_what_is_there_and_exits_3(run, outlet, tmp_path):
    done = run("record", "no such stream", "--wait", 5)
    assert (done.code, done.out) == (3, "")
    assert "no such stream" in done.err
    assert f"{outlet} [EMG]: 8 ch float32 500 Hz" in done.err
    assert not list((tmp_path / "sessions").glob("2*"))


def test_one_name_on_two_outlets_is_refused_with_both(run, outlet):
    with sending([*GENERATOR, "--no-hand", "--name", outlet, "--seed", "1"]):
        done = run("record", outlet, "--seconds", 1, "--wait", 6)
        assert done.code == 3
        assert f"source_id myogestic-{outlet}-0" in done.err
        assert f"source_id myogestic-{outlet}-1" in done.err
        chosen = run("record", f"name={outlet},source_id=myogestic-{outlet}-1,as=chosen", "--seconds", 1, "--json")
    assert list(chosen.json()["streams"]) == ["chosen"]


def test_without_names_it_lists_what_is_there_and_asks(run, outlet):
    done = run("record")
    assert done.code == 2
    assert outlet in done.err
    assert "--all" in done.err


def test_a_folder_that_cannot_be_written_is_said_before_anything_is_waited_for(run, tmp_path):
    (tmp_path / "file").touch()
    done = run("record", "x", "--wait", 1000, "--sessions", "file/sessions")
    assert done.code == 1
    assert done.err.startswith("myogestic-tui: cannot write into file/sessions: Not a directory")


def test_a_signal_stops_and_saves(outlet, tmp_path):
    """Ctrl-C on one recording and SIGTERM on another, both of the same stream."""
    recorders = {}
    for number in (signal.SIGINT, signal.SIGTERM):
        folder = tmp_path / number.name
        folder.mkdir()
        recorders[number] = subprocess.Popen(
            [*COMMAND, "record", outlet], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
    until = time.monotonic() + PATIENCE
    for number, recorder in recorders.items():
        while not list(tmp_path.glob(f"{number.name}/sessions/*/{outlet}.zarr/c/0/0")):
            assert recorder.poll() is None
            assert time.monotonic() < until
            time.sleep(0.1)
        recorder.send_signal(number)
    for number, recorder in recorders.items():
        _, said = recorder.communicate(timeout=PATIENCE)
        assert recorder.returncode == 0, said
        with open_session_store(the_archive(tmp_path / number.name)) as session:
            assert session.stores[outlet].shape[0] >= 500


def test_a_second_recorder_on_the_folder_is_refused_by_name_and_pid(run, outlet, tmp_path):
    first = subprocess.Popen([*COMMAND, "record", outlet], cwd=tmp_path, stdout=subprocess.DEVNULL)
    until = time.monotonic() + PATIENCE
    while "RECORDING" not in run("ctl", "status").out:
        assert time.monotonic() < until
    done = run("record", outlet, "--seconds", 1)
    assert done.code == 1
    assert f"pid {first.pid}" in done.err
    first.terminate()
    assert first.wait(PATIENCE) == 0


def test_streams_that_are_not_there_are_named_with_one_list_of_what_is(run, outlet):
    failed = run("record", "nothing-a", "nothing-b", "--wait", 6)
    assert all(f"no stream with name '{name}'" in failed.err for name in ("nothing-a", "nothing-b"))
    assert failed.err.count(f"  {outlet} ") == 1, failed.err
