"""EDF+ and BDF+ through edfio: one file for each stream, labels as annotations."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ...extras import needed
from ...info import VOLTS
from ...plural import count_of
from .common import Exported, Partial, ascii_of, claim, filled_streams, local_at, targets
from .electrodes import electrodes_of
from .even_grid import Grid, check_fill, grids_of, in_parts, marks, start_of, tell_about_grid, tell_unmarked

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike

    from numpy.typing import NDArray

    from ..reading.reader import SessionReader

Format = Literal["edf", "bdf"]

PADDING = "padding"
"""Annotation of the zeros that fill the last data record."""

_BITS = {"edf": 16, "bdf": 24}
_LEAST, _LARGEST = 0.001, 99_999_999.0
"""Magnitudes of a channel's greatest value that the 8 characters of the header tell to three digits; with a sign."""

_WITHOUT_EXPONENT = 1e-4
"""The least magnitude but zero that Python writes without an exponent."""

_VOLTAGES = {"uV": 1e-6, "mV": 1e-3, "V": 1.0}
"""Volts in one of the units that all readers of EDF know."""
_LAST_RESORT = "nV"
"""MNE takes it for volts."""

_RESERVED = ("EDF Annotations", "BDF Annotations")

_FIRST_YEAR = 1985
"""Of the hundred years that the header can tell."""

_LONGEST_RECORD_S = 1000
_RATE_ERROR = 1e-6
"""A rate may be stored so much off for shorter records: the crystals of devices are less exact."""


@dataclass(frozen=True, slots=True)
class Scale:
    """From values to digital numbers for each channel: ``digital = round(value * gain + offset)``."""

    gain: NDArray[np.float64]
    offset: NDArray[np.float64]

    @classmethod
    def of(cls, signals: Sequence[Any], units: Sequence[Unit]) -> Scale:
        """The scale that a reader applies: the limits that stand in the headers, which edfio may have rounded."""
        bottom, top = np.array([signal.physical_range for signal in signals]).T
        lowest, highest = np.array([signal.digital_range for signal in signals], np.float64).T
        per_unit = (highest - lowest) / (top - bottom)
        return cls(np.array([unit.factor for unit in units]) * per_unit, lowest - bottom * per_unit)


def export_edf(
    session: SessionReader,
    destination: str | PathLike[str],
    streams: Sequence[str] | None = None,
    *,
    fmt: Format = "edf",
    overwrite: bool = False,
    fill: float | None = None,
    split: bool = False,
    anonymize: int | None = None,
) -> Exported:
    """Write an EDF+ (16 bit) or BDF+ (24 bit) file for each stream that is signal at a rate.

    Integers that fit are stored as they are (but for nV, which MNE takes for volts). Other values are spread over the
    digital numbers between each channel's least and greatest; the step that this costs is reported. Voltages are stored
    in µV where their unit is known (in nV, mV or V where the header could not tell the range in µV). Labels become
    annotations with their length (``BAD …`` for bad trials), as do notes and streams of text; gaps are filled
    with zeros and annotated ``BAD_ACQ_SKIP``; the last data record is filled up likewise, annotated ``padding``.

    Memory: edfio holds a whole file, about 4 bytes for every value of EDF and 7 of BDF.

    Parameters
    ----------
    session
        An open session.
    destination
        A folder; or a file ending in ``.edf`` or ``.bdf``, for one stream.
    streams
        Which streams; None is all that are signal at a rate.
    fmt
        ``"edf"`` or ``"bdf"``.
    overwrite
        Replace files that are there.
    fill
        Seconds of the longest gap to fill with zeros; None is 60 s, and no more zeros than samples.
    split
        Write a file for each part of a stream without a gap, ``…_part-1``, instead of filling gaps.
    anonymize
        Days by which the date is written earlier (left out where the header cannot tell it); without the subject then.

    Raises
    ------
    ConfigError
        A file is there already, a stream cannot be held, or a gap is too long to be filled.
    UnknownStreamError
        The session has no such stream.
    """
    out = Exported()
    names = filled_streams(session, streams, out)
    files, grids = plan_edf(session, destination, streams, fmt=fmt, split=split), grids_of(session, names, split=split)
    for grid in grids:
        check_fill(grid, fill)
    claim(files, overwrite)
    tell_unmarked(session, grids, out)
    for grid, path in zip(grids, files, strict=True):
        file = _assemble(session, grid, fmt, out, anonymize)
        with Partial(path) as partial:
            file.write(partial)
        out.paths.append(path)
    return out


def plan_edf(
    session: SessionReader,
    destination: str | PathLike[str],
    streams: Sequence[str] | None = None,
    *,
    fmt: Format,
    split: bool = False,
    **_: Any,
) -> list[Path]:
    """Where `export_edf` writes to: a file for each stream, or for each part of it."""
    names = filled_streams(session, streams, Exported())
    return in_parts(session, targets(session, Path(destination), names, f".{fmt}"), names, f".{fmt}", split)


