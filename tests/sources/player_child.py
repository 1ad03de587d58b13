"""Makes a FIF file of noise and streams it with mne-lsl's own player until standard input closes.

Arguments: the file, an .npy file for what a reader of the FIF file finds in it, and the stream's name and source_id.
"""

import sys

import mne
import numpy as np
from mne_lsl.player import PlayerLSL

fif, npy, name, source_id = sys.argv[1:]
n_samples, fs = 761, 500.0  # no multiple of the player's chunk: at one it repeats the whole file in one push
data = 1e-4 * np.random.default_rng(7).standard_normal((4, n_samples))
raw = mne.io.RawArray(data, mne.create_info(["E1", "E2", "E3", "E4"], fs, "emg"), verbose="error")
raw.save(fif, fmt="double", verbose="error")
np.save(npy, mne.io.read_raw_fif(fif, preload=True, verbose="error").get_data().T)
player = PlayerLSL(fif, chunk_size=25, name=name, source_id=source_id).start()
print("playing", flush=True)
sys.stdin.read()
player.stop()
