"""Sessions taken home from the boxes: copied under another name, verified fully, then named."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any

from ..errors import MyoGesticError
from .box import BoxError

if TYPE_CHECKING:
    from pathlib import Path

    from .box import Box

_LIST_SECONDS = 120.0
_SUFFIX = ".session.zip"


async def sessions_of(box: Box) -> list[dict[str, Any]]:
    """Sessions on a box that a fleet recorded, as ``sessions --json`` lists them.

    Raises
    ------
    BoxError
        It cannot be asked.
    """
    answer = await box.run("sessions", "--json", timeout=_LIST_SECONDS)
    if not answer.ok or not isinstance(answer.facts, list):
        raise BoxError(f"{box.name}: {answer.words or f'the command ended with code {answer.code}'}")
    return [one for one in answer.facts if one.get("fields", {}).get("fleet_id")]


async def fetch_sessions(box: Box, fleet_id: str, destination: Path) -> list[Path]:
    """Copy a box's sessions of a recording to ``destination/BOX_NAME.session.zip``; what is there already counts.

    It is one session, or those that a recording in segments was cut into.

    Raises
    ------
    BoxError
        There is none, one is not packed yet, or a copy is not whole.
    """
    found = [one for one in await sessions_of(box) if one["fields"]["fleet_id"] == fleet_id]
    if not found:
        raise BoxError(f"{box.name}: has no session of {fleet_id}")
    for one in found:
        if not one["path"].endswith(_SUFFIX):
            remedy = "`recover` and `pack` do that there"
            raise BoxError(f"{box.name}: {one['path']} is {one['state']}, not packed yet; {remedy}")
    destination.mkdir(parents=True, exist_ok=True)
    return [await _fetch(box, one["path"], destination) for one in sorted(found, key=lambda one: str(one["path"]))]


async def _fetch(box: Box, path: str, destination: Path) -> Path:
    target = destination / f"{box.name}_{path.rpartition('/')[2]}"
    partial = target.with_name(f".{target.name}.partial")
    if not target.exists():
        try:
            await box.fetch(path, partial)
            await asyncio.to_thread(_verify, box, partial)
            os.replace(partial, target)
        finally:
            partial.unlink(missing_ok=True)
    return target


def _verify(box: Box, path: Path) -> None:
    from ..session import verify_session

    try:
        verified = verify_session(path)
    except MyoGesticError as error:
        raise BoxError(f"{box.name}: the copy cannot be verified: {error}") from error
    if not verified.ok:
        raise BoxError(f"{box.name}: the copy does not verify: {verified.findings[0].text}")
