"""Names and texts that a format cannot hold: nothing fails, each channel has a name of its own, it is reported."""

from __future__ import annotations

import html
import json
from dataclasses import replace

import numpy as np
import pytest

from myogestic_tui import ChannelGrid
from myogestic_tui.info import StreamInfo
from myogestic_tui.session import Session, open_session_store
from myogestic_tui.session.export import export_session
from myogestic_tui.session.reading.frames import distinct_channels
from tests.windows.making import START, emg_of, fill

GRID = ChannelGrid("предплечье", ((0, 1), (2, 3)), "zginacz – łokieć", "left", 8.0)
NAMES = ("größe", "握", "a\tb", "a" * 15 + "µ und mehr", "?", "x", "x", "x-2")
EMG = StreamInfo(8, 1000.0, channel_names=NAMES, units=("µV",) * 8, type="EMG", manufacturer="Łódź")
EMG = replace(EMG, channel_grids=(GRID,))


@pytest.fixture(scope="module")
def odd(tmp_path_factory):
    session = Session(
        tmp_path_factory.mktemp("sessions"), class_names=["握拳", "Fäust"], fields={"subject": "Pß 07"}, reserve_bytes=0
    )
    fill(session, "emg", EMG, emg_of(2000, EMG), START + np.arange(2000) / 1000)
    for at, index in ((0.0, 0), (1.0, 1)):
        session.add_label(index, START + at)
    session.finish()
    return session.pack_to_zip()


def test_fif_holds_what_is_not_ascii_or_not_latin(odd, tmp_path) -> None:
    import mne

    with open_session_store(odd) as session:
        done = export_session(session, "fif", tmp_path)
        values, _ = session.get_continuous("emg")
    raw = mne.io.read_raw_fif(done.paths[0], verbose="error")
    assert raw.ch_names == ["gr??e", "?", "a?b", "a" * 15 + "u und mehr", "?-2", "x", "x-3", "x-2"]
    np.testing.assert_allclose(raw.get_data().T * 1e6, values, rtol=1e-6)
    assert [html.unescape(text) for text in raw.annotations.description] == ["握拳", "Fäust"]
    assert raw.info["subject_info"]["his_id"] == "Pß 07"
    assert "предплечье" in str(json.loads(raw.info["description"]))
    assert any("'größe' is 'gr??e'" in one for one in done.remarks)
    assert any("html.unescape" in one for one in done.remarks)


@pytest.mark.parametrize("fmt", ["edf", "bdf"])
def test_edf_tells_what_it_calls_subject_and_channels(odd, tmp_path, fmt) -> None:
    import edfio

    with open_session_store(odd) as session:
        done = export_session(session, fmt, tmp_path)
    read = (edfio.read_edf if fmt == "edf" else edfio.read_bdf)(done.paths[0])
    assert read.patient.code == "P?_07"
    assert "the subject 'Pß 07' is 'P?_07' in the header: at most 30 ASCII characters" in done.remarks
    labels = [signal.label for signal in read.signals]
    assert len(set(labels)) == len(labels) == 8
    assert [one.text for one in read.annotations] == ["握拳", "Fäust"]


@pytest.mark.parametrize(
    ("names", "each_once"),
    [
        (["A", "A", "B"], ["A", "A-2", "B"]),
        (["A", "A", "A-2"], ["A", "A-3", "A-2"]),
        (["A-2", "A", "A", "A"], ["A-2", "A", "A-3", "A-4"]),
        (["", "", ""], ["", "-2", "-3"]),
    ],
)
def test_each_channel_has_a_name_of_its_own(names, each_once) -> None:
    assert distinct_channels(names) == each_once


@pytest.mark.parametrize("fmt", ["edf", "bdf"])
@pytest.mark.parametrize(("unit", "volts"), [("nV", 1e-9), ("nanovolts", 1e-9), ("uV", 1e-6), ("mV", 1e-3), ("V", 1.0)])
@pytest.mark.parametrize(
    ("dtype", "scale"), [("int16", 3000), ("int8", 20), ("int32", 1e5), ("float32", 5.0), ("float64", 0.01)]
)
def test_mne_reads_each_voltage_as_what_it_is(tmp_path, fmt, unit, volts, dtype, scale) -> None:
    """MNE knows µV and mV, and takes whatever else it finds for volts."""
    import mne

    info = StreamInfo(2, 500.0, dtype, units=(unit,) * 2, type="EMG")
    values = (np.random.default_rng(2).standard_normal((1000, 2)) * scale).round(6).astype(dtype)
    session = Session(tmp_path / "sessions", reserve_bytes=0)
    fill(session, "emg", info, values, START + np.arange(1000) / 500)
    session.finish()
    with open_session_store(session.pack_to_zip()) as reader:
        done = export_session(reader, fmt, tmp_path)
    read = {"edf": mne.io.read_raw_edf, "bdf": mne.io.read_raw_bdf}[fmt](done.paths[0], verbose="error")
    if any("nV, which MNE takes for volts" in one for one in done.remarks):
        assert np.abs(values * volts).max() < 1e-9
        return
    found = read.get_data().T / volts
    np.testing.assert_allclose(found, values, atol=1.01 * np.ptp(values.astype(float)) / 2**16)
