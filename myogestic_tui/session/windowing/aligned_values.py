"""The values that other streams have for a window."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ...errors import ConfigError
from ..signal.alignment import Alignment
from ..signal.window_bounds import check_placed
from .recipe import placing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ..reading.reader import SessionReader


class AlignedValues:
    """Which streams are aligned, and how; checked when made."""

    def __init__(self, names: Sequence[str], samples: int, causal: bool, interpolate: bool, raw: bool) -> None:
        if isinstance(names, str):
            raise ConfigError(f"aligned_streams is {names!r}; give a list: [{names!r}]")
        if isinstance(samples, bool) or not isinstance(samples, int | np.integer) or samples < 1:
            raise ConfigError(f"align_window_samples is {samples!r}; give a number of samples, at least 1")
        if interpolate and samples != 1:
            raise ConfigError("interpolate draws a line between two samples; leave align_window_samples at 1")
        if interpolate and causal:
            raise ConfigError("causal and interpolate exclude each other: a line needs the sample after the instant")
        self.names, self._samples, self._causal, self._interpolate = list(names), int(samples), causal, interpolate
        self.raw = raw

    def check(self, reader: SessionReader) -> None:
        """Raise `ConfigError` for a stream of text, ClockError for one that cannot be placed."""
        for name in self.names:
            if reader.stream_info(name).is_string:
                raise ConfigError(f"{name} is a stream of text; a window's value is made of numbers")
            if not self.raw:
                check_placed(name, *placing(reader, name))

    def of(self, reader: SessionReader) -> dict[str, Alignment]:
        """The streams of one session, by name."""
        self.check(reader)
        streams = {name: replace(reader.stream_data(name), raw=self.raw) for name in self.names}
        return {
            name: Alignment(stream, self._samples, causal=self._causal, interpolate=self._interpolate)
            for name, stream in streams.items()
        }

    def values(
        self, alignments: dict[str, Alignment], ts: NDArray[np.float64]
    ) -> dict[str, NDArray[np.float64]] | None:
        """Every stream's value for a window whose samples have the times ``ts``; None where one has none."""
        instant = float(ts[-1]) if self._causal else float(ts[0] + ts[-1]) / 2
        values = {}
        for name, alignment in alignments.items():
            value = alignment.value(instant)
            if value is None:
                return None
            values[name] = value
        return values
