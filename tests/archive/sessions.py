"""Real sessions with known content, and real faults in them."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from myogestic_tui.info import StreamInfo
from myogestic_tui.session import Session, open_session_store
from myogestic_tui.session.format.layout import MANIFEST
from myogestic_tui.stream.source import ClockEstimate

START = 1000.0
"""Time stamp of the first sample, in seconds."""

EMG = StreamInfo(4, 50.0, channel_names=("a", "b", "c", "d"))
MARKERS = StreamInfo(1, 0.0, "string")
STREAMS = {"emg": (EMG, 480), "markers": (MARKERS, 5)}
"""The streams of most sessions here, and how many samples each has: of ``emg`` ten chunks, the last half full."""


SMALL = {"emg": (StreamInfo(2, 50.0), 120), "markers": (MARKERS, 2)}
"""The least that has everything: three chunks, strings, labels, clock offsets."""


def samples_of(info: StreamInfo, n_samples: int) -> np.ndarray:
    """``(n_samples, n_channels)``, the same each time."""
    if info.is_string:
        return np.array([[f"märker {i}"] * info.n_channels for i in range(n_samples)], dtype=object)
    rng = np.random.default_rng(1)
    if np.dtype(info.dtype).kind == "i":
        return rng.integers(-100, 100, (n_samples, info.n_channels)).astype(info.dtype)
    return rng.standard_normal((n_samples, info.n_channels)).astype(info.dtype)


def stamps_of(info: StreamInfo, n_samples: int) -> np.ndarray:
    """``(n_samples,)`` seconds, evenly spaced."""
    return START + np.arange(n_samples) / (info.fs or 10.0)


def open_session(base: Path, streams: dict[str, tuple[StreamInfo, int]] = STREAMS, **fields: Any) -> Session:
    """A session that is being recorded, with all samples appended and two labels."""
    session = Session(base, class_names=["Rest", "Fist"], fields=fields, reserve_bytes=0)
    for name, (info, n_samples) in streams.items():
        session.init_stream(name, info)
        session.append(name, samples_of(info, n_samples), stamps_of(info, n_samples))
        session.add_clock_estimates(name, [ClockEstimate(START + i, 0.001, 1e-5, START + i) for i in range(3)])
    session.add_label(0, START)
    session.add_label(1, START + 2.0)
    return session


def finished_folder(base: Path, streams: dict[str, tuple[StreamInfo, int]] = STREAMS, **fields: Any) -> Path:
    """A finished session that is not packed."""
    session = open_session(base, streams, **fields)
    session.finish()
    return session.path


def cut_off_folder(base: Path) -> Path:
    """A session whose recorder was killed: its folder as it is found then."""
    child = os.fork()
    if child == 0:
        open_session(base)
        os.kill(os.getpid(), 9)
    os.waitpid(child, 0)
    [folder] = [path for path in base.iterdir() if not path.name.startswith(".")]
    return folder


def flip(path: Path, member: str, at: int = -5) -> None:
    """Flip a bit in the data of an archive's member."""
    with zipfile.ZipFile(path) as archive:
        info = archive.getinfo(member)
    data = bytearray(path.read_bytes())
    start = info.header_offset + 30 + len(info.filename.encode())
    data[start + at % info.file_size] ^= 0x10
    path.write_bytes(data)


def rewrite(source: Path, target: Path, edit: Callable[[str, bytes], bytes | None], **options: Any) -> Path:
    """The members of an archive in a plain zip of another program, each as `edit` makes it; None leaves it out."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", **options) as new:
        for name in old.namelist():
            data = edit(name, old.read(name))
            if data is not None and name != MANIFEST:
                new.writestr(name, data)
    return target


def assert_holds(path: Path, streams: dict[str, tuple[StreamInfo, int]] = STREAMS) -> None:
    """Every sample is there, with its time stamp; both labels too."""
    with open_session_store(path) as session:
        for name, (info, n_samples) in streams.items():
            np.testing.assert_array_equal(session.stores[name][:], samples_of(info, n_samples))
            np.testing.assert_array_equal(session.ts_stores[name][:], stamps_of(info, n_samples))
        assert [(label.timestamp, label.class_index) for label in session.label_track] == [(START, 0), (START + 2.0, 1)]


def entries(folder: Path) -> list[str]:
    """What stands in a sessions folder, but for its state folder."""
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
