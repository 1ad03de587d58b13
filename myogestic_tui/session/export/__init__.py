"""Sessions in the formats of other tools. The libraries that own a format (extra ``[export]``) are imported when used.

Every function takes an open session, a destination and the streams that are wanted, and returns `Exported`: the files,
and a sentence for each loss.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ...errors import ConfigError, DiskError, MyoGesticError, SessionError
from ...lazy import lazy_names
from .common import Exported
from .export_progress import watched

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike
    from pathlib import Path

    from ..format.progress import Progress
    from ..reading.reader import SessionReader
    from .bids import export_bids as export_bids
    from .csv_npz import export_csv as export_csv
    from .csv_npz import export_npz as export_npz
    from .edf import export_edf as export_edf
    from .mne_raw import export_fif as export_fif
    from .mne_raw import to_mne as to_mne
    from .nwb import export_nwb as export_nwb
    from .parquet import export_parquet as export_parquet
    from .xdf import export_xdf as export_xdf

_HOME = {
    "export_bids": ".bids",
    "export_csv": ".csv_npz",
    "export_edf": ".edf",
    "export_fif": ".mne_raw",
    "export_npz": ".csv_npz",
    "export_nwb": ".nwb",
    "export_parquet": ".parquet",
    "export_xdf": ".xdf",
    "to_mne": ".mne_raw",
}
_PLANS = {
    "xdf": "xdf",
    "fif": "mne_raw",
    "edf": "edf",
    "bdf": "edf",
    "bids": "bids",
    "csv": "csv_npz",
    "npz": "csv_npz",
    "parquet": "parquet",
    "nwb": "nwb",
}
"""The module of each format."""

FORMATS = ("xdf", "fif", "edf", "bdf", "bids", "nwb", "csv", "npz", "parquet")
"""What `export_session` can write."""

__all__ = ["FORMATS", "Exported", "export_session", "planned_files", *_HOME]


def export_session(
    session: SessionReader,
    to: str,
    destination: str | PathLike[str],
    streams: Sequence[str] | None = None,
    *,
    overwrite: bool = False,
    progress: Progress | None = None,
    **options: Any,
) -> Exported:
    """Write a session in one of `FORMATS`; see the function of that format, which takes the ``options``.

    ``progress`` is called with the bytes read so far and those to read in all; what it raises ends the export, and
    nothing half-written keeps a final name.

    Raises
    ------
    ConfigError
        There is no such format, its library is not installed, a file is there already, or the format cannot hold what
        was asked for.
    UnknownStreamError
        The session has no such stream.
    DiskError
        The disk is full, or refused; what was there before is still there.
    SessionError
        The session cannot be read, or the library of the format fails at it.
    """
    name, further = _named(to)
    streams = None if streams is None else list(dict.fromkeys(streams))
    if progress is not None:
        session = watched(session, streams, 2 if to in ("edf", "bdf", "bids") else 1, progress)
    function = __getattr__(f"export_{name}")
    try:
        result: Exported = function(session, destination, streams, overwrite=overwrite, **further, **options)
        from ..format.seconds_before import before_findings

        for finding in before_findings(session.meta):
            result.remark(finding.text)
    except MyoGesticError:
        raise
    except OSError as error:
        raise DiskError(f"{session.path.name} cannot be exported to {to}: {error.strerror or error}") from error
    except Exception as error:  # whatever the library of a format stumbles over
        reason = f"{type(error).__name__}: {error}"
        raise SessionError(f"{session.path.name} cannot be exported to {to}: {reason}") from error
    return result


def planned_files(
    session: SessionReader,
    to: str,
    destination: str | PathLike[str],
    streams: Sequence[str] | None = None,
    **options: Any,
) -> list[Path]:
    """The files that `export_session` would write; parameters and errors as there, but nothing is written."""
    name, further = _named(to)
    plan = getattr(import_module(f".{_PLANS[to]}", __name__), f"plan_{name}")
    files: list[Path] = plan(session, destination, streams, **further, **options)
    return files


def _named(to: str) -> tuple[str, dict[str, str]]:
    """Name of the functions for a format, and the options that tell it from others that they write."""
    if to not in FORMATS:
        raise ConfigError(f"there is no export to {to!r}; choose one of {', '.join(FORMATS)}")
    return ("edf", {"fmt": to}) if to in ("edf", "bdf") else (to, {})


__getattr__ = lazy_names(__name__, _HOME)


def __dir__() -> list[str]:
    return sorted(__all__)
