from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from myogestic_tui.errors import SessionDamagedError
from myogestic_tui.info import StreamInfo
from myogestic_tui.session.format.json_files import replace_file
from myogestic_tui.session.format.layout import (
    DERIVED,
    archive_name,
    choose_stem,
    create_session_folder,
    is_session_folder,
    safe_name,
    stems_among,
)
from myogestic_tui.session.format.meta import (
    LabelEvent,
    Meta,
    StreamMeta,
    decode_labels,
    decode_meta,
    encode_labels,
    encode_meta,
)
from myogestic_tui.session.format.stream_names import find_stem, public_names
from myogestic_tui.session.format.zarr_format import parse_array_json

NOON = datetime(2026, 5, 17, 14, 23, 5)


@given(st.text())
def test_a_safe_name_is_a_file_name_anywhere(name: str):
    safe = safe_name(name)
    assert safe
    assert len(safe) <= 80
    assert all(letter.isascii() and (letter.isalnum() or letter in "-_") for letter in safe)


@given(st.lists(st.text(max_size=8) | st.sampled_from(["emg", "EMG", "emg_clock", "emg_timestamps"]), max_size=8))
def test_stems_never_share_a_file(names: list[str]):
    stems: list[str] = []
    for name in names:
        stems.append(choose_stem(name, stems))
    files = [f"{stem}{derived}".lower() for stem in stems for derived in ("", *DERIVED)]
    assert len(set(files)) == len(files)


@given(st.lists(st.sampled_from(["emg", "a b", "a_b", "a_b_2", "", "µ"]), max_size=8))
def test_public_names_are_the_streams_own_where_those_find_them(names: list[str]):
    own: dict[str, str] = {}
    for name in names:
        own[choose_stem(name, own)] = name
    public = public_names(own)
    assert list(public) == list(own)
    assert [find_stem(own, name) for name in public.values()] == list(own)
    if "emg" in names:
        assert "emg" in public.values()


def test_folders_of_one_second_are_numbered_and_never_meet_an_archive(tmp_path: Path):
    first, second = create_session_folder(tmp_path, NOON), create_session_folder(tmp_path, NOON)
    assert [first.name, second.name] == ["2026-05-17_14-23-05", "2026-05-17_14-23-05_2"]
    for folder, name in ((first, ""), (second, "my grip!")):
        (tmp_path / archive_name(folder.name, name)).write_bytes(b"")
        folder.rmdir()
    assert (tmp_path / "2026-05-17_14-23-05_2_my_grip.session.zip").exists()
    assert create_session_folder(tmp_path, NOON).name == "2026-05-17_14-23-05_3"


def test_a_session_folder_is_known_by_what_is_in_it(tmp_path: Path):
    assert not is_session_folder(tmp_path)
    assert not is_session_folder(tmp_path / "nothing")
    for name in ("a.zarr", "a_timestamps.zarr", "a_timestamps_timestamps.zarr"):
        (tmp_path / name).mkdir()
    assert is_session_folder(tmp_path)
    assert stems_among(["a.zarr", "a_timestamps.zarr", "b.zarr", "c_timestamps.zarr"]) == ["a"]


def test_metadata_keeps_what_it_does_not_know():
    known = {
        "app_name": "x",
        "electrode": {"grid": 8},
        "streams": {"emg": {"n_channels": 2, "fs": 10, "dtype": "int16"}},
    }
    meta = decode_meta(json.dumps(known).encode())
    assert meta.extra == {"electrode": {"grid": 8}}
    again = json.loads(encode_meta(meta))
    assert again["electrode"] == {"grid": 8}
    assert again["streams"]["emg"]["fs"] == 10
    assert decode_meta(encode_meta(meta)) == meta


