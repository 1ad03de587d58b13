"""The two window examples of the how-to that this program comes from, with nothing but the package's name changed."""

from __future__ import annotations

import subprocess
import sys

from tests.windows.making import make_session

EXAMPLES = """
from myogestic.session import open_session_store
# Works for both packed zips AND unpacked folders.
sess = open_session_store("sessions/2026-05-17_14-23-05.session.zip")
emg = sess.stores["emg"] # zarr.Array, shape (n_samples, n_channels)
emg_ts = sess.ts_stores["emg"] # zarr.Array, shape (n_samples,) float64
labels = sess.label_track # list[LabelEvent]
info = sess.stream_info("emg") # StreamInfo(fs, n_channels, dtype)

from myogestic.session import iter_labeled_windows, iter_aligned_windows
# Classification: one (window, ts, class_index) per hop step.
for window, ts, cls in iter_labeled_windows(
    [sess.path], stream_name="emg",
    win_seconds=0.2, hop_seconds=0.1,
    classes={0, 1},
):
    ...
# Regression: align a primary stream with one or more aligned streams.
for window, aligned, ts in iter_aligned_windows(
    [sess.path], primary_stream="emg",
    aligned_streams=["vhi_control"],
    win_seconds=0.2, hop_seconds=0.05,
):
    target = aligned["vhi_control"]
    ...
"""

THEN = """
import numpy as np
assert emg.shape == (8000, 4) and emg_ts.shape == (8000,) and emg_ts.dtype == np.float64
assert (info.fs, info.n_channels, info.dtype) == (1000.0, 4, "float32")
assert [label.class_index for label in labels] == [0, 1, 2, -1, 1]
assert cls == 1 and window.shape == (4, 200) and target.shape == (2,) and ts.shape == (200,)
assert "mne_lsl" not in sys.modules and "textual" not in sys.modules and "plotext" not in sys.modules
print("ran")
"""


def test_the_examples_run_with_only_the_package_name_changed(tmp_path):
    made = make_session(tmp_path / "elsewhere")
    (tmp_path / "sessions").mkdir()
    made.rename(tmp_path / "sessions" / "2026-05-17_14-23-05.session.zip")
    code = "import sys\n" + EXAMPLES.replace("from myogestic.", "from myogestic_tui.") + THEN
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.stdout == "ran\n", done.stderr
