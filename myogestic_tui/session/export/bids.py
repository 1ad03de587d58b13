"""An EMG-BIDS dataset through mne-bids."""

from __future__ import annotations

import fcntl
import json
import os
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from msgspec.structs import replace

from ...config import BidsConfig
from ...errors import ConfigError
from ...extras import needed
from .bids_electrodes import write_electrodes
from .bids_kinds import ELECTRIC, beside, distinct_entities, kind_of, run_name
from .bids_kinds import entity as entity_of
from .bids_motion import write_motion
from .bids_physio import write_physio
from .bids_tables import (
    describe_dataset,
    describe_participant,
    describe_recording,
    write_events,
    write_motion_events,
    write_readme,
)
from .common import Exported, check_free, claim, filled_streams, partial_folder, tell_about_clock, text_streams, utc_at
from .edf import export_edf
from .even_grid import Grid, start_of, tell_unmarked
from .mne_raw import channel_types
from .tsv import UNKNOWN, read_tsv, write_tsv

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from os import PathLike

    from ..reading.reader import SessionReader

_WRITTEN = ("channels.tsv", "channels.json", "events.tsv", "events.json", "electrodes.tsv")

Placement = Literal["Measured", "ChannelSpecific", "Other"]


def export_bids(
    session: SessionReader,
    destination: str | PathLike[str],
    streams: Sequence[str] | None = None,
    *,
    subject: str | None = None,
    task: str | None = None,
    run: int | None = None,
    emg_placement: Placement | None = None,
    line_freq: float | None = None,
    about: BidsConfig | None = None,
    overwrite: bool = False,
    fill: float | None = None,
) -> Exported:
    """Add a session to an EMG-BIDS dataset (BIDS 1.11), as BDF+ with events; ``mne_bids.read_raw_bids`` reads it back.

    Streams that hold EMG are written as `export_edf` writes BDF+ (see there for labels, gaps, units and memory);
    further ones get ``recording-<stream>``. Other streams of numbers at a rate become ``motion``. What mne-bids does
    not know is set right after it (`bids_tables`).

    Parameters
    ----------
    session
        An open session.
    destination
        Root of the dataset, new or not.
    streams
        Which streams; None is all.
    subject, task, run
        BIDS entities; None takes the session's subject, task and take, or ``unknown`` and ``rest`` where it has none.
    emg_placement, line_freq
        How electrodes were placed, and the mains frequency in Hz; None is what ``about`` says.
    about
        What the dataset says and no session knows, as ``[bids]`` in the configuration.
    overwrite
        Replace what the dataset has of this run.
    fill
        Seconds of the longest gap to fill with zeros; None is 60 s, and no more zeros than samples.

    Raises
    ------
    ConfigError
        No stream holds EMG, or one has no fixed rate, or what BIDS has of this run is there already.
    UnknownStreamError
        The session has no such stream.
    """
    for library in ("mne_bids", "edfio"):
        needed(library, "export", "exporting to bids")
    out, about = Exported(), about or BidsConfig()
    given = {"placement": emg_placement, "line_freq": line_freq}
    about = replace(about, **{key: value for key, value in given.items() if value is not None})
    names, files = _electric(session, streams, out), plan_bids(session, destination, streams, subject, task, run)
    check_free(files, overwrite)
    for entity, word in ((subject or session.meta.subject, "sub"), (task or session.meta.task, "task")):
        if entity and f"{word}-{entity}_" not in files[0].name:
            out.remark(f"{entity!r} is {word}-{entity_of(entity, 'unknown')} in the dataset: letters and digits only")
    root = Path(destination).absolute()
    claim([root], overwrite=True)
    with partial_folder(root) as folder:
        moved = _prepare_others(session, names[0], streams, files[0], folder, about, fill, out)
        for name, file in zip(names, files, strict=True):
            fixed = {"fmt": "bdf", "fill": fill, "anonymize": about.anonymize}
            written = export_edf(session, folder / f"{file.stem}.bdf", [name], **fixed)  # type: ignore[arg-type]
            with _alone_in(root), _participants_kept(root, file.parent.parent.name), _kept_otherwise(file, folder):
                with _description_kept(root, about):
                    _add(session, name, written.paths[0], file, about)
                write_events(session, name, file, about)
                describe_recording(session, name, file, about)
                if file.parent.name == "emg":
                    write_electrodes(session, name, file)
                describe_participant(session, root, file.parent.parent.name, about, out)
            out.paths.append(file)
            for remark in written.remarks:
                out.remark(remark)
        with _alone_in(root):
            _place_others(session, folder, files[0], moved, about)
    out.paths += moved.values()
    if about.anonymize is not None and (session.notes or text_streams(session)):
        out.remark("notes and texts of markers are written as they are; see that nobody is named in them")
    return out


