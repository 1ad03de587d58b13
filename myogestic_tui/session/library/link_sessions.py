"""Joining a session that its recorder was cut off from to the one that continues it.

Each names the other (``continued_by``, ``continues``), and a note in both says for how long nothing was recorded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from ...errors import SessionError
from ..format.meta import CONTINUED_BY, CONTINUES, NOT_RECORDED, Note
from ..reading.archive_of import archives_of
from ..reading.reader import open_session_store
from ..recovery.recover import recover_session
from .edit import change_meta

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ..format.meta import Meta
    from ..format.progress import Progress

_TOLERANCE_S = 2.0
"""A source's stamps that tell of an interruption shorter by more than this are not believed."""


class Beginning(Struct, frozen=True):
    """What tells where one stream of the later session begins."""

    uid: str
    first_timestamp: float
    """Seconds on the source's clock."""


class Estimate(Struct, frozen=True):
    """For how long nothing was recorded as far as the recorder's clocks tell."""

    seconds: float | None = None
    """From the last write into the earlier session to the start of the later one; None: not known."""
    doubt: str = ""
    """Why that may be wrong; empty where the recorder's own clock ran on."""


class Interruption(Struct, frozen=True, kw_only=True):
    """For how long nothing was recorded, and in which words that is reported."""

    text: str
    seconds: float | None = None
    """The longest of any stream; None where nobody can know."""


def interruption(earlier: Meta, beginnings: Mapping[str, Beginning], estimate: Estimate) -> Interruption:
    """How long nothing was recorded between a session and the one that continues it.

    Parameters
    ----------
    earlier
        The session that was cut off, recovered.
    beginnings
        The streams of the later session that have samples, by name.
    estimate
        What the recorder's clocks tell.

    A source that is the same on both sides (its LSL uid) tells it by its own stamps; else the recorder's clocks do.
    """
    lost, absent = {}, []
    for stream in earlier.all_streams.values():
        if not stream.n_samples or stream.last_timestamp is None:
            continue
        begins = beginnings.get(stream.name)
        if begins is None:
            absent.append(stream.name)
        elif begins.uid and begins.uid == stream.uid:
            seconds = begins.first_timestamp - stream.last_timestamp - (1 / stream.fs if stream.fs > 0 else 0.0)
            if seconds >= _least(estimate):
                lost[stream.name] = seconds
    missing = f"; not yet recorded again: {', '.join(absent)}" if absent else ""
    if not lost:
        return unseen(estimate, missing)
    low, high = min(lost.values()), max(lost.values())
    span = f"{high:.1f} s" if high - low < 0.1 else f"{low:.1f} to {high:.1f} s, depending on the stream"
    return Interruption(text=f"nothing was recorded for {span} (by the sources' time stamps){missing}", seconds=high)


def _least(estimate: Estimate) -> float:
    if estimate.seconds is None or estimate.doubt:
        return 0.0
    return max(0.0, estimate.seconds - _TOLERANCE_S)


def unseen(estimate: Estimate, missing: str = "") -> Interruption:
    """An interruption that no stream shows, only the recorder's clocks."""
    if estimate.seconds is None:
        text = f"for how long nothing was recorded is not known: {estimate.doubt}"
    else:
        doubt = f" (by the wall clock: {estimate.doubt})" if estimate.doubt else ""
        text = f"nothing was recorded for about {estimate.seconds:.1f} s{doubt}"
    return Interruption(text=f"{text}{missing}", seconds=estimate.seconds)


def link_sessions(
    earlier: Path,
    later: Path,
    estimate: Estimate,
    beginnings: Mapping[str, Beginning] | None = None,
    progress: Progress | None = None,
) -> Interruption:
    """Write into both sessions that one continues the other; what is there already is not written again.

    Parameters
    ----------
    earlier
        The folder that was cut off (it is recovered first), or what became of it.
    later
        The folder that continues it, or what became of it.
    estimate
        See `interruption`.
    beginnings
        See `interruption`; None reads them from ``later``, and writes into that as well. Given, ``later`` is being
        recorded, and its recorder notes it there.

    Raises
    ------
    SessionError
        One is not there, damaged, or held by another process.
    """
    before = _whole(earlier)
    after = None if beginnings is not None else _whole(later)
    if after is not None:
        with open_session_store(after) as session:
            beginnings = beginnings_of(session.meta)
    with open_session_store(before) as session:
        found = interruption(session.meta, beginnings or {}, estimate)
    change_meta(before, lambda meta: _linked(meta, CONTINUED_BY, later.name, found), progress)
    if after is not None:
        change_meta(after, lambda meta: _linked(meta, CONTINUES, earlier.name, found), progress)
    return found


def beginnings_of(meta: Meta) -> dict[str, Beginning]:
    """Where the streams of a whole session begin, by name."""
    return {
        stream.name: Beginning(stream.uid, stream.first_timestamp)
        for stream in meta.all_streams.values()
        if stream.n_samples and stream.first_timestamp is not None
    }


def _whole(path: Path) -> Path:
    """The folder, recovered where it was cut off; the archive that has replaced it."""
    if path.is_dir():
        return recover_session(path)
    archives = archives_of(path) if path.parent.is_dir() else []
    if not archives:
        raise SessionError(f"{path} is no longer there, so that it cannot be linked to the session beside it")
    return archives[0]


def _linked(meta: Meta, field: str, name: str, found: Interruption) -> Meta:
    text = link_note(field, name, found)
    if any(note.text.startswith(text.partition(":")[0]) for note in meta.notes):
        return meta
    extra = {**meta.extra, field: name}
    if field == CONTINUES and found.seconds is not None:
        extra[NOT_RECORDED] = round(found.seconds, 3)
    note = Note(_edge(meta, at_end=field == CONTINUED_BY), text)
    return msgspec.structs.replace(meta, extra=extra, notes=[*meta.notes, note])


def link_note(field: str, name: str, found: Interruption) -> str:
    """The note in a session about the one of that name before it (``continues``) or after it (``continued_by``)."""
    relation = field.replace("_", " ")
    return f"{relation} {name}: the recorder ended without being stopped; {found.text}"


def _edge(meta: Meta, *, at_end: bool) -> float:
    """Start or end of a session on its recorder's clock; 0 where it does not tell."""
    if not meta.anchors:
        return 0.0
    return meta.anchors[0].lsl + ((meta.duration_s or 0.0) if at_end else 0.0)
