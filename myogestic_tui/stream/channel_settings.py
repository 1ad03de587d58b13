"""What somebody told of a stream's channels that its source does not: which one counts, and where electrodes are."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ..errors import ConfigError
from ..grid_layout import on_stream

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..grid_layout import GridLayout
    from ..info import StreamInfo


class ChannelSettings:
    """Added to what a source declares as far as it fits: a stream is recorded all the same, and says so.

    Parameters
    ----------
    stream
        The stream's name.
    counter, montage
        As `Stream` takes them.
    """

    def __init__(self, stream: str, counter: str | int | None, montage: Iterable[GridLayout]) -> None:
        self.counter = counter
        self.montage = tuple(montage)
        self._stream = stream
        self._no_counter, self._no_montage = "", ""
        self._declared: StreamInfo | None = None

    @property
    def message(self) -> str:
        """What does not fit; empty where all does."""
        return "; ".join(part for part in (self._no_counter, self._no_montage) if part)

    def added_to(self, info: StreamInfo) -> StreamInfo:
        """What the source declares, with what was told."""
        self._declared = info
        return self._with_montage(self._with_counter(info))

    def set_montage(self, montage: Iterable[GridLayout]) -> StreamInfo | None:
        """See `Stream.set_montage`; returns what the stream is then, None where it has not connected yet."""
        layouts, declared = tuple(montage), self._declared
        if declared is not None:
            try:
                on_stream(layouts, declared.names, self._stream)
            except ConfigError as error:
                raise ConfigError(f"{self._stream}: {error}") from None
        self.montage = layouts
        return None if declared is None else self.added_to(declared)

    def _with_counter(self, info: StreamInfo) -> StreamInfo:
        self._no_counter = ""
        if self.counter is None:
            return info
        try:
            return info.with_counter(self.counter)
        except ConfigError as error:
            self._no_counter = f"{error}; losses are told by time stamps"
            return info

    def _with_montage(self, info: StreamInfo) -> StreamInfo:
        self._no_montage = ""
        if not self.montage:
            return info
        try:
            return replace(info, channel_grids=on_stream(self.montage, info.names, self._stream))
        except ConfigError as error:
            self._no_montage = f"montage: {error}; electrodes are recorded without places"
            return replace(info, channel_grids=None)