def plan_bids(
    session: SessionReader,
    destination: str | PathLike[str],
    streams: Sequence[str] | None = None,
    subject: str | None = None,
    task: str | None = None,
    run: int | None = None,
    **_: Any,
) -> list[Path]:
    """Where `export_bids` writes to: a BDF file for each stream with EMG."""
    root, names = Path(destination), _electric(session, streams, Exported())
    if root.exists() and not root.is_dir():
        raise ConfigError(f"{root} is no folder; a BIDS dataset is one")
    if not names:
        raise ConfigError(f"{session.path.name} has no EMG channel, nor EEG (by channel type or stream type)")
    meta = session.meta
    who = f"sub-{entity_of(subject or meta.subject, 'unknown')}"
    take = meta.take if run is None else run
    task, number = f"task-{entity_of(task or meta.task, 'rest')}", "" if take is None else f"_run-{take:02d}"
    files = []
    for kind in ELECTRIC:
        of_kind = [name for name in names if kind_of(session.stream_info(name)) == kind]
        for place, further in enumerate(distinct_entities(of_kind, kind)):
            acq = f"_acq-{further}" if place and kind == "eeg" else ""
            recording = f"_recording-{further}" if place and kind == "emg" else ""
            files.append(root / who / kind / f"{who}_{task}{acq}{number}{recording}_{kind}.bdf")
    return files


def _electric(session: SessionReader, streams: Sequence[str] | None, out: Exported) -> list[str]:
    """Streams of EMG, then those of EEG."""
    names = filled_streams(session, streams, out)
    for name in names:
        if not kind_of(session.stream_info(name)):
            out.remark(f"{name} holds nothing that BIDS has beside EMG and is left out of the dataset")
    return [name for kind in ELECTRIC for name in names if kind_of(session.stream_info(name)) == kind]


def _prepare_others(
    session: SessionReader,
    first: str,
    streams: Sequence[str] | None,
    file: Path,
    folder: Path,
    about: BidsConfig,
    fill: float | None,
    out: Exported,
) -> dict[str, Path]:
    """Write motion and physio into a folder; returns by stream where they belong in the dataset."""
    names, found = filled_streams(session, streams, Exported()), {}
    reference, task = Grid(session.stream_data(first)), file.name.split("_")[1].removeprefix("task-")
    for kind, key in (("motion", "tracksys"), ("physio", "recording")):
        of_kind = [name for name in names if kind_of(session.stream_info(name)) == kind]
        for name, one in zip(of_kind, distinct_entities(of_kind, "stream"), strict=True):
            stem = run_name(file, f"{key}-{one}")
            if kind == "motion":
                found[name] = file.parents[1] / "motion" / f"{stem}_motion.tsv"
                write_motion(session, name, folder / found[name].name, task, about)
                tell_unmarked(session, [Grid(session.stream_data(name))], out)
            else:
                found[name] = file.with_name(f"{stem}_physio.tsv.gz")
                write_physio(session, name, folder / found[name].name, reference, fill)
            tell_about_clock(session, name, out)
    return found


