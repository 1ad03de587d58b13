"""The tutorial's own code, on a shorter recording: the classifier tells the synthetic gestures apart."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "tutorial-train.md"
SHORTER = (
    "SECONDS, REPEATS, CHANNELS, RATE = 2.5, 6, 32, 1000.0",
    "SECONDS, REPEATS, CHANNELS, RATE = 0.5, 2, 8, 500.0",
)
LABEL = "app.add_label(class_index)  # labels, and tells the synthetic hand"
ARRIVED = """
from myogestic_tui.sources.synthetic_emg import HandSignal


def take_up(app, class_index):
    app.add_label(-1)
    app.generator.gesture(class_index)
    pose, hand = HandSignal().pose(class_index)[:, None], app.ctx.streams["vhi_control"]
    while not app.stopping.wait(0.02) and abs(hand.get_window(0.02)[0][:, -1:] - pose).max() > 1.0:
        pass
    app.add_label(class_index)


"""
"""A busy machine is late to move the hand: the label begins when it has arrived."""


def run(code: str, folder: Path) -> str:
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_tutorial_reaches_its_accuracy_in_a_short_form(tmp_path):
    text = PAGE.read_text("utf-8")
    record, *train = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert SHORTER[0] in record
    assert LABEL in record
    record = ARRIVED + record.replace(*SHORTER).replace(LABEL, "take_up(app, class_index)")
    assert run(record, tmp_path).strip().endswith(".session.zip")
    said = run("\n".join(train), tmp_path)
    accuracy = float(re.search(r"accuracy ([0-9.]+)", said)[1])
    assert accuracy > 0.7, said
    stated = float(re.search(r"it reaches ([0-9.]+) on", text)[1])
    assert 0.85 < stated <= 1.0
