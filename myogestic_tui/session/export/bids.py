"""An EMG-BIDS dataset through mne-bids."""

from __future__ import annotations

import fcntl
import json
import os
import re
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ...errors import ConfigError
from ...extras import needed
from .common import Exported, check_free, claim, filled_streams, partial_folder, utc_at
from .edf import export_edf
from .even_grid import Grid, start_of
from .mne_raw import channel_types

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from os import PathLike

    from ..reading.reader import SessionReader

_WRITTEN = ("emg.bdf", "emg.json", "channels.tsv", "channels.json", "events.tsv", "events.json")

Placement = Literal["Measured", "ChannelSpecific", "Other"]


def export_bids(
    session: SessionReader,
    destination: str | PathLike[str],
    streams: Sequence[str] | None = None,
    *,
    subject: str | None = None,
    task: str | None = None,
    run: int | None = None,
    emg_placement: Placement = "Other",
    line_freq: float | None = None,
    overwrite: bool = False,
    fill: float | None = None,
) -> Exported:
    """Add a session to an EMG-BIDS dataset (BIDS 1.11), as BDF+ with events; ``mne_bids.read_raw_bids`` reads it back.

    Streams that hold EMG are written as `export_edf` writes BDF+ (see there for labels, gaps, units and memory);
    further ones get ``recording-<stream>``.

    Parameters
    ----------
    session
        An open session.
    destination
        Root of the dataset, new or not.
    streams
        Which streams; None is those with EMG channels.
    subject, task, run
        BIDS entities; None takes the session's subject, task and take, or ``unknown`` and ``rest`` where it has none.
    emg_placement
        How electrodes were placed: BIDS asks for it.
    line_freq
        Mains frequency in Hz; BIDS asks for it too, None is "n/a".
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
    out = Exported()
    names, files = _emg_streams(session, streams, out), plan_bids(session, destination, streams, subject, task, run)
    check_free(files, overwrite)
    for given, word in ((subject or session.meta.subject, "sub"), (task or session.meta.task, "task")):
        if given and f"{word}-{given}_" not in files[0].name:
            out.remark(f"{given!r} is {word}-{_entity(given, 'unknown')} in the dataset: letters and digits only")
    root = Path(destination).absolute()
    claim([root], overwrite=True)
    for name, file in zip(names, files, strict=True):
        with partial_folder(root) as folder:
            written = export_edf(session, folder / f"{file.stem}.bdf", [name], fmt="bdf", fill=fill)
            with _alone_in(root), _participants_kept(root, file.parent.parent.name), _kept_otherwise(file, folder):
                _add(session, name, written.paths[0], file, emg_placement, line_freq)
        out.paths.append(file)
        for remark in written.remarks:
            out.remark(remark)
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
    root, names = Path(destination), _emg_streams(session, streams, Exported())
    if root.exists() and not root.is_dir():
        raise ConfigError(f"{root} is no folder; a BIDS dataset is one")
    if not names:
        raise ConfigError(f"{session.path.name} has no EMG channel (by channel type or stream type); BIDS wants EMG")
    meta = session.meta
    who = f"sub-{_entity(subject or meta.subject, 'unknown')}"
    take = meta.take if run is None else run
    stem = f"{who}_task-{_entity(task or meta.task, 'rest')}{'' if take is None else f'_run-{take:02d}'}"
    recordings = [""]
    for name in names[1:]:
        recording = wanted = f"_recording-{_entity(name, 'emg')}"
        for number in range(2, len(names) + 1):
            recording = recording if recording not in recordings else f"{wanted}{number}"
        recordings.append(recording)
    return [root / who / "emg" / f"{stem}{recording}_emg.bdf" for recording in recordings]


def _emg_streams(session: SessionReader, streams: Sequence[str] | None, out: Exported) -> list[str]:
    names = filled_streams(session, streams, out)
    emg = [name for name in names if "emg" in channel_types(session.stream_info(name))]
    for name in names:
        if name not in emg:
            out.remark(f"{name} holds no EMG and is left out of the dataset")
    return emg


def _add(
    session: SessionReader, name: str, written: Path, file: Path, placement: Placement, line_freq: float | None
) -> None:
    """Have mne-bids take a BDF file into the dataset, with what the file itself cannot tell."""
    import mne
    import mne_bids

    info = session.stream_info(name)
    raw = mne.io.read_raw_bdf(written, verbose="error")
    raw.set_channel_types(dict(zip(raw.ch_names, channel_types(info), strict=True)), verbose="error")
    raw.info["bads"] = [raw.ch_names[index] for index in session.meta.bad_channels.get(session.stream(name).stem, [])]
    raw.info["line_freq"] = line_freq
    # The file's header has local time, as EDF wants it; MNE takes that for UTC.
    raw.set_meas_date(utc_at(session, start_of(session, Grid(session.stream_data(name)))))
    entities = mne_bids.get_entities_from_fname(file)
    path = mne_bids.BIDSPath(root=file.parent.parent.parent, datatype="emg", **entities)
    path = mne_bids.write_raw_bids(raw, path, emg_placement=placement, overwrite=True, verbose="error")
    sidecar = path.copy().update(suffix="emg", extension=".json").fpath
    about = json.loads(sidecar.read_text(encoding="utf-8"))
    sidecar.write_text(json.dumps({**about, "Manufacturer": info.manufacturer or "n/a"}, indent=4), encoding="utf-8")


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
    start = file.name.removesuffix("emg.bdf")
    return [path for end in _WRITTEN if (path := file.with_name(start + end)).exists()]


@contextmanager
def _participants_kept(root: Path, subject: str) -> Iterator[None]:
    """What was entered of a subject by hand stays: mne-bids writes that row anew."""
    table = root / "participants.tsv"
    before = _row_of(table, subject)
    yield
    after = _row_of(table, subject)
    kept = {key: value for key, value in before.items() if after.get(key) == "n/a"}
    if any(value != "n/a" for value in kept.values()):
        old, new = ("\t".join(row.values()) for row in (after, {**after, **kept}))
        table.write_text(table.read_text(encoding="utf-8-sig").replace(old, new), encoding="utf-8")


def _row_of(table: Path, subject: str) -> dict[str, str]:
    if not table.exists():
        return {}
    head, *rows = (line.split("\t") for line in table.read_text(encoding="utf-8-sig").splitlines() if line)
    return next((dict(zip(head, row, strict=False)) for row in rows if row[0] == subject), {})


def _entity(text: str, otherwise: str) -> str:
    """Letters and digits only, as BIDS wants its entities."""
    return re.sub(r"[^A-Za-z0-9]", "", text) or otherwise
