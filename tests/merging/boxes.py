"""Sessions as several boxes record them, each by its own clock: what is true of them is known."""

from __future__ import annotations

import numpy as np
from msgspec.structs import replace

from myogestic_tui.clock import local_clock
from myogestic_tui.info import StreamInfo
from myogestic_tui.session import Session
from myogestic_tui.session.format.json_files import replace_file
from myogestic_tui.session.format.meta import Anchor, decode_meta, encode_meta
from myogestic_tui.session.format.time_records import PlacedMeta

FS, SECONDS = 250.0, 30.0
PULSES = np.array([5.0, 12.5, 22.0])
"""Seconds of true time at which a pulse reached every device."""


class Estimate:
    def __init__(self, collected_at, offset, uncertainty, remote_time):
        self.collected_at, self.offset = collected_at, offset
        self.uncertainty, self.remote_time = uncertainty, remote_time


class Box:
    """A computer whose monotonic clock reads ``ahead + (1 + drift) * true time``."""

    def __init__(self, name, ahead, drift_ppm=0.0):
        self.name, self.ahead, self.drift = name, ahead, drift_ppm * 1e-6
        self.origin = local_clock() - 1000.0

    def reads(self, true):
        return self.origin + self.ahead + np.asarray(true) * (1.0 + self.drift)

    def compares(self, other, seconds=SECONDS, noise=2e-5, seed=1, since=0.0):
        """Estimates of another clock (`other.reads`), about every 2 s of true time."""
        noisy = np.random.default_rng(seed).normal(0.0, noise, 1000)
        at = np.arange(since + 0.5, since + seconds, 2.0)
        return [
            Estimate(
                float(self.reads(t)), float(self.reads(t) - other.reads(t) + noisy[i]), 1e-4, float(other.reads(t))
            )
            for i, t in enumerate(at)
        ]

    def record(
        self, base, devices, *, begins=0.0, ends=SECONDS, labels=(), clock_id=None, classes=("Rest", "Fist"), placed=()
    ):
        """A packed session. ``devices``: name to (the box it is at, info changes, estimates or None).

        ``placed``: streams whose stamps an import put on the box's clock already, to 20 ms.
        """
        session = Session(base, reserve_bytes=0, class_names=list(classes))
        start, stop = self.reads(begins), self.reads(ends)
        true = begins + np.arange(round((ends - begins) * FS)) / FS
        for name, (home, changes, estimates) in devices.items():
            info = StreamInfo(2, FS, hostname=home.name, **changes)
            stem = session.init_stream(name, info, began=float(start))
            if estimates:
                session.add_clock_estimates(stem, estimates)
            data = np.zeros((len(true), 2), "float32")
            data[np.abs(true[:, None] - PULSES[None, :]).min(axis=1) < 0.25 / FS] = 1.0
            stamps = home.reads(true)
            last = 0
            for poll in np.arange(begins + 0.2, ends + 0.3, 0.2):
                first, last = last, int(np.searchsorted(true, poll))
                if last > first:
                    session.append(stem, data[first:last], stamps[first:last], arrived=float(self.reads(poll)) + 0.01)
            session.mark_arrival(stem, float(stop))
        for number, at in enumerate(labels):
            session.add_label((number + 1) % 2, float(self.reads(at)))
        session.add_note("tape", float(self.reads(begins + 1.0)))
        session.finish()
        path = session.path / "meta.json"
        meta = decode_meta(path.read_bytes())
        meta.anchors = [
            Anchor("2026-01-01T00:00:00+00:00", float(start)),
            Anchor("2026-01-01T00:00:30+00:00", float(stop)),
        ]
        meta.duration_s = float(stop - start)
        meta.recorder = replace(meta.recorder, host=self.name, clock=self.name if clock_id is None else clock_id)
        for stream in meta.streams.values():
            stream.time, stream.gaps = None, []
        for name in placed:
            meta.streams[name].placed = PlacedMeta("arrival", 0.02)
        replace_file(path, encode_meta(meta))
        return session.pack_to_zip()


def of_labels(box):
    """How the outlet of a box's labels tells whose clock it stamps by."""
    return {
        "desc_xml": f"<info><desc><recorder_clock>{box.name}</recorder_clock></desc></info>",
        "uid": f"u-{box.name}",
    }


def pulses(session, name):
    """Corrected times of the samples that a pulse is in."""
    data = session.stores[name][:, 0]
    return session.timestamps(name)[np.asarray(data) > 0.5]
