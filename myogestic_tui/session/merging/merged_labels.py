"""The label track of a merged session: of one box, or of all where they say the same."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from ...errors import ConfigError, OtherClassesError, SessionError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ..format.meta import LabelEvent
    from ..reading.reader import SessionReader
    from .clock_relation import Relation

_SAME_S = 0.005
"""Labels of two boxes that are told of one key may lie so far apart, beside what their clocks and stamps may."""


class LabelTrack(NamedTuple):
    """Labels on the merged session's clock, the names of their classes, and the session that they are from."""

    labels: list[LabelEvent]
    class_names: list[str]
    source: str


def merged_labels(
    sessions: Sequence[SessionReader], relations: Sequence[Relation], labels_from: Path | None
) -> LabelTrack:
    """The labels that count.

    Raises
    ------
    ConfigError
        ``labels_from`` is none of the sessions.
    OtherClassesError, SessionError
        Several sessions have labels, and they differ.
    """
    if labels_from is not None:
        real = os.path.realpath(labels_from)
        chosen = [place for place, one in enumerate(sessions) if os.path.realpath(one.path) == real]
        if not chosen:
            raise ConfigError(f"{labels_from} is none of the sessions that are merged")
    else:
        chosen = [place for place, one in enumerate(sessions) if one.label_track] or [0]
    tracks = [_track(sessions[place], relations[place]) for place in chosen]
    for place, track in zip(chosen[1:], tracks[1:], strict=True):
        _check_same(tracks[0], track, relations[place].error_s)
    return tracks[0]


def _track(session: SessionReader, relation: Relation) -> LabelTrack:
    moved = [
        replace(
            label,
            timestamp=relation.one(label.timestamp),
            uncertainty_s=label.uncertainty_s + relation.error_s,
        )
        for label in session.label_track
    ]
    return LabelTrack(moved, list(session.class_names), session.path.name)


def _check_same(first: LabelTrack, other: LabelTrack, error_s: float) -> None:
    remedy = "say whose labels count with --labels-from"
    if first.class_names != other.class_names:
        raise OtherClassesError(f"{first.source} and {other.source} name their classes differently; {remedy}")
    if len(first.labels) != len(other.labels):
        counts = f"{len(first.labels)} and {len(other.labels)}"
        raise SessionError(f"{first.source} and {other.source} have {counts} labels; {remedy}")
    for number, (one, another) in enumerate(zip(first.labels, other.labels, strict=True), 1):
        apart = abs(one.timestamp - another.timestamp)
        allowed = _SAME_S + error_s + one.uncertainty_s + another.uncertainty_s
        if one.class_index != another.class_index or apart > allowed:
            raise SessionError(
                f"label {number} of {first.source} and of {other.source} differ"
                f" ({apart * 1e3:.1f} ms apart, classes {one.class_index} and {another.class_index}); {remedy}"
            )