def test_null_counts_as_missing_and_wrong_types_are_refused():
    stream = '{"n_channels": 1, "fs": 5, "dtype": "int8", "type": null}'
    meta = decode_meta(f'{{"class_names": null, "take": null, "streams": {{"a": {stream}}}}}'.encode())
    assert (meta.class_names, meta.take, meta.streams["a"].type) == ([], None, "")
    for broken in (b'{"streams": []}', b'{"notes": "x"}', b"[1]", b"nul", b'{"a":' * 10_000, b"\xff\xfe"):
        with pytest.raises(SessionDamagedError, match=r"^meta\.json"):
            decode_meta(broken)


def test_text_streams_stand_apart_so_that_other_readers_take_the_session():
    meta = Meta()
    meta.add_stream("emg", StreamMeta.of(StreamInfo(2, 100.0, units=("uV", "uV")), name="EMG"))
    meta.add_stream("marks", StreamMeta.of(StreamInfo(1, 0.0, "string"), name="marks"))
    raw = json.loads(encode_meta(meta))
    assert list(raw["streams"]) == ["emg"]
    assert list(raw["string_streams"]) == ["marks"]
    assert decode_meta(encode_meta(meta)).all_streams["emg"].info().units == ("uV", "uV")


@given(
    st.lists(
        st.builds(LabelEvent, st.floats(-1e12, 1e12), st.integers(-1, 99), st.booleans(), st.floats(0, 9), st.text())
    )
)
def test_labels_come_back_in_time_order(labels: list[LabelEvent]):
    try:
        data = encode_labels(labels)
    except UnicodeEncodeError:
        return
    assert decode_labels(data) == sorted(labels, key=lambda label: label.timestamp)


def test_labels_of_other_recorders_have_two_fields():
    assert decode_labels(b'[{"timestamp": 2, "class_index": 1}]') == [LabelEvent(2.0, 1)]
    plain = json.loads(encode_labels([LabelEvent(2.0, 1)]))
    assert plain == [{"timestamp": 2.0, "class_index": 1}]


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path):
    path = tmp_path / "meta.json"
    replace_file(path, b"old")
    (tmp_path / "meta.json.partial").mkdir()
    with pytest.raises(OSError, match="directory"):
        replace_file(path, b"new")
    assert path.read_bytes() == b"old"


@pytest.mark.parametrize(
    "change",
    [
        {"shape": [10**30, 2]},
        {"shape": [-1, 2]},
        {"shape": "x"},
        {"shape": [10, 3]},
        {"data_type": "complex128"},
        {"codecs": [{"name": "bytes"}, {"name": "blosc"}]},
        {"codecs": []},
        {"chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [10**12, 2]}}},
        {"chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [0, 2]}}},
        {"chunk_grid": None},
        {"node_type": "group"},
        {"zarr_format": 2},
    ],
)
def test_an_array_that_claims_the_impossible_is_refused(change: dict):
    sound = {
        "shape": [10, 2],
        "data_type": "float32",
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [5, 2]}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "fill_value": 0.0,
        "codecs": [{"name": "bytes", "configuration": {"endian": "little"}}, {"name": "zstd"}],
        "zarr_format": 3,
        "node_type": "array",
    }
    assert parse_array_json(json.dumps(sound).encode(), where="a")[1] == 10
    with pytest.raises(SessionDamagedError, match=r"^a: |^a "):
        parse_array_json(json.dumps(sound | change).encode(), where="a")


def test_what_other_programs_keep_with_a_stream_is_kept_when_the_session_is_edited(tmp_path):
    from myogestic_tui.session import Session
    from myogestic_tui.session.library.edit import edit_session

    session = Session(tmp_path)
    session.init_stream("emg", StreamInfo(2, 100.0))
    session.close()
    path = session.path / "meta.json"
    plain = json.loads(path.read_bytes())
    grids = [{"name": "forearm", "channels": [0, None, 1]}]
    plain["streams"]["emg"] |= {"channel_grids": grids, "mine": {"a": None}}
    path.write_text(json.dumps(plain))
    edit_session(edit_session(session.path, {"name": "renamed"}), {"note": "a note"})
    again = json.loads(path.read_bytes())["streams"]["emg"]
    assert (again["channel_grids"], again["mine"]) == (grids, {"a": None})
    assert "extra" not in again
