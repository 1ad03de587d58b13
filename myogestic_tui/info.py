"""What is known about one stream before its first sample: the leaf type that everything else shares."""

from __future__ import annotations

import math
import operator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from .errors import ConfigError
from .montage import ChannelGrid, check_grids

if TYPE_CHECKING:
    import numpy as np

NUMERIC_DTYPES = ("int8", "int16", "int32", "int64", "float32", "float64")
"""The numeric wire formats of LSL, by their NumPy names."""

STRING_DTYPE = "string"
"""The wire format of marker streams."""

MOST_CLASSES = 2**31
"""A class index is less than this."""

MOST_BYTES = 2**28
"""A stored chunk of a stream may come to this."""
_TEXT_BYTES = 256

IRREGULAR_CHUNK = 1024
"""Samples per stored chunk where the rate is irregular or below 1 Hz."""


VOLTS = {
    "v": 1.0,
    "volt": 1.0,
    "volts": 1.0,
    "mv": 1e-3,
    "millivolt": 1e-3,
    "millivolts": 1e-3,
    "uv": 1e-6,
    "\u00b5v": 1e-6,
    "\u03bcv": 1e-6,
    "microvolt": 1e-6,
    "microvolts": 1e-6,
    "nv": 1e-9,
    "nanovolt": 1e-9,
    "nanovolts": 1e-9,
}
"""Volts in one unit, by the names that LSL outlets use, in lower case. µ exists twice in Unicode."""


def samples_in(seconds: float, fs: float) -> int:
    """Samples of a window of ``seconds`` at ``fs`` Hz: rounded down, but for what float error takes from a whole one.

    The one rule for the length of windows, live and recorded, so that a model fits both: 0.2 s at 2048 Hz is 409.
    """
    return math.floor(seconds * fs + 1e-9)


@dataclass(frozen=True, slots=True)
class StreamInfo:
    """The layout of a stream.

    Parameters
    ----------
    n_channels
        Number of channels, at least 1.
    fs
        Nominal sampling rate in Hz; 0.0 for an irregular stream (``LSL_IRREGULAR_RATE``).
    dtype
        Wire format: a name of `NUMERIC_DTYPES`, or ``"string"``.
    channel_names
        One name per channel, or None where the stream names none.
    units, channel_types
        One per channel (``"microvolts"``, ``"EMG"``), or None where unknown.
    type, source_id, hostname, uid, manufacturer
        As the stream declares them; empty where it does not.
    desc_xml
        The stream's full XML header, verbatim; empty where it has none.
    counter
        Number, from 0, of the channel that counts samples; None where there is none, or it is not known.
    channel_grids
        Where its electrodes are; None where nobody said so.

    Raises
    ------
    ConfigError
        A value is out of range, or a list has the wrong length.
    """

    n_channels: int
    fs: float
    dtype: str = "float32"
    channel_names: tuple[str, ...] | None = None
    units: tuple[str, ...] | None = None
    channel_types: tuple[str, ...] | None = None
    type: str = ""
    source_id: str = ""
    hostname: str = ""
    uid: str = ""
    manufacturer: str = ""
    desc_xml: str = ""
    counter: int | None = None
    channel_grids: tuple[ChannelGrid, ...] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "n_channels", operator.index(self.n_channels))
        if self.n_channels < 1:
            raise ConfigError(f"n_channels is {self.n_channels}; a stream has at least one channel")
        if not 0.0 <= self.fs < float("inf"):
            raise ConfigError(f"fs is {self.fs}; give the rate in Hz, or 0 for an irregular stream")
        object.__setattr__(self, "fs", float(self.fs))
        object.__setattr__(self, "dtype", _dtype_name(self.dtype))
        itemsize = _TEXT_BYTES if self.is_string else int(self.dtype.lstrip("intfloa")) // 8
        if self.chunk_length * max(self.n_channels * itemsize, 8) > MOST_BYTES:
            raise ConfigError(
                f"{self.n_channels} channels of {self.dtype} at {self.fs:g} Hz are more than can be recorded "
                f"({MOST_BYTES >> 20} MB a second); is the rate right?"
            )
        for field in ("channel_names", "units", "channel_types"):
            values = getattr(self, field)
            if values is None:
                continue
            if len(values) != self.n_channels:
                raise ConfigError(f"{field} has {len(values)} entries for {self.n_channels} channels")
            object.__setattr__(self, field, tuple(map(str, values)))
        if self.channel_grids is not None:
            object.__setattr__(self, "channel_grids", check_grids(self.channel_grids, self.n_channels) or None)
        if self.counter is not None:
            object.__setattr__(self, "counter", operator.index(self.counter))
            if self.is_string or not 0 <= self.counter < self.n_channels:
                raise ConfigError(
                    f"counter is {self.counter}; give a channel of numbers, from 0 to {self.n_channels - 1}"
                )

    def with_counter(self, channel: str | int) -> StreamInfo:
        """The same, with the channel that counts samples.

        Parameters
        ----------
        channel
            Its name, ``"channel 65"`` (from 1, as on the screens), or its number from 1.

        Raises
        ------
        ConfigError
            There is no such channel, or the stream is none of numbers at a nominal rate.
        """
        text = str(channel).strip()
        number = text.removeprefix("channel").strip()
        if self.is_string or not self.is_regular:
            raise ConfigError(f"counter {text!r}: only a stream of numbers at a nominal rate can have one")
        if text in self.names:
            return replace(self, counter=self.names.index(text))
        if number.isdecimal() and 1 <= int(number) <= self.n_channels:
            return replace(self, counter=int(number) - 1)
        near = ", ".join([*self.names[:3], "…", *self.names[-2:]] if self.n_channels > 5 else self.names)
        raise ConfigError(f"counter {text!r}: no such channel; there are {self.n_channels}: {near}")

    @property
    def is_string(self) -> bool:
        """True for a marker stream: its samples are text."""
        return self.dtype == STRING_DTYPE

    @property
    def is_regular(self) -> bool:
        """True where the stream has a nominal rate."""
        return self.fs > 0.0

    @property
    def chunk_length(self) -> int:
        """Samples per stored chunk: one second, or 1024 if ``fs < 1`` or irregular."""
        return int(self.fs) if self.fs >= 1.0 else IRREGULAR_CHUNK

    @property
    def np_dtype(self) -> np.dtype:
        """The NumPy dtype of a sample; ``object`` for strings."""
        import numpy as np

        return np.dtype(object) if self.is_string else np.dtype(self.dtype)

    @property
    def names(self) -> tuple[str, ...]:
        """A name for every channel: those given, else ``ch1`` … ``chN``."""
        if self.channel_names is not None:
            return self.channel_names
        return tuple(f"ch{i + 1}" for i in range(self.n_channels))


def _dtype_name(dtype: object) -> str:
    if dtype in NUMERIC_DTYPES or dtype == STRING_DTYPE:
        return str(dtype)
    if dtype in ("str", str, "object"):
        return STRING_DTYPE
    import numpy as np

    try:
        name = np.dtype(dtype).name  # type: ignore[call-overload]
    except (TypeError, ValueError, SyntaxError):  # NumPy parses such text as Python does
        name = str(dtype)
    if name not in NUMERIC_DTYPES:
        allowed = ", ".join((*NUMERIC_DTYPES, STRING_DTYPE))
        raise ConfigError(f"dtype {name!r} is none that a stream can have; use one of {allowed}")
    return str(name)
