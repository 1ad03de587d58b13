"""From the windows of a stream to what is told of each channel, and of the fatigue in each class."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..session.signal.gapless_runs import UNLABELLED
from .channel_statistics import CLIPPED, FLAT, MAINS, MOTION, NAN
from .report_types import ChannelReport, FatigueReport

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from ..info import StreamInfo
    from .channel_statistics import ChannelNumbers

LEAST_WINDOWS = 3
"""Of a class with fewer seconds nothing is said."""
LEAST_FATIGUE_S = 20.0
"""A slope over less than this is not told: it would be chance."""
_MOST_PLACES = 200
_MOST_FOR_SLOPE = 600


def channel_reports(
    info: StreamInfo, numbers: ChannelNumbers, names: Mapping[int, str], rest: int, marked: frozenset[int]
) -> list[ChannelReport]:
    """One entry per channel; empty where nothing was judged.

    Parameters
    ----------
    names
        Of the classes that were labelled, by index.
    rest
        Index of the class at rest.
    marked
        Channels from 0 that a person marked bad.
    """
    if not len(numbers.times):
        return []
    levels = _levels(numbers)
    active = [index for index in sorted(levels) if index not in (rest, UNLABELLED)]
    shares = {bit: (numbers.flags & bit != 0).mean(axis=0) for bit in (FLAT, CLIPPED, MAINS, NAN, MOTION)}
    usual, mains = np.median(numbers.rms, axis=0), np.median(numbers.mains, axis=0)
    reports = []
    for channel, name in enumerate(info.names):
        still = float(levels[rest][channel]) if rest in levels else None
        loud = {names.get(index, f"class {index}"): float(levels[index][channel]) for index in active}
        reports.append(
            ChannelReport(
                channel=channel + 1,
                name=name,
                marked_bad=channel in marked,
                rms=float(usual[channel]),
                rms_rest=still,
                rms_active=loud,
                snr_db={one: 20 * float(np.log10(rms / still)) for one, rms in loud.items() if still and rms > 0},
                flat=float(shares[FLAT][channel]),
                clipped=float(shares[CLIPPED][channel]),
                mains=float(shares[MAINS][channel]),
                nan=float(shares[NAN][channel]),
                motion=float(shares[MOTION][channel]),
                mains_power=float(mains[channel]),
            )
        )
    return reports


def _levels(numbers: ChannelNumbers) -> dict[int, NDArray[np.float64]]:
    """RMS of the muscle by class, ``(n_channels,)``: the median over its seconds.

    A subject who is late leaves some of the class before in each trial.
    """
    found = {}
    for index in np.unique(numbers.classes).tolist():
        power = numbers.power[numbers.classes == index]
        if len(power) >= LEAST_WINDOWS:
            found[index] = np.sqrt(np.median(power, axis=0).astype(np.float64))
    return found


def fatigue_reports(
    numbers: ChannelNumbers, names: Mapping[int, str], rest: int, marked: frozenset[int]
) -> list[FatigueReport]:
    """Median frequency over time of each class that is not rest, over the channels that are usable in a second."""
    found = []
    unusable = (numbers.flags & (FLAT | NAN | CLIPPED | MOTION)) != 0
    unusable[:, sorted(marked)] = True
    hz = np.where(unusable, np.nan, numbers.median_hz)
    for index in np.unique(numbers.classes).tolist():
        here = numbers.classes == index
        if index in (rest, UNLABELLED):
            continue
        usable = here & np.isfinite(hz).any(axis=1)
        times = numbers.times[usable]
        if len(times) < LEAST_WINDOWS * 2 or times[-1] - times[0] < LEAST_FATIGUE_S:
            continue
        of_channels = np.nanmedian(hz[usable], axis=1)
        found.append(_fatigue(names.get(index, f"class {index}"), times, of_channels))
    return found


def _fatigue(name: str, times: NDArray[np.float64], hz: NDArray[np.float64]) -> FatigueReport:
    from scipy.stats import theilslopes

    every = max(1, -(-len(times) // _MOST_FOR_SLOPE))
    fit = theilslopes(hz[::every], times[::every] / 60, 0.95)
    shown = max(1, -(-len(times) // _MOST_PLACES))
    middle = float(times[0] + times[-1]) / 2 / 60
    return FatigueReport(
        name=name,
        median_hz=float(fit[1] + fit[0] * middle),
        slope_hz_per_min=float(fit[0]),
        slope_low=float(fit[2]),
        slope_high=float(fit[3]),
        times_s=[float(np.mean(times[at : at + shown])) for at in range(0, len(times), shown)],
        hz=[float(np.median(hz[at : at + shown])) for at in range(0, len(times), shown)],
    )
