"""A cued protocol from one key to the archive: operator's screen, subject's screen, labels and markers agree."""

from __future__ import annotations

import sys
from contextlib import suppress
from itertools import accumulate
from pathlib import Path

import numpy as np

from myogestic_tui.app.cue_markers import CUE_STREAM, NO_LABEL
from myogestic_tui.app.protocol import make_plan
from myogestic_tui.errors import StreamNotFoundError
from myogestic_tui.session import open_session_store
from myogestic_tui.sources import LSLSource
from tests.sending import RampOutlet, wait_for
from tests.tui.terminal import Terminal, shows

NAMES = ("Rest", "Fist", "Pinch")
STEPS, REPEATS, SEED = (("Fist", 0.7), ("Pinch", 0.9)), 3, 7


def config(name: str) -> str:
    """One stream, and a protocol whose lead-in waits for a key."""
    steps = ", ".join(f'{{ gesture = "{gesture}", seconds = {seconds} }}' for gesture, seconds in STEPS)
    return "\n".join(
        (
            f'app_name = "{name}"',
            *(f'[[gestures]]\nname = "{gesture}"' for gesture in NAMES),
            f'[[streams]]\nname = "{name}"\nrequired = true',
            f'[[protocols]]\nname = "short"\nsteps = [{steps}]\nrepeats = {REPEATS}\nshuffle = true',
            f"seed = {SEED}\nlead_in = 600",
        )
    )


class Markers:
    """What an LSL marker stream said since it was connected."""

    def __init__(self, source: LSLSource) -> None:
        self.source = source
        self.heard: list[tuple[str, float]] = []

    def connected(self) -> bool:
        with suppress(StreamNotFoundError):
            self.source.connect()
            return True
        return False

    def n_heard(self) -> int:
        texts, stamps = self.source.read()
        self.heard += [(str(text), float(at)) for text, at in zip(texts[:, 0], stamps, strict=True)]
        return len(self.heard)


def test_three_times_two_cues_stand_where_they_were_planned(folder: Path, unique: str) -> None:
    (folder / "myogestic.toml").write_text(config(unique))
    command = [sys.executable, "-m", "myogestic_tui"]
    markers = Markers(LSLSource(CUE_STREAM, source_id=f"{unique}-cues"))
    with (
        RampOutlet(unique, 4, 500.0),
        Terminal(command, cwd=folder) as operator,
        Terminal([*command, "cue"], cwd=folder) as subject,
    ):
        operator.wait_for("1/1 streams")
        operator.press("r")
        operator.wait_for("READY")
        operator.press("c")
        operator.wait_for("a short")
        operator.press("a")
        operator.wait_for("with protocol short?")
        operator.press("enter")
        operator.wait_for("get ready")
        subject.wait_for(shows("get ready", 80))
        wait_for(markers.connected)
        operator.press("k")
        subject.wait_for(shows("fist", 80))
        subject.wait_for(shows("finished", 80))
        operator.wait_for("protocol short done")
        assert operator.n_bells() == len(STEPS) * REPEATS
        assert subject.n_bells() == 0, "both rang"
        wait_for(lambda: markers.n_heard() > len(STEPS) * REPEATS)
        operator.press("x")
        operator.wait_for("⏎ save")
        operator.press("enter")
        operator.wait_for("○ IDLE")
        subject.press("x", "1", "escape", "q")
        assert subject.wait_exit() == 0
        assert subject.is_restored()
        operator.press("q")
        assert operator.wait_exit() == 0
        markers.source.disconnect()
    check(next((folder / "sessions").glob("2*")), markers.heard)


def check(path: Path, markers: list[tuple[str, float]]) -> None:
    """Labels and markers are the plan's, at the plan's times."""
    plan = make_plan("short", [(NAMES.index(name), s) for name, s in STEPS], repeats=REPEATS, shuffle=True, seed=SEED)
    with open_session_store(path) as session:
        labels = session.label_track
    assert [label.class_index for label in labels] == [*(cue.class_index for cue in plan.cues), -1]
    assert {label.source for label in labels} == {"protocol"}
    at = np.array([label.timestamp for label in labels])
    late = at - list(accumulate((cue.seconds for cue in plan.cues), initial=0.0))
    late -= late.min()
    assert np.median(late) < 0.3, f"seconds after the plan: {late}"
    assert [text for text, _ in markers] == [*(NAMES[cue.class_index] for cue in plan.cues), NO_LABEL]
    np.testing.assert_allclose([sent for _, sent in markers], at, atol=1e-6)
