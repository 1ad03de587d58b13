"""`sessions` and `info`: what is in the sessions folder, and in one session."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click
from msgspec.structs import replace

from ..errors import ConfigError
from .options import LocalSession, common_options, json_option, pass_settings
from .output import Progress, duration, print_json, remark, size, table
from .session_text import session_lines

if TYPE_CHECKING:
    from pathlib import Path

    from ..session import SessionReader
    from ..session.format.meta import Meta
    from ..session.library.catalog_entry import Entry
    from .settings import Settings


@click.command()
@click.argument("text", required=False)
@click.option("--sort", metavar="FIELD", help="Order by a field, least first; sessions without it come last.")
@click.option("--reverse", is_flag=True, help="Greatest first; oldest first without --sort.")
@common_options
@json_option
@pass_settings
def sessions(settings: Settings, text: str | None, sort: str | None, reverse: bool, as_json: bool) -> None:
    """List the sessions of the sessions folder, newest first.

    TEXT keeps those that hold every word of it in their name, date, state, subject, task, take-sheet
    fields, streams, classes or verdict. FIELD:TEXT looks in one field, FIELD=TEXT for all of it, and
    FIELD>TEXT, FIELD<TEXT compare: subject, task, take, start, length (s), size (B), labels, streams,
    state, quality, edited, copy, name, and each further field of the take sheet.

    \b
    Examples:
      myogestic-tui sessions
      myogestic-tui sessions unfinished
      myogestic-tui sessions "subject=P07 take>3 quality:check" --sort take
      myogestic-tui sessions P07 --json
    """
    from ..session.library.catalog import Catalog
    from ..session.library.search import in_order, sheet_fields

    progress = Progress()
    entries = Catalog(settings.sessions_dir).entries(lambda done, total: progress.show(f"reading {done} of {total}"))
    progress.clear()
    found = [entry for entry in entries if entry.holds(text or "")]
    if sort is not None:
        _check_field(sort, entries)
        found = in_order(found, sort, descending=reverse)
    elif reverse:
        found.reverse()
    for entry in found:
        if entry.problem:
            remark(f"{entry.path}: {entry.problem}")
    if as_json:
        print_json([replace(entry.summary, state=entry.state) for entry in found])
    elif found:
        click.echo(_listing(found, sort if sort in sheet_fields(found) else None))
        for hint in _hints(found):
            remark(hint)
    else:
        remark(f"no session{f' with {text!r}' if text else ''} in {settings.sessions_dir}")


def _hints(found: list[Entry]) -> list[str]:
    """For each state that calls for something: how many are in it, and the command."""
    from ..session.format.summary import REPAIRS

    hints = []
    for state, command in REPAIRS.items():
        paths = [
            one.path for one in found if one.state == state and (os.path.isfile(one.path) or os.path.isdir(one.path))
        ]
        if paths:
            more = " …" if len(paths) > 1 else ""
            hints.append(f"{len(paths)} {state}: myogestic-tui {command} {paths[0]}{more}")
    return hints


def _check_field(field: str, entries: list[Entry]) -> None:
    from ..session.library.search import BUILT_IN, sheet_fields

    known = [*BUILT_IN, *sheet_fields(entries)]
    if entries and field.casefold() not in map(str.casefold, known):
        raise ConfigError(f"no session has a field {field!r}; there are {', '.join(known)}")


def _listing(found: list[Entry], sheet_field: str | None = None) -> str:
    headers: tuple[str, ...] = ("STATE", "START", "NAME", "LENGTH", "SIZE", "STREAMS", "LABELS", "COPY", "PATH")
    rows: list[tuple[object, ...]] = [
        (
            "DAMAGED" if entry.state == "damaged" else entry.state,
            summary.created[:16].replace("T", " "),
            summary.name or "-",
            duration(summary.duration_s),
            size(summary.bytes),
            len(summary.streams),
            sum(summary.labels.values()),
            entry.copied_to or "-",
            summary.path,
        )
        for entry in found
        for summary in [entry.summary]
    ]
    if any(entry.quality for entry in found):
        headers = (*headers, "QUALITY")
        rows = [(*row, entry.quality or "-") for row, entry in zip(rows, found, strict=True)]
    if sheet_field is not None:
        headers = (*headers, sheet_field.upper())
        rows = [(*row, _field(entry, sheet_field)) for row, entry in zip(rows, found, strict=True)]
    if any(entry.summary.link for entry in found):
        headers = (*headers, "LINK")
        rows = [(*row, entry.summary.link or "-") for row, entry in zip(rows, found, strict=True)]
    return table(headers, rows, right=("LENGTH", "SIZE", "STREAMS", "LABELS"))


def _field(entry: Entry, name: str) -> str:
    from ..session.library.search import value_of

    value = value_of(entry, name)
    return "-" if value in (None, "") else str(value)


@click.command()
@click.argument("path", type=LocalSession())
@json_option
def info(path: Path, as_json: bool) -> None:
    """Everything about one session, packed or not, finished or being recorded. Nothing is changed.

    \b
    Examples:
      myogestic-tui info sessions/2026-05-17_14-23-05.session.zip
      myogestic-tui info sessions/2026-05-17_14-23-05 --json
    """
    from ..session import open_session_store
    from ..session.format.summary import to_dict

    with open_session_store(path) as session:
        summary = session.summary()
        if as_json:
            print_json({**to_dict(summary), **_facts(session)})
        else:
            click.echo("\n".join([*session_lines(summary), *_details(session)]))


def _facts(session: SessionReader) -> dict[str, Any]:
    """What ``--json`` tells beside the summary; numbers of channels and trials are from 0, as in ``meta.json``."""
    meta = session.meta
    return {
        "ended_by": meta.ended_by,
        "events": meta.events,
        "notes": session.notes,
        "bad_channels": {stem: sorted(bad) for stem, bad in meta.bad_channels.items() if bad},
        "bad_trials": meta.bad_trials,
        "edits": meta.extra.get("edits", []),
        "electrodes": {name: plain for name in session.streams if (plain := _grids(session, name))},
        "findings": session.findings,
    }


def _grids(session: SessionReader, name: str) -> dict[str, Any]:
    """The grids of a stream as in ``meta.json``; channels are from 0."""
    from ..montage import grids_to_plain

    return grids_to_plain(session.stream_info(name).channel_grids)


def _electrode_lines(session: SessionReader) -> list[str]:
    grids = [(name, grid) for name in session.streams for grid in session.stream_info(name).channel_grids or ()]
    return [f"  electrodes   {name} {grid.words()}" for name, grid in grids]


def _details(session: SessionReader) -> list[str]:
    from ..session.format.chain import chain_link, chain_words
    from ..session.format.meta import CONTINUED_BY
    from ..session.format.time_remarks import note_words
    from ..session.reading.label_table import trial_numbers

    meta = session.meta
    facts: list[tuple[str, Any]] = [
        ("created", meta.created),
        ("subject", meta.subject),
        ("task", meta.task),
        ("take", meta.take),
        *meta.fields.items(),
        ("chain", chain_words(chain_link(meta))),
        ("continues", _continues(session.meta)),
        ("continued by", meta.extra.get(CONTINUED_BY)),
        ("app", meta.app_name),
        ("recorder", f"{meta.recorder.host} {meta.recorder.version}".strip()),
        ("ended by", meta.ended_by),
        ("bad channels", _bad_channels(meta.bad_channels)),
        ("bad trials", ", ".join(map(str, trial_numbers(session.label_track, meta.bad_trials)))),
    ]
    lines = [f"  {name:<12} {value}" for name, value in facts if value not in (None, "")]
    lines += _electrode_lines(session)
    lines += _time_lines(session)
    lines += [f"  note         {note_words(note.text, note.uncertainty_s)}" for note in session.notes]
    lines += _event_lines(meta)
    return lines + [f"  {'✗' if finding.kind == 'damage' else '·'} {finding.text}" for finding in session.findings]


def _event_lines(meta: Meta) -> list[str]:
    """What happened to the recording, by the time since its start."""
    start = meta.anchors[0].lsl if meta.anchors else 0.0
    return [
        f"  event        {one.timestamp - start:+.1f} s  {one.text}{f' ({one.who})' if one.who else ''}"
        for one in meta.events
    ]


def _continues(meta: Meta) -> str:
    """The session before, and how long nothing was recorded in between."""
    from ..session.format.meta import CONTINUES, NOT_RECORDED

    before, seconds = meta.extra.get(CONTINUES), meta.extra.get(NOT_RECORDED)
    return f"{before}{f', {seconds:.1f} s not recorded' if isinstance(seconds, float) else ''}" if before else ""


def _time_lines(session: SessionReader) -> list[str]:
    """How each stream came, and each of its gaps with the reason where that is known."""
    from ..session.format.time_remarks import time_details
    from ..session.format.time_summary import lost_gaps

    lines = []
    for name in session.streams:
        measured = session.measured(name)
        lines += [f"  time         {name}: {text}" for text in time_details(measured)]
        for gap in lost_gaps(measured.gaps):
            why = f" ({gap.reason})" if gap.reason else ""
            lines.append(f"  gap          {name}: {gap.seconds:.3f} s before sample {gap.index}{why}")
    return lines


def _bad_channels(by_stream: dict[str, list[int]]) -> str:
    return "; ".join(
        f"{stream} {', '.join(str(c + 1) for c in sorted(bad))}" for stream, bad in by_stream.items() if bad
    )
