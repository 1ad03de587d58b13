"""Exports of odd sessions, and of several at once: nothing fails without a word, nothing takes another's place."""

from __future__ import annotations

import json
import resource
from pathlib import Path

import numpy as np
import pytest

from myogestic_tui.errors import ConfigError, DiskError
from myogestic_tui.info import StreamInfo
from myogestic_tui.session import Session, open_session_store
from myogestic_tui.session.dask_cluster import export_each
from myogestic_tui.session.export import export_bids, export_edf, export_npz, export_session, export_xdf
from myogestic_tui.session.import_xdf import import_xdf
from tests.windows.making import START, Estimate, emg_of, fill


def packed(folder: Path, info: StreamInfo, data: np.ndarray, *, name: str = "emg", **options) -> Path:
    session = Session(folder, reserve_bytes=0, **options)
    fill(session, name, info, data, START + np.arange(len(data)) / info.fs)
    session.add_label(0, START + 0.5)
    return session.pack_to_zip()


@pytest.mark.parametrize("fmt", ["edf", "bdf"])
@pytest.mark.parametrize(
    ("unit", "scale"), [("", 1e-5), ("V", 1e-5), ("uV", 1e-5), ("g", 1e-9), ("", 1e12), ("uV", 1e9)]
)
def test_small_and_large_values_keep_their_digits(tmp_path, fmt, unit, scale):
    import edfio

    info = StreamInfo(2, 1000.0, units=(unit,) * 2 if unit else None, type="EMG")
    data = (np.random.default_rng(1).standard_normal((1000, 2)) * scale).astype("float32")
    with open_session_store(packed(tmp_path, info, data)) as session:
        (path,) = export_edf(session, tmp_path, fmt=fmt).paths
    signal = (edfio.read_edf if fmt == "edf" else edfio.read_bdf)(path).signals[0]
    power = {"uV": 1e6, "nV": 1e9, "mV": 1e3, "V": 1.0}
    dimension = signal.physical_dimension
    factor = power[dimension] / power[unit] if unit in power else 1.0 / float(dimension.split()[0])
    np.testing.assert_allclose(signal.data[:1000] / factor, data[:, 0], atol=10 * scale / 2**16)


