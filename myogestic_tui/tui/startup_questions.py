"""What a viewer asks of a recorder that answers for the first time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..app.interface import SetGestures, StartJob
from ..config import DEFAULT_GESTURES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..app.interface import AnyCommand, Status


def greeting(now: Status, before: Status | None, actor: str, *, embedded: bool) -> Iterator[AnyCommand]:
    """Commands for a recorder, the first or (``before``: what the last one told) another one in its place.

    Where no configuration names gestures, a recorder of its own gets those of the last one, or some to begin with.
    A session that was cut off is recovered.
    """
    if not now.gestures and now.state == "idle" and not embedded:
        known = before.gestures if before is not None else ()
        names = tuple(gesture.name for gesture in known) or DEFAULT_GESTURES
        keys = tuple(gesture.key for gesture in known) or None
        yield SetGestures(names=names, keys=keys, actor=actor)
    if before is None or before.state != "recording" or before.session is None or now.state == "recording":
        return
    yield StartJob(kind="recover", paths=(before.session.path,), actor=actor)
