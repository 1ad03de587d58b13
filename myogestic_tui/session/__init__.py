"""Sessions on disk: written so that nothing is lost, read so that nothing is invented.

A sample travels `Session.append` → journal (survives a kill) → whole chunks in Zarr arrays → archive. Each folder may
import those beneath it, never the reverse; in each, where to begin:

======================  ===============================================================================================
`window_sets`           windows of many sessions (dask); `dask_cluster`: jobs on many machines
`library`               the list of sessions (`catalog`), copies, edits, background jobs (`jobs`)
`import_xdf`, `export`  other tools' formats
`merging`               sessions of several boxes, on one clock: `merge`
`recording`             `session.Session`, then `journal_writer`, `checkpoint`, `zarr_committer` (into the arrays)
`salvaging`             what is left of a damaged session: `salvage`
`checking`, `packing`   `verify`; `pack` and what a kill leaves of it (`interrupted_work`)
`recovery`              what was cut off: `recover`; `trash`
`windowing`             windows for training: `iterators`, `arrays`, `dataset`, `split`
`reading`               `reader`: a view of a folder (`view_folder`, with the `journal_tail`) or archive; `trials`
`signal`                samples on corrected time: `streamdata`, `gapless_runs`, `window_bounds`
`archive`               the bytes of the zip: `zip_index`, `archive`, `manifest`
`format`                what the files look like: `layout`, `meta`, `zarr_format`, `journal`, `events`; `commit`, `lock`
======================  ===============================================================================================

The names here are imported when first used; ``zarrs``, where installed, becomes zarr's codec pipeline.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy import lazy_names
from .format.codec_pipeline import register_zarrs

if TYPE_CHECKING:
    from .checking.verify import Verification as Verification
    from .checking.verify import verify_session as verify_session
    from .format.findings import Finding as Finding
    from .format.meta import LabelEvent as LabelEvent
    from .format.meta import Note as Note
    from .format.summary import Summary as Summary
    from .library.edit_labels import edit_labels as edit_labels
    from .library.jobs import Job as Job
    from .library.jobs import start_job as start_job
    from .packing.interrupted_work import finish_interrupted as finish_interrupted
    from .packing.pack import pack_session as pack_session
    from .reading.archive_summary import read_archive_summary as read_archive_summary
    from .reading.reader import SessionReader as SessionReader
    from .reading.reader import open_session_store as open_session_store
    from .reading.session_states import list_sessions as list_sessions
    from .reading.session_states import session_state as session_state
    from .reading.session_states import unfinished_sessions as unfinished_sessions
    from .reading.session_states import unpacked_sessions as unpacked_sessions
    from .reading.trials import Trial as Trial
    from .recording.session import Session as Session
    from .recovery.recover import recover_session as recover_session
    from .recovery.trash import Trashed as Trashed
    from .recovery.trash import empty_trash as empty_trash
    from .recovery.trash import list_trash as list_trash
    from .recovery.trash import restore_session as restore_session
    from .recovery.trash import trash_session as trash_session
    from .salvaging.salvage import salvage_session as salvage_session
    from .signal.processing import causal_filter as causal_filter
    from .windowing.arrays import Windows as Windows
    from .windowing.arrays import aligned_windows as aligned_windows
    from .windowing.arrays import labeled_windows as labeled_windows
    from .windowing.arrays import windows as windows
    from .windowing.dataset import WindowsDataset as WindowsDataset
    from .windowing.iterators import iter_aligned_windows as iter_aligned_windows
    from .windowing.iterators import iter_labeled_windows as iter_labeled_windows
    from .windowing.split import split as split
    from .windowing.trial_windows import trial_windows as trial_windows

_HOME = {
    "Finding": ".format.findings",
    "Job": ".library.jobs",
    "LabelEvent": ".format.meta",
    "Note": ".format.meta",
    "Session": ".recording.session",
    "SessionReader": ".reading.reader",
    "Summary": ".format.summary",
    "Trashed": ".recovery.trash",
    "Trial": ".reading.trials",
    "Verification": ".checking.verify",
    "edit_labels": ".library.edit_labels",
    "empty_trash": ".recovery.trash",
    "finish_interrupted": ".packing.interrupted_work",
    "WindowsDataset": ".windowing.dataset",
    "Windows": ".windowing.arrays",
    "aligned_windows": ".windowing.arrays",
    "causal_filter": ".signal.processing",
    "iter_aligned_windows": ".windowing.iterators",
    "iter_labeled_windows": ".windowing.iterators",
    "labeled_windows": ".windowing.arrays",
    "split": ".windowing.split",
    "trial_windows": ".windowing.trial_windows",
    "windows": ".windowing.arrays",
    "list_trash": ".recovery.trash",
    "list_sessions": ".reading.session_states",
    "open_session_store": ".reading.reader",
    "pack_session": ".packing.pack",
    "read_archive_summary": ".reading.archive_summary",
    "recover_session": ".recovery.recover",
    "restore_session": ".recovery.trash",
    "salvage_session": ".salvaging.salvage",
    "session_state": ".reading.session_states",
    "start_job": ".library.jobs",
    "trash_session": ".recovery.trash",
    "unfinished_sessions": ".reading.session_states",
    "unpacked_sessions": ".reading.session_states",
    "verify_session": ".checking.verify",
}

__all__ = [*_HOME]

register_zarrs()

__getattr__ = lazy_names(__name__, _HOME)


def __dir__() -> list[str]:
    return sorted(__all__)
