"""Single trials that do not look like their class: a wrong key, a subject who did nothing, a loose electrode."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .channel_report import LEAST_WINDOWS
from .channel_statistics import CLIPPED, FLAT, NAN
from .report_types import Issue

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from .channel_statistics import ChannelNumbers

LEAST_TRIALS = 3
"""Of a class with fewer trials nobody can say what is usual."""
LEAST_DB = 6.0
"""A class that is usually less above rest does not tell whether one trial is."""
_FAULT_SHARE = 0.5
_WEAK, _LOUD = 0.3, 0.6
"""Shares of the usual decibels above rest: a trial of an active class below the first, one at rest above the second."""
_FAULTS = {FLAT: "flat", CLIPPED: "clipped", NAN: "not a number"}


def trial_issues(
    stream: str, numbers: ChannelNumbers, names: Mapping[int, str], rest: int, known: set[int]
) -> list[Issue]:
    """What is to be checked of single trials.

    Parameters
    ----------
    names
        Of the classes, by index.
    rest
        Index of the class at rest.
    known
        Channels from 1 that are marked bad, or to be checked anyway.
    """
    usable = np.array([channel + 1 not in known for channel in range(numbers.flags.shape[1])], bool)
    if not len(numbers.times) or not usable.any():
        return []
    faults = [
        Issue(stream=stream, channel=channel, trial=trial, text=text)
        for trial, channel, text in _faults(numbers, usable)
    ]
    levels = [Issue(stream=stream, trial=trial, text=text) for trial, text in _levels(numbers, names, rest, usable)]
    return [*faults, *levels]


def _faults(numbers: ChannelNumbers, usable: NDArray[np.bool_]) -> Iterator[tuple[int, int, str]]:
    for trial in np.unique(numbers.trials[numbers.trials > 0]).tolist():
        flags = numbers.flags[numbers.trials == trial]
        for bit, word in _FAULTS.items():
            share = (flags & bit != 0).mean(axis=0)
            for channel in np.flatnonzero((share >= _FAULT_SHARE) & usable).tolist():
                yield trial, channel + 1, f"{word} in trial {trial}"


def _levels(
    numbers: ChannelNumbers, names: Mapping[int, str], rest: int, usable: NDArray[np.bool_]
) -> Iterator[tuple[int, str]]:
    still = numbers.power[(numbers.classes == rest)]
    if len(still) < LEAST_WINDOWS:
        return
    quiet = np.median(still, axis=0)
    usable = usable & (quiet > 0)
    if not usable.any():
        return
    above = {
        trial: (index, _decibels(numbers, trial, quiet, usable, at_rest=index == rest))
        for trial, index in sorted({*zip(numbers.trials.tolist(), numbers.classes.tolist(), strict=True)})
        if trial > 0 and index >= 0
    }
    usual = {}
    for index in {index for index, _ in above.values()}:
        of_class = [decibels for other, decibels in above.values() if other == index]
        if len(of_class) >= LEAST_TRIALS:
            usual[index] = float(np.median(of_class))
    active = [decibels for index, decibels in usual.items() if index != rest and decibels >= LEAST_DB]
    for trial, (index, decibels) in above.items():
        name = names.get(index, f"class {index}")
        if index == rest:
            if active and decibels > _LOUD * min(active):
                yield trial, f"trial {trial} {name} is {decibels:.0f} dB louder than {name} usually is"
        elif usual.get(index, 0.0) >= LEAST_DB and decibels < _WEAK * usual[index]:
            yield (
                trial,
                f"trial {trial} {name} is {decibels:.0f} dB above rest, where {name} usually is {usual[index]:.0f} dB",
            )


def _decibels(
    numbers: ChannelNumbers, trial: int, quiet: NDArray[np.float32], usable: NDArray[np.bool_], *, at_rest: bool
) -> float:
    """Of a trial above rest: the median of the channels, in the second in the middle; of two the one that is likelier
    the class's own, for a subject who is late leaves some of the class before in the first.
    """
    power = numbers.power[numbers.trials == trial][:, usable]
    middle = np.quantile(power, 0.5, axis=0, method="lower" if at_rest else "higher")
    return float(10 * np.log10(max(float(np.median(middle / quiet[usable])), 1e-12)))
