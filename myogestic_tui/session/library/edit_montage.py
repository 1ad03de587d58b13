"""Telling later where the electrodes of a finished session were."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from ...grid_layout import on_stream
from ...montage import ABOUT, GRIDS, check_grids, grids_to_plain
from ..format.label_edits import EDITS
from ..format.stream_names import find_stem
from .edit import change_meta

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from ...grid_layout import GridLayout
    from ..format.meta import Meta
    from ..format.progress import Progress


def edit_montage(
    path: str | os.PathLike[str],
    stream: str,
    layouts: Sequence[GridLayout],
    *,
    add: bool = False,
    progress: Progress | None = None,
) -> Path:
    """Replace the montage of a stream of a finished session, or ``add`` to it; samples stay as they are.

    ``edits`` of the metadata says when that was.

    Raises
    ------
    ConfigError
        It does not fit the stream's channels.
    UnknownStreamError
        There is no such stream.
    SessionLockedError, SessionError, DiskError
        As `edit_session`; the session stays as it is.
    """
    return change_meta(Path(path), lambda meta: _changed(meta, stream, layouts, add), progress)


def _changed(meta: Meta, stream: str, layouts: Sequence[GridLayout], add: bool) -> Meta:
    streams = meta.all_streams
    stem = find_stem({stem: one.name for stem, one in streams.items()}, stream)
    info = streams[stem].info()
    before = info.channel_grids or () if add else ()
    grids = check_grids((*before, *on_stream(layouts, info.names, stream)), info.n_channels)
    others = {key: value for key, value in streams[stem].extra.items() if key not in (GRIDS, ABOUT)}
    edit = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "fields": [f"montage of {stem}"]}
    earlier = meta.extra.get(EDITS)
    meta.extra = {**meta.extra, EDITS: [*(earlier if isinstance(earlier, list) else []), edit]}
    meta.add_stream(stem, replace(streams[stem], extra={**others, **grids_to_plain(grids)}))
    return meta
