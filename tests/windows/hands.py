"""Sessions of synthetic hands, sample by sample what a generator of that seed sends, without waiting for it."""

from __future__ import annotations

import numpy as np

from myogestic_tui.clock import local_clock
from myogestic_tui.session import Session
from myogestic_tui.sources.synthetic_emg import EMGSignal, HandSignal, emg_info, hand_info

GESTURES = ("Rest", "Fist", "Pinch", "Open")


def record_hand(folder, seed, *, take=1, seconds=2.5, repeats=3, n_channels=32, fs=1000.0, names=GESTURES, hand=True):
    """A session of gestures in turn, labelled as they are taken up; its path."""
    start = local_clock() - 100.0
    session = Session(folder, class_names=list(names), fields={"subject": f"P{seed:02}", "take": take})
    emg = EMGSignal(n_channels, fs, seed)
    emg.take(round(0.37 * take * fs))  # another part of the signal
    parts = [("emg", emg, emg_info(n_channels, fs, f"myogestic-emg-{seed}"))]
    if hand:
        parts.append(("vhi_control", HandSignal(60.0, seed), hand_info(60.0, f"myogestic-emg-{seed}-hand")))
    for name, _, info in parts:
        session.init_stream(name, info)
    for number in range(repeats * len(names)):
        session.add_label(number % len(names), start + number * seconds)
        for name, signal, info in parts:
            first, last = (round(at * seconds * info.fs) for at in (number, number + 1))
            signal.set_gesture(number % len(names))
            session.append(name, signal.take(last - first), start + np.arange(first, last) / info.fs)
    session.finish()
    return session.pack_to_zip()
