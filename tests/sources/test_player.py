"""What mne-lsl's player streams is what arrives."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np

from myogestic_tui.sources import LSLSource
from tests.sources.helpers import Reader

HERE = Path(__file__).parent


def test_a_played_file_arrives_sample_for_sample(unique: str, tmp_path: Path) -> None:
    fif, npy = tmp_path / "made-raw.fif", tmp_path / "made.npy"
    command = [sys.executable, str(HERE / "player_child.py"), str(fif), str(npy), unique, f"{unique}-id"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as player:
        assert player.stdout is not None
        assert "playing\n" in iter(player.stdout.readline, "")
        expected = np.load(npy)
        with Reader(LSLSource(unique)) as reader:
            reader.until_count(2 * len(expected))
        player.communicate(timeout=240)
    assert reader.info.channel_names == ("E1", "E2", "E3", "E4")
    assert (reader.info.fs, reader.info.dtype) == (500.0, "float64")
    first = int(np.flatnonzero((reader.data == expected[0]).all(axis=1))[0])
    np.testing.assert_array_equal(reader.data[first : first + len(expected)], expected)
    np.testing.assert_allclose(np.diff(reader.stamps), 1 / 500.0, atol=1e-4)
