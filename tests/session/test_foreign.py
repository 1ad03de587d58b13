"""What somebody else's program wrote, or nobody can have meant: an error that names the file, one row in the list."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from myogestic_tui.errors import ConfigError, SessionError
from myogestic_tui.info import StreamInfo
from myogestic_tui.session import (
    Session,
    finish_interrupted,
    list_sessions,
    open_session_store,
    pack_session,
    recover_session,
    salvage_session,
    session_state,
    unfinished_sessions,
    unpacked_sessions,
    verify_session,
)
from myogestic_tui.session.format.zarr_format import ArraySpec, array_json, parse_array_json
from myogestic_tui.session.library.catalog import Catalog
from tests.session.folders import cut_off, recorded
from tests.session.known import STREAMS

EMG = STREAMS[0]


def outcome(attempt: Callable[[], object]) -> object:
    """What it returns, or the error that is meant for a person."""
    try:
        return attempt()
    except (SessionError, FileNotFoundError) as error:
        return error


SPEC = ArraySpec("float32", (8,), 500)
ODD_VALUES = [{}, [], {"name": "fixed_length_utf32"}, None, 7, True, -1, 10**30, "", "x" * 5000, [[]], [None], 1e300]


def with_member(document: object, path: tuple[str | int, ...], value: object) -> object:
    """The document with one value replaced."""
    if not path:
        return value
    copy = dict(document) if isinstance(document, dict) else list(document)  # type: ignore[call-overload]
    copy[path[0]] = with_member(copy[path[0]], path[1:], value)
    return copy


def members_of(document: object, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Every place in a document."""
    items = document.items() if isinstance(document, dict) else enumerate(document) if type(document) is list else ()
    return [path, *(inner for key, value in items for inner in members_of(value, (*path, key)))]


def test_an_array_that_says_anything_odd_is_read_or_refused_by_name():
    document = json.loads(array_json(SPEC, 1000))
    for path in members_of(document):
        for value in ODD_VALUES:
            data = json.dumps(with_member(document, path, value)).encode()
            said = outcome(lambda data=data: parse_array_json(data, where="emg.zarr/zarr.json"))  # type: ignore[misc]
            if value == 7 and path and type(path[-1]) is int:  # another length is another recorder's choice
                assert said in ((SPEC, 7), (ArraySpec("float32", (8,), 7), 1000)) or "zarr.json" in str(said)
            else:
                assert said == (SPEC, 1000) or "emg.zarr/zarr.json" in str(said), (path, value)


@pytest.mark.parametrize("dtype", ["1:1", "(1,f4", "f4,(", "", "\0", "M8[ns]", "int8,int8", "f" * 300])
def test_a_dtype_that_is_none_is_a_config_error(dtype: str):
    with pytest.raises(ConfigError, match="dtype"):
        StreamInfo(1, 100.0, dtype)


@pytest.fixture(scope="module")
def cut(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("foreign")
    session = recorded(base / "rec", [(EMG, 1600, 100)], fields={"take": 3})
    session.add_label(0)
    session.flush()
    folder = cut_off(session.path, base / "cut")
    session.finish()
    return folder


def edited(name: str, change: Callable[[dict], object]) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        path = folder / name
        path.write_text(json.dumps(change(json.loads(path.read_text()))))

    return edit


FOREIGN = {
    "an array of an extension type": edited("emg.zarr/zarr.json", lambda d: {**d, "data_type": {"name": "utf32"}}),
    "chunks without a shape": edited(
        "emg.zarr/zarr.json", lambda d: {**d, "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": []}}}
    ),
    "a take beyond 64 bits": edited("meta.json", lambda d: {**d, "take": 10**30}),
    "a dtype that NumPy cannot parse": edited(
        "meta.json", lambda d: {**d, "streams": {"emg": {**d["streams"]["emg"], "dtype": "(1,f4"}}}
    ),
    "class names that are none": edited("meta.json", lambda d: {**d, "class_names": 7}),
    "a sample count beyond 64 bits": edited(
        "meta.json", lambda d: {**d, "streams": {"emg": {**d["streams"]["emg"], "n_samples": 10**40}}}
    ),
    "nesting without end": lambda folder: (folder / "meta.json").write_bytes(b"[" * 100_000),
    "meta that is no UTF-8": lambda folder: (folder / "meta.json").write_bytes(b'{"name": "\xff"}'),
}


@pytest.mark.parametrize("what", FOREIGN)
@pytest.mark.parametrize("journal", [True, False])
def test_a_foreign_folder_is_one_row_and_no_command_ends_in_a_traceback(
    cut: Path, tmp_path: Path, what: str, journal: bool
):
    base = tmp_path / "s"
    other = recorded(base, [(EMG, 600, 100)])
    other.finish()
    folder = cut_off(cut, base / "foreign")
    if not journal:
        for path in (folder / "journal").iterdir():
            path.unlink()
        (folder / "journal").rmdir()
    FOREIGN[what](folder)
    assert {entry.path for entry in Catalog(base).entries()} == {folder, other.path} == {*list_sessions(base)}
    assert {entry.path for entry in Catalog(base).entries()} == {folder, other.path}
    unfinished_sessions(base)
    assert other.path in unpacked_sessions(base)
    session_state(folder)
    for attempt in (open_session_store, verify_session, recover_session, pack_session, salvage_session):
        opened = outcome(lambda attempt=attempt: attempt(folder))  # type: ignore[misc]
        getattr(opened, "close", lambda: None)()
    assert isinstance(outcome(lambda: finish_interrupted(base)), list | SessionError)
    assert not other.path.is_dir()


