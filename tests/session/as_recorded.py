"""Sessions as a recorder makes them of devices whose stamps are odd: arrivals of each read, anchors at both ends."""

from __future__ import annotations

import platform

import numpy as np

from myogestic_tui.clock import local_clock
from myogestic_tui.info import StreamInfo
from myogestic_tui.session import Session
from myogestic_tui.session.format.json_files import replace_file
from myogestic_tui.session.format.meta import Anchor, decode_meta, encode_meta

FS, SECONDS = 250.0, 30.0
HOST = platform.node()
INFO = StreamInfo(2, FS, units=("microvolts",) * 2)


def recorded(base, stamp, *, keep=slice(None), labels=(5.0, 15.0), seconds=SECONDS, info=INFO):
    """A session as a device records it: ``stamp`` of the samples' times, read every 0.2 s; not packed."""
    start = local_clock() - 1000.0
    taken = (start + np.arange(round(SECONDS * FS)) / FS)[keep]
    raw = stamp(taken, start)
    session = Session(base, reserve_bytes=0, class_names=["Rest", "Fist"])
    session.init_stream("emg", info, began=start)
    for poll in np.arange(start + 0.2, start + SECONDS + 0.3, 0.2):
        first, last = np.searchsorted(taken, (poll - 0.2, poll) if poll > start + 0.3 else (-np.inf, poll))
        if last > first:
            rows = np.zeros((last - first, 2), "float32")
            session.append("emg", rows, raw[first:last], arrived=float(poll) + 0.01)
    for number, at in enumerate(labels):
        session.add_label(number % 2, start + at)
    session.mark_arrival("emg", start + seconds)
    session.finish()
    path = session.path / "meta.json"
    meta = decode_meta(path.read_bytes())
    meta.anchors = [Anchor("2026-01-01T00:00:00+00:00", start), Anchor("2026-01-01T00:00:30+00:00", start + seconds)]
    meta.duration_s = seconds
    # The recorder concludes with the anchors of its own day: what it says now comes from the arrays.
    meta.streams = {stem: _unmeasured(stream) for stem, stream in meta.streams.items()}
    replace_file(path, encode_meta(meta))
    return session.path, taken, raw


def _unmeasured(stream):
    stream.time, stream.gaps = None, []
    return stream


def lossy(taken, _start):
    return taken


def leaping(taken, _start):
    return taken + np.where(np.arange(len(taken)) < 4000, 0.0, 200_000.0)


def wall(taken, _start):
    return taken + 1.7e9


def bursts(taken, _start):
    return np.repeat(taken[49::50], 50)


def standing(taken, _start):
    return np.full(len(taken), 77.0)


CASES = {
    "loss": (lossy, np.r_[0:3000, 3500:7500]),
    "leap": (leaping, np.r_[0:7500]),
    "wall": (wall, np.r_[0:3000, 3500:7500]),
    "bursts": (bursts, np.r_[0:7500]),
    "standing": (standing, np.r_[0:7500]),
    "tail": (lossy, np.r_[0:4000]),
    "head": (lossy, np.r_[3000:7500]),
}
