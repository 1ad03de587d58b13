"""Remarks on the windows that are cut from one stream of a session: which are left out, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...plural import count_of
from ..format.time_remarks import not_compared
from ..format.time_summary import recorder_host
from ..signal.gapless_runs import UNLABELLED
from ..signal.window_bounds import class_of, starts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..signal.streamdata import StreamData
    from ..signal.window_bounds import LabelledRuns, Wanted
    from .reader import SessionReader


_UNCERTAIN = {
    "arrival": "aligned by arrival",
    "count": "timed by arrival",
    "wall": "aligned by wall-clock time",
    "uncompared": "its clock was not compared",
}
"""Why the time of a stream is uncertain, by its basis."""


def left_out(before: str, n_windows: int, why: str) -> str:
    """``emg: 3 windows with values that are no finite numbers left out``; empty where none are."""
    return f"{before} {count_of(n_windows, 'window')} {why} left out" if n_windows else ""


def window_remarks(
    session: SessionReader, stream: StreamData, found: LabelledRuns, wanted: Wanted, n: int, hop: int
) -> list[str]:
    """Sentences on windows left out, on time that the stream does not cover, and on a clock that was not compared.

    Parameters
    ----------
    found
        The runs that windows of ``n`` samples, ``hop`` samples apart, are cut from.
    wanted
        Which labels' spans were wanted.
    """
    remarks = [_near_labels(stream, found)]
    if session.label_track and not stream.raw:
        remarks += _uncovered(session, stream, found, wanted, n, hop)
        text = not_compared(session.measured(stream.name), recorder_host(session.meta))
        remarks += [f"{stream.name}: {text}" if text else "", _edited(session)]
    return [text for text in remarks if text]


def _near_labels(stream: StreamData, found: LabelledRuns) -> str:
    if stream.raw and not found.runs and stream.n_samples:
        return f"{stream.name}: its time stamps are no numbers; no window can be cut by them"
    otherwise = "its clock was set" if stream.timeline.leaps else "clock offsets are uncertain"
    basis = _UNCERTAIN.get(stream.timeline.basis, otherwise)
    where = f"within {found.guard_s:.2g} s of a label change"
    return left_out(f"{stream.name}: {basis};", found.left_out, where)


def _edited(session: SessionReader) -> str:
    words = session.view.label_history.words
    return f"{session.path.name}: {words}" if words else ""


def _uncovered(
    session: SessionReader, stream: StreamData, found: LabelledRuns, wanted: Wanted, n: int, hop: int
) -> Iterator[str]:
    head, tail = stream.timeline.head, stream.timeline.tail
    if head is None and tail is None:
        return
    track = session.label_track
    cut = {class_of(run, track) for run in found.runs if len(starts(run, n, hop))}
    labelled = {event.class_index for event in track if event.class_index > UNLABELLED}
    missing = sorted((labelled if wanted.classes is None else labelled & wanted.classes) - cut)
    where = []
    if head is not None and stream.n_samples:
        where.append(f"before {head.seconds:.1f} s")
    if tail is not None:
        where.append(f"after {max(0.0, session.duration_s - tail.seconds):.1f} s")
    names = ", ".join(_class_name(session, index) for index in missing)
    said = f"has no samples {' and '.join(where)}" if where else "has no samples"
    yield f"{stream.name} {said}" + (f"; 0 windows for {names}" if names else "")


def _class_name(session: SessionReader, index: int) -> str:
    return session.class_names[index] if index < len(session.class_names) else f"class {index}"
