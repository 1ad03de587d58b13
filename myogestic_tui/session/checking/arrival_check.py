"""Checks the arrival record of a stream: both of its columns ascend, and it ends at the last sample."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..format.findings import Finding, damage, observation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray


class ArrivalCheck:
    """Fed with the rows that can be read, in order."""

    def __init__(self) -> None:
        self.n_read: int | None = None
        """Samples that the last row covers; None where there is no row."""
        self._last = np.full((1, 2), -np.inf)
        self._turned: int | None = None

    def feed(self, first: int, rows: NDArray[Any]) -> None:
        """Take ``(n, 2)`` rows, the first of which is row `first`."""
        steps = np.diff(np.concatenate((self._last, rows)), axis=0)
        wrong = np.flatnonzero(~(steps >= 0).all(axis=1))
        if len(wrong) and self._turned is None:
            self._turned = first + int(wrong[0])
        self._last = rows[-1:]
        self.n_read = int(rows[-1, 0]) if np.isfinite(rows[-1, 0]) else -1

    def findings(self, stem: str, member: str, n_samples: int, *, finished: bool) -> Iterator[Finding]:
        """What is wrong with it, for a stream of `n_samples`."""
        if self._turned is not None:
            text = f"{stem}: the arrival record goes back at row {self._turned}: when samples came cannot be told"
            yield damage(text, stream=stem, member=member)
        elif self.n_read is not None and self.n_read > n_samples:
            text = f"{stem}: the arrival record covers {self.n_read} samples, but there are {n_samples}"
            yield damage(text, stream=stem, member=member)
        elif finished and n_samples > (self.n_read or 0):
            text = f"{stem}: the arrival record ends at sample {self.n_read or 0} of {n_samples}"
            yield observation(text, stream=stem, member=member)
