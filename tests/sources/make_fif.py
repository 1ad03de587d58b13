"""Writes a FIF file of 1.5 s of noise and its samples as .npy; arguments: file.fif, file.npy."""

import sys

import mne
import numpy as np

rng = np.random.default_rng(7)
n_samples, fs = 761, 500.0  # no multiple of the player's chunk: at one it repeats the whole file in one push
data = 1e-4 * rng.standard_normal((4, n_samples))
raw = mne.io.RawArray(data, mne.create_info(["E1", "E2", "E3", "E4"], fs, "emg"), verbose="error")
raw.save(sys.argv[1], fmt="double", verbose="error")
np.save(sys.argv[2], mne.io.read_raw_fif(sys.argv[1], preload=True, verbose="error").get_data().T)
