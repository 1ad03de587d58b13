"""What opening, recovering, verifying and salvaging find, said so that a person understands it."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct
from msgspec.structs import force_setattr

from .layout import printable

Kind = Literal["damage", "observation"]


class Finding(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that is not as it should be.

    ``damage`` is something recorded that is lost or wrong; an ``observation`` is what real devices do: time stamps
    that repeat or step back, gaps, NaN.
    """

    kind: Kind
    text: str
    """One sentence: the stream, the samples, the times, and what it means for the data."""
    stream: str = ""
    member: str = ""
    """File within the folder, or member of the archive."""
    first_sample: int | None = None
    stop_sample: int | None = None
    """One past the last sample."""
    first_time: float | None = None
    stop_time: float | None = None

    def __post_init__(self) -> None:
        for name in ("text", "stream", "member"):
            force_setattr(self, name, printable(getattr(self, name)))


def damage(text: str, *, stream: str = "", member: str = "") -> Finding:
    """A `Finding` of the kind that makes a verification fail."""
    return Finding(kind="damage", text=text, stream=stream, member=member)


def observation(text: str, *, stream: str = "", member: str = "") -> Finding:
    """A `Finding` that is worth knowing and harms nothing."""
    return Finding(kind="observation", text=text, stream=stream, member=member)
