"""Numbers in few characters and fixed fields, the same on all screens."""

from __future__ import annotations

import math

NOTHING = "-"
"""Stands where there is no value (yet)."""


def hms(seconds: float) -> str:
    """``00:00:52``; hours grow as they must."""
    whole = max(int(seconds), 0)
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}"


def minutes(seconds: float) -> str:
    """``03:12``, and ``1:03:12`` from an hour on."""
    whole = max(int(seconds), 0)
    text = f"{whole // 60 % 60:02d}:{whole % 60:02d}"
    return f"{whole // 3600}:{text}" if whole >= 3600 else text


def duration(seconds: float) -> str:
    """``0:06:24``: how long something recorded is; a second that is not whole does not count."""
    return hms(seconds).removeprefix("0")


def size(n_bytes: float) -> str:
    """``29 MB``, ``1.2 GB``: powers of 1000; at most six characters."""
    value = float(n_bytes)
    for unit in ("B", "kB", "MB", "GB"):
        if abs(value) < 999.5:
            return f"{value:.1f} {unit}" if value < 9.95 and unit != "B" else f"{value:.0f} {unit}"
        value /= 1000.0
    return f"{value:.1f} TB" if value < 9.95 else f"{value:.0f} TB"


def take(number: int | None) -> str:
    """``04``."""
    return NOTHING if number is None else f"{number:02d}"


def count(number: float) -> str:
    """``106.5 k``: a count that grows without moving its neighbours; at most seven characters."""
    if number < 10_000:
        return f"{int(number)}"
    if number < 10_000_000:
        return f"{number / 1e3:.1f} k"
    return f"{number / 1e6:.1f} M"


def span_left(seconds: float | None) -> str:
    """Recording time left: ``11 h``, ``45 m``, ``50 s``, ``9 d``; at most four characters."""
    if seconds is None:
        return NOTHING
    for limit, unit, word in ((86400 * 2, 86400, "d"), (3600 * 2, 3600, "h"), (120, 60, "m")):
        if seconds >= limit:
            return (
                f"{min(int(seconds / unit), 999)} {word}"
                if seconds / unit < 100
                else f"{int(min(seconds / unit, 999))}{word}"
            )
    return f"{max(int(seconds), 0)} s"


def rate(hz: float | None) -> str:
    """``2048.1``; ``-`` where unknown or irregular."""
    if hz is None or hz <= 0:
        return NOTHING
    return f"{hz:.1f}" if hz < 99_999 else f"{hz / 1000:.1f}k"


def age(seconds: float | None) -> str:
    """Seconds since the last sample: ``0.01``, ``12.40``, ``312.0``, ``2 h``."""
    if seconds is None:
        return NOTHING
    seconds = max(seconds, 0.0)
    if seconds < 100:
        return f"{seconds:.2f}"
    return f"{seconds:.0f}" if seconds < 7200 else f"{int(seconds // 3600)} h"


def signed(value: float | None, scale: float = 1.0, digits: int = 2) -> str:
    """``+0.31``; ``-`` where unknown."""
    return NOTHING if value is None else f"{value * scale:+.{digits}f}"


def milliseconds(seconds: float | None) -> str:
    """``1.2``; ``-`` where unknown."""
    return NOTHING if seconds is None else f"{seconds * 1e3:.1f}"


def amplitude(value: float) -> str:
    """An RMS or a peak in at most eight characters."""
    if not math.isfinite(value):
        return NOTHING
    if abs(value) >= 1e6 or 0 < abs(value) < 0.001:
        return f"{value:.1e}"
    if abs(value) >= 10_000:
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= 0.1 or value == 0 else f"{value:.3f}"


def unit(name: str) -> str:
    """``µV`` for the ways in which streams write microvolts; other units as they are."""
    low = name.lower()
    if low in ("microvolts", "microvolt", "uv", "µv", "μv"):
        return "µV"
    return {"millivolts": "mV", "volts": "V", "degrees": "°"}.get(low, name)


def dtype(name: str) -> str:
    """``f32``, ``i16``, ``str``."""
    return {"string": "str"}.get(name, name.replace("float", "f").replace("int", "i"))


def span(seconds: float) -> str:
    """How long something has lasted: ``23 s``, ``4:07 min``, ``2:03 h``."""
    whole = max(int(seconds), 0)
    if whole < 100:
        return f"{whole} s"
    return f"{whole // 60}:{whole % 60:02d} min" if whole < 6000 else f"{whole // 3600}:{whole // 60 % 60:02d} h"
