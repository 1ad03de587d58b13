"""A report finds what was planted, at three rates, and calls a clean session clean."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from functools import lru_cache
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from scipy.signal import butter, sosfilt

from myogestic_tui import StreamInfo
from myogestic_tui.analysis.channel_report import channel_reports, fatigue_reports
from myogestic_tui.analysis.channel_statistics import ChannelStatistics
from myogestic_tui.analysis.report import report_session
from myogestic_tui.analysis.report_types import StreamReport
from myogestic_tui.analysis.trial_report import trial_issues
from myogestic_tui.analysis.verdict import issues_of
from myogestic_tui.cli.command_table import run
from myogestic_tui.config import QualityConfig, parse_config
from myogestic_tui.errors import ConfigError
from myogestic_tui.montage import ChannelGrid
from myogestic_tui.session import edit_labels, open_session_store
from myogestic_tui.session.library.catalog import Catalog
from myogestic_tui.session.library.label_changes import MarkBad
from tests.after.planted import Planted

RATES = (500.0, 1000.0, 2048.0)
NAMES = {0: "Rest", 1: "Fist"}


@lru_cache
def band(low: float, high: float, fs: float) -> np.ndarray:
    return butter(2, (low, high), "bandpass", fs=fs, output="sos")


def emg(rng: np.random.Generator, n: int, fs: float, high: float = 0.4) -> np.ndarray:
    """Noise with a spectrum like a muscle's, RMS 1."""
    noise = rng.standard_normal(n + 200)
    shaped = sosfilt(band(25.0, high * fs, fs), noise)[200:]
    return shaped / shaped.std()


def session_of(base: Path, fs: float, samples: np.ndarray, trial_s: float = 4.0, **fields: object) -> Path:
    seconds = len(samples) / fs
    planted = Planted(base, seconds, **fields)
    info = StreamInfo(samples.shape[1], fs, type="EMG", channel_grids=(ChannelGrid("arm", ((0, 1), (2, None))),))
    planted.stream("emg", info, samples.astype(np.float32))
    planted.labels((trial_s * place, place % 2) for place in range(round(seconds / trial_s)))
    return planted.finish(packed=True)


@pytest.mark.parametrize(("dtype", "offset", "unit"), [("int32", 2e9, 10), ("float64", 3e8, 0.01), ("float32", 3e4, 5)])
def test_what_lies_on_a_large_offset_is_judged_as_without_it(dtype: str, offset: float, unit: float) -> None:
    """Also where a sample is no number; 24-bit amplifiers without a high-pass send such values."""
    rng, n = np.random.default_rng(3), 500
    info = StreamInfo(1, 500.0, dtype, type="EMG")
    plain, odd = ChannelStatistics(replace(info, dtype="float64")), ChannelStatistics(info)
    for second in range(6):
        signal = np.rint(emg(rng, n, 500.0) * 20)[:, None] * unit
        plain.add(signal, second, 0)
        samples = (signal + offset).astype(dtype)
        if dtype.startswith("float"):
            samples[100, 0] = np.nan
        odd.add(samples, second, 0)
    np.testing.assert_allclose(odd.numbers().power, plain.numbers().power, rtol=0.02)
    np.testing.assert_allclose(odd.numbers().median_hz, plain.numbers().median_hz, atol=2.0)


@pytest.mark.filterwarnings("error")
def test_values_beyond_all_bounds_are_judged_without_a_warning() -> None:
    info = StreamInfo(2, 500.0, type="EMG")
    statistics = ChannelStatistics(info)
    samples = np.random.default_rng(3).standard_normal((500, 2)).astype(np.float32)
    samples[100, 0], samples[200, 0] = 3e38, -3e38
    statistics.add(samples, 0.5, 0)
    assert 0.5 < statistics.numbers().power[0, 1] < 1.5


