"""Before a session of a chain is packed: the hash of the one before goes into it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from msgspec.structs import replace

from ...errors import MyoGesticError
from ..archive.recorded_digest import recorded_digest
from ..format.chain import chain_field, chain_link
from ..format.json_files import replace_file
from ..format.layout import META
from ..format.meta import decode_meta, encode_meta
from ..format.regular_files import read_regular
from ..reading.archive_of import archives_of
from ..reading.session_states import WHOLE_STATES, state_unlocked

if TYPE_CHECKING:
    from pathlib import Path

_log = logging.getLogger(__name__)


def store_previous_hash(folder: Path) -> None:
    """Enter it into ``meta.json`` of a finished folder; where that was done, or nothing is before it, nothing is done.

    Where the one before is not there, or was never finished, the session is packed without: verifying the chain
    reports it.
    """
    try:
        meta = decode_meta(read_regular(folder / META))
        link = chain_link(meta)
        if link is None or not link.before or link.before_sha256:
            return
        before = _whole(folder.parent / link.before)
        if before is None:
            _log.warning("%s: %s is not there, or not finished; its hash is not entered", folder.name, link.before)
            return
        meta.extra = {**meta.extra, **chain_field(replace(link, before_sha256=recorded_digest(before)))}
        replace_file(folder / META, encode_meta(meta))
    except (FileNotFoundError, MyoGesticError) as error:
        _log.warning("%s: the hash of the session before it is not entered: %s", folder.name, error)


def _whole(folder: Path) -> Path | None:
    """The archive of a folder, or the folder where it is finished."""
    archives = archives_of(folder)
    if archives:
        return archives[0]
    return folder if folder.is_dir() and state_unlocked(folder) in WHOLE_STATES else None
