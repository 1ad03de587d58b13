"""`labels`: the trials of a session listed, and set right; the labels as they were recorded stay with it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import ConfigError, DiskError
from ..plural import count_of
from .options import LocalSession, json_option
from .output import Progress, print_json, remark, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..session import SessionReader
    from ..session.library.label_changes import Change
    from ..session.reading.label_table import LabelRow
    from ..session.reading.onsets import Onset

_CSV = click.Path(dir_okay=False, path_type=Path, allow_dash=True)


@click.command()
@click.argument("path", type=LocalSession())
@click.option("--shift", type=float, metavar="S", help="Move all labels by S seconds; later is positive.")
@click.option("--trial", "trials", type=int, multiple=True, metavar="N", help="Shift only this trial's beginning.")
@click.option("--relabel", multiple=True, metavar="N=CLASS", help="Give trial N another class.")
@click.option("--bad", type=int, multiple=True, metavar="N", help="Mark trial N bad.")
@click.option("--good", type=int, multiple=True, metavar="N", help="Remove the mark of trial N.")
@click.option("--drop", type=int, multiple=True, metavar="N", help="Drop trial N; its time then has no label.")
@click.option("--split", type=float, multiple=True, metavar="T", help="Split the trial at T seconds into two.")
@click.option("--from", "table_file", type=_CSV, metavar="FILE", help="Take the labels from a CSV table (- is stdin).")
@click.option("--csv", "as_csv", is_flag=True, help="Print the labels as the table that --from takes.")
@click.option("--original", is_flag=True, help="Go back to the labels as they were recorded.")
@click.option("--to-onset", is_flag=True, help="Propose shifts to where the signal itself changes.")
@click.option("--stream", metavar="NAME", help="Signal for --to-onset.  [default: the EMG]")
@click.option("--apply", is_flag=True, help="Make the shifts that --to-onset proposes.")
@click.option("--who", default="", metavar="NAME", help="Who edits.  [default: your account]")
@json_option
def labels(path: Path, as_json: bool, as_csv: bool, who: str, **given: Any) -> int | None:
    """List the labels of a session, and set them right. Samples and time stamps are never touched.

    Trials count from 1, times from the session's start; several options take effect together and mean the labels as
    they are listed. The labels as they were recorded stay in labels.original.json, and every edit is kept with who
    made it, when, the old values and the new ones. While a session is recorded, `ctl` and the Record screen edit it.

    \b
    Examples:
      myogestic-tui labels sessions/2026-05-17_14-23-05.session.zip
      myogestic-tui labels sessions/2026-05-17_14-23-05.session.zip --shift 0.25 --bad 3 --relabel 2=Fist
      myogestic-tui labels sessions/2026-05-17_14-23-05.session.zip --to-onset
    """
    changes = _changes(given)
    ways = [bool(changes), given["table_file"] is not None, given["original"], given["to_onset"]]
    if sum(ways) > 1:
        raise click.UsageError("give changes of trials, --from, --original or --to-onset: one of these at a time")
    if given["apply"] and not given["to_onset"]:
        raise click.UsageError("--apply belongs to --to-onset")
    if given["to_onset"]:
        return _to_onset(path, given["stream"], given["apply"], who, as_json)
    words: list[str] | None = None
    if any(ways):
        path, words = _edit(path, changes, given["table_file"], who)
    _show(path, words, as_json, as_csv)
    return None


def _changes(given: dict[str, Any]) -> list[Change]:
    from ..session.library.label_changes import Drop, MarkBad, Relabel, Shift, Split

    if given["trials"] and given["shift"] is None:
        raise click.UsageError("--trial belongs to --shift")
    changes: list[Change] = [Relabel(*_pair(text)) for text in given["relabel"]]
    changes += [MarkBad(trial) for trial in given["bad"]] + [MarkBad(trial, False) for trial in given["good"]]
    changes += [Split(at) for at in given["split"]] + [Drop(trial) for trial in given["drop"]]
    if given["shift"] is not None:
        changes.append(Shift(given["shift"], given["trials"] or None))
    return changes


def _pair(text: str) -> tuple[int, str]:
    trial, equals, name = text.partition("=")
    if not (equals and name.strip() and trial.strip().isdecimal()):
        raise ConfigError(f"--relabel {text!r}: write N=CLASS, such as 7=Pinch")
    return int(trial), name.strip()


def _edit(path: Path, changes: Sequence[Change], table_file: Path | None, who: str) -> tuple[Path, list[str]]:
    from ..session import open_session_store
    from ..session.library.edit_labels import edit_labels, first_labels, replace_labels
    from ..session.reading.label_table import read_label_csv

    progress = Progress()
    share = progress.share(f"writing {path.name}")
    if changes:
        done = edit_labels(path, changes, who=who, progress=share)
    elif table_file is None:
        what = "labels as they were recorded"
        done = replace_labels(path, first_labels(path), what=what, who=who, progress=share)
    else:
        where = "stdin" if str(table_file) == "-" else table_file.name
        with open_session_store(path) as session:
            try:
                with click.open_file(str(table_file), encoding="utf-8-sig") as file:
                    wanted = read_label_csv(file, where, session)
            except OSError as error:
                raise DiskError(f"{table_file} cannot be read: {error.strerror or error}") from error
        done = replace_labels(path, wanted, what=f"labels from {where}", who=who, progress=share)
    progress.clear()
    return done


def _show(path: Path, words: list[str] | None, as_json: bool, as_csv: bool) -> None:
    from ..session import open_session_store
    from ..session.reading.label_table import label_rows, write_label_csv

    with open_session_store(path) as session:
        rows = label_rows(session)
        if as_json:
            print_json(
                {"path": str(path), "labels": rows, "edits": session.label_edits}
                | ({} if words is None else {"changed": words})
            )
        elif as_csv:
            write_label_csv(sys.stdout, rows)
        else:
            click.echo("\n".join([*_lines(rows), *_history(session)]))
    for text in words or ():
        remark(text)
    if words == []:
        remark("nothing to change: the labels are that already")


def _lines(rows: Sequence[LabelRow]) -> list[str]:
    if not rows:
        return ["no labels"]
    headers = ("TRIAL", "START", "SECONDS", "CLASS", "BAD", "FROM", "MAY BE OFF")
    cells = [
        (
            "" if row.trial is None else row.trial,
            f"{row.start_s:.3f}",
            f"{row.seconds:.3f}",
            row.name or "-",
            "bad" if row.bad else "",
            row.source,
            f"{row.uncertainty_s:.3f} s" if row.uncertainty_s else "",
        )
        for row in rows
    ]
    return [table(headers, cells, right=("TRIAL", "START", "SECONDS"))]


def _history(session: SessionReader) -> list[str]:
    words = session.view.label_history.words
    told = [
        f"  {edit.at.replace('T', ' ')[:19]} UTC  {edit.who}: {'; '.join(edit.what)}" for edit in session.label_edits
    ]
    return ["", words, *told] if words else []


def _to_onset(path: Path, stream: str | None, apply: bool, who: str, as_json: bool) -> int:
    from ..session import open_session_store
    from ..session.library.edit_labels import edit_labels
    from ..session.library.label_changes import Shift
    from ..session.reading.onsets import find_onsets

    with open_session_store(path) as session:
        found = find_onsets(session, stream)
    moves = [Shift(one.shift_s, (one.trial,)) for one in found if one.shift_s]
    if apply and moves:
        progress = Progress()
        path = edit_labels(path, moves, who=who, progress=progress.share(f"writing {path.name}")).path
        progress.clear()
    if as_json:
        print_json({"path": str(path), "onsets": found, "applied": bool(apply and moves)})
    else:
        click.echo(_onset_table(found))
        told = "shifted" if apply else "to be shifted; --apply does it"
        remark(f"{len(moves)} of {count_of(len(found), 'trial')} {told}")
    return 0


def _onset_table(found: Sequence[Onset]) -> str:
    cells = [
        (
            one.trial,
            one.name,
            f"{one.start_s:.3f}",
            "-" if one.shift_s is None else f"{one.shift_s:+.3f}",
            "" if one.change_db is None else f"{one.change_db:+.1f} dB",
            one.why_not,
        )
        for one in found
    ]
    return table(("TRIAL", "CLASS", "START", "SHIFT", "LEVEL", "WHY NOT"), cells, right=("TRIAL", "START", "SHIFT"))
