"""Random streams as devices make them: odd rates, gaps, jitter, clock offsets, stamps that are no numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import strategies as st

from myogestic_tui.clock import timeline_of
from myogestic_tui.clock.timeline import Piece
from myogestic_tui.info import StreamInfo
from myogestic_tui.session.format.arrays import ListedArray
from myogestic_tui.session.format.zarr_format import ArraySpec
from myogestic_tui.session.signal.streamdata import StreamData

RATES = [0.5, 1.0, 7.3, 60.0, 100.0, 333.33, 1000.0]


def in_memory(info, data, raw, offset=0.0):
    """A `StreamData` over arrays; ``offset`` from its clock to the recorder's is known."""
    known = Piece(0, "uncompared", np.zeros(1), np.array([offset]), 0.01)
    found = replace(timeline_of(raw, info.fs), pieces=(known,))
    stamps = ListedArray(ArraySpec.timestamps(info), raw)
    return StreamData("emg", info, ListedArray(ArraySpec.data(info), data), stamps, lambda: found)


@st.composite
def recordings(draw, rates=RATES, longest=300, start=100.0):
    """A `StreamData` in memory."""
    fs = draw(st.sampled_from(rates))
    n = draw(st.integers(0, longest))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    times = start + draw(st.floats(0, 0.5)) + np.arange(n) / (fs or 50.0)
    if fs == 0:
        times = np.sort(start + rng.random(n) * 5)
    for _ in range(draw(st.integers(0, 3)) if n else 0):
        times[draw(st.integers(0, n - 1)) :] += draw(st.sampled_from([0.5, 1.0, 3.0, 7.0, 100.0])) / (fs or 50.0)
    if draw(st.booleans()):
        chunk = draw(st.integers(2, 16))
        times += np.repeat(rng.random(n // chunk + 1) * 0.5 / (fs or 50.0), chunk)[:n]
    if n and draw(st.integers(0, 9)) == 0:
        times[draw(st.integers(0, n - 1))] = np.nan
    offset, jump_at = draw(st.sampled_from([0.0, -3.0, 1000.0])), draw(st.integers(0, max(1, 2 * n)))
    offsets = np.where(np.arange(n) < jump_at, offset, offset + 5.0)
    raw = times - offsets
    n_channels = draw(st.integers(1, 5))
    data = rng.standard_normal((n, n_channels)).astype("float32")
    return in_memory(StreamInfo(n_channels, fs), data, raw, offset)


@st.composite
def label_events(draw, stream):
    """Label times before, after, on and between the samples, ascending; and a class for each."""
    times = stream.times(0, stream.n_samples)
    times = times[np.isfinite(times)]
    places = [st.floats(90, 130)]
    if len(times):
        places += [st.sampled_from(times.tolist()), st.floats(float(times.min()) - 1, float(times.max()) + 1)]
    events = sorted(draw(st.lists(st.one_of(places), max_size=8)))
    return events, draw(st.lists(st.integers(-1, 2), min_size=len(events), max_size=len(events)))
