"""An EMG-BIDS dataset through mne-bids."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ...errors import ConfigError
from ...extras import needed
from .common import Exported, numeric_streams
from .mneraw import to_mne

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike

    from ..reading.reader import SessionReader

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
) -> Exported:
    """Add a session to an EMG-BIDS dataset (BIDS 1.11), as BDF+ with events; ``mne_bids.read_raw_bids`` reads it back.

    Streams that hold EMG are written (see `to_mne` for what becomes of labels, gaps and units); further ones get
    ``recording-<stream>``. Memory: 8 bytes for every value of a stream, MNE's own float64, and what edfio takes to
    write it, as much again.

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

    Raises
    ------
    ConfigError
        No stream holds EMG, or one has no fixed rate, or what BIDS has of this run is there already.
    UnknownStreamError
        The session has no such stream.
    """
    for library in ("mne_bids", "edfio"):
        needed(library, "export", "exporting to bids")
    import mne_bids

    out = Exported()
    names = numeric_streams(session, streams, out)
    for name in names:
        if not _has_emg(session, name):
            out.remark(f"{name} holds no EMG and is left out of the dataset")
    raws = {name: to_mne(session, name, out=out) for name in names if _has_emg(session, name)}
    if not raws:
        raise ConfigError(f"{session.path.name} has no EMG channel (by channel type or stream type); BIDS wants EMG")
    meta, root = session.meta, Path(destination)
    if root.exists() and not root.is_dir():
        raise ConfigError(f"{root} is no folder; a BIDS dataset is one")
    for position, (name, raw) in enumerate(raws.items()):
        if line_freq is not None:
            raw.info["line_freq"] = line_freq
        path = mne_bids.BIDSPath(
            root=root,
            subject=_entity(subject or meta.subject, "unknown"),
            task=_entity(task or meta.task, "rest"),
            run=_run(meta.take if run is None else run),
            recording=_entity(name, "emg") if position else None,
            datatype="emg",
        )
        _write(raw, path, emg_placement, overwrite)
        out.paths.append(path.copy().update(suffix="emg", extension=".bdf").fpath)
        out.remark(f"{name}: stored in 24 bits between the least and greatest value of each channel")
    return out


def _has_emg(session: SessionReader, name: str) -> bool:
    info = session.stream_info(name)
    return "emg" in {one.lower() for one in (info.channel_types or (info.type,))}


def _write(raw: Any, path: Any, placement: Placement, overwrite: bool) -> None:
    import mne_bids

    with warnings.catch_warnings():
        # Says that the data had to be converted to BDF, which is what is wanted.
        warnings.filterwarnings("ignore", category=RuntimeWarning)
        try:
            mne_bids.write_raw_bids(
                raw,
                path,
                format="BDF",
                physical_range="channelwise",
                allow_preload=True,
                emg_placement=placement,
                overwrite=overwrite,
                verbose="error",
            )
        except FileExistsError as error:
            raise ConfigError(f"{path.fpath} is there already; choose another run, or overwrite it") from error


def _run(number: int | None) -> str | None:
    return None if number is None else f"{number:02d}"


def _entity(text: str, otherwise: str) -> str:
    """Letters and digits only, as BIDS wants its entities."""
    return re.sub(r"[^A-Za-z0-9]", "", text) or otherwise
