"""How a session reads in a terminal: the lines that `record`, `demo`, `info` and `verify` share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import UNSET, structs

from ..plural import count_of
from .output import duration, rate, size

if TYPE_CHECKING:
    from pathlib import Path

    from ..session import Verification
    from ..session.format.findings import Finding
    from ..session.format.summary import StreamSummary, Summary
    from ..session.salvaging.salvage import Loss

MOST_FINDINGS = 20
"""More than this many findings of one session are counted, not printed; ``--json`` has them all."""


def load_summary(path: Path) -> Summary:
    """The summary of a folder or archive, by one read where it has one of its own.

    Raises
    ------
    SessionError
        There is no session, or it cannot be read.
    """
    from ..session import open_session_store, read_archive_summary
    from ..session.format.layout import ARCHIVE_SUFFIX

    if path.name.endswith(ARCHIVE_SUFFIX):
        return read_archive_summary(path)
    with open_session_store(path) as session:
        return session.summary()


def with_verification(summary: Summary, outcome: Verification) -> Summary:
    """The summary with what a verification found."""
    from ..session.format.summary import Verified

    verified = Verified(level=outcome.level, ok=outcome.ok, findings=list(outcome.findings))
    return structs.replace(summary, verified=verified)


def session_lines(summary: Summary) -> list[str]:
    """Path, state and length, then a line for each stream and one for the labels."""
    from ..session.format.seconds_before import before_words

    head = [summary.path, summary.state, duration(summary.duration_s), size(summary.bytes)]
    if summary.name:
        head.insert(1, summary.name)
    lines = ["   ".join(head), *stream_lines(summary.streams)]
    if summary.before_s and summary.verified is UNSET:
        lines.append(f"  · {before_words(summary.before_s)}")
    if summary.verified is UNSET:  # a verification's findings say the same
        lines += remark_lines(summary.streams)
    if summary.labels:
        lines.append("  labels   " + ", ".join(f"{name} {count}" for name, count in summary.labels.items()))
    if summary.labels_edited and summary.verified is UNSET:
        lines.append(f"  · {summary.labels_edited}")
    if summary.verified is not UNSET:
        verified = summary.verified
        lines.append(f"  verified {'ok' if verified.ok else 'DAMAGED'} ({verified.level})")
        lines += finding_lines(verified.findings)
    return lines


def stream_lines(streams: dict[str, StreamSummary]) -> list[str]:
    """Channels, dtype, measured rate, samples, gaps, type and source_id of each stream, in columns."""
    width = max((len(name) for name in streams), default=0)
    return [
        f"  {name.ljust(width)}  {one.n_channels:>4} ch {one.dtype:<8}{rate(one.measured_fs or one.fs):>9} Hz"
        f"{count_of(one.n_samples, 'sample'):>20}   {_gaps(one)}{_source(one)}"
        for name, one in streams.items()
    ]


def _source(one: StreamSummary) -> str:
    """Type and source_id, which tell streams of one name apart."""
    told = " ".join(part for part in (one.type, one.source_id) if part)
    return f"   [{told}]" if told else ""


def remark_lines(streams: dict[str, StreamSummary]) -> list[str]:
    """What is to be said of the time of each stream; its gaps stand in its own line."""
    return [f"  · {name}: {text}" for name, one in streams.items() for text in one.remarks if " lost (" not in text]


def _gaps(stream: StreamSummary) -> str:
    if stream.gaps is None:
        return "gaps: info tells"
    if not stream.gaps:
        return "0 gaps"
    return f"{count_of(stream.gaps, 'gap')}, {count_of(stream.lost_samples or 0, 'sample')} lost"


def finding_lines(findings: list[Finding]) -> list[str]:
    """Damage before observations; the rest is counted."""
    ordered = sorted(findings, key=lambda finding: finding.kind != "damage")
    lines = [f"  {'✗' if finding.kind == 'damage' else '·'} {finding.text}" for finding in ordered[:MOST_FINDINGS]]
    if len(ordered) > MOST_FINDINGS:
        lines.append(f"    and {len(ordered) - MOST_FINDINGS} more; --json has them all")
    return lines


def loss_lines(loss: Loss | None) -> list[str]:
    """What a salvage could not save: every hole, and what is doubtful; nothing where it lost nothing."""
    if loss is None:
        return []
    holes = [
        f"  ✗ {hole.stream}: {count_of(hole.n_samples, 'sample')} from {hole.first_sample} on are lost"
        f"{'' if hole.seconds is None else f', {hole.seconds:.3f} s'} ({hole.reason})"
        for hole in loss.holes
    ]
    return [*holes, *(f"  ✗ {text}" for text in loss.doubtful), *(f"  · kept unpaired: {key}" for key in loss.unpaired)]
