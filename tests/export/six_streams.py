"""One session of six streams with a montage, known value by value: what every reader has to give back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from myogestic_tui import ChannelGrid, StreamInfo
from myogestic_tui.clock import local_clock
from myogestic_tui.session import Session
from tests.windows.making import emg_of, fill

FLEXORS = ChannelGrid("flexors", ((0, 2), (1, 3)), "flexor digitorum", "left", 8.0)
BICEPS = ChannelGrid("biceps", ((4,),), "biceps brachii", "left", 20.0)
EMG = StreamInfo(
    6,
    1000.0,
    channel_names=("E1", "E2", "E3", "E4", "BB", "AUX"),
    units=("microvolts",) * 6,
    channel_types=("EMG",) * 6,
    type="EMG",
    source_id="amp-1",
    manufacturer="Maker",
    channel_grids=(FLEXORS, BICEPS),
)
EEG = StreamInfo(
    3,
    250.0,
    channel_names=("Fz", "Cz", "Pz"),
    units=("uV",) * 3,
    channel_types=("EEG",) * 3,
    type="EEG",
    source_id="cap",
)
IMU = StreamInfo(3, 100.0, "int16", ("wrist x", "wrist y", "wrist z"), ("g",) * 3, type="Accelerometer")
JOINTS = StreamInfo(2, 60.0, "float64", ("index", "thumb"), ("deg",) * 2, type="JointAngles")
FORCE = StreamInfo(1, 0.0, "float64", ("grip",), ("N",), type="Force")
MARKERS = StreamInfo(1, 0.0, "string", type="Markers")
NUMERIC = {"emg": EMG, "eeg": EEG, "imu": IMU, "joints": JOINTS, "force": FORCE}
SECONDS = 6


@dataclass(frozen=True)
class Six:
    """The session, and what went into it: values and corrected times by stream; labels as seconds and class."""

    path: Path
    values: dict[str, NDArray[Any]]
    times: dict[str, NDArray[np.float64]]
    texts: list[str]
    labels: list[tuple[float, int]]
    start: float


def record(
    folder: Path,
    grids: tuple[ChannelGrid, ...] | None = (FLEXORS, BICEPS),
    more: dict[str, StreamInfo] | None = None,
    **fields: Any,
) -> Six:
    """Record and pack it; clocks agree, and nothing is lost. Streams beside the six: ``more``."""
    take = {"subject": "P07", "task": "grasp", "take": 4, "age": 31, "hand": "left", **fields}
    session = Session(folder, class_names=["Rest", "Fist"], fields=take, reserve_bytes=0)
    start, values, times = local_clock(), {}, {}
    streams = {**NUMERIC, "emg": replace(EMG, channel_grids=grids), **(more or {})}
    for seed, (name, info) in enumerate(streams.items()):
        n = int(info.fs * SECONDS) if info.is_regular else 9
        values[name] = emg_of(n, info, seed)
        steps = np.arange(n) / info.fs if info.is_regular else np.cumsum(np.linspace(0.1, 1.0, n)) - 0.1
        times[name] = start + steps
        fill(session, name, info, values[name], times[name])
    texts = ["go", "größer µ", '<stop & "go">']
    times["markers"] = start + np.array([1.0, 2.5, 4.0])
    fill(session, "markers", MARKERS, np.array([[one] for one in texts], object), times["markers"])
    labels = [(0.5, 0), (2.0, 1), (3.6, 0), (5.0, -1)]
    for at, index in labels:
        session.add_label(index, start + at)
    session.mark_trial(1)
    session.mark_channel("emg", 2)
    session.add_note("electrode 3 re-taped", start + 1.25)
    return Six(session.pack_to_zip(), values, times, texts, labels, start)
