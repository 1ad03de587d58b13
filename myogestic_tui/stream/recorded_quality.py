"""Signal quality of a recorded stream: the rules of the live view, on a few seconds spread over the session."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from .quality import Quality, measure_quality, quality_samples

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..session import SessionReader

EXCERPTS = 8
"""Seconds that are looked at, evenly spread."""
_LETTERS = "NFCM"


class RecordedQuality(NamedTuple):
    """One channel."""

    rms: float
    """Median over the excerpts, about each one's mean, in the stream's unit."""
    peak: float
    """Greatest of all."""
    mains: float
    """Median share (0 to 1) of the power at the mains frequency and its harmonics."""
    flags: str
    """Letters of `quality.Quality` that half of the excerpts have; ``N`` (not a number) if one has."""


def recorded_quality(session: SessionReader, name: str, n_excerpts: int = EXCERPTS) -> tuple[RecordedQuality, ...]:
    """Judge a stream of an open session, one entry per channel; empty for text, and for what is slow or too short.

    Raises
    ------
    UnknownStreamError
        There is no such stream.
    SessionDamagedError
        A chunk that was looked at is missing or damaged.
    """
    info, data = session.stream_info(name), session.stream(name).data
    length = quality_samples(info)
    if not length or data.n_rows < length:
        return ()
    last = data.n_rows - length
    starts = sorted({round(last * (number + 0.5) / n_excerpts) for number in range(n_excerpts)})
    heard = [measure_quality(data.rows(start, start + length), info.fs) for start in starts]
    return tuple(_over(excerpts) for excerpts in zip(*heard, strict=True))


def _over(excerpts: Sequence[Quality]) -> RecordedQuality:
    counts = {letter: sum(letter in one.flags for one in excerpts) for letter in _LETTERS}
    flags = "".join(letter for letter, n in counts.items() if n and (letter == "N" or 2 * n >= len(excerpts)))
    rms = float(np.median([one.rms for one in excerpts]))
    mains = float(np.median([one.mains for one in excerpts]))
    return RecordedQuality(rms, max(one.peak for one in excerpts), mains, flags)
