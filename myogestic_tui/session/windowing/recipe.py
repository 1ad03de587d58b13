"""What windows are cut, and how: the options that every way of getting at windows shares."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypedDict

import numpy as np

from ...errors import ConfigError
from ..signal.processing import CausalFilter, Processing
from ..signal.window_bounds import Cut, Wanted, check_placed, class_set

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..reading.reader import SessionReader

    Times = Literal["sample", "raw"]
    OnNan = Literal["drop", "keep", "raise"]
    ClassChoice = Iterable[int] | Iterable[str] | None

Channels = Sequence[str] | Sequence[int] | Literal["good"] | None


class WindowOptions(TypedDict, total=False):
    """Options of everything that cuts windows from sessions.

    Attributes
    ----------
    include_bad
        Also cut from trials that were marked bad.
    strict
        Raise where a session cannot be read or lacks the stream, instead of skipping it with a logged warning; and
        where some of its samples cannot be read, instead of leaving out the windows that have them.
    times
        ``"sample"``: when samples were taken, on the recorder's clock. ``"raw"``: the source's stamps as they are, in
        whatever clock; no sample gets a label then, so every window is of class -1.
    any_source
        Take sessions together although the stream's source_id differs: devices of one kind.
    skip_start_s
        Leave out so many seconds after each label: the subject reacts, and the muscle takes up the gesture.
    delay_s
        Labels hold so many seconds later than their time stamps say; less than 0: earlier.
    channels
        Names, numbers from 0, or ``"good"``: those that no session marks bad. None takes all. Chosen by name, channels
        are found wherever a session has them.
    on_nan
        What becomes of windows with a value that is no finite number: ``"drop"`` leaves them out, and logs how many;
        ``"raise"`` is a `ValueError` that names the first; ``"keep"`` keeps them.
    filter
        A `causal_filter`, applied to the whole signal before windows are cut, from the beginning and from every gap on.
        Filtered and resampled windows are floating point numbers: float32, or float64 where that is not enough.
    resample
        Rate in Hz that streams of other rates are brought to, before the filter.
    """

    include_bad: bool
    strict: bool
    times: Times
    any_source: bool
    skip_start_s: float
    delay_s: float
    channels: Channels
    on_nan: OnNan
    filter: CausalFilter | None
    resample: float | None


PLAIN: WindowOptions = {
    "include_bad": False,
    "strict": False,
    "times": "sample",
    "any_source": False,
    "skip_start_s": 0.0,
    "delay_s": 0.0,
    "channels": None,
    "on_nan": "keep",
    "filter": None,
    "resample": None,
}
"""Signal as it was recorded."""

CLEAN: WindowOptions = {**PLAIN, "channels": "good", "on_nan": "drop"}
"""Signal to train on."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """Checked arguments; small, and can be pickled.

    Attributes
    ----------
    stream
        The stream that is cut.
    names
        Names of the classes that are wanted, which then have these indices; empty where indices or all are wanted.
    """

    stream: str
    cut: Cut
    wanted: Wanted
    names: tuple[str, ...]
    strict: bool
    raw: bool
    any_source: bool
    channels: tuple[str, ...] | tuple[int, ...] | Literal["good"] | None
    on_nan: OnNan
    filter: CausalFilter | None
    resample: float | None

    @classmethod
    def of(
        cls, stream: str, cut: Cut, classes: ClassChoice, given: WindowOptions, default: WindowOptions = PLAIN
    ) -> Recipe:
        """Check arguments; ConfigError names the first that is not usable."""
        if unknown := sorted(set(given) - set(PLAIN)):
            raise TypeError(f"unknown option {unknown[0]!r}; windows are cut with {', '.join(sorted(PLAIN))}")
        how: WindowOptions = {**default, **given}
        names = _class_names(classes)
        indices = frozenset(range(len(names))) if names else class_set(classes)  # type: ignore[arg-type]
        if how["times"] not in ("sample", "raw"):
            raise ConfigError(f"times is {how['times']!r}; use 'sample' or 'raw'")
        if how["on_nan"] not in ("drop", "keep", "raise"):
            raise ConfigError(f"on_nan is {how['on_nan']!r}; use 'drop', 'keep' or 'raise'")
        if not isinstance(how["filter"], CausalFilter | None):
            raise ConfigError(f"filter is {how['filter']!r}; make one with causal_filter(sos)")
        raw = how["times"] == "raw"
        if raw and any(index >= 0 for index in indices or ()):
            raise ConfigError(f"classes is {classes!r}, but with times='raw' no sample gets a label; leave classes out")
        skip = _seconds("skip_start_s", how["skip_start_s"], least=0.0)
        wanted = Wanted(indices, how["include_bad"], skip, _seconds("delay_s", how["delay_s"]))
        rate = how["resample"]
        if rate is not None and not _is_number(rate, least=0.0, or_equal=False):
            raise ConfigError(f"resample is {rate!r}; give a rate in Hz, or None")
        return cls(
            stream=stream,
            cut=cut,
            wanted=wanted,
            names=names,
            strict=how["strict"],
            raw=raw,
            any_source=how["any_source"],
            channels=_channels(how["channels"]),
            on_nan=how["on_nan"],
            filter=how["filter"],
            resample=None if rate is None else float(rate),
        )

    def check(self, reader: SessionReader) -> None:
        """Raise ConfigError or ClockError where labelled windows cannot be cut from a session."""
        info = reader.stream_info(self.stream)
        self.cut.lengths(self.stream, info)
        self.cut.lengths(self.stream, Processing(None, self.resample, self.filter).info(self.stream, info))
        if reader.label_track and not self.raw:
            check_placed(self.stream, *placing(reader, self.stream))


def placing(reader: SessionReader, name: str) -> tuple[str, str]:
    """How a stream's stamps are tied to the recorder's clock, and why they tell nothing if they do not."""
    time = reader.measured(name).time
    return (time.basis, time.unusable) if time is not None else ("none", "")


def _class_names(classes: Any) -> tuple[str, ...]:
    """The names, where classes are chosen by name, in their order."""
    if isinstance(classes, str):
        raise ConfigError(f"classes is {classes!r}; give a list: [{classes!r}]")
    if not isinstance(classes, Sequence) or not any(isinstance(one, str) for one in classes):
        if isinstance(classes, set | frozenset) and any(isinstance(one, str) for one in classes):
            raise ConfigError(f"classes is {classes!r}; give names as a list: their order gives their indices")
        return ()
    if not all(isinstance(one, str) for one in classes) or len(set(classes)) < len(classes):
        raise ConfigError(f"classes is {classes!r}; give each name once, or indices")
    return tuple(classes)


def _channels(channels: Any) -> Any:
    if channels is None or (isinstance(channels, str) and channels == "good"):
        return channels
    if isinstance(channels, str):
        raise ConfigError(f"channels is {channels!r}; give a list: [{channels!r}]")
    try:
        chosen = tuple(one if isinstance(one, str) else int(one) for one in channels)
        usable = all(isinstance(one, str) for one in chosen) or all(
            isinstance(one, int) and one >= 0 and one == given for one, given in zip(chosen, channels, strict=True)
        )
    except (TypeError, ValueError):
        chosen, usable = (), False
    if not usable or not chosen or len(set(chosen)) < len(chosen):
        raise ConfigError(f"channels is {channels!r}; give names, or numbers from 0, each once, or 'good'")
    return chosen


def whole_number(name: str, value: Any, least: int = 0) -> int:
    """A whole number from ``least`` up; ConfigError where it is none."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise ConfigError(f"{name} is {value!r}; give a whole number, {least} or more")
    return int(value)


def _is_number(value: Any, least: float, *, or_equal: bool = True) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float | np.number):
        return False
    return bool(least < value < math.inf or (or_equal and value == least))


def _seconds(name: str, value: Any, least: float = -math.inf) -> float:
    if not _is_number(value, least):
        what = "0 or more" if least == 0.0 else "a number"
        raise ConfigError(f"{name} is {value!r}; give {what}")
    return float(value)
