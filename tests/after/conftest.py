"""A session of trials whose signal changes later than its labels."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from myogestic_tui import StreamInfo

from .planted import Planted

FS, TRIAL_S = 500.0, 3.0
LATE_S = 0.3
"""So much later than its label the signal changes."""


@pytest.fixture
def trials(tmp_path: Path) -> Callable[..., Path]:
    """Rest and Fist in turn, 3 s each; the folder of the finished session, or its archive."""

    def make(n_trials: int = 8, packed: bool = False, late_s: float = LATE_S, **fields: object) -> Path:
        planted = Planted(tmp_path / "sessions", n_trials * TRIAL_S, **fields)
        times = np.arange(int(planted.seconds * FS)) / FS
        active = (np.floor(np.maximum(times - late_s, 0.0) / TRIAL_S) % 2).astype(bool)
        noise = np.random.default_rng(3).standard_normal((len(times), 4))
        samples = (noise * np.where(active, 100.0, 5.0)[:, None]).astype(np.float32)
        planted.stream("emg", StreamInfo(4, FS, type="EMG"), samples)
        planted.labels((TRIAL_S * trial, trial % 2) for trial in range(n_trials))
        return planted.finish(packed=packed)

    return make
