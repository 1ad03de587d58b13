"""MNE, FIF, EDF+, BDF+ and EMG-BIDS, each opened by the library that owns it."""

from __future__ import annotations

import numpy as np
import pytest

from myogestic_tui.errors import ConfigError
from myogestic_tui.info import StreamInfo
from myogestic_tui.session import Session, open_session_store
from myogestic_tui.session.export import export_bids, export_edf, export_fif, export_session, to_mne
from tests.windows.making import MARKERS, START, emg_of, fill

SPANS = [("Rest", 0.5, 1.5), ("BAD Fist", 2.0, 1.6), ("Rest", 3.6, 1.4)]


def on_grid(recorded):
    """The EMG with its 0.4 s of zeros, ``(n_channels, 6400)``."""
    grid = np.zeros((4, 6400))
    grid[:, :3000], grid[:, 3400:] = recorded.emg[:3000].T, recorded.emg[3000:].T
    return grid


def check_marks(annotations, tolerance=1.5e-3):
    """Labels at their second although the source's clock was 3 s off, the gap, the note, the text."""
    found = [(str(a["description"]), float(a["onset"]), float(a["duration"])) for a in annotations]
    for name, onset, duration in [*SPANS, ("BAD_ACQ_SKIP", 3.0, 0.4)]:
        assert any(
            text == name and abs(at - onset) < tolerance and abs(length - duration) < 2 * tolerance
            for text, at, length in found
        ), (name, found)
    for text, onset in [("note: electrode 3 re-taped", 1.25), ("markers: größer µ", 2.5)]:
        assert any(name == text and abs(at - onset) < tolerance for name, at, _ in found), (text, found)


def relative(raw):
    """Annotations with their onset from the start of the data."""
    shift = 0.0
    if raw.annotations.orig_time is not None:
        shift = (raw.info["meas_date"] - raw.annotations.orig_time).total_seconds() + raw.first_time
    return [{**a, "onset": a["onset"] - shift} for a in raw.annotations]


def test_raw_is_in_volts_with_labels_and_bad_channels(session, recorded):
    raw = to_mne(session, "emg")
    np.testing.assert_allclose(raw.get_data(), on_grid(recorded) * 1e-6, rtol=1e-12)
    assert raw.ch_names == ["E1", "E2", "E3", "E4"]
    assert set(raw.get_channel_types()) == {"emg"}
    assert raw.info["bads"] == ["E3"]
    assert raw.info["sfreq"] == 1000.0
    check_marks(relative(raw))
    good = raw.get_data(reject_by_annotation="omit")
    assert good.shape[1] == 6400 - 1600


def test_fif_is_read_back(session, recorded, tmp_path):
    import mne

    result = export_fif(session, tmp_path)
    assert [path.name.split("_")[-2] for path in result.paths] == ["emg", "imu", "control"]
    raw = mne.io.read_raw_fif(result.paths[0], verbose="error")
    np.testing.assert_allclose(raw.get_data(), on_grid(recorded) * 1e-6, rtol=2e-7, atol=1e-15)
    assert raw.info["bads"] == ["E3"]
    check_marks(relative(raw))
    imu = mne.io.read_raw_fif(result.paths[1], verbose="error")
    np.testing.assert_array_equal(imu.get_data(), recorded.imu.T)
    assert set(imu.get_channel_types()) == {"misc"}
    assert any("zeros" in remark for remark in result.remarks)


@pytest.mark.parametrize(("fmt", "bits"), [("edf", 16), ("bdf", 24)])
def test_edf_and_bdf_are_read_back_within_their_step(session, recorded, tmp_path, fmt, bits):
    import edfio

    result = export_edf(session, tmp_path, fmt=fmt)
    emg = (edfio.read_edf if fmt == "edf" else edfio.read_bdf)(result.paths[0])
    grid = on_grid(recorded)
    for signal, values in zip(emg.signals, grid, strict=True):
        step = (signal.physical_max - signal.physical_min) / (2**bits - 1)
        assert step < 1.1 * np.ptp(values) / (2**bits - 1) + 1e-5
        np.testing.assert_allclose(signal.data[:6400], values, atol=0.51 * step)
        assert signal.physical_dimension == "uV"
    assert emg.labels == ("E1", "E2", "E3", "E4")
    assert emg.patient.code == "P07"
    texts = [{"description": a.text, "onset": a.onset, "duration": a.duration or 0.0} for a in emg.annotations]
    check_marks(texts)
    assert {"description": "padding", "onset": 6.4, "duration": 0.6} in texts
    imu = (edfio.read_edf if fmt == "edf" else edfio.read_bdf)(result.paths[1])
    for signal, values in zip(imu.signals, recorded.imu.T, strict=True):
        np.testing.assert_array_equal(signal.digital[:600], values)
        np.testing.assert_allclose(signal.data[:600], values, atol=1e-9)
        assert signal.physical_dimension == "g"
    assert any("steps of" in remark for remark in result.remarks)
    assert any("markers" in text["description"] for text in texts)


