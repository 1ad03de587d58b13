"""Streams beside the EMG as BIDS motion: joint angles, IMUs and whatever else is numbers at a rate, as they are."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from .tsv import UNKNOWN, number_text, write_json, write_tsv

if TYPE_CHECKING:
    from pathlib import Path

    from ...config import BidsConfig
    from ...info import StreamInfo
    from ..reading.reader import SessionReader

_TYPES = {
    "acc": "ACCEL",
    "gyr": "GYRO",
    "mag": "MAGN",
    "joint": "JNTANG",
    "angle": "JNTANG",
    "jntang": "JNTANG",
    "orient": "ORNT",
    "quat": "ORNT",
    "pos": "POS",
    "vel": "VEL",
}
"""BIDS' type of a channel, by what LSL's begins with; anything else is ``MISC``."""

_COMPONENT = re.compile(r"^(?P<point>.*?)[\s_.\-]*(?P<component>[xyzXYZ])$")
_COLUMNS = ("name", "component", "type", "tracked_point", "units", "sampling_frequency")


def write_motion(session: SessionReader, name: str, file: Path, task: str, about: BidsConfig) -> None:
    """``…_motion.tsv`` with the sidecar and channels that belong to it.

    Samples are those recorded, none filled in; the first column, LATENCY, is when each was taken by the model of time,
    in seconds from the first one.
    """
    data = session.stream_data(name)
    first = float(data.times(0, 1)[0])
    with file.open("w", encoding="utf-8") as out:
        for start, rows in data.data_blocks():
            latency = data.times(start, start + len(rows)) - first
            for at, row in zip(latency.tolist(), rows.tolist(), strict=True):
                out.write("\t".join([number_text(at), *map(number_text, row)]) + "\n")
    channels = _channels(data.info)
    write_tsv(file.with_name(file.name.replace("_motion.tsv", "_channels.tsv")), _COLUMNS, channels)
    write_json(file.with_suffix(".json"), _sidecar(session, name, task, channels, about))


def _channels(info: StreamInfo) -> list[dict[str, Any]]:
    units, types = info.units or ("",) * info.n_channels, info.channel_types or ("",) * info.n_channels
    found: list[dict[str, Any]] = [
        {"name": "latency", "type": "LATENCY", "units": "s", "sampling_frequency": info.fs, "tracked_point": UNKNOWN}
    ]
    for name, unit, kind in zip(info.names, units, types, strict=True):
        split = _COMPONENT.match(name)
        found.append(
            {
                "name": name,
                "component": split["component"].lower() if split else UNKNOWN,
                "type": _type_of(kind) or _type_of(info.type) or "MISC",
                "tracked_point": (split["point"] if split else name) or UNKNOWN,
                "units": unit or UNKNOWN,
                "sampling_frequency": info.fs,
            }
        )
    return found


def _type_of(kind: str) -> str:
    return next((bids for start, bids in _TYPES.items() if kind.strip().lower().startswith(start)), "")


def _sidecar(
    session: SessionReader, name: str, task: str, channels: list[dict[str, Any]], about: BidsConfig
) -> dict[str, Any]:
    data = session.stream_data(name)
    counts = Counter(channel["type"] for channel in channels)
    measured = data.timeline.measured_fs
    points = {channel["tracked_point"] for channel in channels} - {UNKNOWN}
    return about.sidecar | {
        "TaskName": task,
        "TaskDescription": about.task_description or UNKNOWN,
        "TrackingSystemName": session.stream(name).meta.name or name,
        "Manufacturer": data.info.manufacturer or about.sidecar.get("Manufacturer", UNKNOWN),
        "SamplingFrequency": data.info.fs,
        **({"SamplingFrequencyEffective": measured} if measured else {}),
        "RecordingType": "continuous",
        "RecordingDuration": data.n_samples / data.info.fs,
        "MissingValues": UNKNOWN,
        "MotionChannelCount": len(channels),
        "TrackedPointsCount": len(points),
        **{f"{kind}ChannelCount": counts[kind] for kind in ("ACCEL", "GYRO", "JNTANG", "LATENCY", "MAGN", "MISC")},
        **{f"{kind}ChannelCount": counts[kind] for kind in ("ORNT", "POS", "VEL")},
    }
