"""JSON files of a session: read with suspicion, replaced atomically."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import msgspec

from ...errors import SessionDamagedError
from ...msgspec_types import prepared
from .create_file import new_file
from .layout import PARTIAL, sync_folder

if TYPE_CHECKING:
    from pathlib import Path

T = TypeVar("T")

MOST_INT = 2**63 - 1
Int64 = Annotated[int, msgspec.Meta(ge=-MOST_INT - 1, le=MOST_INT)]
"""A whole number that every reader of the format, the catalog and the control protocol can hold."""

MAX_JSON = 48 * 2**20
"""Bytes of a JSON file beyond which it is refused unread; twice what `EventLog` takes of labels, notes and headers."""
MAX_JSON_MEMORY = 256 * 2**20
_MEMORY = {b"[": 64, b"{": 232, b",": 80}
"""Bytes of memory that each of these may come to when it is parsed."""


def memory_of_json(data: bytes) -> int:
    """Bytes that parsed JSON may come to, beyond its texts and numbers."""
    return sum(size * data.count(mark) for mark, size in _MEMORY.items())


def decode_json(data: bytes, *, where: str) -> Any:
    """Parse JSON that may be broken or hostile.

    Raises
    ------
    SessionDamagedError
        It does not parse, is too large or nested too deeply; the message begins with ``where``.
    """
    if len(data) > MAX_JSON or memory_of_json(data) > MAX_JSON_MEMORY:
        raise SessionDamagedError(f"{where} is {len(data)} bytes; that is no metadata of a session")
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise SessionDamagedError(f"{where} is no valid JSON: {error}") from error


def as_type(raw: Any, kind: type[T], *, where: str, strict: bool = True) -> T:
    """Foreign JSON as a type of ours; what else is in it is left out.

    Raises
    ------
    SessionDamagedError
        A value is of another type, or out of range; the message begins with ``where``.
    """
    try:
        return msgspec.convert(raw, prepared(kind), strict=strict)
    except (msgspec.ValidationError, RecursionError) as error:
        raise SessionDamagedError(f"{where} cannot be used: {error}") from error


def replace_file(path: Path, data: bytes) -> None:
    """Replace ``path`` atomically: a kill or a power cut leaves the old content or the new, never half of it.

    Raises
    ------
    OSError
        The disk refused; the old file is untouched.
    """
    partial = path.with_name(path.name + PARTIAL)
    try:
        with open(new_file(partial), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)
