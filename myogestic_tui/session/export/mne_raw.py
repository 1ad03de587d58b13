"""MNE: a stream as a `mne.io.Raw`, and the FIF files that it saves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...extras import needed
from ...montage import grids_to_plain
from ..reading.frames import distinct_channels
from .common import (
    Exported,
    ascii_of,
    claim,
    filled_streams,
    numeric_streams,
    partial_folder,
    targets,
    utc_at,
    volts_per_unit,
)
from .even_grid import Grid, check_fill, grids_of, in_parts, marks, start_of, tell_about_grid, tell_unmarked

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike

    from ...info import StreamInfo
    from ..reading.reader import SessionReader

_TYPES = {"emg": "emg", "eeg": "eeg", "eog": "eog", "ecg": "ecg", "ekg": "ecg", "stim": "stim", "trigger": "stim"}
"""MNE's channel type for LSL's; anything else is ``misc``, whose values MNE takes as they are."""

_DATES = 2**31
"""Seconds to both sides of 1970 that MNE takes for a date."""

_IN_VOLTS = ("emg", "eeg", "eog", "ecg")


def to_mne(
    session: SessionReader,
    stream: str,
    *,
    out: Exported | None = None,
    fill: float | None = None,
    part: tuple[int, int] | None = None,
) -> Any:
    """One stream as a preloaded `mne.io.RawArray`, its channels in volts where they are voltages.

    Labels become annotations with the class's name and the length of the span (``BAD …`` for bad trials), notes and
    streams of text annotations of no length. Gaps are filled with zeros and annotated ``BAD_ACQ_SKIP``. Channels that
    were marked bad are in ``info["bads"]``; a montage is JSON in ``info["description"]``, since MNE has no positions
    but those on a head. Memory: 8 bytes for every value, MNE's own float64.

    Parameters
    ----------
    session
        An open session.
    stream
        A stream of numbers with a nominal rate.
    out
        Told of every loss.
    fill
        Seconds of the longest gap to fill with zeros; None is 60 s, and no more zeros than samples.
    part
        First sample, and one past the last, of those that are wanted; None is all.

    Raises
    ------
    ConfigError
        The stream is text or irregular, or a gap is too long to be filled.
    UnknownStreamError
        The session has no such stream.
    """
    mne = needed("mne", "export", "an MNE Raw")
    out = Exported() if out is None else out
    numeric_streams(session, [stream], out)
    data = session.stream_data(stream)
    grid = Grid(data, part)
    check_fill(grid, fill)
    types, factors = _channels(data.info, data.name, out)
    values = np.zeros((data.info.n_channels, grid.length))
    for place, rows in grid.blocks():
        np.multiply(rows.T, np.array(factors)[:, None], out=values[:, place : place + len(rows)])
    if data.info.dtype == "int64":
        out.remark(f"{data.name}: values beyond 2**53 lose their last digits in float64")
    info = mne.create_info(distinct_channels(data.info.names), data.info.fs, types)
    info["bads"] = [info["ch_names"][index] for index in session.meta.bad_channels.get(data.name, [])]
    if session.meta.subject:
        info["subject_info"] = {"his_id": session.meta.subject}
    if data.info.channel_grids:
        info["description"] = json.dumps(grids_to_plain(data.info.channel_grids))  # FIF holds no more than Latin-1
    info["device_info"] = {"type": data.info.type or "LSL", "model": data.info.manufacturer or "unknown"}
    raw = mne.io.RawArray(values, info, verbose="error")
    start = utc_at(session, start_of(session, grid))
    if start is not None and abs(start.timestamp()) >= _DATES:
        out.remark(f"{data.name}: the date {start:%Y-%m-%d} is left out, which fif cannot tell")
        start = None
    raw.set_meas_date(start)
    notes = marks(session, grid)
    raw.set_annotations(
        mne.Annotations([n[0] for n in notes], [n[1] for n in notes], [n[2] for n in notes], orig_time=start)
    )
    tell_about_grid(session, grid, out)
    if part is None:
        tell_unmarked(session, [grid], out)
    return raw


def export_fif(
    session: SessionReader,
    destination: str | PathLike[str],
    streams: Sequence[str] | None = None,
    *,
    overwrite: bool = False,
    fill: float | None = None,
    split: bool = False,
) -> Exported:
    """Write a FIF file (``…_raw.fif``) for each stream that is signal at a rate; see `to_mne`.

    Values are stored as float32 if the stream's are float32, int16 or int8, and as float64 otherwise. MNE splits files
    of more than 2 GB.

    Parameters
    ----------
    session
        An open session.
    destination
        A folder; or a file ending in ``_raw.fif``, for one stream.
    streams
        Which streams; None is all that are signal at a rate.
    overwrite
        Replace files that are there.
    fill
        Seconds of the longest gap to fill with zeros; None is 60 s, and no more zeros than samples.
    split
        Write a file for each part of a stream without a gap, instead of filling gaps.

    Raises
    ------
    ConfigError
        A file is there already, a stream cannot be held, or a gap is too long to be filled.
    UnknownStreamError
        The session has no such stream.
    """
    out = Exported()
    names, files = filled_streams(session, streams, out), plan_fif(session, destination, streams, split=split)
    grids = grids_of(session, names, split=split)
    for grid in grids:
        check_fill(grid, fill)
    claim(files, overwrite)
    tell_unmarked(session, grids, out)
    for grid, path in zip(grids, files, strict=True):
        name = grid.stream.name
        raw = to_mne(session, name, out=out, fill=fill, part=(grid.first, grid.stop))
        narrow = session.stream_info(name).dtype in ("float32", "int16", "int8")
        if narrow:
            out.remark(f"{name}: stored as float32 after scaling to volts: exact to 1 part in 10 million")
        _tell_about_text(raw, name, out)
        with partial_folder(path) as folder:
            raw.save(folder / path.name, fmt="single" if narrow else "double", verbose="error")
            for part in sorted(folder.iterdir(), reverse=True):  # the first of several parts names the others
                part.replace(path.with_name(part.name))
        out.paths.append(path)
    return out


def plan_fif(
    session: SessionReader,
    destination: str | PathLike[str],
    streams: Sequence[str] | None = None,
    *,
    split: bool = False,
    **_: Any,
) -> list[Path]:
    """Where `export_fif` writes to: a file for each stream or part of it, its first one where MNE splits it."""
    names = filled_streams(session, streams, Exported())
    return in_parts(session, targets(session, Path(destination), names, "_raw.fif"), names, "_raw.fif", split)


def _tell_about_text(raw: Any, name: str, out: Exported) -> None:
    """Give channels names that FIF holds, and note what it holds otherwise."""
    named = distinct_channels([ascii_of(one) or "?" for one in raw.ch_names])
    if changed := [(old, new) for old, new in zip(raw.ch_names, named, strict=True) if old != new]:
        out.remark(
            f"{name}: channel names are ASCII in fif: {', '.join(f'{old!r} is {new!r}' for old, new in changed)}"
        )
        raw.rename_channels(dict(changed), verbose="error")
    texts = [*raw.annotations.description, str(raw.info["subject_info"] or ""), *raw.info["device_info"].values()]
    if any(ord(character) > 255 for text in texts for character in str(text)):
        out.remark("texts are Latin-1 in fif, and what is not is written as &#25569; (html.unescape gives it back)")


def channel_types(info: StreamInfo) -> list[str]:
    """MNE's type of each channel."""
    declared = info.channel_types or (info.type,) * info.n_channels
    return [_TYPES.get((one or info.type).strip().lower(), "misc") for one in declared]


def _channels(info: StreamInfo, name: str, out: Exported) -> tuple[list[str], list[float]]:
    """MNE's type of each channel, and what its values are multiplied with."""
    types, factors = channel_types(info), []
    for type_, volts in zip(types, volts_per_unit(info), strict=True):
        if type_ in _IN_VOLTS and volts is None:
            out.remark(f"{name}: the unit is not known to be a voltage; values are taken for volts as they are")
        factors.append(volts if type_ in _IN_VOLTS and volts is not None else 1.0)
    return types, factors
