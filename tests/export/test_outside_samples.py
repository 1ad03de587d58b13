"""Labels and texts from before a stream's first sample and after its last are not in its files; that is reported."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest

from myogestic_tui.info import StreamInfo
from myogestic_tui.session import Session, open_session_store
from myogestic_tui.session.export import export_bids, export_session, to_mne
from tests.windows.making import EMG, MARKERS, START, emg_of, fill

IMU = StreamInfo(3, 100.0, "float32", type="Accelerometer", units=("g",) * 3)
LABELS = [(0.5, 0), (1.5, 1), (3.0, 0), (5.0, 1), (7.0, 0), (9.0, 1)]
TEXTS = [(0.2, "early"), (3.5, "within"), (5.8, "in the hole"), (9.5, "late")]
REMARK = "{}: {} of labels, notes and texts lie where it has no samples, and are left out"


@pytest.fixture(scope="module")
def short(tmp_path_factory):
    """EMG and an IMU from 2 s to 8 s of a session of 10 s, without samples from 5.5 s to 6 s; ``path``."""
    session = Session(tmp_path_factory.mktemp("sessions"), class_names=["Rest", "Fist"], reserve_bytes=0)
    for name, info in (("emg", EMG), ("imu", IMU)):
        times = START + 2.0 + np.arange(6 * info.fs) / info.fs
        kept = (times < START + 5.5) | (times >= START + 6.0)
        fill(session, name, info, emg_of(len(times), info)[kept], times[kept])
    control = StreamInfo(1, 100.0, type="Control")
    fill(session, "whole", control, emg_of(1000, control), START + np.arange(1000) / 100)
    texts = np.array([[text] for _, text in TEXTS], object)
    fill(session, "markers", MARKERS, texts, START + np.array([at for at, _ in TEXTS]))
    for at, index in LABELS:
        session.add_label(index, START + at)
    session.add_note("before", START + 1.0)
    session.finish()
    return SimpleNamespace(path=session.pack_to_zip())


def of_trials(annotations) -> list[tuple[float, float, str]]:
    found = [(round(a["onset"], 2), round(a["duration"], 2), str(a["description"])) for a in annotations]
    return [one for one in found if not one[2].startswith(("BAD_ACQ", "padding"))]


TOLD = [(0.0, 1.0, "Fist"), (1.0, 2.0, "Rest"), (1.5, 0.0, "markers: within"), (3.0, 2.0, "Fist")]
TOLD += [(3.8, 0.0, "markers: in the hole"), (5.0, 1.0, "Rest")]


def test_a_stream_that_came_late_and_ended_early_has_only_what_happened_while_it_sent(short) -> None:
    with open_session_store(short.path) as session:
        raw = to_mne(session, "emg")
    annotations = [{**a, "onset": a["onset"]} for a in raw.annotations]
    assert of_trials(annotations) == TOLD


@pytest.mark.parametrize("fmt", ["fif", "edf", "bdf"])
def test_files_have_no_label_of_another_time_and_the_export_reports_it(short, tmp_path, fmt) -> None:
    import mne

    with open_session_store(short.path) as session:
        done = export_session(session, fmt, tmp_path, ["emg", "whole"])
    read = {"fif": mne.io.read_raw_fif, "edf": mne.io.read_raw_edf, "bdf": mne.io.read_raw_bdf}[fmt]
    assert of_trials(read(done.paths[0], verbose="error").annotations) == TOLD
    assert REMARK.format("emg", 5) in done.remarks  # Rest, Fist at the end, early, late, the note
    assert len(of_trials(read(done.paths[1], verbose="error").annotations)) == len(LABELS) + len(TEXTS) + 1
    assert not any(one.startswith("whole: ") and "left out" in one for one in done.remarks)


def test_each_part_of_a_split_stream_has_its_own(short, tmp_path) -> None:
    import mne

    with open_session_store(short.path) as session:
        done = export_session(session, "edf", tmp_path, ["emg"], split=True)
    first, second = [of_trials(mne.io.read_raw_edf(one, verbose="error").annotations) for one in done.paths]
    assert first == [*TOLD[:3], (3.0, 0.5, "Fist")]
    assert second == [(0.0, 1.0, "Fist"), (1.0, 1.0, "Rest")]
    assert REMARK.format("emg", 6) in done.remarks


def test_events_of_a_dataset_likewise(short, tmp_path) -> None:
    with open_session_store(short.path) as session:
        done = export_bids(session, tmp_path / "dataset")
    rows = (tmp_path / "dataset").rglob("*_emg_events.tsv")
    (table,) = [*rows] or [*(tmp_path / "dataset").rglob("emg/*_events.tsv")]
    lines = [line.split("\t") for line in table.read_text("utf-8").splitlines()[1:]]
    assert [(round(float(a), 2), round(float(b), 2), text) for a, b, text, *_ in lines] == TOLD
    for name in ("emg", "imu"):
        assert REMARK.format(name, 5) in done.remarks
    (sidecar,) = (tmp_path / "dataset").rglob("emg/*_events.json")
    assert json.loads(sidecar.read_text("utf-8"))["value"]["Levels"] == {"1": "Rest", "2": "Fist"}
