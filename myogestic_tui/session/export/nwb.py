"""NWB by pynwb: EMG as ElectricalSeries, other streams as TimeSeries, labels as trials."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import ConfigError
from ...extras import needed
from ..format.layout import safe_name
from .common import (
    Exported,
    claim,
    class_label,
    label_spans,
    partial_folder,
    session_end,
    single_target,
    tell_about_clock,
    utc_at,
    volts_per_unit,
)
from .electrodes import electrodes_of
from .mne_raw import channel_types

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike

    from ..reading.reader import SessionReader
    from .electrodes import Electrode


def export_nwb(
    session: SessionReader,
    destination: str | PathLike[str],
    streams: Sequence[str] | None = None,
    *,
    overwrite: bool = False,
) -> Exported:
    """Write one NWB file: all streams, labels as trials, notes and texts as annotations.

    Times are corrected ones, in seconds from the session's start, a stamp for each sample. Samples keep their dtype;
    ``conversion`` makes volts of them. What no session knows (location of electrodes, filters, species) is
    ``unknown``. Memory: a stream.

    Parameters
    ----------
    session
        An open session, with a date.
    destination
        A file ending in ``.nwb``, or a folder for ``<session>.nwb``.
    streams
        Which streams; None is all.
    overwrite
        Replace a file that is there.

    Raises
    ------
    ConfigError
        The file is there already, pynwb is not installed, or nothing tells when the session was recorded.
    UnknownStreamError
        The session has no such stream.
    """
    pynwb = needed("pynwb", "nwb", "exporting to nwb")
    [path] = files = plan_nwb(session, destination, streams)
    out, zero = Exported(), session.meta.anchors[0].lsl if session.meta.anchors else _first_time(session)
    start = utc_at(session, zero)
    if start is None:
        raise ConfigError(f"{session.path.name} has no date, and an NWB file has to have one")
    claim(files, overwrite)
    meta = session.meta
    file = pynwb.NWBFile(
        session_description=meta.task or meta.name or session.path.name,
        identifier=f"{session.path.name} {meta.created}",
        session_start_time=start,
        session_id=meta.name or None,
        notes="\n".join(_notes(session, zero)) or None,
        subject=_subject(session),
    )
    for name in session.streams if streams is None else streams:
        _add_stream(session, name, file, zero, out)
    _add_trials(session, file, zero)
    _add_notes(session, file, zero)
    with partial_folder(path) as folder:
        with pynwb.NWBHDF5IO(folder / path.name, "w") as io:
            io.write(file)
        (folder / path.name).replace(path)
    out.paths.append(path)
    out.remark("nwb holds neither raw time stamps nor clock offsets, nor how certain labels are")
    return out


def plan_nwb(
    session: SessionReader,
    destination: str | PathLike[str],
    streams: Sequence[str] | None = None,  # noqa: ARG001 (as the other formats' plans)
) -> list[Path]:
    """Where `export_nwb` writes to."""
    return [single_target(session, Path(destination), ".nwb")]


def _notes(session: SessionReader, zero: float) -> list[str]:
    """Fields of the take sheet, which have no place of their own, and the notes."""
    fields = [f"{name}: {value}" for name, value in session.meta.fields.items()]
    return fields + [f"{note.timestamp - zero:.3f} s: {note.text}" for note in session.notes]


def _subject(session: SessionReader) -> Any:
    """Who was recorded; what the take sheet does not tell of age and sex is unknown, in the words of NWB."""
    import pynwb

    fields = session.meta.fields
    age, sex = str(fields.get("age", "")).strip(), str(fields.get("sex", "")).strip()[:1].upper()
    return pynwb.file.Subject(
        subject_id=session.meta.subject or "unknown",
        age=f"P{int(float(age))}Y" if age.replace(".", "", 1).isdigit() else "P0D/",
        sex=sex if sex in ("M", "F", "O") else "U",
    )


def _first_time(session: SessionReader) -> float:
    times = [session.stream_data(name).times(0, 1) for name in session.streams if session.n_samples(name)]
    return float(min((one[0] for one in times if np.isfinite(one[0])), default=0.0))


def _add_stream(session: SessionReader, name: str, file: Any, zero: float, out: Exported) -> None:
    import pynwb

    stream = session.stream_data(name)
    tell_about_clock(session, name, out)
    info, n, own_name = stream.info, stream.n_samples, session.stream(name).stem
    if not n:
        out.remark(f"{name} has no samples and is left out")
        return
    rows, times = stream.rows(0, n), stream.times(0, n) - zero
    if info.is_string:
        texts = [", ".join(row) for row in rows.tolist()]
        _add_events(file, own_name, f"texts of the stream {name}", times.tolist(), texts)
        return
    about = f"{name}: {info.type or 'no type'}, source_id {info.source_id or 'not known'}"
    volts = volts_per_unit(info)
    if set(channel_types(info)) == {"emg"} and None not in volts:
        electrodes = _electrodes(session, name, file)
        scale = {"conversion": volts[0]} if len(set(volts)) == 1 else {"channel_conversion": volts}
        kind = pynwb.ecephys.ElectricalSeries
        series = kind(name=own_name, data=rows, electrodes=electrodes, timestamps=times, description=about, **scale)
    else:
        units = sorted(set(info.units or ()))
        unit = units[0] if len(units) == 1 and units[0] else "unknown"
        if len(units) > 1:
            out.remark(f"{name}: its channels have several units ({', '.join(units)}); they stand in the description")
            about += f"; units {', '.join(info.units or ())}"
        series = pynwb.TimeSeries(name=own_name, data=rows, unit=unit, timestamps=times, description=about)
    file.add_acquisition(series)
    bad = session.meta.bad_channels.get(own_name, [])
    if bad and "electrodes" not in series.fields:
        out.remark(f"{name}: bad channels have no place in a TimeSeries: {', '.join(str(one + 1) for one in bad)}")


def _electrodes(session: SessionReader, name: str, file: Any) -> Any:
    """An electrode for each channel; where it is stands there only as far as somebody said so."""
    info, stem = session.stream_info(name), session.stream(name).stem
    device = file.create_device(
        f"{stem}_device", description=info.source_id or "unknown", manufacturer=info.manufacturer or None
    )
    first = 0 if file.electrodes is None else len(file.electrodes)
    bad, placed, groups = session.meta.bad_channels.get(stem, []), electrodes_of(info), {}
    if file.electrodes is None:
        _add_columns(session, file)
    for number, channel in enumerate(info.names):
        one = placed.get(number)
        label, where = (one.grid.label, one.grid.where) if one else ("", "")
        if label not in groups:
            called = f"{stem}_{safe_name(label)}" if label else f"{stem}_electrodes"
            about = {"description": label or name, "location": where or "unknown", "device": device}
            groups[label] = file.create_electrode_group(_free(file.electrode_groups, called), **about)
        values = _place(one) if _has_montage(session) else {}
        file.add_electrode(
            location=where or "unknown", group=groups[label], channel_name=channel, bad=number in bad, **values
        )
    return file.create_electrode_table_region(list(range(first, first + info.n_channels)), f"channels of {name}")


def _has_montage(session: SessionReader) -> bool:
    return any(session.stream_info(name).channel_grids for name in session.streams)


def _add_columns(session: SessionReader, file: Any) -> None:
    file.add_electrode_column("channel_name", "name of the channel")
    file.add_electrode_column("bad", "whether the channel was marked bad")
    if _has_montage(session):
        file.add_electrode_column("grid_row", "row on the grid of its group, from 0; -1 where that is not known")
        file.add_electrode_column("grid_column", "column on the grid of its group, from 0; -1 where that is not known")


def _place(one: Electrode | None) -> dict[str, int | float]:
    """Rows and columns, and micrometres from those, as NWB wants them."""
    placed = one is not None and one.has_place
    x, y = (one.x_mm, one.y_mm) if one is not None else (None, None)
    return {
        "grid_row": one.row if placed and one is not None else -1,
        "grid_column": one.column if placed and one is not None else -1,
        "rel_x": np.nan if x is None else 1e3 * x,
        "rel_y": np.nan if y is None else 1e3 * y,
    }


def _free(taken: Any, name: str) -> str:
    """A name that no other group has."""
    found, number = name, 1
    while found in taken:
        number += 1
        found = f"{name}_{number}"
    return found


def _add_trials(session: SessionReader, file: Any, zero: float) -> None:
    spans = label_spans(session, session_end(session))
    if not spans:
        return
    file.add_trial_column("label", "name of the class")
    file.add_trial_column("class_index", "index of the class in the session, from 0")
    file.add_trial_column("bad", "whether the trial was marked bad")
    for span in spans:
        event = span.event
        file.add_trial(
            start_time=span.start - zero,
            stop_time=span.stop - zero,
            label=class_label(session, event.class_index),
            class_index=event.class_index,
            bad=bool(event.bad),
        )


def _add_notes(session: SessionReader, file: Any, zero: float) -> None:
    if session.notes:
        times, texts = [note.timestamp - zero for note in session.notes], [note.text for note in session.notes]
        _add_events(file, "notes_of_session", "notes, by the clock of the recorder", times, texts)


def _add_events(file: Any, name: str, about: str, times: list[float], texts: list[str]) -> None:
    table = file.create_events_table(name, about)
    table.add_column("annotation", "the text")
    for time, text in zip(times, texts, strict=True):
        table.add_row(timestamp=time, annotation=text)
