"""The amplitude spectrum of one channel over the last second, with the lines of the mains marked."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from rich.style import Style

from .label_timeline import write_free
from .picture import Block, Picture, beside, written

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.floating]

SECONDS = 1.0
COLUMNS_PER_SAMPLE = 2
"""Columns of the envelope for each sample: none holds two, whatever the stamps' phase."""
MOST_COLUMNS = 4096
MAINS_HZ = (50.0, 60.0)
HARMONICS = 3
_HALF_WIDTH_HZ = 1.6
_STANDS_OUT = 0.2
_SPAN_DB = 60.0
_HIGHEST_HZ = 500.0
_MARGIN = 8
_LETTERS = np.array([ord(letter) for letter in " ▁▂▃▄▅▆▇█"])


class Samples(NamedTuple):
    """A stretch of one channel, as it is drawn."""

    rms: float
    peak: float
    hertz: Floats
    amplitude: Floats
    """Of each frequency, in the unit of the signal."""
    seconds: float


def columns_for(fs: float) -> tuple[int, float]:
    """Columns, and seconds, of the view that holds every sample by itself; none where the rate is not known."""
    if not 0 < fs < float("inf"):
        return 0, 0.0
    columns = min(round(COLUMNS_PER_SAMPLE * fs * SECONDS), MOST_COLUMNS)
    return columns, columns / (COLUMNS_PER_SAMPLE * fs)


def measure(low: NDArray[np.float32], high: NDArray[np.float32], seconds: float) -> Samples | None:
    """RMS, peak and spectrum of an envelope ``(columns,)`` of single samples; None where too few came."""
    known = np.flatnonzero(np.isfinite(low))
    if len(known) < len(low) // 4 or len(known) < 16:
        return None
    values = (low[known].astype(np.float64) + high[known]) / 2
    rms, peak = float(np.sqrt(np.mean(values**2))), float(np.abs(values).max())
    even = np.interp(np.arange(0, len(low), COLUMNS_PER_SAMPLE), known, values)
    window = np.hanning(len(even))
    amplitude = np.abs(np.fft.rfft((even - even.mean()) * window)) * 2 / window.sum()
    return Samples(rms, peak, np.fft.rfftfreq(len(even), seconds / len(even)), amplitude, seconds)


def mains(samples: Samples) -> tuple[float, float]:
    """Frequency of the mains, and the share of the power that it and its harmonics have; 50 Hz unless 60 stands out."""
    power = samples.amplitude**2
    whole = float(power.sum()) or 1.0
    share: dict[float, float] = {}
    for hertz in MAINS_HZ:
        lines = np.arange(1, HARMONICS + 1) * hertz
        near = (np.abs(samples.hertz[:, None] - lines) <= _HALF_WIDTH_HZ).any(axis=1)
        share[hertz] = float(power[near].sum()) / whole
    fifty, sixty = MAINS_HZ
    hertz = sixty if share[sixty] > max(share[fifty], _STANDS_OUT) else fifty
    return hertz, share[hertz]


class Spectrum(Picture):
    """Bars over frequency, 60 dB high, the greatest at the top; the mains and its harmonics in another colour."""

    DEFAULT_CSS = "Spectrum { display: none; }"

    def draw(self, samples: Samples, unit: str) -> None:
        """Show what is new."""
        cells, tall = self.size.width - _MARGIN - 1, self.size.height - 2
        if cells < 8 or tall < 2:
            return
        end = min(_HIGHEST_HZ, float(samples.hertz[-1]))
        edges = np.linspace(0, end, cells + 1)
        places = np.searchsorted(samples.hertz, edges)
        starts = np.minimum(places[:-1], len(samples.amplitude) - 1)
        bars = np.maximum.reduceat(samples.amplitude, starts)
        top = float(bars.max()) or 1.0
        heights = np.clip((20 * np.log10(np.maximum(bars, 1e-12) / top) / _SPAN_DB + 1) * tall * 8, 0, tall * 8)
        hertz, share = mains(samples)
        lines = [int(k * hertz / end * cells) for k in range(1, HARMONICS + 1) if k * hertz < end]
        quiet, marked = self.ink("quiet"), self.ink("text-warning")
        title = f" spectrum of 1 s   {100 * share:.0f} % at {hertz:g} Hz mains"
        marks = [f"{top:.3g} {unit}", *[""] * (tall - 2), f"-{_SPAN_DB:g} dB"]
        fill = np.clip(heights - 8 * np.arange(tall - 1, -1, -1)[:, None], 0, 8).astype(np.int64)
        glyphs, inks = _LETTERS[fill], np.ones(fill.shape, np.int64)
        inks[:, lines] = 2
        glyphs[:, lines] = np.where(fill[:, lines] == 0, ord("┊"), glyphs[:, lines])
        self.put(
            written([[(title, marked if share >= 0.5 else quiet)]], self.size.width),
            beside(
                written([[(f"{mark:>{_MARGIN - 1}} ", quiet)] for mark in marks], _MARGIN),
                Block(glyphs, inks, [Style(), quiet, marked]),
            ),
            written([[(" " * _MARGIN + _axis(end, cells, hertz), quiet)]], self.size.width),
        )


def _axis(end: float, cells: int, hertz: float) -> str:
    """Hertz under the bars: the mains and its harmonics, and each hundred that has room."""
    text = [" "] * cells
    ticks = [k * hertz for k in range(1, HARMONICS + 1)] + [100.0 * k for k in range(6)] + [end]
    for tick in ticks:
        word = f"{tick:g}" + (" Hz" if tick == end else "")
        place = min(int(tick / end * cells), cells - len(word))
        if tick <= end:
            write_free(text, place, word)
    return "".join(text)
