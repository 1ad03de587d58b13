"""Corrected time read in blocks is that of the whole stream."""

from __future__ import annotations

import numpy as np
import pytest

from myogestic_tui.clock import fit_offsets
from myogestic_tui.info import StreamInfo
from myogestic_tui.session.format.arrays import ListedArray
from myogestic_tui.session.format.zarrs import ArraySpec
from myogestic_tui.session.signal import correction
from myogestic_tui.session.signal.correction import Correction


def history(*segments):
    """Clock rows: ``(source time from, to, offset)`` each, an estimate every 5 s."""
    rows = []
    for start, stop, offset in segments:
        rows += [(at + offset, offset, 1e-4, at) for at in np.arange(start, stop, 5.0)]
    return np.array(rows)


@pytest.mark.parametrize("block", [400, 777, 1000, 10**6])
@pytest.mark.parametrize(
    "segments",
    [
        [(1000, 1300, -3.0)],
        [(1000, 1300, -3.0), (1310, 1600, 4.0)],
        [(1000, 1300, 500.0), (10, 600, 1800.0)],
        [(1000, 1300, 500.0), (900, 1500, 900.0), (5000, 5300, -3000.0)],
        [],
    ],
)
def test_blocks_agree_with_the_whole(segments, block, monkeypatch):
    fs = 10.0
    raw = np.concatenate([np.arange(start, stop, 1 / fs) for start, stop, _ in segments] or [np.arange(50) / fs])
    expected = np.concatenate([np.arange(a, b, 1 / fs) + offset for a, b, offset in segments] or [raw])
    monkeypatch.setattr(correction, "_BLOCK", block)
    stamps = ListedArray(ArraySpec.timestamps(StreamInfo(1, fs)), raw)
    fit = fit_offsets(history(*segments))
    correct = Correction(fit, stamps)
    parts = [correct(raw[at : at + block], at) for at in range(0, len(raw), block)]
    np.testing.assert_allclose(np.concatenate(parts), expected, atol=1e-3)
    np.testing.assert_array_equal(np.concatenate(parts), fit.correct(raw))
