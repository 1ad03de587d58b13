"""EDF+ and BDF+ through edfio: one file for each stream, labels as annotations."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ...errors import ConfigError
from ...extras import needed
from .common import Exported, Partial, first_and_last, local_at, numeric_streams, targets, volts_per_unit
from .grid import Grid, marks, tell_about_grid

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike

    from numpy.typing import NDArray

    from ...info import StreamInfo
    from ..reading.reader import SessionReader

Format = Literal["edf", "bdf"]

PADDING = "padding"
"""Annotation of the zeros that fill the last data record."""

_BITS = {"edf": 16, "bdf": 24}
_LARGEST = 99_999_999.0
"""Magnitude that fits the 8 characters which the header has for a physical limit."""


@dataclass(frozen=True, slots=True)
class Scale:
    """From values to digital numbers for each channel: ``digital = round(value * gain + offset)``."""

    gain: NDArray[np.float64]
    offset: NDArray[np.float64]
    physical: list[tuple[float, float]]
    digital: tuple[int, int]


def export_edf(
    session: SessionReader,
    destination: str | PathLike[str],
    streams: Sequence[str] | None = None,
    *,
    fmt: Format = "edf",
    overwrite: bool = False,
) -> Exported:
    """Write an EDF+ (16 bit) or BDF+ (24 bit) file for each stream that is signal at a rate.

    Integers that fit are stored as they are. Other values are spread over the digital numbers between each channel's
    least and greatest; the step that this costs is told. Voltages are stored in µV where their unit is known. Labels
    become annotations with their length (``BAD …`` for bad trials), as do notes and streams of text; gaps are filled
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

    Raises
    ------
    ConfigError
        A file is there already, or a stream cannot be held.
    UnknownStreamError
        The session has no such stream.
    """
    out = Exported()
    names = numeric_streams(session, streams, out)
    for name, path in targets(session, Path(destination), names, f".{fmt}", overwrite):
        file = _assemble(session, name, fmt, out)
        with Partial(path) as partial:
            file.write(partial)
        out.paths.append(path)
    return out


def _assemble(session: SessionReader, name: str, fmt: Format, out: Exported) -> Any:
    edfio = needed("edfio", "export", f"exporting to {fmt}")
    data = session.stream_data(name)
    grid = Grid(data)
    if grid.length == 0:
        raise ConfigError(f"{name} has no samples; {fmt} cannot hold an empty signal")
    tell_about_grid(grid, out)
    fs, record_s = _records(name, data.info.fs, out)
    per_record = round(fs * record_s)
    total = -(-grid.length // per_record) * per_record
    factors, units = _units(data.info)
    scale = _scale(grid, np.array(factors), fmt, out)
    digital = _digitised(grid, scale, total, np.int16 if fmt == "edf" else np.int32)
    signals = [
        (edfio.EdfSignal if fmt == "edf" else edfio.BdfSignal).from_digital(
            digital[index],
            fs,
            label=label,
            physical_dimension=units[index],
            physical_range=scale.physical[index],
            digital_range=scale.digital,
        )
        for index, label in enumerate(_labels(data.info.names, name, out))
    ]
    return _file(session, name, signals, _annotations(session, grid, total), record_s, fmt)


def _file(
    session: SessionReader, name: str, signals: list[Any], annotations: list[Any], record_s: float, fmt: Format
) -> Any:
    import edfio

    local = local_at(session, first_and_last(session, name)[0])
    return (edfio.Edf if fmt == "edf" else edfio.Bdf)(
        signals,
        patient=edfio.Patient(code=_word(session.meta.subject)),
        recording=edfio.Recording(startdate=local.date() if local else None, equipment_code="myogestic_tui"),
        starttime=local.time() if local else None,
        data_record_duration=record_s,
        annotations=annotations,
    )


def _annotations(session: SessionReader, grid: Grid, total: int) -> list[Any]:
    import edfio

    found = [edfio.EdfAnnotation(onset, duration or None, text) for onset, duration, text in marks(session, grid)]
    if total > grid.length:
        found.append(edfio.EdfAnnotation(grid.length / grid.fs, (total - grid.length) / grid.fs, PADDING))
    return found


def _records(name: str, fs: float, out: Exported) -> tuple[float, float]:
    """Rate and length of a data record: the shortest whole number of seconds with a whole number of samples."""
    exact = Fraction(fs).limit_denominator(1000)
    if abs(float(exact) / fs - 1.0) > 1e-12:
        out.remark(f"{name}: the rate {fs!r} Hz is stored as {exact} Hz")
    return float(exact), float(exact.denominator)


def _units(info: StreamInfo) -> tuple[list[float], list[str]]:
    """For each channel: what its values are multiplied with, and the unit that they have then."""
    declared = info.units or ("",) * info.n_channels
    factors, units = [], []
    for unit, volts in zip(declared, volts_per_unit(info), strict=True):
        whole = info.np_dtype.kind == "i"
        factors.append(1.0 if volts is None or whole else volts * 1e6)
        units.append("uV" if volts is not None and (not whole or volts == 1e-6) else _ascii(unit, 8))
    return factors, units


def _scale(grid: Grid, factors: NDArray[np.float64], fmt: Format, out: Exported) -> Scale:
    bits, name = _BITS[fmt], grid.stream.name
    lowest, highest = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
    dtype = grid.stream.info.np_dtype
    least, most, broken = _ranges(grid)
    if broken:
        out.remark(f"{name}: {broken} values that are not finite are stored as the nearest limit or zero")
    if dtype.kind == "i" and least.min() >= lowest and most.max() <= highest:
        n = len(factors)
        return Scale(np.ones(n), np.zeros(n), [(float(lowest), float(highest))] * n, (lowest, highest))
    physical = [_limits(*ends, name) for ends in zip(least * factors, most * factors, strict=True)]
    widths = np.array([top - bottom for bottom, top in physical])
    steps = widths / (highest - lowest)
    out.remark(f"{name}: stored in {bits} bits, in steps of {steps.max():.3g} or less (the signal's own unit or µV)")
    gain = factors / steps
    offset = lowest - np.array([bottom for bottom, _ in physical]) / steps
    return Scale(gain, offset, physical, (lowest, highest))


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


def _limits(least: float, most: float, name: str) -> tuple[float, float]:
    """The range around ``least`` and ``most`` that the header's 8 characters can tell."""
    if max(-least * 10, most) > _LARGEST:
        raise ConfigError(
            f"{name} has values from {least:g} to {most:g}; the header of EDF and BDF cannot tell such a range"
        )
    bottom, top = _told(least, -1), _told(most, 1)
    return (bottom, top) if top > bottom else (bottom, _told(bottom + max(1.0, abs(bottom) * 1e-3), 1))


