"""Whether the boxes are ready to record together, and how their clocks are tied to one another."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from .box import BoxError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .box import Box

PAIR_SECONDS = 25.0
"""How long the clocks of boxes that have just found each other may take to be compared."""
_LOOK_EVERY = 0.5

Status = dict[str, Any]
"""What `ctl status --json` tells."""


class Link(NamedTuple):
    """One box compares the clock of another, by the stream of its labels."""

    box: str
    other: str
    offset_s: float
    uncertainty_s: float | None


async def status_of(box: Box) -> Status:
    """What a box's recorder does.

    Raises
    ------
    BoxError
        The box cannot be asked, or no recorder runs there.
    """
    answer = await box.run("ctl", "status", "--json")
    if not answer.ok or not isinstance(answer.facts, dict):
        raise BoxError(f"{box.name}: {answer.words or f'the command ended with code {answer.code}'}")
    return answer.facts


def links(statuses: Mapping[str, Status]) -> list[Link]:
    """Which boxes compare whose clock at present."""
    found = []
    for name in statuses:
        for other, row in _label_rows(name, statuses):
            if row["record"] and row["state"] == "live" and row["clock_offset"] is not None:
                found.append(Link(name, other, row["clock_offset"], row["clock_uncertainty"]))
    return found


def apart(statuses: Mapping[str, Status], linked: Sequence[Link]) -> list[str]:
    """Boxes that no chain of comparisons ties to the first one, or to one whose recorder counts in the same clock."""
    clocks = {name: status["recorder"].get("clock") or name for name, status in statuses.items()}
    first = next(iter(clocks.values()))
    reached, before = {first}, 0
    while len(reached) > before:
        before = len(reached)
        for one in linked:
            ends = {clocks[one.box], clocks[one.other]}
            if ends & reached:
                reached |= ends
    return [name for name, clock in clocks.items() if clock not in reached]


async def pair(boxes: Sequence[Box], statuses: dict[str, Status]) -> list[Link]:
    """Let each box record the labels of the others, and wait until clocks are compared; ``statuses`` follows.

    Raises
    ------
    BoxError
        A box cannot be asked any more.
    """
    end = time.monotonic() + PAIR_SECONDS
    while True:
        for box in boxes:
            for _, row in _label_rows(box.name, statuses):
                if row["state"] == "seen" or not row["record"]:
                    await box.run("ctl", "connect", row["key"])
        linked = links(statuses)
        wanted = len(boxes) * (len(boxes) - 1)
        if len(linked) >= wanted or time.monotonic() > end:
            return linked
        await asyncio.sleep(_LOOK_EVERY)
        told = await asyncio.gather(*(status_of(box) for box in boxes))
        statuses.update(zip((box.name for box in boxes), told, strict=True))


def _label_rows(name: str, statuses: Mapping[str, Status]) -> list[tuple[str, Status]]:
    """The rows of a box's streams that are the labels of another box."""
    sources = {status["recorder"].get("label_source"): other for other, status in statuses.items() if other != name}
    rows = [row for row in statuses[name]["streams"].values() if row["source_id"]]
    return [(sources[row["source_id"]], row) for row in rows if row["source_id"] in sources]


def not_ready(status: Status) -> list[str]:
    """What keeps a box from starting, a sentence each."""
    found = []
    if status["state"] != "idle":
        found.append("it is recording already")
    if status["session"] is None and status.get("stopping"):
        found.append("its last recording is still being finished")
    selected = {name: row for name, row in status["streams"].items() if row["record"]}
    if not selected:
        found.append("no stream is selected to be recorded")
    found += [f"{name} is {row['state']}" for name, row in selected.items() if row["state"] != "live"]
    problems = [one for one in status["problems"] if one["severity"] == "error" and one["subject"] not in selected]
    return [*found, *(f"{one['subject']}: {one['text']}" for one in problems)]
