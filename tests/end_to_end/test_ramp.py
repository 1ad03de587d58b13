"""Every sample that was sent between start and stop is in the archive once, in order, bit for bit."""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from myogestic_tui import App, Stream
from myogestic_tui.session import open_session_store
from tests.sending import RampOutlet, ramp, wait_for


def record(outlets: list[RampOutlet], folder: Path, seconds: float) -> tuple[Path, float, float]:
    """Record all outlets through an app; return the archive, and the instants just after start and just before stop."""
    from myogestic_tui.sources import LSLSource

    app = App("ramp", sessions_dir=folder)
    app.streams(*(Stream(outlet.name, source=LSLSource(outlet.name)) for outlet in outlets))
    app.open()
    try:
        wait_for(lambda: all(stream.info is not None for stream in app.ctx.streams.values()))
        assert app.start_recording()
        began = time.monotonic()
        time.sleep(seconds)
        ended = time.monotonic()
        assert app.stop_recording()
    finally:
        app.shut()
    return Path(app.ctx.session.path), began, ended


def check(archive: Path, outlet: RampOutlet, began: float, ended: float) -> None:
    """All that was stamped from ``began`` to ``ended`` is there, with its own stamp, and nothing twice."""
    with open_session_store(archive) as session:
        data, stamps = session.stores[outlet.name][:], session.ts_stores[outlet.name][:]
    sent = outlet.all_stamps
    first = int(np.searchsorted(sent, stamps[0]))
    assert data.dtype == np.dtype(outlet.dtype)
    np.testing.assert_array_equal(stamps, sent[first : first + len(stamps)])
    np.testing.assert_array_equal(data, ramp(first, len(data), outlet.n_channels, outlet.dtype))
    assert np.all(np.diff(stamps) > 0)
    assert stamps[0] <= began + 1 / outlet.fs, "the first samples are missing"
    assert stamps[-1] >= ended - 1 / outlet.fs, "the last samples are missing"


@pytest.mark.parametrize(
    "layouts",
    [
        pytest.param([(64, 2048.0, "float32", 10.0)], id="64-float32"),
        pytest.param([(16, 2048.0, "int16", 3.0)], id="int16"),
        pytest.param([(8, 1000.0, "float64", 3.0)], id="float64"),
        pytest.param([(32, 2048.0, "float32", 3.0), (9, 60.0, "float32", 3.0)], id="two-rates"),
    ],
)
def test_every_sample_sent_is_in_the_archive_once(layouts, unique: str, tmp_path: Path) -> None:
    with ExitStack() as stack:
        outlets = [
            stack.enter_context(RampOutlet(f"{unique}{place}", channels, fs, dtype, chunk=32 if fs > 100 else 1))
            for place, (channels, fs, dtype, _) in enumerate(layouts)
        ]
        archive, began, ended = record(outlets, tmp_path, layouts[0][3])
    assert archive.name.endswith(".session.zip")
    for outlet in outlets:
        check(archive, outlet, began, ended)
