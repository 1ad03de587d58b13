"""The labels of a session as a table: trials counted as on the screens, and the CSV that `labels --from` takes back."""

from __future__ import annotations

import csv
import math
from typing import IO, TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from ...errors import ConfigError
from ...info import MOST_CLASSES
from ..format.meta import LabelEvent
from .overview import session_start

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .reader import SessionReader

COLUMNS = ("time", "start_s", "class_index", "class_name", "bad", "uncertainty_s", "source")
_YES = {"1": True, "true": True, "yes": True, "bad": True, "0": False, "false": False, "no": False, "": False}


class LabelRow(Struct, frozen=True, kw_only=True):
    """One label; times in seconds."""

    trial: int | None
    """From 1; None for a label that only ends the one before."""
    timestamp: float
    """On the recorder's LSL clock."""
    start_s: float
    """Since the session's start."""
    seconds: float
    """Until the next label, or the end."""
    class_index: int
    name: str
    bad: bool
    uncertainty_s: float
    source: str


def label_rows(session: SessionReader) -> list[LabelRow]:
    """The labels of an open session, in time order."""
    return list(_rows(session.label_track, session.class_names, session_start(session), session.duration_s))


def _rows(track: Sequence[LabelEvent], names: Sequence[str], start: float, length: float) -> Iterator[LabelRow]:
    ends = [label.timestamp for label in track[1:]] + [start + length]
    trial = 0
    for label, end in zip(track, ends, strict=False):
        index = label.class_index
        trial += index >= 0
        yield LabelRow(
            trial=trial if index >= 0 else None,
            timestamp=label.timestamp,
            start_s=label.timestamp - start,
            seconds=max(0.0, end - label.timestamp),
            class_index=index,
            name=names[index] if 0 <= index < len(names) else f"class {index}" if index >= 0 else "",
            bad=label.bad,
            uncertainty_s=label.uncertainty_s,
            source=label.source,
        )


def trial_numbers(track: Sequence[LabelEvent], places: Sequence[int]) -> tuple[int, ...]:
    """Trials, from 1 as the screens count them, of labels at some places of a track."""
    counts, n = [], 0
    for label in track:
        n += label.class_index >= 0
        counts.append(n)
    return tuple(counts[place] for place in places if 0 <= place < len(counts) and track[place].class_index >= 0)


def write_label_csv(file: IO[str], rows: Sequence[LabelRow]) -> None:
    """Write the table that `read_label_csv` reads; times with all their digits."""
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    for row in rows:
        bad = int(row.bad)
        writer.writerow(
            [row.timestamp, f"{row.start_s:.6f}", row.class_index, row.name, bad, row.uncertainty_s, row.source]
        )


def read_label_csv(file: IO[str], where: str, session: SessionReader) -> list[LabelEvent]:
    """Labels from a table with a header: ``time`` (recorder's clock) or ``start_s`` (since the session's start), and
    ``class_index`` or ``class_name``; ``bad``, ``uncertainty_s`` and ``source`` where they are known.

    A class whose name and index contradict each other takes the name, which is what people change.

    Raises
    ------
    ConfigError
        A column is missing, or a line holds what no label can have; the message names the line.
    """
    try:
        reader = csv.DictReader(file, restval="")
        columns = [str(name or "").strip() for name in reader.fieldnames or ()]
        reader.fieldnames = columns
        _check_columns(columns, where)
        kept = {(label.timestamp, label.class_index): label for label in session.label_track}
        return sorted(
            (_label(line, f"{where}, line {reader.line_num}", session, kept) for line in reader),
            key=lambda label: label.timestamp,
        )
    except (csv.Error, UnicodeDecodeError) as error:
        raise ConfigError(f"{where} is no table of labels: {error}") from error


def _check_columns(columns: Sequence[str], where: str) -> None:
    if not {"time", "start_s"} & {*columns}:
        raise ConfigError(f"{where} has no column time or start_s; its first line names {', '.join(columns) or 'none'}")
    if not {"class_index", "class_name"} & {*columns}:
        raise ConfigError(f"{where} has no column class_index or class_name")


def _label(
    line: dict[str, str], where: str, session: SessionReader, kept: dict[tuple[float, int], LabelEvent]
) -> LabelEvent:
    at = _seconds(line, "time", where)
    if at is None:
        since = _seconds(line, "start_s", where)
        if since is None:
            raise ConfigError(f"{where}: there is no time")
        at = session_start(session) + since
    index, bad = _class(line, where, session), (line.get("bad") or "").strip().lower()
    if bad not in _YES:
        raise ConfigError(f"{where}: bad is {bad!r}; write 1 or 0")
    uncertainty = _seconds(line, "uncertainty_s", where) or 0.0
    source = (line.get("source") or "").strip() or "edit"
    before = kept.get((at, index))
    label = before or LabelEvent(at, index)
    if before is None or "source" in line:
        label = replace(label, source=source if before is None or line["source"].strip() else before.source)
    return replace(label, bad=_YES[bad], uncertainty_s=uncertainty if "uncertainty_s" in line else label.uncertainty_s)


def _seconds(line: dict[str, str], column: str, where: str) -> float | None:
    text = (line.get(column) or "").strip()
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not math.isfinite(seconds) or (column == "uncertainty_s" and seconds < 0):
        raise ConfigError(f"{where}: {column} is {text!r}; write seconds")
    return seconds


def _class(line: dict[str, str], where: str, session: SessionReader) -> int:
    name, number = (line.get("class_name") or "").strip(), (line.get("class_index") or "").strip()
    if name in session.class_names and name:
        return session.class_names.index(name)
    if name and name != f"class {number}":
        there = ", ".join(session.class_names) or "none"
        raise ConfigError(f"{where}: no class {name!r}; the session has {there}")
    try:
        index = int(number)
    except ValueError:
        raise ConfigError(f"{where}: class_index is {number!r}; write a whole number, -1 for no label") from None
    if not -1 <= index < (len(session.class_names) or MOST_CLASSES):
        raise ConfigError(f"{where}: no class {index}; the session has {len(session.class_names)}")
    return index