def _assemble(session: SessionReader, grid: Grid, fmt: Format, out: Exported, anonymize: int | None) -> Any:
    edfio = needed("edfio", "export", f"exporting to {fmt}")
    data, name = grid.stream, grid.stream.name
    tell_about_grid(session, grid, out)
    fs, record_s = _records(name, data.info.fs, out)
    per_record = round(fs * record_s)
    total = -(-grid.length // per_record) * per_record
    units, limits = _limits_of(grid, fmt, out)
    digital = np.zeros((data.info.n_channels, total), np.int16 if fmt == "edf" else np.int32)
    electrodes = electrodes_of(data.info)
    signals = [
        (edfio.EdfSignal if fmt == "edf" else edfio.BdfSignal).from_digital(
            digital[index],
            fs,
            label=label,
            transducer_type=ascii_of(electrodes[index].words(), 80) if index in electrodes else "",
            physical_dimension=units[index].name,
            physical_range=limits[index],
        )
        for index, label in enumerate(_labels(data.info.names, name, out))
    ]
    _digitise(grid, Scale.of(signals, units), signals)
    local = _told_start(local_at(session, start_of(session, grid)), anonymize)
    return (edfio.Edf if fmt == "edf" else edfio.Bdf)(
        signals,
        patient=edfio.Patient(code=_patient(session.meta.subject if anonymize is None else "", out)),
        recording=edfio.Recording(startdate=local.date() if local else None, equipment_code="myogestic_tui"),
        starttime=local.time() if local else None,
        data_record_duration=record_s,
        annotations=_annotations(session, grid, total, fs, out),
    )


def _told_start(at: datetime | None, anonymize: int | None) -> datetime | None:
    """To a 64th of a second: the times of records are exact then, in binary and in decimals, as some readers demand."""
    if at is None or not _FIRST_YEAR <= (at := at - timedelta(days=anonymize or 0)).year < _FIRST_YEAR + 100:
        return None
    parts = round(at.microsecond * 64 / 1e6)
    return at.replace(microsecond=0) + timedelta(seconds=parts / 64)


def _annotations(session: SessionReader, grid: Grid, total: int, fs: float, out: Exported) -> list[Any]:
    """On the time of a file at ``fs`` Hz, which may be a trifle off the grid's."""
    import edfio

    slower, found = grid.fs / fs, []
    for onset, duration, text in marks(session, grid):
        line = _line(text)
        if line != text:
            out.remark("line breaks and control characters in annotations are replaced by spaces")
        found.append(edfio.EdfAnnotation(onset * slower, duration * slower or None, line))
    if total > grid.length:
        found.append(edfio.EdfAnnotation(grid.length / fs, (total - grid.length) / fs, PADDING))
    return found


def _line(text: str) -> str:
    """Without what ends an annotation, or a line, for those who read it."""
    return "".join(" " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c for c in text)


def _records(name: str, fs: float, out: Exported) -> tuple[float, float]:
    """Rate and length of a data record: a whole number of seconds, with a whole number of samples at about ``fs``."""
    off = {seconds: abs(round(fs * seconds) / seconds / fs - 1.0) for seconds in range(1, _LONGEST_RECORD_S + 1)}
    seconds = next((one for one, error in off.items() if error <= _RATE_ERROR), min(off, key=lambda one: off[one]))
    stored = round(fs * seconds) / seconds
    if off[seconds] > 1e-9:
        out.remark(f"{name}: the rate {fs!r} Hz is stored as {stored!r} Hz")
    return stored, float(seconds)


@dataclass(frozen=True, slots=True)
class Unit:
    """What a channel's values are multiplied with, and the unit that they have then."""

    factor: float
    name: str


def _unit(declared: str, peak: float, *, whole: bool) -> Unit:
    """The unit in which a channel's greatest magnitude can be told in the header's 8 characters.

    A voltage is stored in µV, or the next larger or smaller of its kind; another unit, and one that is not known, gets
    a power of ten before it where that is needed. Whole numbers that fit stay as they are.
    """
    volts = VOLTS.get(declared.strip().lower())
    if whole:
        known = [name for name, one in _VOLTAGES.items() if volts is not None and one == volts]
        return Unit(1.0, known[0] if known else ascii_of(declared, 8))
    if volts is not None:
        for name, one in {**_VOLTAGES, _LAST_RESORT: 1e-9}.items():
            factor = volts / one
            if _can_tell(peak * factor):
                return Unit(factor, name)
    power = 0
    while peak and not _can_tell(peak * 10.0**-power):
        power += 3 if peak * 10.0**-power > 1 else -3
    return Unit(10.0**-power, ascii_of(f"1e{power} {declared}" if power else declared, 8))


def _can_tell(magnitude: float) -> bool:
    return magnitude == 0 or 10 * _LEAST <= magnitude * 10 <= _LARGEST


def _limits_of(grid: Grid, fmt: Format, out: Exported) -> tuple[list[Unit], list[tuple[float, float]]]:
    """Unit of each channel, and the physical range to tell for it."""
    bits, name, info = _BITS[fmt], grid.stream.name, grid.stream.info
    lowest, highest = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
    least, most, broken = _ranges(grid)
    if broken:
        out.remark(f"{name}: {count_of(broken, 'value')} not finite, stored as the nearest limit or zero")
    declared = info.units or ("",) * info.n_channels
    whole = info.np_dtype.kind == "i" and bool(least.min() >= lowest and most.max() <= highest)
    whole &= all(VOLTS.get(unit.strip().lower(), 1.0) in _VOLTAGES.values() for unit in declared)
    peaks = np.maximum(np.abs(least), np.abs(most)).tolist()
    units = [_unit(unit, peak, whole=whole) for unit, peak in zip(declared, peaks, strict=True)]
    if whole:
        return units, [(lowest, highest)] * len(units)
    factors = np.array([unit.factor for unit in units])
    if any(unit.strip().lower() not in VOLTS for unit in declared):
        out.remark(f"{name}: units that are not known to be voltages are written as they are")
    if any(unit.name == _LAST_RESORT for unit in units):
        out.remark(f"{name}: stored in {_LAST_RESORT}, which MNE takes for volts")
    if any(unit.name.startswith("1e") for unit in units):
        out.remark(f"{name}: values are stored times a power of ten, which stands before their unit")
    limits = [_limits(*ends) for ends in zip(least * factors, most * factors, strict=True)]
    steps = np.array([top - bottom for bottom, top in limits]) / (highest - lowest)
    coarsest = int(np.argmax(steps / factors))
    out.remark(f"{name}: stored in {bits} bits, in steps of {steps[coarsest]:.3g} {units[coarsest].name} or less")
    return units, limits


def _ranges(grid: Grid) -> tuple[NDArray[np.float64], NDArray[np.float64], int]:
    """Least and greatest finite value of each channel, and how many are not finite."""
    n = grid.stream.info.n_channels
    least, most, broken = np.full(n, np.inf), np.full(n, -np.inf), 0
    for _, rows in grid.blocks():
        values = rows.astype(np.float64)
        finite = np.isfinite(values)
        broken += int(values.size - np.count_nonzero(finite))
        least = np.minimum(least, np.where(finite, values, np.inf).min(axis=0))
        most = np.maximum(most, np.where(finite, values, -np.inf).max(axis=0))
    known = np.isfinite(least)
    return np.where(known, least, 0.0), np.where(known, most, 0.0), broken


def _limits(least: float, most: float) -> tuple[float, float]:
    """The range around ``least`` and ``most`` that the header's 8 characters can tell."""
    bottom, top = _told(least, -1), _told(most, 1)
    return (bottom, top) if top > bottom else (bottom, _told(bottom + max(1.0, abs(bottom) * 1e-3), 1))


def _told(value: float, direction: int) -> float:
    """The nearest number at or beyond ``value`` in that direction that 8 characters tell without an exponent."""
    if abs(value) < _WITHOUT_EXPONENT:
        return direction * _WITHOUT_EXPONENT if value * direction > 0 else 0.0
    for decimals in range(6, -1, -1):
        factor = 10.0**decimals
        told = (np.ceil if direction > 0 else np.floor)(value * factor) / factor
        text = f"{told:.{decimals}f}"
        if len(text) <= 8:
            return float(text)
    raise AssertionError(f"{value} was to be scaled to fit the header")


def _digitise(grid: Grid, scale: Scale, signals: Sequence[Any]) -> None:
    """Fill the signals: digital numbers; zero values in gaps and behind the end."""
    low, high = signals[0].digital_range
    zero = np.clip(np.rint(scale.offset), low, high)
    for signal, value in zip(signals, zero.tolist(), strict=True):
        signal.digital[:] = value
    for place, rows in grid.blocks():
        values = rows.astype(np.float64) * scale.gain + scale.offset
        np.clip(np.rint(values, out=values), low, high, out=values)
        columns = np.where(np.isnan(values), zero, values).T
        for signal, column in zip(signals, columns, strict=True):
            signal.digital[place : place + len(rows)] = column


def _labels(names: Sequence[str], stream: str, out: Exported) -> list[str]:
    """Channel names of at most 16 ASCII characters, each once."""
    found: list[str] = []
    for number, name in enumerate(names, 1):
        label = short = ascii_of(name, 16)
        while not label or label in found or label in _RESERVED:
            label, number = f"{short[:10]}-{number}", number + 1
        if label != name:
            out.remark(f"{stream}: channel names are cut to 16 ASCII characters, each once")
        found.append(label)
    return found


def _patient(subject: str, out: Exported) -> str:
    """The subject as a header holds it: ASCII without spaces; ``X`` is nobody."""
    code = ascii_of(subject, 30).replace(" ", "_") or "X"
    if subject and code != subject.strip().replace(" ", "_"):
        out.remark(f"the subject {subject!r} is {code!r} in the header: at most 30 ASCII characters")
    return code
