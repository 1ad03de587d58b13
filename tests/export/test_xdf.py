"""What ``pyxdf`` reads is what was recorded: samples bit for bit, the same corrected times, labels, text."""

from __future__ import annotations

import numpy as np
import pytest

from myogestic_tui.errors import ConfigError
from myogestic_tui.info import StreamInfo
from myogestic_tui.session import Session, open_session_store
from myogestic_tui.session.export import export_xdf
from tests.windows.making import EMG, OFFSET, START, Estimate, emg_of, fill


def load(path, **how):
    import pyxdf

    streams, header = pyxdf.load_xdf(str(path), **{"dejitter_timestamps": False, **how})
    return {stream["info"]["name"][0]: stream for stream in streams}, header


def test_samples_times_and_text_are_those_recorded(session, recorded, tmp_path):
    streams, header = load(export_xdf(session, tmp_path).paths[0])
    assert set(streams) == {"emg", "vhi_control", "imu", "markers", "labels", "notes"}
    np.testing.assert_array_equal(streams["emg"]["time_series"], recorded.emg)
    assert streams["emg"]["time_series"].dtype == np.float32
    np.testing.assert_array_equal(streams["imu"]["time_series"], recorded.imu)
    assert streams["imu"]["time_series"].dtype == np.int16
    np.testing.assert_array_equal(streams["vhi_control"]["time_series"], recorded.vhi)
    assert streams["markers"]["time_series"] == recorded.texts.tolist()
    np.testing.assert_allclose(streams["emg"]["time_stamps"], recorded.times, atol=1e-5)
    np.testing.assert_allclose(streams["emg"]["time_stamps"], session.timestamps("emg"), atol=1e-5)
    np.testing.assert_array_equal(streams["imu"]["time_stamps"], session.timestamps("imu"))
    assert header["info"]["subject"][0] == "P07"
    assert header["info"]["name"][0] == "wrist <4>"
    assert header["info"]["created"][0] == session.meta.created


def test_raw_stamps_and_clock_offsets_are_kept(session, recorded, tmp_path):
    streams, _ = load(export_xdf(session, tmp_path).paths[0], synchronize_clocks=False)
    np.testing.assert_array_equal(streams["emg"]["time_stamps"], recorded.times - OFFSET)
    assert streams["emg"]["footer"]["info"]["sample_count"] == ["6000"]


def test_labels_land_at_the_right_second_of_a_source_3_s_off(session, recorded, tmp_path):
    streams, _ = load(export_xdf(session, tmp_path).paths[0])
    labels = streams["labels"]
    assert [text for (text,) in labels["time_series"]] == ["Rest", "Fist", "Rest", "end"]
    np.testing.assert_array_equal(labels["time_stamps"], [at for at, _ in recorded.labels])
    first = np.searchsorted(streams["emg"]["time_stamps"], labels["time_stamps"][1])
    assert abs(first - 2000) <= 1
    assert labels["info"]["desc"][0]["bad_trials"][0]["index"] == ["1"]
    assert streams["notes"]["time_series"] == [["electrode 3 re-taped"]]


def test_gaps_and_channels_are_described(session, tmp_path):
    limits = {"jitter_break_threshold_seconds": 0.2, "jitter_break_threshold_samples": 50}
    streams, _ = load(export_xdf(session, tmp_path).paths[0], dejitter_timestamps=True, **limits)
    (gap,) = streams["emg"]["footer"]["info"]["gaps"][0]["gap"]
    assert int(gap["index"][0]) == 3000
    assert float(gap["seconds"][0]) == pytest.approx(0.4, abs=1e-3)
    channels = streams["emg"]["info"]["desc"][0]["channels"][0]["channel"]
    assert [channel["label"][0] for channel in channels] == list(EMG.channel_names)
    assert {channel["unit"][0] for channel in channels} == {"microvolts"}
    assert streams["emg"]["info"]["segments"] == [(0, 2999), (3000, 5999)]


@pytest.mark.parametrize("dtype", ["int8", "int32", "int64", "float64"])
def test_every_numeric_format_survives(dtype, tmp_path):
    info = StreamInfo(2, 250.0, dtype)
    session = Session(tmp_path)
    fill(session, "s", info, emg_of(700, info), START + np.arange(700) / 250)
    session.finish()
    with open_session_store(session.path) as reader:
        streams, _ = load(export_xdf(reader, tmp_path / "out.xdf").paths[0])
    np.testing.assert_array_equal(streams["s"]["time_series"], emg_of(700, info))
    assert streams["s"]["time_series"].dtype == dtype


def test_drift_and_an_empty_stream(tmp_path):
    session = Session(tmp_path)
    raw = 900.0 + np.arange(6000) / 100
    info = StreamInfo(1, 100.0)
    session.init_stream("drifting", info)
    from tests.windows.making import clock_rows

    session.add_clock_estimates("drifting", clock_rows(raw, 41.0, drift=50e-6))
    session.append("drifting", np.zeros((6000, 1), "float32"), raw)
    session.init_stream("empty", StreamInfo(2, 10.0))
    session.finish()
    with open_session_store(session.path) as reader:
        streams, _ = load(export_xdf(reader, tmp_path / "out.xdf").paths[0])
        np.testing.assert_allclose(streams["drifting"]["time_stamps"], reader.timestamps("drifting"), atol=2e-5)
    assert len(streams["empty"]["time_stamps"]) == 0


@pytest.mark.parametrize("jump", [3.0, -0.5, 100.0])
def test_raw_stamps_are_kept_where_a_clock_was_set_while_recording(tmp_path, jump):
    """Readers of XDF have their own rule for it; the raw stamps and offsets are what all of them start from."""
    session, info = Session(tmp_path), StreamInfo(1, 100.0)
    times = START + np.arange(30000) / 100
    offsets = np.where(times < START + 150, 41.0, 41.0 + jump)
    session.init_stream("s", info)
    estimates = [
        Estimate(times[i].item(), offsets[i].item(), 1e-4, (times - offsets)[i].item()) for i in range(0, 30000, 500)
    ]
    session.add_clock_estimates("s", estimates)
    session.append("s", np.zeros((30000, 1), "float32"), times - offsets)
    session.finish()
    with open_session_store(session.path) as reader:
        result = export_xdf(reader, tmp_path / "out.xdf")
        streams, _ = load(result.paths[0], synchronize_clocks=False)
        np.testing.assert_array_equal(streams["s"]["time_stamps"], times - offsets)
        np.testing.assert_allclose(reader.timestamps("s"), times, atol=1e-3)
    assert len(streams["s"]["clock_times"]) == len(estimates)
    assert any("was set" in remark for remark in result.remarks)


def test_a_file_that_is_there_is_kept(session, tmp_path):
    target = tmp_path / "mine.xdf"
    target.write_bytes(b"mine")
    with pytest.raises(ConfigError, match="there already"):
        export_xdf(session, target)
    assert target.read_bytes() == b"mine"
    export_xdf(session, target, ["imu"], overwrite=True)
    assert set(load(target)[0]) == {"imu", "labels", "notes"}
    assert [path.name for path in tmp_path.iterdir()] == ["mine.xdf"]
