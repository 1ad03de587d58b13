"""Sessions on disk: written so that nothing is lost, read so that nothing is invented.

A sample travels `Session.append` → `journal` (survives a kill) → `checkpoint` (whole chunks to Zarr) → `pack` (the
archive). `open_session_store` reads any of these states without writing. Which files to read for what, each list from
the top down:

- **recording**: `writer` (with `annotated`), `beginning`, `recording`, `segments`, `journal`, `events`, `checkpoint`,
  `commit`, `live`, `snapshot`, `room`, `conclude`
- **packing**: `pack`, `workfolder`, `tree`, `seal`, `manifest`, `zipbytes`, `comment`
- **opening**: `reader`, `states`, `view`, `view_folder` with `tail`, `view_archive` with `archive` and `zipindex`,
  `arrays`, `stores`
- **signal**: `trials`, `windows`, `alignment`; beneath them `streamdata`, `correction`, `runs`, `cutting`, `readable`
- **proving**: `verify`, `content`, `streamcheck`, `arraycheck`, `valuecheck`, `sealcheck`, `zstdframe`, `findings`
- **mending**: `recover`, `interrupted`; `salvage`, `salvagestream`, `salvagearrays`, `wreck`
- **looking after them**: `catalog`, `entry`, `summary`, `facts`, `overview`, `overviewtable`, `edit`, `copy`,
  `trash`; long work in `jobs`, `jobkinds`, `jobchild`, `progress`
- **other tools and many machines**: `export`, `importxdf`, `remote`, `many`, `cluster`, `extras`
- **shared by all**: `layout` (names on disk), `meta` (the JSON files), `zarrs` (array layout), `lock`, `measure`
  (gaps), `bystream`, `pipeline`

The names here are imported when first used; ``zarrs``, where installed, becomes zarr's codec pipeline.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy import lazy_names
from .pipeline import register_zarrs

if TYPE_CHECKING:
    from .comment import read_archive_summary as read_archive_summary
    from .findings import Finding as Finding
    from .interrupted import finish_interrupted as finish_interrupted
    from .jobs import Job as Job
    from .jobs import start_job as start_job
    from .meta import LabelEvent as LabelEvent
    from .meta import Note as Note
    from .pack import pack_session as pack_session
    from .reader import SessionReader as SessionReader
    from .reader import open_session_store as open_session_store
    from .recover import recover_session as recover_session
    from .salvage import salvage_session as salvage_session
    from .states import list_sessions as list_sessions
    from .states import session_state as session_state
    from .states import unfinished_sessions as unfinished_sessions
    from .states import unpacked_sessions as unpacked_sessions
    from .summary import Summary as Summary
    from .trash import Trashed as Trashed
    from .trash import empty_trash as empty_trash
    from .trash import list_trash as list_trash
    from .trash import restore_session as restore_session
    from .trash import trash_session as trash_session
    from .trials import Trial as Trial
    from .verify import Verification as Verification
    from .verify import verify_session as verify_session
    from .windows import iter_aligned_windows as iter_aligned_windows
    from .windows import iter_labeled_windows as iter_labeled_windows
    from .windows import labeled_windows as labeled_windows
    from .writer import Session as Session

_HOME = {
    "Finding": ".findings",
    "Job": ".jobs",
    "LabelEvent": ".meta",
    "Note": ".meta",
    "Session": ".writer",
    "SessionReader": ".reader",
    "Summary": ".summary",
    "Trashed": ".trash",
    "Trial": ".trials",
    "Verification": ".verify",
    "empty_trash": ".trash",
    "finish_interrupted": ".interrupted",
    "iter_aligned_windows": ".windows",
    "iter_labeled_windows": ".windows",
    "labeled_windows": ".windows",
    "list_trash": ".trash",
    "list_sessions": ".states",
    "open_session_store": ".reader",
    "pack_session": ".pack",
    "read_archive_summary": ".comment",
    "recover_session": ".recover",
    "restore_session": ".trash",
    "salvage_session": ".salvage",
    "session_state": ".states",
    "start_job": ".jobs",
    "trash_session": ".trash",
    "unfinished_sessions": ".states",
    "unpacked_sessions": ".states",
    "verify_session": ".verify",
}

__all__ = [*_HOME]

register_zarrs()

__getattr__ = lazy_names(__name__, _HOME)


def __dir__() -> list[str]:
    return sorted(__all__)
