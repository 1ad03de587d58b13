"""Summaries of the sessions in a folder, from its catalog."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

if TYPE_CHECKING:
    from pathlib import Path

    from ..session.catalog import Entry
    from ..session.summary import Summary


def list_summaries(folder: Path) -> list[Summary]:
    """Every session of a folder, newest first; one that cannot be read is listed as damaged."""
    from ..session.catalog import Catalog

    return [_shown(entry) for entry in Catalog(folder).entries()]


def _shown(entry: Entry) -> Summary:
    """What was found by a verification, and since then not changed, says more than "packed"."""
    summary = entry.summary
    verified = summary.verified
    if summary.state != "packed" or not verified:
        return summary
    if not verified.ok:
        return replace(summary, state="damaged")
    return replace(summary, state="verified") if verified.level == "full" else summary