def test_an_event_of_the_journal_that_cannot_be_meant_is_damage_and_the_others_count(tmp_path: Path):
    from myogestic_tui.session.format.journal import EVENT, EVENTS, frame_header

    session = recorded(tmp_path / "rec", [(EMG, 600, 100)])
    session.add_label(1)
    folder = cut_off(session.path, tmp_path / "cut")
    session.finish()
    odd = [
        {"type": "FieldsSet", "fields": {"class_names": 7}},
        {"type": "FieldsSet", "fields": {"take": 10**30}},
        {"type": "FieldsSet", "fields": {"name": []}},
        {"type": "ChannelMarked", "stem": "emg", "channel": 10**30, "bad": True},
        {"type": "Labelled", "number": 10**30, "label": {"timestamp": 1.0, "class_index": 0}},
        {"type": "Noted", "note": 7},
        [],
    ]
    with open(folder / "journal" / EVENTS, "ab") as log:
        for number, event in enumerate(odd, 100):
            payload = json.dumps(event).encode()
            log.write(frame_header(EVENT, number, 1, payload) + payload)
    recover_session(folder)
    with open_session_store(folder) as reader:
        assert reader.n_samples("emg") == 600
        assert [label.class_index for label in reader.label_track] == [1]
        assert sum(finding.kind == "damage" and EVENTS in finding.text for finding in reader.findings) == len(odd)
        assert reader.summary().take is None
    (entry,) = (entry for entry in Catalog(tmp_path).entries() if entry.path == folder)
    assert entry.state == "recovered"


@pytest.mark.parametrize(
    "fields",
    [
        {"take": 10**30},
        {"take": -(10**30)},
        {"take": True},
        {"take": "3"},
        {"subject": "P\0 7"},
        {"subject": "P\ud800"},
        {"gain": float("nan")},
        {"gain": float("inf")},
        {"deep": {"list": [1.0, float("nan")]}},
        {"no\0": 1},
        {"class_names": ["Rest", "\ud800"]},
        {"class_names": ["Rest", "a\0b"]},
    ],
    ids=repr,
)
def test_a_field_that_no_file_can_hold_is_refused_where_it_is_given(tmp_path: Path, fields: dict):
    with pytest.raises(ConfigError):
        Session(tmp_path, fields=fields, reserve_bytes=0)
    assert list(tmp_path.iterdir()) == []
    session = Session(tmp_path, fields={"take": 2**63 - 1}, reserve_bytes=0)
    with pytest.raises(ConfigError):
        session.set_fields(**fields)
    session.finish()
    with pytest.raises(ConfigError):
        session.set_fields(**fields)
    (entry,) = Catalog(tmp_path).entries()
    assert (entry.state, entry.summary.take) == ("finished", 2**63 - 1)


def test_a_mark_note_or_label_that_cannot_be_stored_is_refused_and_the_session_goes_on(tmp_path: Path):
    session = recorded(tmp_path, [(EMG, 600, 100)])
    for attempt in (
        lambda: session.mark_channel("emg", 10**30),
        lambda: session.mark_channel("emg", -1),
        lambda: session.mark_channel("emg", "one"),  # type: ignore[arg-type]
        lambda: session.add_gap_reason("emg", 10**30, "why"),
        lambda: session.add_label(0, 10**400),
        lambda: session.add_label(0, uncertainty_s=float("nan")),
        lambda: session.add_note("x", "soon"),  # type: ignore[arg-type]
        lambda: session.add_note("x", float("nan")),
    ):
        with pytest.raises(ConfigError):
            attempt()
    session.add_label(1)
    session.finish()
    with open_session_store(session.path) as reader:
        assert [label.class_index for label in reader.label_track] == [1]
        assert reader.notes == []


def test_a_folder_whose_name_is_no_text_is_one_row_and_harms_no_other(cut: Path, tmp_path: Path):
    base = tmp_path / "s"
    base.mkdir()
    odd = cut_off(cut, Path(os.fsdecode(os.fsencode(base) + b"/caf\xe9")))
    odd_archive = Path(os.fsdecode(os.fsencode(base) + b"/caf\xe9.session.zip"))
    other = recorded(base, [(EMG, 600, 100)])
    other.pack_to_zip()
    os.link(other.path, odd_archive)
    for _ in range(2):  # the second time from the cache
        found = {entry.path.name: entry.state for entry in Catalog(base).entries()}
        assert found == {"caf\\xe9": "unfinished", "caf\\xe9.session.zip": "packed", other.path.name: "packed"}
    assert recover_session(odd) == odd
    with pytest.raises(SessionError, match="rename"):
        pack_session(odd)


def test_links_that_go_round_in_a_circle_keep_nothing_from_being_listed(cut: Path, tmp_path: Path):
    base = tmp_path / "s"
    base.mkdir()
    folder = cut_off(cut, base / "cut")
    for name in ("loop", "loop.session.zip", ".loop"):
        (base / name).symlink_to(name)
    assert unfinished_sessions(base) == [folder]
    rows = {entry.path: entry for entry in Catalog(base).entries()}
    assert set(rows) == {folder, base / "loop.session.zip"}
    assert rows[base / "loop.session.zip"].problem
