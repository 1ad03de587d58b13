"""All boxes start at one instant, or none does."""

from __future__ import annotations

import asyncio
import contextlib
import time
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import ControlError
from .box import ANSWER_SECONDS, BoxError
from .ready import apart, not_ready, pair, status_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .box import Box, ClockReading
    from .ready import Link

LEAD_SECONDS = 2.0
"""From the word to start to the start: every box has to have heard it by then."""


class Started(NamedTuple):
    """What became of a start: the id in all sessions, and per box its path, or why it does not record."""

    fleet_id: str
    paths: dict[str, str]
    failed: dict[str, str]
    links: list[Link]

    @property
    def ok(self) -> bool:
        """Whether all boxes record."""
        return not self.failed


def new_id() -> str:
    """An id that no other recording has; its beginning tells when that was, by this computer's clock."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:8]}"


async def start_all(
    boxes: Sequence[Box], *, name: str | None = None, yes: bool = False, clocks: bool = True
) -> Started:
    """Start a recording on all boxes at one instant.

    Parameters
    ----------
    boxes
        Connected boxes.
    name
        Name of the sessions; None takes each take sheet's.
    yes
        Start also where a recorder asks first.
    clocks
        Refuse where the boxes' clocks are not compared with each other: their sessions could not be merged.

    Raises
    ------
    ControlError
        Not all are ready; nothing was started anywhere. The message names each box and what it lacks.
    """
    linked = await _ready(boxes, clocks)
    fleet_id = new_id()
    words = ["ctl", "arm", "--fleet-id", fleet_id, *(["--name", name] if name else []), *(["--yes"] if yes else [])]
    processes = await _armed(boxes, words)
    try:
        readings = await asyncio.gather(*(box.clock() for box in boxes))
    except BaseException:
        _call_off(processes)
        raise
    at = time.monotonic() + LEAD_SECONDS
    for process, reading in zip(processes, readings, strict=True):
        with contextlib.suppress(OSError):  # cut off this instant: `_outcome` tells; the others start
            process.stdin.write(_go(at, reading))
            process.stdin.write_eof()
    told = await asyncio.gather(*map(_outcome, boxes, processes))
    paths = {box.name: facts["path"] for box, facts in zip(boxes, told, strict=True) if facts.get("ok")}
    failed = {box.name: facts["message"] for box, facts in zip(boxes, told, strict=True) if not facts.get("ok")}
    return Started(fleet_id, paths, failed, linked)


def _go(at: float, reading: ClockReading) -> str:
    return f"go {at + reading.offset_s:.9f}\n"


async def _ready(boxes: Sequence[Box], clocks: bool) -> list[Link]:
    told = await asyncio.gather(*(status_of(box) for box in boxes), return_exceptions=True)
    _refuse([str(one) for one in told if isinstance(one, BoxError)])
    statuses = {box.name: one for box, one in zip(boxes, told, strict=True) if isinstance(one, dict)}
    busy = [f"{name}: it is recording already" for name, one in statuses.items() if one["state"] != "idle"]
    _refuse(busy)
    linked = await pair(boxes, statuses) if clocks and len(boxes) > 1 else []
    reasons = [f"{name}: {reason}" for name, status in statuses.items() for reason in not_ready(status)]
    if clocks:
        first = boxes[0].name
        lonely = apart(statuses, linked)
        reasons += [f"{name}: its clock and that of {first} are not compared; {_HINT}" for name in lonely]
    _refuse(reasons)
    return linked


_HINT = "let LSL connect the boxes ([lsl] known_peers), or start with --without-clocks"


def _refuse(reasons: Sequence[str]) -> None:
    if reasons:
        raise ControlError("nothing was started: " + "\n  ".join(("not all boxes are ready", *reasons)))


async def _armed(boxes: Sequence[Box], words: Sequence[str]) -> list[Any]:
    """Have all of them wait for the word; where one cannot, all are told to forget it."""
    processes: list[Any] = []
    try:
        processes += await asyncio.gather(*(box.start(*words) for box in boxes))
        told = await asyncio.gather(
            *(box.line(process, ANSWER_SECONDS) for box, process in zip(boxes, processes, strict=True)),
            return_exceptions=True,
        )
        reasons = [_against(box, one) for box, one in zip(boxes, told, strict=True)]
        _refuse([reason for reason in reasons if reason])
    except BaseException:
        _call_off(processes)
        raise
    return processes


def _against(box: Box, told: Any) -> str:
    if isinstance(told, BaseException):
        return str(told)
    if not isinstance(told, dict):
        return f"{box.name}: its recorder does not answer"
    question = " (--yes does it)" if told.get("confirm") else ""
    return "" if told.get("ok") else f"{box.name}: {told.get('message')}{question}"


def _call_off(processes: Sequence[Any]) -> None:
    for process in processes:
        with contextlib.suppress(OSError):
            process.stdin.write_eof()
        process.close()


async def _outcome(box: Box, process: Any) -> dict[str, Any]:
    unknown = "it was cut off before it answered; whether it records is not known"
    try:
        facts = await box.line(process, LEAD_SECONDS + ANSWER_SECONDS)
    except BoxError as error:
        return {"ok": False, "message": f"{error}; whether it records is not known"}
    finally:
        process.close()
    return facts if isinstance(facts, dict) else {"ok": False, "message": unknown}
