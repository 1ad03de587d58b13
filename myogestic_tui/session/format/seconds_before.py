"""A session that begins before it was asked for: with samples that were held in memory until then."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .findings import Finding, observation
from .layout import META
from .meta import BEFORE

if TYPE_CHECKING:
    from .meta import Meta


def before_s(meta: Meta) -> float:
    """How many seconds before it was asked for a session begins; 0 where nothing says so, or no number."""
    seconds = meta.extra.get(BEFORE)
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        return 0.0
    return float(seconds) if 0 < seconds < float("inf") else 0.0


def before_words(seconds: float) -> str:
    """The same in words; empty where the session begins when it was asked for."""
    return f"begins {seconds:.1f} s before its recording was started" if seconds else ""


def before_findings(meta: Meta) -> list[Finding]:
    """What there is to report of the seconds before: how many there are, or that they cannot be right."""
    seconds = before_s(meta)
    if BEFORE in meta.extra and not seconds and meta.extra[BEFORE] != 0:
        text = f"{BEFORE} is {str(meta.extra[BEFORE])[:40]!r}, no number of seconds"
        return [observation(f"{text}: how much of the session came before its start is not known", member=META)]
    if meta.duration_s is not None and seconds > meta.duration_s + 1e-3:
        text = f"the session {before_words(seconds)}, and is only {meta.duration_s:.1f} s long"
        return [observation(f"{text}: when it was started is not known", member=META)]
    return [observation(f"the session {before_words(seconds)}", member=META)] if seconds else []
