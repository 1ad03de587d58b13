"""Change the fields of a session that is finished and not packed yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...errors import DiskError, SessionClosedError
from ..format.events import SessionRecord
from ..format.json_files import replace_file
from ..format.layout import META
from ..format.lock import lock_session
from ..format.meta import encode_meta

if TYPE_CHECKING:
    from pathlib import Path

    from ..format.meta import Meta


def replace_fields(folder: Path, meta: Meta, fields: dict[str, Any]) -> None:
    """Set fields of ``meta`` and replace ``meta.json`` by it.

    Raises
    ------
    SessionClosedError
        The session is packed.
    DiskError
        The disk refused.
    """
    if not folder.is_dir():
        raise SessionClosedError(f"{folder.name} is packed; its metadata is fixed")
    with lock_session(folder, purpose="editing"):
        SessionRecord(meta).set_fields(fields)
        try:
            replace_file(folder / META, encode_meta(meta))
        except OSError as error:
            raise DiskError(f"{folder / META} cannot be replaced: {error.strerror}") from error