def _told(value: float, direction: int) -> float:
    """The nearest number of 8 characters at or beyond ``value`` in that direction."""
    for decimals in range(6, -1, -1):
        factor = 10.0**decimals
        told = (np.ceil if direction > 0 else np.floor)(value * factor) / factor
        text = f"{told:.{decimals}f}"
        if len(text) <= 8:
            return float(text)
    raise ConfigError(f"{value:g} does not fit the header of EDF and BDF")


def _digitised(grid: Grid, scale: Scale, total: int, dtype: type[np.signedinteger[Any]]) -> NDArray[Any]:
    """``(n_channels, total)`` digital numbers; zero values in gaps and behind the end."""
    low, high = scale.digital
    zero = np.clip(np.rint(scale.offset), low, high).astype(dtype)
    digital: NDArray[Any] = np.repeat(zero[:, None], total, axis=1)
    for place, rows in grid.blocks():
        values = rows.astype(np.float64) * scale.gain + scale.offset
        np.clip(np.rint(values, out=values), low, high, out=values)
        digital[:, place : place + len(rows)] = np.where(np.isnan(values), zero, values).T.astype(dtype)
    return digital


def _labels(names: Sequence[str], stream: str, out: Exported) -> list[str]:
    """Channel names of at most 16 ASCII characters, each once."""
    found: list[str] = []
    for number, name in enumerate(names, 1):
        label = _ascii(name, 16)
        if not label or label in found:
            label = f"{label[:10]}-{number}"
        if label != name:
            out.remark(f"{stream}: channel names are cut to 16 ASCII characters, each once")
        found.append(label)
    return found


def _ascii(text: str, length: int) -> str:
    plain = text.replace("\u00b5", "u").replace("\u03bc", "u").encode("ascii", "replace").decode()
    return "".join(c if c.isprintable() else "?" for c in plain)[:length].strip()


def _word(text: str) -> str:
    return _ascii(text, 30).replace(" ", "_") or "X"
