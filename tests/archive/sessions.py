"""Session folders for these tests, written chunk by chunk as the recorder lays them out, without a recorder's threads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from myogestic_tui.info import StreamInfo
from myogestic_tui.session.layout import LABELS, META, array_name
from myogestic_tui.session.meta import Anchor, LabelEvent, Meta, StreamMeta, encode_labels, encode_meta
from myogestic_tui.session.zarrs import ArraySpec, array_json, encode_chunk

if TYPE_CHECKING:
    from pathlib import Path

START = 1000.0
"""Time stamp of the first sample, and of the start, in seconds."""

EMG = StreamInfo(4, 50.0)
MARKERS = StreamInfo(1, 0.0, "string")


def samples_of(info: StreamInfo, n_samples: int, seed: int = 1) -> np.ndarray:
    """``(n_samples, n_channels)``."""
    rng = np.random.default_rng(seed)
    if info.is_string:
        return np.array([[f"marker {i}"] * info.n_channels for i in range(n_samples)], dtype=object)
    if np.dtype(info.dtype).kind == "i":
        return rng.integers(-100, 100, (n_samples, info.n_channels)).astype(info.dtype)
    return rng.standard_normal((n_samples, info.n_channels)).astype(info.dtype)


def stamps_of(info: StreamInfo, n_samples: int) -> np.ndarray:
    """``(n_samples,)`` seconds, evenly spaced."""
    return START + np.arange(n_samples) / (info.fs or 10.0)


def write_array(folder: Path, name: str, spec: ArraySpec, rows: np.ndarray) -> None:
    for number in range(spec.n_chunks(len(rows))):
        part = rows[number * spec.chunk_length : (number + 1) * spec.chunk_length]
        path = folder / name / spec.chunk_key(number)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode_chunk(spec, part))
    (folder / name).mkdir(exist_ok=True)
    (folder / name / "zarr.json").write_bytes(array_json(spec, len(rows)))


def make_folder(
    folder: Path,
    streams: dict[str, tuple[StreamInfo, int]] | None = None,
    *,
    name: str = "",
    labels: list[LabelEvent] | None = None,
    stamps: dict[str, np.ndarray] | None = None,
) -> Path:
    """A finished session folder of the given streams and sample counts."""
    streams = streams or {"emg": (EMG, 120), "markers": (MARKERS, 3)}
    folder.mkdir(parents=True)
    labels = [LabelEvent(START, 0), LabelEvent(START + 1, 1)] if labels is None else labels
    meta = Meta(schema_version=1, state="finished", app_name="test", created="2026-05-17T14:23:05+02:00", name=name)
    meta.class_names = ["Rest", "Fist"]
    end = START
    for stem, (info, n_samples) in streams.items():
        times = (stamps or {}).get(stem, stamps_of(info, n_samples))
        write_array(folder, array_name(stem), ArraySpec.data(info), samples_of(info, n_samples))
        write_array(folder, array_name(stem, "_timestamps"), ArraySpec.timestamps(info), times)
        meta.add_stream(stem, StreamMeta.of(info, name=stem))
        meta.all_streams[stem].n_samples = n_samples
        end = max(end, float(times[-1]) if n_samples else START)
    meta.anchors = [Anchor("2026-05-17T12:23:05+00:00", START), Anchor("2026-05-17T12:24:05+00:00", end)]
    meta.duration_s = end - START
    (folder / META).write_bytes(encode_meta(meta))
    (folder / LABELS).write_bytes(encode_labels(labels))
    return folder
