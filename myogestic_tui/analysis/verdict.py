"""From numbers to a verdict: what is beyond the thresholds of ``[quality]``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..plural import count_of
from .report_types import Issue

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..config import QualityConfig
    from .report_types import ChannelReport, ClassReport, StreamReport


def issues_of(streams: Sequence[StreamReport], classes: Sequence[ClassReport], limits: QualityConfig) -> list[Issue]:
    """Everything that is beyond a threshold: of channels, of streams, of the session."""
    found: list[Issue] = []
    for stream in streams:
        found += [Issue(stream=stream.name, text=text) for text in _of_stream(stream, limits)]
        for channel in stream.channels:
            texts = () if channel.marked_bad else _of_channel(channel, limits)
            found += [Issue(stream=stream.name, channel=channel.channel, text=text) for text in texts]
        found += stream.trial_issues if limits.check_trials else []
    if limits.min_trials:
        found += [
            Issue(text=f"{one.trials - one.bad} good trials of {one.name} (at least {limits.min_trials})")
            for one in classes
            if one.trials - one.bad < limits.min_trials
        ]
    return found


def verdict_of(issues: Sequence[Issue]) -> str:
    """``ok``, or ``check: 3 channels, 1 stream``."""
    channels = {(one.stream, one.channel) for one in issues if one.channel is not None and one.trial is None}
    trials = {one.trial for one in issues if one.trial is not None}
    streams = {one.stream for one in issues if one.channel is None and one.trial is None and one.stream}
    others = sum(not one.stream for one in issues)
    counts = (
        (len(channels), "channel", ""),
        (len(trials), "trial", ""),
        (len(streams), "stream", ""),
        (others, "class", "classes"),
    )
    told = ", ".join(count_of(n, one, many) for n, one, many in counts if n)
    return f"check: {told}" if told else "ok"


def to_check(channel: ChannelReport, limits: QualityConfig) -> bool:
    """Whether a channel is marked bad, or beyond a threshold."""
    return channel.marked_bad or any(True for _ in _of_channel(channel, limits))


def _of_channel(channel: ChannelReport, limits: QualityConfig) -> Iterator[str]:
    for name, words in (
        ("flat", "flat"),
        ("clipped", "clipped"),
        ("mains", "mains hum"),
        ("nan", "not a number"),
        ("motion", "motion below 20 Hz"),
    ):
        share, most = getattr(channel, name), getattr(limits, f"max_{name}")
        if share > most:
            yield f"{words} in {_percent(share)} of the time (at most {_percent(most)})"
    if channel.snr_db and (best := max(channel.snr_db.values())) < limits.min_snr_db:
        yield f"active is {best:.1f} dB above rest at most (at least {limits.min_snr_db:g} dB)"


def _of_stream(stream: StreamReport, limits: QualityConfig) -> Iterator[str]:
    if not stream.n_samples:
        if stream.fs:
            yield "no samples"
        return
    if stream.unreadable_s:
        yield f"{stream.unreadable_s:.1f} s cannot be read; verify says which"
    if stream.coverage is not None and stream.coverage < limits.min_coverage:
        yield f"covers {_percent(stream.coverage)} of the session (at least {_percent(limits.min_coverage)})"
    if stream.basis == "none":
        yield "nothing tells how its times lie to the labels"
    elif stream.error_ms is not None and stream.error_ms > limits.max_error_ms:
        yield f"its times may be {stream.error_ms:.1f} ms off (at most {limits.max_error_ms:g} ms)"


def _percent(share: float) -> str:
    percent = 100 * share
    return f"{percent:.0f} %" if percent >= 10 or percent in (0, 1, 2, 5) else f"{percent:.2g} %"
