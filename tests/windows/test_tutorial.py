"""The tutorial's own code reaches what it states: over subjects, and live on a hand that it has not seen."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.windows.hands import record_hand

PAGE = Path(__file__).parents[2] / "docs" / "tutorial-train.md"

TWO_SECONDS = "cued_at + 2.0"


def test_the_tutorial_reaches_its_accuracy(tmp_path, unique):
    text = PAGE.read_text("utf-8")
    for seed in (1, 2, 3):
        for take in (1, 2):
            record_hand(tmp_path / "sessions", seed, take=take)
    (tmp_path / "lsl_api.cfg").write_text(f"[lab]\nSessionID = {unique}\n")
    code = "\n".join(re.findall(r"```python\n(.*?)```", text, re.DOTALL))
    code += "\nprint('replayed', len(decoded), 'aligned', R.X.shape, R.Y['vhi_control'].shape)"
    assert TWO_SECONDS in code
    code = code.replace(TWO_SECONDS, "cued_at + 0.9")
    environ = {**os.environ, "LSLAPICFG": str(tmp_path / "lsl_api.cfg")}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    said = done.stdout
    stated = float(re.search(r"it reaches ([0-9.]+) on", text)[1])
    live = float(re.search(r"It reaches ([0-9.]+) live", text)[1])
    assert abs(float(re.search(r"^accuracy ([0-9.]+)", said, re.M)[1]) - stated) <= 0.01, said
    assert live == 1.0
    reached, counted = re.search(r"live accuracy ([0-9.]+) of (\d+) windows, 0 missed", said).groups()
    assert float(reached) >= 0.9, said
    assert int(counted) >= 20
    assert re.search(r"latency from the last sample to the prediction \d+ ms", said)
    assert re.search(r"replayed 29\d aligned \(\d+, 32, 200\) \(\d+, 9\)", said), said
