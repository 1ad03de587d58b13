"""Singular and plural in messages."""

from __future__ import annotations


def count_of(n: int, singular: str, plural: str = "", *, spec: str = "") -> str:
    """``1 sample``, ``2 samples``.

    Parameters
    ----------
    n
        How many.
    singular, plural
        The noun; its plural where that takes more than an s.
    spec
        How the number is formatted: ``","`` groups its digits.
    """
    return f"{n:{spec}} {singular if n == 1 else plural or singular + 's'}"
