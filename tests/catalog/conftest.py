"""Small finished sessions to list, edit and copy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from myogestic_tui import StreamInfo
from myogestic_tui.clock import local_clock
from myogestic_tui.session import Session


@pytest.fixture
def record(tmp_path: Path) -> Callable[..., Path]:
    """Make a packed session of two streams of numbers; returns the archive."""

    def make(n_samples: int = 600, **fields: object) -> Path:
        session = Session(tmp_path / "sessions", class_names=["Rest", "Fist"], fields=fields, reserve_bytes=0)
        at = local_clock()
        session.init_stream("emg", StreamInfo(4, 200.0))
        data = np.random.default_rng(1).standard_normal((n_samples, 4)).astype(np.float32)
        session.append("emg", data, at + np.arange(n_samples) / 200.0)
        session.add_label(1, at)
        session.add_note("as recorded")
        return session.pack_to_zip()

    return make
