"""The line through clock offsets, piece by piece."""

from __future__ import annotations

import numpy as np
import pytest

from myogestic_tui.clock import offsets


@pytest.mark.parametrize("n", [1, 2, 59, 60, 61, 119, 120, 150, 200])
def test_neighbours_are_summed_up_as_they_are_without_vectors(n: int):
    values = np.random.default_rng(n).standard_normal(n)
    parts = np.array_split(np.arange(n), min(n, offsets._MOST_POINTS))
    np.testing.assert_array_equal(offsets._part_medians(values), [np.median(values[part]) for part in parts])
