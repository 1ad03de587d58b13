"""What each stream becomes in a BIDS dataset, and what its files are called."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from .mne_raw import channel_types

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ...info import StreamInfo

Kind = Literal["emg", "eeg", "physio", "motion", ""]

ELECTRIC: tuple[Kind, ...] = ("emg", "eeg")
"""Written as BDF by mne-bids, with events."""

_NOT_MOTION = ("meg", "audio", "video")


def kind_of(info: StreamInfo) -> Kind:
    """``emg``, ``eeg``, ``physio`` (ECG, EOG), ``motion`` (other numbers at a rate); empty for what has no place."""
    if info.is_string or not info.is_regular or info.type.strip().lower() in _NOT_MOTION:
        return ""
    types = set(channel_types(info))
    if found := [kind for kind in ELECTRIC if kind in types]:
        return found[0]
    return "physio" if types & {"ecg", "eog"} else "motion"


def entity(text: str, otherwise: str) -> str:
    """Letters and digits only, as BIDS wants its entities."""
    return re.sub(r"[^A-Za-z0-9]", "", text) or otherwise


def distinct_entities(names: Sequence[str], otherwise: str) -> list[str]:
    """An entity for each name, each its own."""
    found: list[str] = []
    for name in names:
        one = wanted = entity(name, otherwise)
        for number in range(2, len(names) + 1):
            one = one if one not in found else f"{wanted}{number}"
        found.append(one)
    return found


def beside(file: Path, end: str) -> Path:
    """What belongs to a recording: ``…_emg.bdf`` and ``events.tsv`` give ``…_events.tsv``."""
    return file.with_name(f"{start_of_name(file)}{end}")


def start_of_name(file: Path) -> str:
    """``sub-P07_task-grasp_run-04_``: what the names of all files of a recording begin with."""
    return f"{file.name.rpartition('_')[0]}_"


def run_name(file: Path, within: str) -> str:
    """Name of another recording of the same run, its further entity ``within`` put where BIDS wants it."""
    who, task, *further = start_of_name(file).removesuffix("_").split("_")
    run = [part for part in further if part.startswith("run-")]
    parts = [who, task, *run, within] if within.startswith("recording-") else [who, task, within, *run]
    return "_".join(parts)
