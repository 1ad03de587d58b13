"""A session judged in the background, once it is packed; its verdict stands beside the take."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from ..config import QualityConfig
from ..msgspec_types import prepared
from ..session import open_session_store, read_archive_summary
from .report import report_session
from .store_verdict import store_verdict

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ..session.library.job_process import Control

LEAST_S = 5.0
"""Shorter sessions are trials of the apparatus, and not judged by themselves."""


def report_options(path: Path, limits: QualityConfig) -> dict[str, str] | None:
    """What the job `report` of an archive is given; None where it is not to be judged by itself."""
    if not limits.after_stop or read_archive_summary(path).duration_s < LEAST_S:
        return None
    return {"quality": msgspec.json.encode(limits).decode()}


def report(path: Path, options: Mapping[str, str], control: Control) -> dict[str, str]:
    """See `report.report_session`; option ``quality``: the thresholds, as JSON."""
    limits = msgspec.json.decode(options.get("quality", "{}"), type=prepared(QualityConfig))
    with open_session_store(path) as session:
        found = report_session(session, limits, control.progress)
    store_verdict(path, found.verdict)
    first = found.issues[0] if found.issues else None
    where = "" if first is None else f"{first.stream} {f'channel {first.channel} ' if first.channel else ''}".strip()
    return {"path": str(path), "verdict": found.verdict, "first": "" if first is None else f"{where}: {first.text}"}
