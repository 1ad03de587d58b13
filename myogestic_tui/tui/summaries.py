"""Summaries of the sessions in a folder, each read once and kept until its file changes."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ..errors import MyoGesticError

if TYPE_CHECKING:
    from pathlib import Path

    from ..session.summary import Summary

_read: dict[Path, tuple[int, Summary]] = {}


def list_summaries(folder: Path) -> list[Summary]:
    """Every session of a folder, in no order; one that cannot be read is listed as damaged."""
    from ..session import list_sessions

    return [_summary(path) for path in list_sessions(folder)]


def _summary(path: Path) -> Summary:
    from ..session.summary import Summary

    try:
        changed = os.stat(path).st_mtime_ns
        kept = _read.get(path)
        if kept is not None and kept[0] == changed and path.is_file():
            return kept[1]
        summary = _load(path)
        _read[path] = (changed, summary)
        return summary
    except (MyoGesticError, OSError):
        return Summary(path=str(path), state="damaged")


def _load(path: Path) -> Summary:
    from ..session import open_session_store, read_archive_summary

    if path.is_file():
        return read_archive_summary(path)
    with open_session_store(path) as session:
        return session.summary()
