"""Real sessions with known content, recorded through `Session`."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from myogestic_tui.info import StreamInfo
from myogestic_tui.session import Session

START = 5000.0
"""Corrected time of the first sample."""

OFFSET = -3.0
"""What the EMG source's clock has to be corrected by: recorder time = source time + offset."""

LONG_AGO = -1e9
"""When what a script fills in arrived: no evidence of its times, however long the script takes. Without it a machine
that stands still for half a second makes them those of a recording, whose samples came later than they are stamped."""

EMG = StreamInfo(
    4,
    1000.0,
    channel_names=("E1", "E2", "E3", "E4"),
    units=("microvolts",) * 4,
    channel_types=("EMG",) * 4,
    type="EMG",
    source_id="amp-1",
)
VHI = StreamInfo(2, 60.0, type="Control")
MARKERS = StreamInfo(1, 0.0, "string", type="Markers")


class Estimate(NamedTuple):
    """One comparison of clocks, as `Session.add_clock_estimates` takes it."""

    collected_at: float
    offset: float
    uncertainty: float
    remote_time: float


def clock_rows(times, offset=OFFSET, drift=0.0):
    """Estimates every 5 s over the given source times."""
    at = np.arange(times[0] - 1.0, times[-1] + 6.0, 5.0).tolist()
    offsets = [offset + drift * (t - at[0]) for t in at]
    return [Estimate(t + o, o, 1e-5, t) for t, o in zip(at, offsets, strict=True)]


def emg_of(n, info=EMG, seed=7):
    """``(n, n_channels)`` in the stream's dtype."""
    values = np.random.default_rng(seed).standard_normal((n, info.n_channels)) * 50
    if info.np_dtype.kind == "i":
        values = np.clip(values, -120, 120)
    return values.astype(info.np_dtype)


def fill(session, name, info, data, times, offset=0.0):
    """Append samples whose corrected times are given, stamped by a clock that is off; in chunks."""
    session.init_stream(name, info, began=LONG_AGO)
    raw = np.asarray(times, np.float64) - offset
    if offset and len(raw):
        session.add_clock_estimates(name, clock_rows(raw, offset))
    for at in range(0, len(raw), 500):
        session.append(name, data[at : at + 500], raw[at : at + 500], arrived=LONG_AGO)


def make_session(base, *, seconds=8.0, info=EMG, gap=None, labels=None, pack=True, more=True, fields=None, seed=7):
    """EMG 3 s off the recorder's clock, a control stream, markers, labels a second and a half apart; returns its path.

    ``gap`` is ``(seconds after the start, length)``. Class ``k`` of 0, 1, 2 holds in turn; -1 in between, once.
    """
    session = Session(base, class_names=["Rest", "Fist", "Pinch"], fields=fields)
    n = round(seconds * info.fs)
    times = START + np.arange(n) / info.fs
    if gap is not None:
        times[times >= START + gap[0]] += gap[1]
    fill(session, "emg", info, emg_of(n, info, seed), times, OFFSET)
    if more:
        ramp = np.arange(round(seconds * VHI.fs))
        fill(session, "vhi_control", VHI, np.stack([ramp, -ramp], 1).astype("float32"), START + 0.25 + ramp / VHI.fs)
        texts = np.array([["go"], ["größer µ"], [""]], object)
        fill(session, "markers", MARKERS, texts, START + np.array([1.0, 2.5, 4.0]))
    if labels is None:
        labels = [(START + 0.5 + 1.5 * k, c) for k, c in enumerate([0, 1, 2, -1, 1]) if 0.5 + 1.5 * k < seconds]
    for at, index in labels:
        session.add_label(index, at)
    session.finish()
    return session.pack_to_zip() if pack else session.path
