"""Planted latency, jitter, drift, lost and doubled pulses come back within their standard errors."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import pytest

from myogestic_tui import App, Stream, StreamInfo
from myogestic_tui.analysis.edges import EdgeRule, Events, events_in
from myogestic_tui.analysis.pairing import pair_events
from myogestic_tui.analysis.sync import Sync, summarise, sync_streams
from myogestic_tui.cli.command_table import run
from myogestic_tui.control.embedded import hosted
from myogestic_tui.errors import ConfigError, UnknownStreamError
from myogestic_tui.session import open_session_store
from tests.after.planted import Planted
from tests.sending import RampSource, wait_for


def paired(markers: np.ndarray, pulses: np.ndarray, most_s: float = 0.5) -> Sync:
    mine, theirs = (Events(name, np.sort(times), 0.0, 0.0) for name, times in (("m", markers), ("p", pulses)))
    return summarise(mine, theirs, pair_events(mine.times, theirs.times, most_s))


def markers_of(rng: np.random.Generator, n: int = 400) -> np.ndarray:
    """Unevenly spaced, 0.6 to 1.4 s apart."""
    return 1000.0 + np.cumsum(rng.uniform(0.6, 1.4, n))


def test_planted_figures_come_back_within_their_standard_errors() -> None:
    """Over 36 draws the errors, in standard errors, have the spread that standard errors have."""
    scores: dict[str, list[float]] = {"median": [], "sd": [], "drift": []}
    for seed in range(36):
        rng = np.random.default_rng(seed)
        markers = markers_of(rng)
        late = 0.035 + 20e-6 * (markers - markers.mean()) + rng.normal(0, 0.004, len(markers))
        lost, twice = rng.choice(len(markers), 12, False), rng.choice(len(markers), 7, False)
        kept = np.delete(np.arange(len(markers)), lost)
        twice = np.setdiff1d(twice, lost)
        pulses = np.concatenate([(markers + late)[kept], (markers + late)[twice] + 0.055])
        found = paired(markers, pulses)
        assert (found.missed, found.doubled, found.extra) == (12, len(twice), 0)
        assert found.n_pairs == len(kept)
        assert not found.ambiguous
        scores["median"].append((found.median_ms - 35.0) / found.median_error_ms)
        scores["sd"].append((found.sd_ms - 4.0) / found.sd_error_ms)
        scores["drift"].append((found.drift_ppm - 20.0) / found.drift_error_ppm)
    for name, values in scores.items():
        assert abs(np.mean(values)) < 3 / np.sqrt(36) + 0.15, name
        assert 0.7 < np.std(values) < 1.35, name


@pytest.mark.parametrize("latency", [-0.42, -0.05, 0.0, 0.003, 0.3, 0.48])
def test_latencies_of_either_sign_are_found(latency: float) -> None:
    rng = np.random.default_rng(1)
    markers = markers_of(rng, 80)
    found = paired(markers, markers + latency + rng.normal(0, 0.001, 80))
    assert found.median_ms == pytest.approx(1e3 * latency, abs=0.6)
    assert (found.n_pairs, found.missed, found.doubled, found.extra) == (80, 0, 0, 0)


def test_a_large_drift_over_an_hour_is_followed() -> None:
    rng = np.random.default_rng(2)
    markers = markers_of(rng, 3600)
    late = 0.02 + 100e-6 * (markers - markers[0]) + rng.normal(0, 0.002, 3600)
    found = paired(markers, markers + late)
    assert found.drift_ppm == pytest.approx(100.0, abs=3 * found.drift_error_ppm)
    assert found.sd_ms == pytest.approx(2.0, abs=3 * found.sd_error_ms)
    assert found.n_pairs == 3600
    assert found.worst_ms == pytest.approx(float(1e3 * late[np.argmax(np.abs(late - np.median(late)))]))


def test_evenly_spaced_pulses_that_can_be_paired_in_two_ways_are_called_ambiguous() -> None:
    markers = 10.0 + 0.4 * np.arange(100)
    found = paired(markers, markers + 0.15)
    assert "150 ms or -250 ms" in found.ambiguous or "-250 ms or 150 ms" in found.ambiguous
    assert not paired(markers, markers + 0.15, 0.2).ambiguous
    second = 10.0 + np.arange(100)
    assert not paired(second, second + 0.15).ambiguous


@pytest.mark.parametrize(("n_markers", "n_pulses"), [(0, 0), (0, 5), (5, 0), (1, 1), (2, 2)])
def test_few_events_are_no_error(n_markers: int, n_pulses: int) -> None:
    found = paired(10.0 + np.arange(n_markers), 10.1 + np.arange(n_pulses))
    assert found.n_pairs == min(n_markers, n_pulses)
    assert found.sd_ms is None
    assert found.missed == n_markers - found.n_pairs


def test_streams_that_have_nothing_to_do_with_each_other_are_told_by_what_is_missed() -> None:
    rng = np.random.default_rng(3)
    found = paired(markers_of(rng, 200), markers_of(rng, 200))
    assert found.missed > 100 or found.ambiguous


# ---------------------------------------------------------------- sessions

FS, SECONDS, LATENCY, SD = 1000.0, 120.0, 0.042, 0.003


@pytest.fixture(scope="module")
def experiment(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, np.ndarray]]:
    """Markers, and pulses in the third channel, one of them lost and one doubled; a photodiode that goes down."""
    rng = np.random.default_rng(5)
    planted = Planted(tmp_path_factory.mktemp("sync"), SECONDS)
    markers = np.cumsum(rng.uniform(0.5, 1.2, 200))
    markers = markers[markers < SECONDS - 1.5]
    late = LATENCY + rng.normal(0, SD, len(markers))
    rises = np.concatenate([np.delete(markers + late, 20), [markers[50] + late[50] + 0.06]])
    times = np.arange(int(SECONDS * FS)) / FS
    samples = rng.standard_normal((len(times), 4)).astype(np.float32) * 3
    up = np.zeros(len(times), bool)
    for rise in rises:
        up |= (times >= rise) & (times < rise + 0.02)
    samples[:, 2] += np.where(up, 5000, 100)
    samples[:, 3] -= np.where(up, 900, 0)
    planted.stream("emg", StreamInfo(4, FS, channel_names=("a", "b", "trigger", "diode")), samples)
    texts = np.array([["stim" if place % 4 else "pause"] for place in range(len(markers))], object)
    planted.stream("PsychoPy", StreamInfo(1, 0.0, "string"), texts, markers)
    return planted.finish(packed=True), {"markers": markers, "late": late}


def test_pulses_of_a_channel_are_paired_with_markers(experiment) -> None:
    path, truth = experiment
    with open_session_store(path) as session:
        found = sync_streams(session, "emg:3", "PsychoPy")
        named = sync_streams(session, "emg:trigger", "PsychoPy")
        both = sync_streams(session, "emg:diode", "emg:trigger", rule=EdgeRule(falling=True))
    assert named == found
    assert (found.missed, found.doubled, found.extra) == (1, 1, 0)
    assert found.missed_at_s == pytest.approx([truth["markers"][20]], abs=0.01)
    assert found.median_ms == pytest.approx(1e3 * LATENCY, abs=3 * found.median_error_ms)
    assert found.sd_ms == pytest.approx(1e3 * SD, abs=3 * found.sd_error_ms)
    assert found.resolution_ms == pytest.approx(1.0)
    assert found.largest_ms == pytest.approx(1e3 * float(np.delete(truth["late"], 20).max()), abs=1.0)
    assert abs(both.median_ms) < 0.05
    assert both.missed == both.extra == 0
    assert both.n_pairs == len(truth["markers"])


def test_only_some_markers_count_when_asked(experiment) -> None:
    path, truth = experiment
    with open_session_store(path) as session:
        found = sync_streams(session, "emg:3", "PsychoPy", marker_rule=EdgeRule(only=("stim",)))
    assert found.n_markers == sum(place % 4 > 0 for place in range(len(truth["markers"])))
    assert found.extra > 30


@pytest.mark.parametrize(
    ("pulses", "markers", "error", "why"),
    [
        ("emg", "PsychoPy", ConfigError, "has 4 channels; name the one"),
        ("emg:5", "PsychoPy", ConfigError, "no channel '5'"),
        ("emg:0", "PsychoPy", ConfigError, "no channel '0'"),
        ("emg:x", "PsychoPy", ConfigError, "no channel 'x'"),
        ("emg:1", "PsychoPy", ConfigError, "no two levels"),
        ("eeg:1", "PsychoPy", UnknownStreamError, "eeg"),
        ("emg:3", "Psycho", UnknownStreamError, "Psycho"),
        ("emg:3", "emg:3", ConfigError, "itself"),
    ],
)
def test_what_cannot_be_compared_is_refused_by_name(experiment, pulses, markers, error, why) -> None:
    with open_session_store(experiment[0]) as session, pytest.raises(error, match=why):
        sync_streams(session, pulses, markers)


def test_an_edge_lies_halfway_between_the_samples_around_it(tmp_path: Path) -> None:
    """So that what is told is right in the mean, whatever the rate; and a ramp is told where it passes the middle."""
    planted = Planted(tmp_path, 4.0)
    steps = np.zeros((400, 2), np.float32)
    for first in range(50, 400, 50):
        steps[first : first + 10, 0] = 1
        steps[first : first + 4, 1] = (0.2, 0.4, 0.6, 0.8)
        steps[first + 4 : first + 14, 1] = 1
    planted.stream("a", StreamInfo(2, 100.0), steps)
    start = planted.start
    with open_session_store(planted.finish()) as session:
        step = events_in(session, "a:1", EdgeRule()).times - start
        ramp = events_in(session, "a:2", EdgeRule(threshold=0.5)).times - start
    assert step == pytest.approx(np.arange(50, 400, 50) / 100 - 0.005, abs=2e-3)
    assert ramp == pytest.approx(np.arange(50, 400, 50) / 100 + 0.015, abs=2e-3)


def test_a_channel_without_a_pulse_says_so(tmp_path: Path) -> None:
    planted = Planted(tmp_path, 4.0)
    planted.stream("a", StreamInfo(3, 100.0), np.full((400, 3), [0, np.nan, 7], np.float32))
    with open_session_store(planted.finish()) as session:
        for spec in ("a:1", "a:2", "a:3"):
            with pytest.raises(ConfigError, match="constant"):
                events_in(session, spec, EdgeRule())


# ---------------------------------------------------------------- the commands


def test_the_command_tells_and_its_exit_code_judges(experiment, capsys) -> None:
    path, _ = experiment
    words = ["sync", str(path), "--pulses", "emg:3", "--markers", "PsychoPy"]
    assert run(words) == 0
    told = capsys.readouterr().out
    assert "missed    1   at " in told
    assert "█" in told
    assert run([*words, "--max-ms", "60"]) == 0
    assert run([*words, "--max-ms", "20"]) == 1
    assert "beyond 20 ms" in capsys.readouterr().out
    assert run([*words, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert sum(found["histogram"]) == found["n_pairs"]
    assert len(found["histogram_ms"]) == len(found["histogram"]) + 1
    assert run([*words, "--max-lag-ms", "10"]) == 1
    assert run([*words, "--max-lag-ms", "-1"]) == 2
    assert run(["sync", str(path), "--pulses", "emg:3"]) == 2
    assert run(["sync", str(path), "--pulses", "emg:1", "--markers", "PsychoPy"]) == 2


class Pulses(RampSource):
    """Pulses of 20 ms in the only channel, at times that are the same for each of these sources."""

    def __init__(self, at: np.ndarray) -> None:
        super().__init__(1)
        self._at = at

    def read(self) -> tuple[np.ndarray, np.ndarray]:
        _, stamps = super().read()
        since = stamps[:, None] - self._at
        return ((since >= 0) & (since < 0.02)).any(axis=1).astype(np.float32)[:, None], stamps


def test_ctl_compares_the_last_minute_of_what_is_recorded(tmp_path: Path, capsys) -> None:
    at = time.monotonic() + np.cumsum(np.random.default_rng(1).uniform(0.1, 0.25, 400))
    app = App("sync", sessions_dir=tmp_path / "sessions")
    app.streams(Stream("emg", source=Pulses(at + 0.03)), Stream("force", source=Pulses(at)))
    words = ["ctl", "--sessions", str(tmp_path / "sessions"), "sync", "--pulses", "emg:1", "--markers", "force"]
    app.open()
    try:
        with hosted(app):
            assert run(words) == 1
            assert "not recording" in capsys.readouterr().err
            wait_for(lambda: all(stream.info is not None for stream in app.ctx.streams.values()))
            session = app.start_recording()
            wait_for(lambda: session.snapshot().n_samples.get("emg", 0) > 1500)
            assert run([*words, "--json"]) == 0
            found = json.loads(capsys.readouterr().out)
            assert found["median_ms"] == pytest.approx(30.0, abs=2.5)
            assert found["n_pairs"] >= 8
            assert run([*words, "--max-ms", "5"]) == 1
    finally:
        app.shut()
