"""Sessions are found and ordered by every field of the take sheet, and by the verdict of their reports."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from myogestic_tui.cli.command_table import run
from myogestic_tui.session import Session
from myogestic_tui.session.library.catalog import Catalog
from myogestic_tui.session.library.search import Search, in_order, sheet_fields, value_of
from myogestic_tui.widgets.session_table import Order

SHEETS = (
    {"subject": "P1", "task": "power grip", "take": 2, "hand": "left", "age": 9},
    {"subject": "P2", "task": "pinch", "take": 10, "hand": "Right", "age": "31"},
    {"subject": "P10", "task": "pinch", "take": 3, "Skin": "dry"},
    {},
)
VERDICTS = ("ok", "check: 3 channels", "", "check: 1 stream")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    sessions = tmp_path_factory.mktemp("search") / "sessions"
    for sheet, verdict in zip(SHEETS, VERDICTS, strict=True):
        path = Session(sessions, fields=sheet, reserve_bytes=0).pack_to_zip()
        if verdict:
            Catalog(sessions).remember_quality(path, verdict)
    return sessions


def which(folder: Path, words: str) -> list[str]:
    """Subjects of what is found, oldest first."""
    found = [one for one in Catalog(folder).entries() if Search(words).holds(one)]
    return [one.summary.subject or "-" for one in sorted(found, key=lambda one: one.path.name)]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("", ["P1", "P2", "P10", "-"]),
        ("p1", ["P1", "P10"]),
        ("subject=p1", ["P1"]),
        ("subject:P1", ["P1", "P10"]),
        ("take>2", ["P2", "P10"]),
        ("take>=2 take<10", ["P1", "P10"]),
        ("TAKE=3", ["P10"]),
        ("hand=left", ["P1"]),
        ("hand:RIGHT", ["P2"]),
        ("age>10", ["P2"]),
        ("age<10", ["P1"]),
        ("skin:dry", ["P10"]),
        ("quality:check", ["P2", "-"]),
        ("quality=ok", ["P1"]),
        ('quality="check: 3 channels"', ["P2"]),
        ('task="power grip"', ["P1"]),
        ('"power grip"', ["P1"]),
        ("pinch take>5", ["P2"]),
        ("take=", ["-"]),
        ("state=packed labels=0", ["P1", "P2", "P10", "-"]),
        ("start>2000 length<5", ["P1", "P2", "P10", "-"]),
        ("eyes=blue", []),
        ("take>x", []),
        ('task="power', []),
    ],
)
def test_a_field_is_searched_by_what_it_holds(folder: Path, words: str, found: list[str]) -> None:
    assert which(folder, words) == found


def test_a_word_with_such_marks_is_still_found_where_no_field_is_called_so(folder: Path) -> None:
    [one] = [entry for entry in Catalog(folder).entries() if entry.summary.subject == "P10"]
    time_of_day = one.summary.created[11:16]
    assert which(folder, time_of_day)
    assert which(folder, f"{time_of_day} p10") == ["P10"]


@pytest.mark.parametrize(
    ("field", "descending", "order"),
    [
        ("take", False, ["P1", "P10", "P2", "-"]),
        ("take", True, ["P2", "P10", "P1", "-"]),
        ("age", False, ["P1", "P2", "-", "P10"]),
        ("hand", False, ["P1", "P2", "-", "P10"]),
        ("SKIN", True, ["P10", "-", "P2", "P1"]),
        ("quality", False, ["-", "P2", "P1", "P10"]),
    ],
)
def test_the_order_goes_by_numbers_then_text_and_what_has_none_comes_last(folder, field, descending, order) -> None:
    found = in_order(Catalog(folder).entries(), field, descending=descending)
    assert [one.summary.subject or "-" for one in found] == order


def test_the_screen_s_order_goes_through_every_field(folder: Path) -> None:
    entries = Catalog(folder).entries()
    fields = sheet_fields(entries)
    assert fields == ["age", "hand", "Skin"]
    order, seen = Order(), []
    while order.column not in seen:
        seen.append(order.column)
        assert len(order.sort(entries)) == 4
        order = order.next(1, fields)
    assert {"quality", "take", "start", *fields} <= {*seen}
    assert Order("Skin").next(1, fields) == Order("state", False)
    assert Order("gone").next(1, fields).column in seen


def test_the_command_sorts_searches_and_tells_the_verdict(folder: Path, capsys) -> None:
    def sessions(*words: str) -> str:
        assert run(["sessions", "--sessions", str(folder), *words]) == 0
        return capsys.readouterr().out

    lines = sessions("--sort", "hand").splitlines()
    assert lines[0].split()[-2:] == ["QUALITY", "HAND"]
    assert [line.split()[-1] for line in lines[1:]] == ["left", "Right", "-", "-"]
    told = json.loads(sessions("--sort", "take", "--reverse", "--json"))
    assert [one["take"] for one in told] == [10, 3, 2, None]
    assert [one.get("quality") for one in told] == ["check: 3 channels", None, "ok", "check: 1 stream"]
    assert told[0]["fields"]["hand"] == "Right"
    assert len(json.loads(sessions("quality:check take>5", "--json"))) == 1
    assert run(["sessions", "--sessions", str(folder), "--sort", "eyes"]) == 2
    assert "age, hand, Skin" in capsys.readouterr().err


def test_a_sheet_field_that_is_called_as_a_built_in_one_does_not_hide_it(tmp_path: Path) -> None:
    Session(tmp_path, fields={"Quality": "mine", "labels": "x"}, reserve_bytes=0).pack_to_zip()
    [one] = Catalog(tmp_path).entries()
    assert value_of(one, "quality") == ""
    assert value_of(one, "labels") == 0
    assert sheet_fields([one]) == []
