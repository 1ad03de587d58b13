"""What is viewed of a session follows the keys, however long a read takes."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from myogestic_tui.clock import local_clock
from myogestic_tui.session.format.summary import Summary
from myogestic_tui.session.library.catalog_entry import Entry
from myogestic_tui.tui.session_cursor import SessionCursor
from tests.archive.test_verify import recorded
from tests.sending import wait_for


def test_keys_faster_than_a_read_add_up(tmp_path):
    n = 1000
    path = recorded(tmp_path, np.ones((n, 4), np.float32), local_clock() + np.arange(n) / 100.0)
    viewer = SimpleNamespace(
        is_running=True, call_from_thread=lambda call, *arguments: call(*arguments), wake=lambda: None
    )
    cursor, one = SessionCursor(viewer), Entry(summary=Summary(path=str(path), state="unfinished"))

    def stretch() -> tuple[float, float, float]:
        overview = cursor.at(one, 80, opened=True).overview
        return (0.0, 0.0, 0.0) if overview is None else (overview.first_s, overview.last_s, overview.seconds)

    wait_for(lambda: stretch()[1] > 0)
    whole = stretch()[2]
    assert whole > 5
    cursor.zoom(0.5)
    cursor.pan(1)
    wait_for(lambda: stretch()[:2] == pytest.approx((whole / 2, whole), abs=0.05))
