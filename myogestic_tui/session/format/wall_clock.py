"""The wall clock, which may be set while a session is recorded: without a battery it begins in 1970, till NTP comes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from .findings import Finding, observation
from .layout import META
from .meta import Anchor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .meta import Meta

STEP_SECONDS = 1.0
"""Difference between two anchors beyond which the wall clock was set: both clocks of a machine are slewed alike."""

_UNITS = ((365.25 * 86_400, "years"), (86_400.0, "days"), (3600.0, "hours"), (60.0, "minutes"))


def wall_now() -> datetime:
    """The present time, UTC."""
    return datetime.now(UTC)


def step_of(anchors: Sequence[Anchor]) -> float:
    """Seconds by which the wall clock was set between the first anchor and the last; 0.0 where nothing tells so."""
    if len(anchors) < 2:
        return 0.0
    try:
        first, last = (datetime.fromisoformat(anchor.utc) for anchor in (anchors[0], anchors[-1]))
        step = (last - first).total_seconds() - (anchors[-1].lsl - anchors[0].lsl)
    except (TypeError, ValueError):  # another recorder's, with no date, or with a time zone in one of them only
        return 0.0
    return step if abs(step) > STEP_SECONDS else 0.0


def start_anchor(anchors: Sequence[Anchor]) -> Anchor | None:
    """The start on both clocks. Where the wall clock was set since, it is counted back from the last anchor."""
    if not anchors:
        return None
    if not step_of(anchors):
        return anchors[0]
    last, lsl = anchors[-1], anchors[0].lsl
    return Anchor((datetime.fromisoformat(last.utc) - timedelta(seconds=last.lsl - lsl)).isoformat(), lsl)


def created_again(meta: Meta) -> str:
    """When the session was made, by the anchor that is plausible, in the time zone of the machine."""
    start = start_anchor(meta.anchors)
    if start is None or not step_of(meta.anchors):
        return meta.created
    return datetime.fromisoformat(start.utc).astimezone().isoformat(timespec="seconds")


def wall_clock_findings(meta: Meta) -> list[Finding]:
    """By how much the wall clock was set while it was recorded, if it was."""
    step = step_of(meta.anchors)
    if not step:
        return []
    unit, name = next(((unit, name) for unit, name in _UNITS if abs(step) >= 2 * unit), (1.0, "s"))
    text = (
        f"the wall clock was set {'forward' if step > 0 else 'back'} by {abs(step) / unit:.1f} {name} while recording"
    )
    text += "; dates count back from the time after that, and the folder keeps its name"
    return [observation(text, member=META)]