def _place_others(
    session: SessionReader, prepared: Path, recording: Path, files: dict[str, Path], about: BidsConfig
) -> None:
    """Move what was prepared into the dataset; motion has events, and is entered among the scans."""
    for name, file in files.items():
        file.parent.mkdir(exist_ok=True)
        start = file.name.removesuffix(".gz").removesuffix(".tsv")
        for part in sorted(prepared.glob(f"{start}.*")):
            part.replace(file.with_name(part.name))
        if file.parent.name != "motion":
            continue
        channels = beside(file, "channels.tsv")
        (prepared / channels.name).replace(channels)
        write_motion_events(session, name, beside(file, "events.tsv"), recording, about)
        scans = file.parents[1] / f"{file.parents[1].name}_scans.tsv"
        rows = [row for row in read_tsv(scans) if row["filename"] != f"motion/{file.name}"]
        at = _date(session, name, about)
        told = None if at is None else at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        write_tsv(scans, ("filename", "acq_time"), [*rows, {"filename": f"motion/{file.name}", "acq_time": told}])


def _add(session: SessionReader, name: str, written: Path, file: Path, about: BidsConfig) -> None:
    """Have mne-bids take a BDF file into the dataset, with what the file itself cannot tell."""
    import mne
    import mne_bids

    raw = mne.io.read_raw_bdf(written, verbose="error")
    raw.set_channel_types(
        dict(zip(raw.ch_names, channel_types(session.stream_info(name)), strict=True)), verbose="error"
    )
    raw.info["bads"] = [raw.ch_names[index] for index in session.meta.bad_channels.get(session.stream(name).stem, [])]
    raw.info["line_freq"] = about.line_freq
    # The file's header has local time, as EDF wants it; MNE takes that for UTC.
    raw.set_meas_date(_date(session, name, about))
    kind = file.parent.name
    path = mne_bids.BIDSPath(root=file.parents[2], datatype=kind, **mne_bids.get_entities_from_fname(file))
    placement = {"emg_placement": about.placement or "Other"} if kind == "emg" else {}
    mne_bids.write_raw_bids(raw, path, overwrite=True, verbose="error", **placement)


def _date(session: SessionReader, name: str, about: BidsConfig) -> datetime | None:
    at = utc_at(session, start_of(session, Grid(session.stream_data(name))))
    return None if at is None else at - timedelta(days=about.anonymize or 0)


@contextmanager
def _description_kept(root: Path, about: BidsConfig) -> Iterator[None]:
    """What stands in ``dataset_description.json`` stays; mne-bids refuses one of another version of BIDS."""
    path = root / "dataset_description.json"
    before = path.read_bytes() if path.exists() else None
    write_readme(root, about)
    path.unlink(missing_ok=True)
    try:
        yield
        describe_dataset(root, json.loads(before or b"{}"), about)
    except BaseException:
        if before is not None:
            path.write_bytes(before)
        raise


@contextmanager
def _alone_in(root: Path) -> Iterator[None]:
    """Keep other processes from the tables that all recordings of a dataset share."""
    root.mkdir(exist_ok=True)
    fd = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with suppress(OSError):  # some network file systems lock no folders
            fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


@contextmanager
def _kept_otherwise(file: Path, folder: Path) -> Iterator[None]:
    """Put back what the dataset had of this recording where adding the new one fails; nothing half-made stays."""
    old = _files_of(file)
    for one in old:
        one.rename(folder / f"old-{one.name}")
    try:
        yield
    except BaseException:
        for new in _files_of(file):
            new.unlink()
        for one in old:
            (folder / f"old-{one.name}").rename(one)
        raise


def _files_of(file: Path) -> list[Path]:
    """What mne-bids writes of a recording; what else stands there is somebody's own."""
    parts = [file, file.with_suffix(".json"), *(beside(file, end) for end in _WRITTEN)]
    return [path for path in parts if path.exists()]


@contextmanager
def _participants_kept(root: Path, subject: str) -> Iterator[None]:
    """What was entered of a subject by hand stays: mne-bids rewrites that row."""
    table = root / "participants.tsv"
    before = _row_of(table, subject)
    yield
    rows = read_tsv(table)
    for row in rows:
        if row["participant_id"] == subject:
            row.update({key: value for key, value in before.items() if row.get(key, UNKNOWN) == UNKNOWN})
    write_tsv(table, list(dict.fromkeys(column for row in rows for column in row)), rows)


def _row_of(table: Path, subject: str) -> dict[str, str]:
    return next((row for row in read_tsv(table) if row["participant_id"] == subject), {})