@pytest.mark.parametrize("fs", RATES)
def test_planted_signal_to_noise_and_mains_come_back(tmp_path: Path, fs: float) -> None:
    """Decibels within 0.5, the share of mains power within 0.03."""
    rng, n = np.random.default_rng(int(fs)), int(48 * fs)
    times = np.arange(n) / fs
    active = (times // 4 % 2).astype(bool)
    planted_db = (6.0, 12.0, 26.0)
    columns = [emg(rng, n, fs) * np.where(active, 10 ** (decibels / 20), 1.0) * 5 for decibels in planted_db]
    hum = emg(rng, n, fs) * 5
    columns.append(hum + np.sqrt(2 * 0.4 / 0.6) * 5 * np.sin(2 * np.pi * 50 * times + 1))
    with open_session_store(session_of(tmp_path, fs, np.stack(columns, axis=1))) as session:
        found = report_session(session)
    [stream] = found.streams
    assert [one.snr_db["Fist"] for one in stream.channels[:3]] == pytest.approx(planted_db, abs=0.5)
    assert stream.channels[3].mains_power == pytest.approx(0.4, abs=0.03)
    assert all(one.mains_power < 0.05 for one in stream.channels[:3])
    assert stream.coverage == pytest.approx(1.0, abs=0.001)
    assert found.rest == "Rest"
    assert [(one.name, one.trials) for one in found.classes] == [("Rest", 6), ("Fist", 6), ("Pinch", 0)]


@pytest.mark.parametrize("fs", RATES)
def test_a_planted_drift_of_the_median_frequency_comes_back(fs: float) -> None:
    """−15 Hz a minute, within 3; and none is none, within 3."""
    rng, n = np.random.default_rng(7), int(fs)
    drifting, steady = ChannelStatistics(StreamInfo(3, fs)), ChannelStatistics(StreamInfo(3, fs))
    for second in range(150):
        for statistics, centre in ((drifting, 120 - 15 * second / 60), (steady, 120)):
            window = sosfilt(band(centre - 40, centre + 40, fs), rng.standard_normal((n + 300, 3)), axis=0)[300:]
            statistics.add(window.astype(np.float32), second + 0.5, 1)
    for statistics, slope in ((drifting, -15.0), (steady, 0.0)):
        [one] = fatigue_reports(statistics.numbers(), NAMES, 0, frozenset())
        assert one.slope_hz_per_min == pytest.approx(slope, abs=3.0)
        assert one.slope_low <= one.slope_hz_per_min <= one.slope_high
        assert len(one.hz) <= 200


def test_each_planted_fault_is_found_in_its_channel_and_no_other(tmp_path: Path) -> None:
    fs, n = 1000.0, 40_000
    rng, times = np.random.default_rng(2), np.arange(40_000) / 1000.0
    gain = np.where(times // 4 % 2, 80.0, 5.0)
    samples = np.stack([emg(rng, n, fs) for _ in range(8)], axis=1) * gain[:, None]
    samples[10_000:20_000, 1] = 3.25
    samples[:, 2] = np.clip(samples[:, 2], -60, 60)
    samples[:, 3] += 400 * np.sin(2 * np.pi * 60 * times)
    samples[25_500, 4] = np.nan
    samples[:, 5] += 900 * np.sin(2 * np.pi * 3 * times)
    samples[:, 6] = emg(rng, n, fs) * 5
    with open_session_store(session_of(tmp_path, fs, samples)) as session:
        found = report_session(session)
    kinds = {(one.channel, one.text.split(" in ")[0].split(" dB")[0]) for one in found.issues}
    assert {(2, "flat"), (4, "mains hum"), (5, "not a number"), (6, "motion below 20 Hz")} <= kinds
    assert any(channel == 3 and text == "clipped" for channel, text in kinds)
    assert any(channel == 7 and text.startswith("active is") for channel, text in kinds)
    assert {channel for channel, _ in kinds} == {2, 3, 4, 5, 6, 7}
    assert found.verdict == "check: 6 channels"


def is_flagged(seed: int) -> bool:
    """One clean session: 4 channels, 24 s of rest and fist."""
    rng, fs = np.random.default_rng(seed), 500.0
    statistics = ChannelStatistics(StreamInfo(4, fs))
    for second in range(24):
        index = second // 4 % 2
        window = emg(rng, 4 * 500, fs).reshape(4, 500).T * (60.0 if index else 6.0)
        statistics.add((window + 20).astype(np.float32), second + 0.5, index, second // 4 + 1)
    numbers = statistics.numbers()
    channels = channel_reports(StreamInfo(4, fs), numbers, NAMES, 0, frozenset())
    trials = trial_issues("emg", numbers, NAMES, 0, set())
    stream = StreamReport(name="emg", n_samples=1, channels=channels, trial_issues=trials)
    return bool(issues_of([stream], [], QualityConfig()))


def test_a_clean_session_is_not_flagged() -> None:
    assert [seed for seed in range(25) if is_flagged(seed)] == []


@pytest.mark.slow
def test_of_a_thousand_clean_sessions_one_is_flagged_at_most() -> None:
    assert len([seed for seed in range(1000) if is_flagged(seed)]) <= 1


@pytest.fixture
def judged(tmp_path: Path) -> Path:
    """24 s of four channels, of which one is flat, in a sessions folder."""
    rng, fs = np.random.default_rng(5), 500.0
    gain = np.where(np.arange(12_000) / fs // 4 % 2, 80.0, 5.0)
    samples = np.stack([emg(rng, 12_000, fs) for _ in range(4)], axis=1) * gain[:, None]
    samples[:, 2] = 0
    return session_of(tmp_path / "sessions", fs, samples, name="a & <b>", task="grasp")


class Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attributes if name in ("src", "href", "action")]


def test_the_page_is_one_file_that_needs_nothing_else(judged: Path, capsys) -> None:
    assert run(["report", str(judged)]) == 1
    told = capsys.readouterr()
    assert "check: 1 channel" in told.out
    page = judged.with_name(judged.name.removesuffix(".session.zip") + ".report.html")
    text = page.read_text("utf-8")
    parsed = Page()
    parsed.feed(text)
    assert "script" not in parsed.tags
    assert parsed.links == []
    assert "url(http" not in text
    assert parsed.tags.count("svg") >= 4
    assert "a &amp; &lt;b&gt;" in text
    assert "check: 1 channel" in text
    assert "flat in 100 % of the time" in text


def test_json_has_all_of_it_and_the_verdict_stands_in_the_catalog(judged: Path, capsys) -> None:
    assert run(["report", str(judged), "--json", "--no-page"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["verdict"] == "check: 1 channel"
    assert told["issues"][0]["channel"] == 3
    assert set(told["hashes"]) == {"manifest.json", "meta.json", "labels.json"}
    assert told["streams"][0]["grids"] == [{"label": "arm", "channels": [[1, 2], [3, 0]]}]
    assert not [*judged.parent.glob("*.html")]
    [entry] = Catalog(judged.parent).entries()
    assert entry.quality == "check: 1 channel"
    edit_labels(judged, [MarkBad(1)])
    [entry] = Catalog(judged.parent).entries()
    assert entry.quality == ""


def test_thresholds_are_the_configuration_s(judged: Path, tmp_path: Path, capsys) -> None:
    config = tmp_path / "lab.toml"
    config.write_text("[quality]\nmax_flat = 1.0\nmin_trials = 3\ncheck_trials = false\n")
    assert run(["--config", str(config), "report", str(judged), "--no-page"]) == 1
    assert "check: 1 class" in capsys.readouterr().out
    config.write_text('[quality]\nskip = ["emg"]\n')
    assert run(["--config", str(config), "report", str(judged), "--no-page"]) == 0
    config.write_text('[quality]\nrest = "Relax"\n')
    assert run(["--config", str(config), "report", str(judged), "--no-page"]) == 2
    assert "Rest, Fist, Pinch" in capsys.readouterr().err
    for wrong in ("max_flat = 2", "max_flat = -1", 'max_flat = "x"', "max_error_ms = nan", "unknown = 1"):
        with pytest.raises(ConfigError, match="quality"):
            parse_config(f"[quality]\n{wrong}\n")


def test_a_channel_that_was_marked_bad_is_not_judged_again(tmp_path: Path) -> None:
    planted = Planted(tmp_path, 10.0)
    planted.stream("emg", StreamInfo(2, 500.0), np.zeros((5000, 2), np.float32))
    planted.session.mark_channel("emg", 0)
    planted.labels([(0.0, 0)])
    with open_session_store(planted.finish()) as session:
        assert {one.channel for one in report_session(session).issues} == {2}


def test_odd_sessions_are_judged_as_far_as_they_go(tmp_path: Path) -> None:
    planted = Planted(tmp_path, 4.0)
    planted.stream("markers", StreamInfo(1, 0.0, "string"), np.array([["a"]], object), np.array([1.0]))
    planted.stream("slow", StreamInfo(1, 4.0), np.zeros((16, 1), np.float32))
    planted.stream("none", StreamInfo(2, 500.0), np.zeros((0, 2), np.float32))
    with open_session_store(planted.finish()) as session:
        found = report_session(session)
    assert found.verdict == "check: 1 stream"
    assert [(one.stream, one.text) for one in found.issues] == [("none", "no samples")]


def test_a_damaged_second_is_told_and_the_others_are_judged(judged: Path) -> None:
    content = bytearray(judged.read_bytes())
    content[content.index(b"emg.zarr/c/3/0") + 200] ^= 1
    judged.write_bytes(content)
    with open_session_store(judged) as session:
        found = report_session(session)
    assert found.streams[0].unreadable_s == pytest.approx(1.0)
    assert any("cannot be read" in one.text for one in found.issues)


def test_gaps_are_reported_with_their_place(tmp_path: Path) -> None:
    planted, fs = Planted(tmp_path, 20.0), 500.0
    times = np.arange(10_000) / fs
    kept = (times < 8) | (times >= 9)
    samples = np.random.default_rng(1).standard_normal((10_000, 2)).astype(np.float32)
    planted.stream("emg", StreamInfo(2, fs), samples[kept], times[kept])
    with open_session_store(planted.finish()) as session:
        found = report_session(session)
    [stream] = found.streams
    [gap] = stream.gaps
    assert (gap.at_s, gap.seconds) == (pytest.approx(8.0, abs=0.05), pytest.approx(1.0, abs=0.05))
    assert stream.coverage == pytest.approx(0.95, abs=0.005)
    assert "covers 95 %" in found.issues[0].text


def test_an_output_that_is_there_is_not_replaced_unasked(judged: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text("mine")
    assert run(["report", str(judged), "-o", str(page)]) == 2
    assert page.read_text() == "mine"
    assert run(["report", str(judged), "-o", str(page), "--overwrite"]) == 1
    assert page.read_text().startswith("<!doctype html>")
    assert run(["report", str(judged), "-o", str(tmp_path / "no" / "page.html")]) == 1


def test_without_the_template_library_text_and_verdict_are_there_all_the_same(judged, monkeypatch, capsys, tmp_path):
    monkeypatch.setitem(sys.modules, "jinja2", None)
    assert run(["report", str(judged)]) == 1
    told = capsys.readouterr()
    assert "check: 1 channel" in told.out
    assert "myogestic_tui[report]" in told.err
    assert not [*judged.parent.glob("*.html")]
    assert run(["report", str(judged), "-o", str(tmp_path / "page.html")]) == 2


_MEMORY = """
import sys
from myogestic_tui.analysis.report import report_session
from myogestic_tui.session import open_session_store
with open_session_store(sys.argv[1]) as session:
    report_session(session)
[peak] = [line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")]
print(peak)
"""


@pytest.mark.slow
def test_memory_does_not_grow_with_the_session(tmp_path: Path) -> None:
    peaks = []
    for seconds in (80, 400):
        rng = np.random.default_rng(1)
        samples = rng.standard_normal((seconds * 2000, 64)).astype(np.float32)
        path = session_of(tmp_path / str(seconds), 2000.0, samples)
        del samples
        done = subprocess.run([sys.executable, "-c", _MEMORY, str(path)], capture_output=True, text=True, check=True)
        peaks.append(int(done.stdout))
    assert peaks[1] - peaks[0] < 30_000, peaks
