"""What mne-bids writes otherwise than it is, or not at all: set right after it, for one recording and the dataset."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...version import __version__
from .bids_kinds import beside, kind_of, start_of_name
from .common import class_label, label_spans, session_end
from .electrodes import electrodes_of
from .even_grid import SKIP, Grid, marks, marks_by_time
from .tsv import UNKNOWN, read_json, read_tsv, write_json, write_tsv

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ...config import BidsConfig
    from ...info import StreamInfo
    from ..reading.reader import SessionReader
    from .common import Exported

BIDS_VERSION = "1.11.0"
"""The first one with EMG."""

_EVENT_COLUMNS = ("onset", "duration", "trial_type", "value", "sample", "class_index")
_LEVELS = {
    "hand": {"l": "L", "r": "R", "a": "A"},
    "sex": {"f": "F", "m": "M", "o": "O"},
}
"""What BIDS calls the values of a participant's fields, by their first letter."""


def write_events(session: SessionReader, name: str, file: Path, about: BidsConfig) -> None:
    """The table of events, with numbers of classes that hold for the whole dataset; none where nothing is marked.

    A class has its index + 1, unless another class of the dataset has that number already: then the next free one.
    What else is marked (notes, texts, bad trials) has no number.
    """
    grid = Grid(session.stream_data(name))
    rows = [(*mark, round(mark[0] * grid.fs)) for mark in marks(session, grid) if mark[2] != SKIP]
    _write_events(session, rows, beside(file, "events.tsv"), class_numbers(session, file), about)


def write_motion_events(session: SessionReader, name: str, table: Path, file: Path, about: BidsConfig) -> None:
    """The same for a stream of motion, by the times in its LATENCY; ``file`` is a recording of the same run."""
    rows = marks_by_time(session, session.stream_data(name))
    _write_events(session, rows, table, class_numbers(session, file), about)


def _write_events(
    session: SessionReader,
    found: Sequence[tuple[float, float, str, int]],
    table: Path,
    numbers: dict[str, int],
    about: BidsConfig,
) -> None:
    """Onset and duration in seconds, text and sample of each."""
    indices = _indices(session)
    rows = [
        {
            "onset": round(onset, 6),
            "duration": round(duration, 6),
            "trial_type": text,
            "value": numbers.get(text),
            "sample": sample,
            "class_index": indices.get(text),
        }
        for onset, duration, text, sample in found
    ]
    if not rows:
        table.unlink(missing_ok=True)
        return
    write_tsv(table, _EVENT_COLUMNS, rows)
    write_json(table.with_suffix(".json"), _about_events(numbers, about))


def class_numbers(session: SessionReader, file: Path) -> dict[str, int]:
    """Number of each class that a session labels, the same in every session of the dataset."""
    used = {span.event.class_index for span in label_spans(session, session_end(session))}
    known: dict[str, int] = {}
    for table in sorted(file.parents[2].glob("sub-*/**/*_events.tsv")):
        if not table.name.startswith(start_of_name(file)):
            for name, level in read_json(table.with_suffix(".json")).get("value", {}).get("Levels", {}).items():
                known[level] = int(name)
    for index in sorted({*used, *range(len(session.class_names))}):
        name, number = class_label(session, index), index + 1
        while name not in known and number in known.values():
            number += 1
        known.setdefault(name, number)
    return {name: known[name] for name in _indices(session) if name in known}


def _indices(session: SessionReader) -> dict[str, int]:
    """Class index of each text that marks a trial."""
    used = {span.event.class_index for span in label_spans(session, session_end(session))}
    names = {class_label(session, index): index for index in sorted({*range(len(session.class_names)), *used})}
    return names | {f"BAD {name}": index for name, index in names.items() if f"BAD {name}" not in names}


def _about_events(numbers: dict[str, int], about: BidsConfig) -> dict[str, Any]:
    trial_type: dict[str, Any] = {
        "Description": "Class of a trial, BAD before that of a trial to be left out; a note; a text of a marker stream",
    }
    hed = {name: tags for name, tags in about.hed.items() if name in numbers}
    return {
        "onset": {"Description": "Start, from the first sample on", "Units": "s"},
        "duration": {"Description": "Time until the next label; 0 for what has no length", "Units": "s"},
        "trial_type": trial_type | ({"HED": hed} if hed else {}),
        "value": {
            "Description": "Number of the class in the whole dataset",
            "Levels": {str(number): name for name, number in sorted(numbers.items(), key=lambda one: one[1])},
        },
        "sample": {"Description": "Number of the sample, from 0"},
        "class_index": {"Description": "Index of the class in the session that was exported, from 0"},
    }


