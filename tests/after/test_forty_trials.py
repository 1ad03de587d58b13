"""A session of 40 trials with planted mistakes, as somebody meets it who has read the page: found, and set right."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from myogestic_tui import StreamInfo
from myogestic_tui.cli.command_table import run
from myogestic_tui.session import labeled_windows, open_session_store, verify_session
from tests.after.planted import Planted

FS, TRIAL_S, LATE_S, N = 500.0, 4.0, 0.35, 40
IDLE, RESTLESS, LOOSE, WRONG, TWICE = 12, 21, 30, 16, 25
"""Trials, from 1: no fist made; not at rest; electrode 6 came off; labelled Fist, was Pinch; a key was hit twice."""


@pytest.fixture
def session(tmp_path: Path) -> Path:
    """Rest and Fist in turn, every fourth trial Pinch; the subject is always late."""
    rng, planted = np.random.default_rng(4), Planted(tmp_path / "sessions", N * TRIAL_S)
    times = np.arange(int(N * TRIAL_S * FS)) / FS
    trial = np.clip(((times - LATE_S) // TRIAL_S).astype(int) + 1, 1, N)
    done = {n: 0 if n % 2 else 2 if n % 4 == 0 else 1 for n in range(1, N + 1)}
    labels = [(TRIAL_S * (n - 1), done[n]) for n in range(1, N + 1)]
    labels[WRONG - 1] = (labels[WRONG - 1][0], 1)
    labels.insert(TWICE, (labels[TWICE - 1][0] + 0.2, 0))
    done |= {IDLE: 0, RESTLESS: 1}
    loud = np.array([5.0, 100.0, 60.0])[[done[n] for n in trial.tolist()]]
    samples = (rng.standard_normal((len(times), 8)) * loud[:, None]).astype(np.float32)
    samples[trial == LOOSE, 5] = 0.0
    planted.stream("emg", StreamInfo(8, FS, type="EMG"), samples)
    planted.labels(labels)
    return planted.finish(packed=True)


def issues(session: Path, capsys) -> list[str]:
    run(["report", str(session), "--no-page"])
    return [line.strip(" ✗") for line in capsys.readouterr().out.splitlines() if "✗" in line]


def test_every_planted_mistake_is_found_by_the_report_or_set_right_by_the_editor(session: Path, capsys) -> None:
    found = issues(session, capsys)
    assert any(f"trial {IDLE} Fist is" in text or f"trial {IDLE} Pinch is" in text for text in found), found
    assert any(f"trial {RESTLESS} Rest is" in text and "louder" in text for text in found), found
    # What follows the key that was hit twice counts one more.
    assert any(f"flat in trial {LOOSE + 1}" in text and "channel 6" in text for text in found), found
    assert len(found) == 3, found
    words = ["labels", str(session)]
    marks = [word for trial in (IDLE, RESTLESS, LOOSE + 1) for word in ("--bad", str(trial))]
    assert run([*words, *marks, "--relabel", f"{WRONG}=Pinch", "--drop", str(TWICE)]) == 0
    assert run([*words, "--to-onset", "--apply"]) == 0
    capsys.readouterr()
    assert issues(session, capsys) == []
    with open_session_store(session) as now:
        start = now.meta.anchors[0].lsl
        trials = [one for one in now.label_track if one.class_index >= 0]
        late = np.array([one.timestamp - start for one in trials]) % TRIAL_S
        assert len(trials) == N
        assert trials[WRONG - 1].class_index == 2
        assert [place + 1 for place, one in enumerate(trials) if one.bad] == [IDLE, RESTLESS, LOOSE]
        odd = [place + 1 for place, at in enumerate(late) if abs(at - LATE_S) > 0.02]
        assert set(odd) <= {1, IDLE, IDLE + 1, RESTLESS, RESTLESS + 1, TWICE}, odd
        assert len(now.label_edits) == 2
    assert verify_session(session).ok
    _, classes, groups = labeled_windows([session], "emg", 0.5, 0.5)
    assert len(set(groups.tolist())) == N - 3
    assert set(classes.tolist()) == {0, 1, 2}
