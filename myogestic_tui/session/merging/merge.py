"""Several boxes' sessions of one recording, side by side in one session, on the clock of the first."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ...errors import ClockError, ConfigError, SessionError
from ...plural import count_of
from ..checking.verify import verify_session
from ..format.layout import ARCHIVE_SUFFIX
from ..packing.work_folder import MERGING, move_archive, room_for_session
from ..reading.reader import open_session_store
from ..recording.session import Session
from .clock_graph import Clock, ClockGraph, Recorded
from .clock_relation import Relation
from .merged_labels import merged_labels
from .merged_meta import Part, set_merged_meta
from .merged_names import stream_names
from .rebase import rebase

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..reading.reader import SessionReader
    from ..reading.session_view import StreamView
    from .rebase import StreamTimes

MOST_ERROR_S = 0.010
"""Clocks that may lie further from each other than they are taken to are not merged, unless the caller says so."""

_BLOCK_BYTES = 8 << 20
_FLEET = "fleet_id"


class _Estimate(NamedTuple):
    collected_at: float
    offset: float
    uncertainty: float
    remote_time: float


def merge_sessions(
    paths: Sequence[str | os.PathLike[str]],
    out: str | os.PathLike[str],
    *,
    labels_from: str | os.PathLike[str] | None = None,
    max_error_s: float = MOST_ERROR_S,
) -> Path:
    """Put the streams of several sessions that were recorded at the same time into one archive, on one clock.

    The clock is that of the first session's recorder. The others are brought onto it by clock offsets that stand in
    the sessions: of a stream of another box, such as its `myogestic_labels`, or of one outlet that both recorded.
    Wall-clock times are never used. Samples and raw time stamps are copied as they are; clock offsets, arrival records,
    labels, notes and events are told on the first clock. ``merged`` in ``meta.json`` has what was merged, and how far
    wrong each clock may be.

    Parameters
    ----------
    paths
        Finished sessions, two or more.
    out
        The archive to write, ``….session.zip``; it must not exist.
    labels_from
        Which of ``paths`` has the labels that count. None: the only one with labels, or all where they agree.
    max_error_s
        The most that a clock may be wrong, in seconds.

    Returns
    -------
    path
        ``out``, fully verified.

    Raises
    ------
    ClockError
        Nothing tells how two of the clocks lie to each other, or not well enough.
    ConfigError
        Fewer than two sessions, one given twice, or a name that is no archive's.
    SessionError
        A session is unfinished or damaged, they were not recorded at the same time, belong to different recordings of
        a fleet, or their labels disagree; or ``out`` is there already.
    """
    target = _target(out, paths)
    with ExitStack() as stack:
        sessions = [stack.enter_context(open_session_store(path)) for path in paths]
        recorded = _recorded(sessions)
        relations = _relations(recorded, max_error_s)
        labels = merged_labels(sessions, relations, None if labels_from is None else Path(labels_from))
        names = stream_names(sessions)
        with room_for_session(target.parent, MERGING, target.name.removesuffix(ARCHIVE_SUFFIX)) as folder:
            session = Session(folder, app_name="myogestic_tui")
            parts = [
                Part(one, relation, _copy(session, one.session, relation, names[place]))
                for place, (one, relation) in enumerate(zip(recorded, relations, strict=True))
            ]
            session.finish()
            set_merged_meta(session.path, parts, labels)
            return _put(session.pack_to_zip(), target)


def _target(out: str | os.PathLike[str], paths: Sequence[str | os.PathLike[str]]) -> Path:
    target = Path(out)
    if len(paths) < 2:
        raise ConfigError("merging takes two sessions or more")
    if not target.name.endswith(".session.zip"):
        raise ConfigError(f"{target.name} is no name of an archive; give one that ends in .session.zip")
    real = [os.path.realpath(path) for path in paths]
    if len(set(real)) < len(real):
        raise ConfigError("a session is given twice")
    if os.path.lexists(target):
        raise SessionError(f"{target} is there already; it is not overwritten")
    if not target.parent.is_dir():
        raise SessionError(f"{target.parent} is no folder")
    return target


def _recorded(sessions: Sequence[SessionReader]) -> list[Recorded]:
    found = []
    for place, session in enumerate(sessions):
        if not session.view.finished or session.view.live:
            raise SessionError(f"{session.path.name} is not finished; stop its recording, or recover it first")
        anchors, recorder = session.meta.anchors, session.meta.recorder
        if not anchors:
            raise ClockError(f"{session.path.name} tells no time of its recorder: when it was recorded is not known")
        clock = Clock("recorder", recorder.clock) if recorder.clock else Clock("session", str(place))
        stop = anchors[-1].lsl if len(anchors) > 1 else anchors[0].lsl + session.duration_s
        found.append(Recorded(session, recorder.host or session.path.name, clock, anchors[0].lsl, stop))
    fleets = {str(one.meta.extra[_FLEET]) for one in sessions if one.meta.extra.get(_FLEET)}
    if len(fleets) > 1:
        raise SessionError(
            f"these are {len(fleets)} recordings of a fleet: {', '.join(sorted(fleets))}; merge each alone"
        )
    return found


def _relations(recorded: Sequence[Recorded], max_error_s: float) -> list[Relation]:
    graph, first = ClockGraph(recorded), recorded[0]
    found = [Relation.same()]
    for one in recorded[1:]:
        relation = graph.way(one, first.clock)
        if relation is None:
            raise ClockError(_unknown(one, first))
        if relation.error_s > max_error_s:
            by = count_of(relation.n_compared or 0, "comparison")
            raise ClockError(
                f"{one.session.path.name}: its clock may lie {relation.error_s * 1e3:.1f} ms off that of "
                f"{first.session.path.name}, by {by}; {max_error_s * 1e3:g} ms are allowed"
            )
        if relation.one(one.start) > first.stop or relation.one(one.stop) < first.start:
            away = max(relation.one(one.start) - first.stop, first.start - relation.one(one.stop))
            raise SessionError(
                f"{one.session.path.name} and {first.session.path.name} were not recorded at the same time: "
                f"{away:.1f} s lie between them"
            )
        found.append(relation)
    return found


def _unknown(one: Recorded, first: Recorded) -> str:
    return (
        f"nothing tells how the clock of {one.name} ({one.session.path.name}) lies to that of {first.name} "
        f"({first.session.path.name}): neither recorded a stream of the other with clock comparisons, nor did both "
        "record one stream. Wall-clock time is not used. Let each box record the myogestic_labels of the others, as "
        "`fleet start` sees to"
    )


def _copy(session: Session, source: SessionReader, relation: Relation, names: dict[str, str]) -> dict[str, StreamTimes]:
    """Enter all streams of a session; their times by the stem that each has now."""
    copied = {}
    for stem, stream in source.view.streams.items():
        times = rebase(source, stream, relation)
        new = session.init_stream(names[stem], stream.info)
        if len(times.offsets):
            session.add_clock_estimates(new, [_Estimate(*row) for row in times.offsets.tolist()])
        for start in range(0, stream.n_samples, rows := _rows_of(stream)):
            stop = min(start + rows, stream.n_samples)
            stamps = np.ascontiguousarray(stream.stamps.rows(start, stop), np.float64)
            session.append(new, stream.data.rows(start, stop), stamps)
        copied[new] = times
    return copied


def _rows_of(stream: StreamView) -> int:
    width = stream.info.n_channels * (64 if stream.info.is_string else stream.info.np_dtype.itemsize)
    return max(1, _BLOCK_BYTES // width)


def _put(packed: Path, target: Path) -> Path:
    """Give a verified archive its name; nothing that stands there is replaced."""
    verified = verify_session(packed)
    if not verified.ok:
        raise SessionError(f"the merged session does not verify: {verified.findings[0].text}")
    try:
        move_archive(packed, target)
    except FileExistsError:
        raise SessionError(f"{target} is there already; it is not overwritten") from None
    return target
