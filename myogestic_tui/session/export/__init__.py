"""Sessions in the formats of other tools. The libraries that own a format (extra ``[export]``) are imported when used.

Every function takes an open session, a destination and the streams that are wanted, and returns `Exported`: the files,
and a sentence for each loss.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...errors import ConfigError
from ...lazy import lazy_names
from .common import Exported
from .watched import watched

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike

    from ..format.progress import Progress
    from ..reading.reader import SessionReader
    from .bids import export_bids as export_bids
    from .edf import export_edf as export_edf
    from .mneraw import export_fif as export_fif
    from .mneraw import to_mne as to_mne
    from .tables import export_csv as export_csv
    from .tables import export_npz as export_npz
    from .xdf import export_xdf as export_xdf

_HOME = {
    "export_bids": ".bids",
    "export_csv": ".tables",
    "export_edf": ".edf",
    "export_fif": ".mneraw",
    "export_npz": ".tables",
    "export_xdf": ".xdf",
    "to_mne": ".mneraw",
}

FORMATS = ("xdf", "fif", "edf", "bdf", "bids", "csv", "npz")
"""What `export_session` can write."""

__all__ = ["FORMATS", "Exported", "export_session", *_HOME]


def export_session(
    session: SessionReader,
    to: str,
    destination: str | PathLike[str],
    streams: Sequence[str] | None = None,
    *,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Exported:
    """Write a session in one of `FORMATS`; see the function of that format.

    ``progress`` is called with the bytes read so far and those to read in all; what it raises ends the export, and
    nothing half-written keeps a final name.

    Raises
    ------
    ConfigError
        There is no such format, its library is not installed, a file is there already, or the format cannot hold what
        was asked for.
    UnknownStreamError
        The session has no such stream.
    """
    if to not in FORMATS:
        raise ConfigError(f"there is no export to {to!r}; choose one of {', '.join(FORMATS)}")
    if progress is not None:
        session = watched(session, streams, 2 if to in ("edf", "bdf") else 1, progress)
    further = {"fmt": to} if to in ("edf", "bdf") else {}
    function = __getattr__(f"export_{'edf' if to == 'bdf' else to}")
    result: Exported = function(session, destination, streams, overwrite=overwrite, **further)
    return result


__getattr__ = lazy_names(__name__, _HOME)


def __dir__() -> list[str]:
    return sorted(__all__)
