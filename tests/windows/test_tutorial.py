"""The tutorial's own code reaches what it states: over subjects, and live on a hand that it has not seen."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.windows.hands import record_hand

PAGE = Path(__file__).parents[2] / "docs" / "tutorial-train.md"
LABEL = "app.add_label(cue)  # tells the synthetic hand"
WATCHED = 'app.streams(Stream("emg", source=LSLSource("emg", uid=uids["emg"])))\n'
ARRIVED = """
app.streams(Stream("hand", source=LSLSource("vhi_control", uid=uids["vhi_control"]), poll_s=0.02))


def take_up(cue):
    from myogestic_tui.sources.synthetic_emg import HandSignal

    app.add_label(cue)
    pose, hand = HandSignal(seed=4).pose(cue)[:, None], app.ctx.streams["hand"]
    while not app.stopping.wait(0.01):
        shown = hand.get_window(0.02)[0]
        if shown.size and abs(shown[:, -1:] - pose).max() < 1.0:
            return local_clock()


"""
"""A busy machine is late to move the hand: the cue counts from when it has arrived."""


def test_the_tutorial_reaches_its_accuracy(tmp_path, unique):
    text = PAGE.read_text("utf-8")
    for seed in (1, 2, 3):
        for take in (1, 2):
            record_hand(tmp_path / "sessions", seed, take=take)
    (tmp_path / "lsl_api.cfg").write_text(f"[lab]\nSessionID = {unique}\n")
    code = "\n".join(re.findall(r"```python\n(.*?)```", text, re.DOTALL))
    for words, instead in ((LABEL, "cued_at = take_up(cue)"), (WATCHED, WATCHED + ARRIVED), ("+ 2.0:", "+ 0.9:")):
        assert words in code
        code = code.replace(words, instead)
    code += "\nprint('replayed', len(decoded), 'aligned', R.X.shape, R.Y['vhi_control'].shape)"
    environ = {**os.environ, "LSLAPICFG": str(tmp_path / "lsl_api.cfg")}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    said = done.stdout
    stated = float(re.search(r"it reaches ([0-9.]+) on", text)[1])
    live = float(re.search(r"It reaches ([0-9.]+) live", text)[1])
    assert abs(float(re.search(r"^accuracy ([0-9.]+)", said, re.M)[1]) - stated) <= 0.01, said
    reached, counted = re.search(r"live accuracy ([0-9.]+) of (\d+) windows, 0 missed", said).groups()
    assert float(reached) >= live - 0.05, said
    assert int(counted) >= 20
    assert re.search(r"latency from the last sample to the prediction \d+ ms", said)
    assert re.search(r"replayed 29\d aligned \(\d+, 32, 200\) \(\d+, 9\)", said), said
