"""myogestic.toml: defaults, strictness, and errors that tell where and what instead."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import myogestic_tui.cli
from myogestic_tui.config import (
    DEFAULT_GESTURES,
    GESTURE_KEYS,
    Config,
    load_config,
    parse_config,
    shipped_protocols,
    stream_selection,
)
from myogestic_tui.errors import ConfigError

TEMPLATE = (Path(myogestic_tui.cli.__file__).parent / "template.toml").read_text("utf-8")


def refusal(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        parse_config(text, "lab.toml")
    return str(caught.value)


def test_an_empty_file_gives_the_defaults():
    assert parse_config("") == Config()


def test_no_file_gives_the_defaults(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert load_config() == Config()


def test_the_file_of_the_current_directory_is_found(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("myogestic.toml").write_text('sessions = "takes"\n')
    assert load_config().sessions == "takes"


def test_a_named_file_that_is_missing_is_an_error(tmp_path):
    with pytest.raises(ConfigError, match=r"nowhere\.toml.*No such file"):
        load_config(tmp_path / "nowhere.toml")


def test_a_file_that_is_not_text_is_an_error(tmp_path):
    (tmp_path / "x.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="not UTF-8"):
        load_config(tmp_path / "x.toml")


def test_the_template_is_valid_as_it_stands():
    config = parse_config(TEMPLATE)
    assert config.class_names == DEFAULT_GESTURES
    assert config.all_protocols[0].name == "grasp"


def test_the_template_is_valid_with_every_comment_taken_out():
    lines = [line[2:] if re.match(r"# (\[|[a-z_.]+ = )", line) else line for line in TEMPLATE.splitlines()]
    config = parse_config("\n".join(lines))
    assert config.streams[0].session_name == "emg"
    assert config.lsl.known_peers == ("192.168.1.20", "emg-pi.local")
    assert config.remote.enabled
    assert config.markers.labels == {"cue_fist": "Fist", "cue_rest": "Rest", "cue_off": ""}


@pytest.mark.parametrize("section", Config.__struct_fields__)
def test_the_template_names_every_section(section):
    assert re.search(rf"^(# )?\[*{section}(\.|\]| =)", TEMPLATE, re.MULTILINE)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x = 1", r"lab\.toml:1: x: unknown key; allowed: app_name, sessions"),
        ('[screen]\ntheme = "drak"', r"lab\.toml:2: screen\.theme: is 'drak'; allowed: dark, light, ansi"),
        ("[screen]\nfps = 100", r"lab\.toml:2: screen\.fps: is 100; expected a number <= 30"),
        (
            '[[streams]]\nname = "a"\n\n[[streams]]\nname = "b"\nrequird = true',
            r"lab\.toml:6: streams\[2\]\.requird: unknown key, did you mean 'required'\?",
        ),
        ("[[streams]]\nrequired = true", r"lab\.toml:1: streams\[1\]: selects nothing"),
        ('[lsl]\nknown_peers = ["a", 1]', r"lab\.toml:2: lsl\.known_peers: .*expected text, got a whole number"),
        (
            '[[gestures]]\nname = "Rest"\nkey = "r"',
            r"lab\.toml:3: gestures\[1\]\.key: is 'r'; give one digit or capital",
        ),
        ('[[gestures]]\nname = "A"\n[[gestures]]\nname = "A"', r"gestures: two have the name 'A'"),
        ('[[gestures]]\nname = "A"\nkey="1"\n[[gestures]]\nname = "B"\nkey="1"', r"gestures: two have the key '1'"),
        (
            '[[gestures]]\nname = "Rest"\n[[protocols]]\nname = "p"\nsteps = [{gesture = "Fist", seconds = 1}]',
            r"lab\.toml:5: protocols\[1\]\.steps: no gesture is called 'Fist'; allowed: Rest",
        ),
        ('[[protocols]]\nname = "p"', r"protocols\[1\]\.steps: is missing"),
        (
            '[[protocols]]\nname = "p"\nsteps = [{seconds = 1},\n  {seconds = -1}]',
            r"lab\.toml:3: protocols\[1\]\.steps\[2\]\.seconds: is -1; expected a number > 0",
        ),
        ("lsl = 3", r"lab\.toml:1: lsl: is 3; give a table"),
        ("[keymap]\nstop = 3", r"lab\.toml:2: keymap\.stop: is 3; expected text"),
        ("[markers.labels]\ngo = 'Fist'", r"lab\.toml:2: markers\.labels\.go: no gesture is called 'Fist'"),
        ("a = [", r"lab\.toml: not valid TOML: .*"),
        ("a = 1\nb = = 2\nc = 3", r"lab\.toml: not valid TOML: .*line 2"),
    ],
)
def test_a_mistake_is_named_with_its_place_and_what_is_allowed(text, expected):
    assert re.match(expected if expected.startswith("lab") else r"lab\.toml(:\d+)?: " + expected, refusal(text))


def test_gestures_without_a_key_get_the_next_free_one():
    config = parse_config('[[gestures]]\nname="a"\n[[gestures]]\nname="b"\nkey="1"\n[[gestures]]\nname="c"\n')
    assert config.gesture_keys == ("2", "1", "3")


def test_there_are_thirty_six_gestures_and_no_more():
    gestures = "".join(f'[[gestures]]\nname = "g{i}"\n' for i in range(36))
    assert parse_config(gestures).gesture_keys == tuple(GESTURE_KEYS)
    assert "36" in refusal(gestures + '[[gestures]]\nname = "one too many"\n')


def test_default_gestures_stand_in_only_where_none_are_named():
    named = parse_config('[[gestures]]\nname = "Only"\n')
    assert named.with_gestures() is named
    assert Config().with_gestures().class_names == DEFAULT_GESTURES


def test_shipped_protocols_rest_between_efforts_and_give_way_to_the_files_own():
    baseline, mvc = shipped_protocols(("Rest", "Fist", "Pinch"))
    assert [(step.gesture, step.seconds) for step in baseline.steps] == [("Rest", 30)]
    assert [step.gesture for step in mvc.steps] == ["Rest", "Fist", "Rest", "Pinch"]
    config = parse_config('[[gestures]]\nname="R"\n[[protocols]]\nname="baseline"\nsteps=[{gesture="R",seconds=1}]')
    assert [protocol.steps[0].seconds for protocol in config.all_protocols] == [1]
    assert shipped_protocols(()) == ()


def test_dotted_command_ids_need_no_quotes():
    assert parse_config('[keymap]\nlive.pause = "p"\nstop = "x"').keymap == {"live.pause": "p", "stop": "x"}
    assert "keymap.live.pause: is 3; expected text" in refusal("[keymap]\nlive.pause = 3")


def test_the_reserve_is_the_greater_of_megabytes_and_seconds():
    disk = parse_config("[disk]\nreserve_mb = 200\nreserve_s = 60").disk
    assert disk.reserve_bytes() == 200_000_000
    assert disk.reserve_bytes(20e6) == 1_200_000_000


def test_a_command_line_names_streams_by_name_or_by_pairs():
    assert stream_selection("EMG 2").name == "EMG 2"
    chosen = stream_selection("type=EMG, host=amp-pc,as=emg")
    assert (chosen.type, chosen.host, chosen.session_name, chosen.required) == ("EMG", "amp-pc", "emg", True)
    with pytest.raises(ConfigError, match="did you mean 'host'"):
        stream_selection("name=EMG,hots=x")
