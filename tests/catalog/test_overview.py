"""The overview shows every peak, where it was, with labels and gaps; of foreign sessions too."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from myogestic_tui import StreamInfo
from myogestic_tui.cli.plot_text import plot_text
from myogestic_tui.clock import local_clock
from myogestic_tui.errors import ConfigError
from myogestic_tui.session import Session, open_session_store
from myogestic_tui.session.reading.overview import read_overview
from myogestic_tui.session.reading.overview_table import KEPT

FS, SPIKE_AT, GAP_AT = 100.0, 40.37, 70.0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A finished folder: 100 s of two channels, one single-sample spike, one gap of 10 s, a marker stream."""
    session = Session(tmp_path / "sessions", class_names=["Rest", "Fist"], reserve_bytes=0)
    start = local_clock()
    session.init_stream("emg", StreamInfo(2, FS, units=("microvolts", "microvolts")))
    session.init_stream("markers", StreamInfo(1, 0.0, "string"))
    data = np.zeros((10_000, 2), np.float32)
    data[round(SPIKE_AT * FS), 1] = 500.0
    stamps = start + np.arange(10_000) / FS
    stamps[round(GAP_AT * FS) :] += 10.0
    for at in range(0, 10_000, 100):
        session.append("emg", data[at : at + 100], stamps[at : at + 100])
    session.add_label(1, start + 20.0)
    session.finish()
    return session.path


def text(overview, width: int = 100, height: int = 20) -> list[str]:
    return plot_text(overview, width, height, lambda index: "12"[index])


def test_a_single_sample_spike_is_seen_where_it_was(folder: Path) -> None:
    with open_session_store(folder) as session:
        for columns in (40, 100, 200):
            overview = read_overview(session, "emg", 1, columns=columns)
            assert not overview.raw
            assert overview.high.max() == 500.0
            at = overview.times[overview.high.argmax()]
            assert at <= SPIKE_AT + 0.02 <= at + overview.seconds / columns + 2.0


def test_a_close_look_is_drawn_from_the_samples(folder: Path) -> None:
    with open_session_store(folder) as session:
        overview = read_overview(session, "emg", 1, first_s=40.0, last_s=41.0)
    assert overview.raw
    assert abs(overview.times[overview.high.argmax()] - SPIKE_AT) < 0.5


def test_labels_and_gaps_stand_beneath(folder: Path) -> None:
    with open_session_store(folder) as session:
        overview = read_overview(session, "emg")
    ((when, seconds),) = overview.gaps
    assert abs(when - GAP_AT) < 0.5
    assert abs(seconds - 10.0) < 0.011
    lines = text(overview)
    assert "▲ gap 10.0 s at 1:10" in lines[-1]
    assert "│2━━━" in lines[-2]
    assert {len(line) for line in lines[1:-2]} == {100}


@pytest.mark.parametrize("channel", [None, 1])
def test_nothing_is_drawn_where_nothing_was_recorded(folder: Path, channel: int | None) -> None:
    with open_session_store(folder) as session:
        overview = read_overview(session, "emg", channel, columns=200)
    lines = text(overview)
    left, right = lines[1].index("┌") + 1, lines[1].index("┐")
    plot = [line[left:right] for line in lines[2:-3] if line[left - 1] in "│┤"]

    def drawn(first_s: float, last_s: float) -> str:
        cells = [int(at / overview.seconds * (right - left)) for at in (first_s, last_s)]
        return "".join(line[cells[0] : cells[1]] for line in plot).strip()

    assert drawn(60.0, 69.0)
    assert drawn(85.0, 100.0)
    assert not drawn(GAP_AT + 2.0, GAP_AT + 8.0)


def test_a_session_without_overviews_gets_them_once(folder: Path) -> None:
    with open_session_store(folder) as session:
        own = read_overview(session, "emg", 1, columns=50)
    shutil.rmtree(folder / "emg_overview.zarr")
    (folder / "meta.json").unlink()
    for _ in range(2):
        with open_session_store(folder) as session:
            computed = read_overview(session, "emg", 1, columns=50)
        np.testing.assert_array_equal(computed.high, own.high)
    assert len(list((folder.parent / ".myogestic" / KEPT).iterdir())) == 1


@pytest.mark.parametrize(
    "wrong", [{"stream": "markers"}, {"channel": 2}, {"first_s": 50.0, "last_s": 40.0}, {"first_s": 5000.0}]
)
def test_what_cannot_be_drawn_is_refused_by_name(folder: Path, wrong) -> None:
    with open_session_store(folder) as session, pytest.raises(ConfigError):
        read_overview(session, **wrong)