def describe_recording(session: SessionReader, name: str, file: Path, about: BidsConfig) -> None:
    """The sidecar and the channels of a recording: only what is known, ``n/a`` for all else."""
    grid, info = Grid(session.stream_data(name)), session.stream_info(name)
    sidecar = file.with_suffix(".json")
    known = read_json(sidecar) | {
        "TaskDescription": about.task_description or UNKNOWN,
        "Manufacturer": info.manufacturer or UNKNOWN,
        "RecordingDuration": grid.length / grid.fs,
        "PowerLineFrequency": about.line_freq or UNKNOWN,
        "SoftwareFilters": UNKNOWN,
        "HardwareFilters": UNKNOWN,
    }
    for key in ("EMGPlacementSchemeDescription", "EEGPlacementScheme"):
        known.pop(key, None)
    known |= _about_emg(info, about) if kind_of(info) == "emg" else {"EEGReference": UNKNOWN, "EEGGround": UNKNOWN}
    known |= {key: value for key, value in about.sidecar.items() if known.get(key, UNKNOWN) == UNKNOWN}
    write_json(sidecar, known)
    table = beside(file, "channels.tsv")
    rows = [{**row, "low_cutoff": UNKNOWN, "high_cutoff": UNKNOWN} for row in read_tsv(table)]
    write_tsv(table, list(rows[0]), rows)


def _about_emg(info: StreamInfo, about: BidsConfig) -> dict[str, str]:
    known = {
        "EMGPlacementScheme": placement_of(info, about),
        "EMGReference": about.reference or UNKNOWN,
        "EMGGround": about.ground or UNKNOWN,
    }
    if about.placement_description or known["EMGPlacementScheme"] == "Other":
        known["EMGPlacementSchemeDescription"] = about.placement_description or UNKNOWN
    return known


def placement_of(info: StreamInfo, about: BidsConfig) -> str:
    """How electrodes were placed: coordinates that are given are ``Measured``, in the words of BIDS."""
    has_places = any(one.has_place for one in electrodes_of(info).values())
    return about.placement or ("Measured" if has_places else "Other")


def describe_dataset(root: Path, before: dict[str, Any], about: BidsConfig) -> None:
    """``dataset_description.json`` and ``README``: what somebody has written there stays."""
    path = root / "dataset_description.json"
    written = read_json(path)
    ours = {"Name": "myogestic_tui", "Version": __version__}
    told = {
        "Name": about.name or before.get("Name") or root.name,
        "BIDSVersion": BIDS_VERSION,
        "DatasetType": "raw",
        "License": about.license or before.get("License", ""),
        "Authors": list(about.authors) or before.get("Authors", []),
        "HEDVersion": about.hed_version if about.hed else before.get("HEDVersion", ""),
        "GeneratedBy": before.get("GeneratedBy") or [ours, *written.get("GeneratedBy", [])],
        **about.dataset,
    }
    write_json(path, {**before, **{key: value for key, value in told.items() if value}})


def write_readme(root: Path, about: BidsConfig) -> None:
    """A README, where the dataset has none: what was recorded, and with what."""
    path = root / "README"
    if path.exists():
        return
    task = f"{about.task_description}\n\n" if about.task_description else ""
    path.write_text(
        f"{about.name or root.name}\n\n{task}"
        "Electromyography, recorded over the Lab Streaming Layer with myogestic_tui, written as BIDS with mne-bids.\n"
        "Samples lie on an even grid at the nominal rate, and events follow the samples. Gaps are filled with zeros\n"
        "and annotated BAD_ACQ_SKIP. Events are the labels, notes and marker texts of a session; `value` is the\n"
        "number of a class in the whole dataset, `class_index` its index in the session.\n",
        encoding="utf-8",
    )


def describe_participant(session: SessionReader, root: Path, subject: str, about: BidsConfig, out: Exported) -> None:
    """The subject's row: fields of the take sheet where nobody has entered something by hand."""
    path, rows = root / "participants.tsv", read_tsv(root / "participants.tsv")
    fields = {name: session.meta.fields[name] for name in about.participants if name in session.meta.fields}
    row = next(row for row in rows if row["participant_id"] == subject)
    for name, value in fields.items():
        told = _participant_value(name, str(value), out)
        if row.get(name, UNKNOWN) == UNKNOWN:
            row[name] = told
    columns = list(dict.fromkeys([column for one in rows for column in one]))
    write_tsv(path, columns, rows)
    sidecar = read_json(path.with_suffix(".json"))
    for name in columns:
        sidecar.setdefault(name, {"Description": f"{name}, from the take sheet"})
    write_json(path.with_suffix(".json"), sidecar)


def _participant_value(name: str, value: str, out: Exported) -> str:
    levels = _LEVELS.get(name)
    if levels is None:
        return value
    found = levels.get(value.strip()[:1].lower())
    if found is None:
        out.remark(f"{name} {value!r} is none of the values that BIDS knows and is left out of participants.tsv")
    return found or UNKNOWN
