"""When the signal changed, near each change of label: the onset of activity in the samples themselves, or its end.

Between a label and the one before it the signal has two levels, known from the stretches of both that are well away
from the change. The change is where the samples are likeliest to turn from the one level to the other: the maximum of
the likelihood of a change of variance, over all channels (Staude 2001). Movement and offset, below 20 Hz, do not count.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct

from ...errors import ConfigError
from ..signal.gapless_runs import find_runs
from ..signal.window_bounds import check_placed
from .label_table import label_rows
from .trials import first_at

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..signal.streamdata import StreamData
    from .label_table import LabelRow
    from .reader import SessionReader

REACH_S = 2.0
"""So far before and after a label its onset is looked for, and never beyond the middle of its neighbours."""
LEAST_DB = 6.0
"""The RMS has to double or halve, or nobody can say when it did."""
_HIGH_PASS_HZ = 20.0
_BLOCK_S = 0.05
_FLAT = 1e-5
"""A channel that falls to this share of its power came off: what is left of it is what the filter rings."""
_LEAST_S = 0.1
"""A stretch of a level shorter than this says nothing."""


class Onset(Struct, frozen=True, kw_only=True):
    """Where the signal changes at one trial's label; times in seconds."""

    trial: int
    name: str
    start_s: float
    """Of the label, since the session's start."""
    shift_s: float | None = None
    """By how much the signal changes later than the label; None where no change can be told."""
    change_db: float | None = None
    """By how much the RMS changes, of all channels together: positive at an onset."""
    why_not: str = ""
    """Why there is no `shift_s`."""


def find_onsets(session: SessionReader, stream: str | None = None) -> list[Onset]:
    """Look for the change of the signal at each trial's label; nothing is changed.

    Parameters
    ----------
    session
        An open session.
    stream
        Signal of a fixed rate; None takes the only one, or that of type EMG.

    Raises
    ------
    ConfigError
        There is no such signal, or there are several; or its rate is below 50 Hz.
    ClockError
        Nothing tells how its time stamps lie to the labels.
    """
    name = emg_stream(session, stream)
    data, rows = session.stream_data(name), label_rows(session)
    if data.info.fs < 50:
        raise ConfigError(f"{name} has {data.info.fs:g} Hz; an onset is looked for in a signal of 50 Hz or more")
    check_placed(name, data.timeline.basis, data.timeline.unusable)
    stretches = [_stretch(rows, place) for place in range(len(rows))]
    index = first_at(data, [time for stretch in stretches for time in stretch])
    whole = [(run.start, run.stop) for run in find_runs(data)]
    return [
        _onset(data, rows[place], [index[time] for time in stretch], whole, first=place == 0)
        for place, stretch in enumerate(stretches)
        if rows[place].trial is not None
    ]


def emg_stream(session: SessionReader, wanted: str | None = None) -> str:
    """The signal that is meant: the one that is named, the only one, or the only one of type EMG (or called emg).

    Raises
    ------
    ConfigError
        There is none, or there are several; the message lists them.
    UnknownStreamError
        There is no stream of that name.
    """

    def is_signal(name: str) -> bool:
        return (info := session.stream_info(name)).is_regular and not info.is_string

    if wanted is not None:
        if not is_signal(wanted):
            raise ConfigError(f"{wanted} is no signal of a fixed rate")
        return wanted
    names = [name for name in session.streams if is_signal(name)]
    emg = [name for name in names if session.stream_info(name).type.upper() == "EMG"] or [
        name for name in names if session.stream(name).meta.name.lower() == "emg" or name.lower() == "emg"
    ]
    for found in (emg, names):
        if len(found) == 1:
            return found[0]
    if not names:
        raise ConfigError(f"{session.path.name} has no signal of a fixed rate")
    raise ConfigError(f"{session.path.name} has several signals: {', '.join(emg or names)}; name one with --stream")


def _stretch(rows: list[LabelRow], place: int) -> tuple[float, float, float, float]:
    """From the level before, to where the change may be, to the level after: four times on the recorder's clock."""
    row = rows[place]
    before = rows[place - 1].seconds if place else row.start_s
    early, late = min(REACH_S, before / 2), min(REACH_S, row.seconds / 2)
    at = row.timestamp
    return at - min(before, 2 * early + REACH_S), at - early, at + late, at + min(row.seconds, 2 * late + REACH_S)


def _onset(data: StreamData, row: LabelRow, index: list[int], whole: list[tuple[int, int]], *, first: bool) -> Onset:
    assert row.trial is not None, "a trial"
    found = Onset(trial=row.trial, name=row.name, start_s=row.start_s)
    begin, early, late, end = index
    least = int(_LEAST_S * data.info.fs)
    if early - begin < least or end - late < least:
        return _no(found, "the session begins with it" if first else "it, or the one before, is too short")
    if not any(start <= begin and end <= stop for start, stop in whole):
        return _no(found, "the signal has a gap there")
    signal = _active_part(data.rows(begin, end).astype(np.float64), data.info.fs)
    early, late = early - begin, late - begin
    before, after = (_power(part, data.info.fs) for part in (signal[:early], signal[late:]))
    usable = (before > _FLAT * after) & (after > _FLAT * before)
    if not usable.any():
        return _no(found, "the signal is flat, or not finite")
    change_db = float(10 * np.log10(np.mean(after[usable] / before[usable])))
    back_db = float(10 * np.log10(np.mean(before[usable] / after[usable])))
    level = change_db if change_db >= back_db else -back_db
    if abs(level) < LEAST_DB:
        return _no(found, f"the level changes by {level:+.1f} dB only", level)
    turn = _turn(signal[early:late, usable], before[usable], after[usable])
    if turn in (0, late - early):
        return _no(found, "the signal does not change within reach of the label", level)
    at = early + turn
    taken = data.times(begin + at, begin + at + 1)
    return Onset(
        trial=row.trial,
        name=row.name,
        start_s=row.start_s,
        shift_s=round(float(taken[0]) - row.timestamp, 6),
        change_db=level,
    )


def _no(found: Onset, why: str, change_db: float | None = None) -> Onset:
    return Onset(trial=found.trial, name=found.name, start_s=found.start_s, change_db=change_db, why_not=why)


def _active_part(samples: NDArray[np.float64], fs: float) -> NDArray[np.float64]:
    """``(n_samples, n_channels)`` without offset and movement; channels that are not finite are 0."""
    from scipy.signal import butter, sosfiltfilt

    finite = np.where(np.isfinite(samples).all(axis=0), samples, 0.0)
    corner = min(_HIGH_PASS_HZ, fs / 8)
    filtered: NDArray[np.float64] = sosfiltfilt(butter(2, corner, "highpass", fs=fs, output="sos"), finite, axis=0)
    return filtered


def _power(signal: NDArray[np.float64], fs: float) -> NDArray[np.float64]:
    """The usual power of each channel: a subject who is late leaves some of the level before in the one after."""
    length = max(1, int(_BLOCK_S * fs))
    blocks = signal[: len(signal) // length * length].reshape(-1, length, signal.shape[1])
    power: NDArray[np.float64] = np.median(np.mean(blocks**2, axis=1), axis=0)
    return power


def _turn(signal: NDArray[np.float64], before: NDArray[np.float64], after: NDArray[np.float64]) -> int:
    """The sample from which on the level ``after`` is likelier than ``before``: the maximum of the likelihood."""
    gain = 0.5 * (signal**2 * (1 / after - 1 / before) + np.log(after / before)).sum(axis=1)
    return int(np.argmin(np.concatenate([[0.0], -np.cumsum(gain)])))
