"""Signal quality of every channel as a `Status` carries it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .interface import ChannelQuality

if TYPE_CHECKING:
    from ..stream import Stream
    from ..stream.quality import Quality


class QualityRows:
    """Every stream's quality as a `Status` carries it, made once for each measurement: one second, not one frame."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[tuple[Quality, ...], frozenset[int], tuple[ChannelQuality, ...]]] = {}

    def of(self, stream: Stream, bad: frozenset[int]) -> tuple[ChannelQuality, ...]:
        """The rows of a stream whose channels ``bad`` are marked."""
        measured = stream.quality()
        kept = self._kept.get(stream.name)
        if kept is None or kept[0] is not measured or kept[1] != bad:
            kept = self._kept[stream.name] = (measured, bad, _quality(measured, bad))
        return kept[2]


def _quality(rows: tuple[Quality, ...], bad: frozenset[int]) -> tuple[ChannelQuality, ...]:
    return tuple(
        ChannelQuality(rms=one.rms, peak=one.peak, mains=one.mains, flags=one.flags + ("x" if index in bad else ""))
        for index, one in enumerate(rows)
    )