def test_mne_reads_the_edf_as_volts_at_the_right_time(session, recorded, tmp_path):
    import mne

    (path,) = export_edf(session, tmp_path / "emg.edf", ["emg"]).paths
    raw = mne.io.read_raw_edf(path, verbose="error")
    np.testing.assert_allclose(raw.get_data()[:, :6400], on_grid(recorded) * 1e-6, atol=5e-9)
    check_marks(relative(raw))


def test_values_that_no_header_can_tell_get_a_power_of_ten_and_odd_ones_are_told(tmp_path):
    info = StreamInfo(3, 333.33, channel_names=("a name far too long for EDF", "µ", "µ"))
    session = Session(tmp_path)
    data = emg_of(1000, info)
    data[5, 0], data[6, 1], data[:, 2] = np.nan, np.inf, 7.25
    fill(session, "odd", info, data, START + np.arange(1000) / 333.33)
    huge = StreamInfo(1, 100.0, "float64")
    fill(session, "huge", huge, np.full((50, 1), 1e30), START + np.arange(50) / 100)
    session.finish()
    import edfio

    with open_session_store(session.path) as reader:
        result = export_edf(reader, tmp_path / "odd.bdf", ["odd"], fmt="bdf")
        scaled = export_edf(reader, tmp_path, ["huge"])
    (signal,) = edfio.read_edf(scaled.paths[0]).signals
    assert signal.physical_dimension == "1e24"
    np.testing.assert_allclose(signal.data[:50] * 1e24, 1e30, rtol=1e-3)
    assert "power of ten" in " ".join(scaled.remarks)
    said = " ".join(result.remarks)
    assert "2 values not finite" in said
    assert "channel names" in said
    file = edfio.read_bdf(result.paths[0])
    assert file.labels == ("a name far too l", "u", "u-3")
    np.testing.assert_allclose(file.signals[2].data[:1000], 7.25, atol=1e-6)
    good = np.isfinite(data[:, 0])
    np.testing.assert_allclose(file.signals[0].data[:1000][good], data[good, 0], atol=1e-4)
    assert file.signals[0].sampling_frequency == pytest.approx(333.33)


def test_a_bids_dataset_is_read_back(session, recorded, tmp_path):
    import mne_bids

    result = export_bids(session, tmp_path / "dataset")
    path, *others = result.paths
    assert path.name == "sub-P07_task-grasp_run-04_emg.bdf"
    assert [other.parent.name for other in others] == ["motion", "motion"]
    assert path.exists()
    where = mne_bids.BIDSPath(root=tmp_path / "dataset", subject="P07", task="grasp", run="04", datatype="emg")
    raw = mne_bids.read_raw_bids(where, verbose="error")
    grid = on_grid(recorded) * 1e-6
    np.testing.assert_allclose(raw.get_data()[:, :6400], grid, atol=2 * np.ptp(grid) / 2**24)
    assert raw.info["bads"] == ["E3"]
    assert set(raw.get_channel_types()) == {"emg"}
    check_marks(relative(raw), tolerance=2.5e-3)
    with pytest.raises(ConfigError, match="there already"):
        export_bids(session, tmp_path / "dataset")


def test_what_a_format_cannot_hold_is_refused_by_name(session, tmp_path):
    with pytest.raises(ConfigError, match="markers"):
        export_edf(session, tmp_path, ["markers"])
    with pytest.raises(ConfigError, match="markers"):
        to_mne(session, "markers")
    with pytest.raises(ConfigError, match="no export to"):
        export_session(session, "wav", tmp_path)
    with pytest.raises(ConfigError, match="no EMG channel"):
        export_bids(session, tmp_path, ["imu"])
    text_only = Session(tmp_path)
    fill(text_only, "markers", MARKERS, np.array([["x"]], object), [START])
    text_only.finish()
    with open_session_store(text_only.path) as reader, pytest.raises(ConfigError, match="no signal"):
        export_fif(reader, tmp_path)
