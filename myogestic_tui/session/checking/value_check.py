"""What the samples of a stream show that a person should know and that real devices do: NaN and infinite values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..format.findings import Finding, observation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

_BLOCK_ROWS = 1 << 16


class Count:
    """How often something was seen, and at which sample first."""

    def __init__(self) -> None:
        self.n = 0
        self.first = -1

    def add(self, where: NDArray[np.bool_], first_sample: int) -> None:
        """Count the True ones of ``(n,)`` samples, the first of which is `first_sample`."""
        n = int(np.count_nonzero(where))
        if n and not self.n:
            self.first = first_sample + int(np.argmax(where))
        self.n += n

    def finding(self, stream: str, member: str, what: str) -> Iterator[Finding]:
        """An observation with the count, if there is anything to tell."""
        if self.n:
            text = f"{stream}: {what}: {self.n}, the first is sample {self.first}"
            yield observation(text, stream=stream, member=member)


class SampleCheck:
    """NaN and infinite values among samples."""

    def __init__(self) -> None:
        self._nan, self._inf = Count(), Count()

    def feed(self, first: int, rows: NDArray[Any]) -> None:
        """Look at ``(n, n_channels)`` samples, the first of which is sample `first`."""
        if rows.dtype.kind != "f":
            return
        for start in range(0, len(rows), _BLOCK_ROWS):
            block = rows[start : start + _BLOCK_ROWS]
            if not np.isfinite(block).all():
                self._nan.add(np.isnan(block).any(axis=1), first + start)
                self._inf.add(np.isinf(block).any(axis=1), first + start)

    def findings(self, stream: str, member: str) -> Iterator[Finding]:
        """What was seen."""
        yield from self._nan.finding(stream, member, "samples with NaN")
        yield from self._inf.finding(stream, member, "samples with infinite values")
