"""Filters for the display: what is recorded is raw."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..info import StreamInfo

HIGHPASS_ORDER = 2
NOTCH_QUALITY = 30.0


class DisplayFilter:
    """A high-pass (Butterworth) and a notch whose state continues from chunk to chunk.

    Parameters
    ----------
    sections
        Second-order sections, ``(n_sections, 6)``.
    removes_offset
        Whether there is a high-pass among them.
    """

    def __init__(self, sections: NDArray[np.float64], removes_offset: bool) -> None:
        self.removes_offset = removes_offset
        self._sections = sections
        self._state: NDArray[np.float64] | None = None

    @classmethod
    def of(cls, info: StreamInfo, highpass_hz: float | None, notch_hz: float | None) -> DisplayFilter | None:
        """The filter for a stream; None where nothing is to be filtered, or its rate does not allow it."""
        high = highpass_hz if highpass_hz and 0 < highpass_hz < 0.45 * info.fs else None
        notch = notch_hz if notch_hz and 0 < notch_hz < 0.45 * info.fs else None
        if high is None and notch is None:
            return None
        # SciPy takes about half a second to import: only who filters pays for it.
        from scipy import signal

        parts = []
        if high is not None:
            parts.append(signal.butter(HIGHPASS_ORDER, high, "highpass", fs=info.fs, output="sos"))
        if notch is not None:
            parts.append(signal.tf2sos(*signal.iirnotch(notch, NOTCH_QUALITY, fs=info.fs)))
        return cls(np.concatenate(parts), high is not None)

    def apply(self, data: NDArray[Any], *, unbroken: bool = True) -> NDArray[np.float64]:
        """Filter the next samples, ``(n, n_channels)``, n > 0; ``unbroken`` if they follow those before.

        Samples that are not finite come back as NaN, and the filter continues as if they were zero.
        """
        from scipy import signal

        values = data.astype(np.float64)
        bad = ~np.isfinite(values)
        if bad.any():
            values[bad] = 0.0
        if self._state is None or not unbroken:
            self._state = signal.sosfilt_zi(self._sections)[:, :, None] * values[0]
        filtered: NDArray[np.float64]
        filtered, self._state = signal.sosfilt(self._sections, values, axis=0, zi=self._state)
        filtered[bad] = np.nan
        return filtered
