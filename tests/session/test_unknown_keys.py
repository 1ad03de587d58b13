"""What other programs keep in ``meta.json`` and ``labels.json``, at every level, survives every command."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from myogestic_tui.session import Session, open_session_store, pack_session, recover_session, salvage_session
from myogestic_tui.session.archive.archive import Archive
from myogestic_tui.session.library.copy import copy_session
from myogestic_tui.session.library.edit import edit_session
from myogestic_tui.session.recovery.trash import restore_session, trash_session
from tests.session.folders import cut_off, feed
from tests.session.known import STREAMS

MINE = {"theirs": {"a": None, "b": [1, {"c": 2.5}]}, "extra": "text", "strays": 7}
EMG, _, MARKS = STREAMS


def places(meta: dict[str, Any], labels: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Every object of both files that another program may have put something into."""
    emg = meta["streams"]["emg"]
    found = {
        "top": meta,
        "recorder": meta["recorder"],
        "stream": emg,
        "text stream": next(iter(meta["string_streams"].values())),
        **{f"anchor {place}": one for place, one in enumerate(meta["anchors"])},
        **{f"note {one['text']}": one for one in meta["notes"] if one["text"] in ("first", "second")},
        **{f"event {one['text']}": one for one in meta["events"] if one["text"] == "it began"},
        **{f"label {one['timestamp']} {one['class_index']}": one for one in labels},
        **{f"gap {one['index']} {one.get('kind', '')}": one for one in emg.get("gaps", ())},
    }
    if emg.get("time"):
        found["time"] = emg["time"]
        found |= {f"leap {one['index']}": one for one in emg["time"].get("leaps", ())}
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A finished session with one of each."""
    return made(tmp_path, finish=True)


def made(base: Path, *, finish: bool) -> Path:
    session = Session(base / "sessions", reserve_bytes=0, class_names=["Rest", "Fist"])
    for stream in (EMG, MARKS):
        session.init_stream(stream.name, stream.info)
    feed(session, EMG, 0, 300, 50)
    session.append(EMG.name, EMG.data(300, 600), EMG.stamps(300, 600) + 30.0)
    feed(session, MARKS, 0, 4, 1)
    session.add_event("started", "it began")
    session.add_note("first", 1.0)
    session.add_note("second", 1.0)
    for at, class_index in ((1.0, 0), (1.0, 1), (2.0, -1)):
        session.add_label(class_index, at)
    if not finish:
        session.flush()
        session.save_meta()
        unfinished = cut_off(session.path, base / "sessions" / "cut")
        session.discard()
        return unfinished
    session.finish()
    return session.path


def write_into(folder: Path) -> set[str]:
    meta, labels = (json.loads((folder / name).read_text()) for name in ("meta.json", "labels.json"))
    meta["streams"]["emg"]["gaps"] = [{"index": 300, "seconds": 30.0}, {"index": 0, "seconds": 0.5, "kind": "head"}]
    there = places(meta, labels)
    for name, one in there.items():
        one |= MINE | {"place": name}
    (folder / "meta.json").write_text(json.dumps(meta))
    (folder / "labels.json").write_text(json.dumps(labels))
    return set(there)


def read(path: Path) -> dict[str, dict[str, Any]]:
    if path.is_dir():
        return places(*(json.loads((path / name).read_text()) for name in ("meta.json", "labels.json")))
    with Archive(path) as archive:
        return places(*(json.loads(archive.read(name)) for name in ("meta.json", "labels.json")))


def check(path: Path, names: set[str], *, recomputed: bool = False) -> None:
    """Where gaps and leaps are looked for anew, those that are no more take what was in them along."""
    found = read(path)
    for name in sorted(names & {*found} if recomputed else names):
        kept = {key: found[name].get(key) for key in (*MINE, "place")}
        assert kept == MINE | {"place": name}, f"{name} of {path.name}"


def trashed(path: Path) -> Path:
    return restore_session(trash_session(path))


def salvaged(path: Path) -> Path:
    with zipfile.ZipFile(path) as archive:
        at = next(one.header_offset for one in archive.infolist() if "emg.zarr/c/" in one.filename) + 200
    data = bytearray(path.read_bytes())
    data[at] ^= 0x40
    path.write_bytes(data)
    return salvage_session(path)


COMMANDS: dict[str, Callable[[Path], Path]] = {
    "rename": lambda path: edit_session(path, {"name": "renamed"}),
    "note": lambda path: edit_session(path, {"note": "another"}),
    "edit": lambda path: edit_session(path, {"subject": "P07", "take": "4", "hand": "left"}),
    "copy": lambda path: Path(copy_session(path, str(path.parent / "copies"))),
    "trash": trashed,
}


@pytest.mark.parametrize(
    ("command", "packed"), [(one, packed) for one in COMMANDS for packed in (False, True) if packed or one != "copy"]
)
def test_a_command_keeps_what_is_not_ours(folder: Path, command: str, packed: bool) -> None:
    names = write_into(folder)
    assert {"note first", "note second", "anchor 1", "label 1.0 1", "recorder", "time"} <= names
    assert {"gap 300 ", "gap 0 head"} <= names
    path = COMMANDS[command](pack_session(folder) if packed else folder)
    check(path, names)
    with open_session_store(path) as session:
        assert [(label.timestamp, label.class_index) for label in session.label_track] == [
            (1.0, 0),
            (1.0, 1),
            (2.0, -1),
        ]


def test_packing_and_salvaging_keep_it(folder: Path) -> None:
    names = write_into(folder)
    archive = pack_session(folder)
    check(archive, names)
    check(salvaged(archive), names, recomputed=True)


def test_recovering_keeps_it(tmp_path: Path) -> None:
    folder = made(tmp_path, finish=False)
    names = write_into(folder)
    assert {"note first", "label 1.0 1", "recorder", "stream"} <= names
    check(recover_session(folder), names, recomputed=True)
    listed = json.loads((folder / "meta.json").read_text())["events"]
    assert [one["text"] for one in listed] == ["it began"], "once, though journal and file have it"
    check(pack_session(folder), names, recomputed=True)