@pytest.mark.parametrize(("fmt", "bits"), [("edf", 16), ("bdf", 24)])
def test_random_channels_are_within_half_a_step(tmp_path, fmt, bits):
    """Limits that the header's 8 characters tell only in part, or with an exponent, cost no more than the step."""
    import edfio

    rng = np.random.default_rng(11)
    n, unit = 400, StreamInfo(400, 100.0, "float64", type="EMG", units=("uV",) * 400)
    data = rng.standard_normal((100, n)) * 10.0 ** rng.uniform(-2, 4, n) + rng.choice([0.0, 1.0, -900.0], n)
    tiny = -(10.0 ** rng.uniform(-9, -4, n // 2))
    data[:, ::2] = np.abs(data[:, ::2]) + 1.0
    data[7, ::2] = tiny
    data[:, 1::8] *= -1
    with open_session_store(packed(tmp_path, unit, data)) as session:
        (path,) = export_edf(session, tmp_path, fmt=fmt).paths
    units = {"uV": 1.0, "nV": 1e3, "mV": 1e-3}
    for signal, values in zip((edfio.read_edf if fmt == "edf" else edfio.read_bdf)(path).signals, data.T, strict=True):
        factor = units[signal.physical_dimension]
        step = (signal.physical_max - signal.physical_min) / (2**bits - 1) / factor
        assert step < 1.05 * np.ptp(values) / (2**bits - 1) + 2e-6, signal.label
        np.testing.assert_allclose(signal.data / factor, values, atol=0.501 * step, err_msg=signal.label)


@pytest.mark.parametrize("fs", [1000 / 3, 1000 / 7, 1111.11, 500 * np.pi, 0.5])
def test_any_rate_goes_into_a_bids_dataset(tmp_path, fs):
    import mne_bids

    info = StreamInfo(2, fs, type="EMG", units=("uV", "uV"))
    data = emg_of(700, info)
    data[3, 0], data[4, 1] = np.nan, np.inf
    path = packed(tmp_path, info, data, fields={"subject": "P 07"})
    with open_session_store(path) as session:
        (file,) = export_bids(session, tmp_path / "dataset", line_freq=50).paths
    assert file.name == "sub-P07_task-rest_emg.bdf"
    where = mne_bids.BIDSPath(root=tmp_path / "dataset", subject="P07", task="rest", datatype="emg")
    raw = mne_bids.read_raw_bids(where, verbose="error")
    got = raw.get_data()[0][:700] * 1e6
    good = np.isfinite(data[:, 0])
    np.testing.assert_allclose(got[good], data[good, 0], atol=1e-4)
    assert raw.info["sfreq"] == pytest.approx(fs, rel=1e-5)
    assert raw.info["line_freq"] == 50
    assert raw.times[-1] < 700 / fs + 120 + 10 / fs
    assert not list(tmp_path.glob(".*partial"))


def test_sessions_that_would_meet_in_a_dataset_become_runs(tmp_path):
    info = StreamInfo(2, 100.0, type="EMG")
    paths = [str(packed(tmp_path / "s", info, emg_of(300, info, seed=seed))) for seed in range(3)]
    done = list(export_each(None, paths, "bids", str(tmp_path / "dataset")))
    names = [outcome.paths[0].name for _, outcome in done]
    stem = "sub-unknown_task-rest"
    assert names == [f"{stem}_emg.bdf", f"{stem}_run-01_emg.bdf", f"{stem}_run-02_emg.bdf"]
    again = [outcome for _, outcome in export_each(None, paths, "bids", str(tmp_path / "dataset"))]
    assert all(isinstance(outcome, ConfigError) for outcome in again)


def test_no_session_takes_the_place_of_another(tmp_path):
    info = StreamInfo(2, 100.0)
    paths = [str(packed(tmp_path / "s", info, emg_of(300, info, seed=seed))) for seed in range(2)]
    target = tmp_path / "out.xdf"
    (_, first), (_, second) = export_each(None, paths, "xdf", str(target), overwrite=True)
    assert first.paths == [target]
    assert "name a folder" in str(second)
    with open_session_store(import_xdf(target, tmp_path / "again")) as session:
        np.testing.assert_array_equal(session.stores["emg"][:], emg_of(300, info, seed=0))


@pytest.mark.parametrize("to", ["xdf", "fif", "edf", "bdf", "bids", "csv", "npz"])
def test_a_full_disk_is_told_and_takes_nothing_away(tmp_path, to):
    info = StreamInfo(8, 1000.0, type="EMG")
    path = packed(tmp_path / "s", info, emg_of(20_000, info))
    with open_session_store(path) as session:
        whole = export_session(session, to, tmp_path / "out").paths
        before = {file: file.read_bytes() for file in (tmp_path / "out").rglob("*") if file.is_file()}
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
        try:
            with pytest.raises(DiskError, match="cannot be exported"):
                export_session(session, to, tmp_path / "out", overwrite=True)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    after = {file: file.read_bytes() for file in (tmp_path / "out").rglob("*") if file.is_file()}
    assert all(after[file] == before[file] for file in whole)
    assert after.keys() == before.keys()


def test_no_array_of_an_npz_has_another_ones_name(tmp_path):
    session, info = Session(tmp_path, reserve_bytes=0), StreamInfo(1, 100.0)
    values = {name: emg_of(500, info, seed=seed) for seed, name in enumerate(("emg", "emg_time", "label", "meta"))}
    for name, data in values.items():
        fill(session, name, info, data, START + np.arange(500) / 100)
    with open_session_store(session.pack_to_zip()) as reader:
        result = export_npz(reader, tmp_path)
        streams = list(reader.streams)
    with np.load(result.paths[0]) as arrays:
        assert len(set(arrays.files)) == len(arrays.files)
        np.testing.assert_allclose(arrays["emg_time"], START + np.arange(500) / 100)
        assert json.loads(str(arrays["meta"]))["streams"].keys() == set(streams)
        for data in values.values():
            assert any(np.array_equal(arrays[key], data) for key in arrays.files)
    assert "emg_time is called emg_time_2" in " ".join(result.remarks)


def test_line_breaks_do_not_hide_an_annotation(tmp_path):
    import edfio

    session, info = Session(tmp_path, class_names=["a\x14b"], reserve_bytes=0), StreamInfo(1, 100.0)
    fill(session, "emg", info, emg_of(200, info), START + np.arange(200) / 100)
    session.add_label(0, START + 0.5)
    session.add_note("two\nlines", START + 1.0)
    with open_session_store(session.pack_to_zip()) as reader:
        result = export_edf(reader, tmp_path)
    texts = [annotation.text for annotation in edfio.read_edf(result.paths[0]).annotations]
    assert texts == ["a b", "note: two lines"]
    assert "replaced by spaces" in " ".join(result.remarks)


@pytest.mark.parametrize(
    ("names", "indices"),
    [([], [2, 5, -1]), (["Rest", "end"], [0, 1, -1]), (["Fist", "Fist"], [0, 1]), (["Rest", "Fist"], [3, 0])],
)
def test_labels_come_back_from_xdf_as_they_were(tmp_path, names, indices):
    session, info = Session(tmp_path, class_names=names, reserve_bytes=0), StreamInfo(1, 100.0)
    fill(session, "emg", info, emg_of(500, info), START + np.arange(500) / 100)
    for k, index in enumerate(indices):
        session.add_label(index, START + k + 0.25)
    with open_session_store(session.pack_to_zip()) as reader:
        (path,) = export_xdf(reader, tmp_path).paths
    with open_session_store(import_xdf(path, tmp_path / "again")) as copy:
        assert [(event.timestamp, event.class_index) for event in copy.label_track] == [
            (START + k + 0.25, index) for k, index in enumerate(indices)
        ]
        assert copy.class_names == names


def test_two_xdf_streams_of_one_name_stay_two(tmp_path):
    session, info = Session(tmp_path, reserve_bytes=0), StreamInfo(2, 100.0)
    other = StreamInfo(2, 100.0, "int32")
    fill(session, "EMG", info, emg_of(300, info), START + np.arange(300) / 100)
    fill(session, "EMG2", other, emg_of(300, other), START + np.arange(300) / 100)
    with open_session_store(session.pack_to_zip()) as reader:
        (path,) = export_xdf(reader, tmp_path).paths
    path.write_bytes(path.read_bytes().replace(b"<name>EMG2</name>", b"<name>EMG</name> "))
    with open_session_store(import_xdf(path, tmp_path / "again")) as copy:
        assert len(copy.streams) == 2
        np.testing.assert_array_equal(copy.stores["EMG"][:], emg_of(300, info))
        np.testing.assert_array_equal(copy.stores["EMG_2"][:], emg_of(300, other))


def test_an_xdf_that_was_cut_off_says_so(tmp_path):
    info = StreamInfo(2, 100.0)
    with open_session_store(packed(tmp_path, info, emg_of(3000, info))) as reader:
        (path,) = export_xdf(reader, tmp_path).paths
    data = path.read_bytes()
    with open_session_store(import_xdf(path, tmp_path / "whole")) as copy:
        assert copy.findings == []
    path.write_bytes(data[: len(data) // 2])
    with open_session_store(import_xdf(path, tmp_path / "cut")) as copy:
        first = copy.findings[0]
        assert first.kind == "damage"
        assert "was cut off" in first.text


def test_a_file_cut_anywhere_gives_what_stands_before_the_cut(tmp_path):
    session, info = Session(tmp_path, reserve_bytes=0), StreamInfo(2, 100.0)
    fill(session, "EMG", info, emg_of(300, info), START + np.arange(300) / 100)
    fill(session, "EMG2", info, emg_of(300, info, seed=2), START + np.arange(300) / 100)
    session.request_stop(session.started_at)  # however long it took: the samples tell how long the session is
    with open_session_store(session.pack_to_zip()) as reader:
        (path,) = export_xdf(reader, tmp_path).paths
    data = path.read_bytes()
    header = data.index(b"<name>EMG2</name>") - 30
    footer = data.index(b"sample_count") - 60
    for number, size in enumerate([*range(header, header + 90, 7), *range(footer, footer + 60, 9), len(data) - 1]):
        path.write_bytes(data[:size])
        with open_session_store(import_xdf(path, tmp_path / f"cut{number}")) as copy:
            assert copy.findings[0].kind == "damage"
            np.testing.assert_array_equal(copy.stores["EMG"][:], emg_of(300, info))
            assert copy.summary().duration_s == pytest.approx(2.99)


def test_labels_come_from_text_and_from_all_streams_of_a_name(tmp_path):
    session, info = Session(tmp_path, reserve_bytes=0), StreamInfo(1, 100.0)
    marks = StreamInfo(1, 0.0, "string", type="Markers")
    fill(session, "emg", info, emg_of(500, info), START + np.arange(500) / 100)
    for name, texts in (("MarksA", "aba"), ("MarksB", "cdc")):
        rows = np.array(list(texts), object)[:, None]
        fill(session, name, marks, rows, START + np.arange(3) + (0.5 if name == "MarksB" else 0.0))
    with open_session_store(session.pack_to_zip()) as reader:
        (path,) = export_xdf(reader, tmp_path).paths
    data = path.read_bytes()
    path.write_bytes(
        data.replace(b"<name>MarksA</name>", b"<name>Marks</name> ").replace(
            b"<name>MarksB</name>", b"<name>Marks</name> "
        )
    )
    with open_session_store(import_xdf(path, tmp_path / "again", label_stream="Marks")) as copy:
        told = [copy.class_names[event.class_index] for event in copy.label_track]
        assert told == list("acbdac")
    with pytest.raises(ConfigError, match="numbers"):
        import_xdf(path, tmp_path / "again", label_stream="emg")


def set_forward(folder: Path, leap: float, *, missing: float = 0.0) -> Session:
    """60 s at 1000/3 Hz whose source's clock was set by ``leap`` seconds at 27 s, and ``missing`` seconds there."""
    fs, info = 1000 / 3, StreamInfo(2, 1000 / 3, type="EMG", units=("uV", "uV"))
    session = Session(folder, class_names=["Rest", "Fist"], reserve_bytes=0)
    times = START + np.arange(20_000) / fs
    times[9000:] += missing
    raw = times.copy()
    raw[9000:] += leap
    session.init_stream("emg", info)
    for at in np.arange(START - 1, START + 66, 5.0):
        offset = 0.0 if at < START + 27 else -leap
        session.add_clock_estimates("emg", [Estimate(at, offset, 1e-5, at - offset)])
    data = emg_of(20_000, info)
    for at in range(0, 20_000, 100):
        session.append("emg", data[at : at + 100], raw[at : at + 100])
    session.add_label(0, START + 12.0)
    session.add_label(1, START + 36.0)
    session.add_label(-1, START + 48.0)
    session.finish()
    return session


@pytest.mark.parametrize("leap", [3.0, 1e6, -3.0])
def test_a_clock_that_was_set_is_no_gap(tmp_path, leap):
    import edfio

    session = set_forward(tmp_path, leap)
    with open_session_store(session.path) as reader:
        assert reader.gaps("emg") == []
        told = reader.meta.streams["emg"]
        assert told.gaps == []
        assert [(one.index, round(one.seconds, 2)) for one in told.time.leaps] == [(9000, leap)]
        summary = reader.summary().streams["emg"]
        assert (summary.gaps, summary.lost_samples) == (0, 0)
        (path,) = export_edf(reader, tmp_path, fmt="bdf").paths
    file = edfio.read_bdf(path)
    assert file.duration == pytest.approx(60, abs=3)
    marks = {one.text: (one.onset, one.duration) for one in file.annotations}
    assert "BAD_ACQ_SKIP" not in marks
    assert marks["Fist"] == pytest.approx((36.0, 12.0), abs=0.01)


def test_what_is_missing_while_a_clock_is_set_is_a_gap_of_its_true_size(tmp_path):
    with open_session_store(set_forward(tmp_path, 3.0, missing=0.5).path) as reader:
        [gap] = reader.gaps("emg")
        assert (gap.index, gap.seconds) == (9000, pytest.approx(0.5, abs=0.01))
    with open_session_store(set_forward(tmp_path / "back", -3.0, missing=0.5).path) as reader:
        [gap] = reader.gaps("emg")
        assert (gap.index, gap.seconds) == (9000, pytest.approx(0.5, abs=0.01))


def test_what_somebody_put_into_a_dataset_stays(tmp_path):
    info = StreamInfo(2, 100.0, type="EMG")
    paths = [
        packed(tmp_path / "s", info, emg_of(300, info, seed=k), fields={"subject": "P1", "take": k}) for k in (1, 2)
    ]
    for path in paths:
        with open_session_store(path) as session:
            export_bids(session, tmp_path / "dataset")
        own = [
            tmp_path / "dataset/sub-P1/emg" / f"sub-P1_task-rest_run-02_{name}" for name in ("photo.jpg", "notes.txt")
        ]
        for file in own:
            if not file.exists():
                file.write_text("mine")
        table = tmp_path / "dataset/participants.tsv"
        if path == paths[0]:
            table.write_text(table.read_text(encoding="utf-8-sig").replace("sub-P1\tn/a", "sub-P1\t31"))
    assert [file.read_text() for file in own] == ["mine", "mine"]
    assert "sub-P1\t31" in table.read_text(encoding="utf-8-sig")
    assert len(list((tmp_path / "dataset/sub-P1/emg").glob("*.bdf"))) == 2


def test_a_date_that_fif_cannot_tell_is_left_out_and_reported(tmp_path):
    import mne

    info = StreamInfo(1, 500.0, type="EMG", units=("uV",))
    session = Session(tmp_path, class_names=["Rest"], reserve_bytes=0)
    fill(session, "emg", info, emg_of(1000, info), 3e9 + np.arange(1000) / 500)
    session.add_label(0, 3e9 + 0.5)
    with open_session_store(session.pack_to_zip()) as reader:
        done = export_session(reader, "fif", tmp_path / "out")
    raw = mne.io.read_raw_fif(done.paths[0], verbose="error")
    assert raw.info["meas_date"] is None
    assert [(a["onset"], a["description"]) for a in raw.annotations] == [(0.5, "Rest")]
    assert any("the date" in remark and "left out" in remark for remark in done.remarks)


def test_two_subjects_whose_names_look_alike_to_bids_do_not_become_one(tmp_path):
    info = StreamInfo(1, 500.0, type="EMG", units=("uV",))
    names = ["Pä", "Pö", "P 1", "P1", "Pä"]
    paths = [
        packed(tmp_path / str(place), info, emg_of(500, info), fields={"subject": name, "task": "grasp", "take": 1})
        for place, name in enumerate(names)
    ]
    told = [result for _, result in export_each(None, [str(path) for path in paths], "bids", str(tmp_path / "set"))]
    refused = [str(one) if isinstance(one, ConfigError) else "" for one in told]
    assert ["--subject" in text for text in refused] == [False, True, False, True, False]
    assert "'Pö' would be sub-P as 'Pä' is" in refused[1]
    assert "run-02" in told[4].paths[0].name  # of the same subject, of the same take
