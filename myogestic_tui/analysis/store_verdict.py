"""The verdict of a report, kept in the catalog of the sessions folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..session.format.layout import STATE_FOLDER
from ..session.library.catalog import Catalog

if TYPE_CHECKING:
    from pathlib import Path


def store_verdict(path: Path, verdict: str) -> None:
    """Keep what to check of a session, until its file changes, if it is in a sessions folder."""
    if (path.parent / STATE_FOLDER).is_dir():
        Catalog(path.parent).remember_quality(path, verdict)
