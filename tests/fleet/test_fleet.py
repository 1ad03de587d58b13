"""Two recorders on this machine, driven through real ssh servers: together, or not at all."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from myogestic_tui.errors import ConfigError
from myogestic_tui.fleet.config import load_fleet
from myogestic_tui.fleet.ready import apart, links, not_ready
from myogestic_tui.session import open_session_store, verify_session
from tests.sending import RampOutlet, wait_for

from .lab import COMMAND, PATIENCE, Lab

CONFIG = """
gestures = [{{ name = "Rest" }}, {{ name = "Fist" }}]
[lsl]
session_id = "default"
[[streams]]
name = "{stream}"
as = "emg"
"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Boxes ``left`` and ``right``, which record one outlet."""
    name = f"fleet{tmp_path_factory.getbasetemp().name}{id(tmp_path_factory)}"
    lab = Lab(tmp_path_factory.mktemp("lab"))
    try:
        with RampOutlet(name, n_channels=2, fs=200.0) as outlet:
            for box in ("left", "right"):
                lab.add(box, CONFIG.format(stream=outlet.name))
            lab.until_ready()
            yield lab
    finally:
        lab.close()


def test_a_recording_of_two_boxes_from_start_to_merge(lab: Lab, tmp_path: Path) -> None:
    assert {row["state"] for row in lab.facts("status")["boxes"].values()} == {"idle"}
    lab.fleet("take", "--subject", "P07", "--task", "two hands")
    started = lab.facts("start", "--name", "both")
    assert set(started["paths"]) == {"left", "right"}
    wait_for(lambda: {link["box"] for link in lab.facts("status")["clocks"]} == {"left", "right"}, PATIENCE)
    assert "already" in lab.fleet("start", code=1).stderr
    lab.fleet("label", "fist")
    assert "no gesture" in lab.fleet("label", "Wave", code=1).stderr
    stopped = lab.facts("stop")
    assert all(one["answer"]["path"].endswith(".session.zip") for one in stopped.values())
    fetched = lab.facts("fetch", tmp_path / "home")
    assert fetched["fleet_id"] == started["fleet_id"]
    paths = [path for name in ("left", "right") for path in fetched["paths"][name]]
    assert len(paths) == 2
    starts = []
    for path in paths:
        assert verify_session(path).ok
        with open_session_store(path) as session:
            assert session.meta.extra["fleet_id"] == started["fleet_id"]
            assert (session.meta.subject, session.meta.task, session.meta.name) == ("P07", "two hands", "both")
            assert [label.class_index for label in session.label_track] == [1]
            assert 0 < session.label_track[0].uncertainty_s < 60.0
            starts.append(session.meta.anchors[0].lsl)
    assert abs(starts[0] - starts[1]) < 60.0, "both recorders count in one clock here"
    from myogestic_tui.cli.command_table import run

    assert run(["merge", *paths, "-o", str(tmp_path / "one.session.zip")]) == 0
    with open_session_store(tmp_path / "one.session.zip") as session:
        assert {"emg_1", "emg_2"} <= set(session.streams)
        assert session.meta.extra["fleet_id"] == started["fleet_id"]


@pytest.mark.slow
def test_nothing_starts_unless_all_are_ready(lab: Lab) -> None:
    for wrong, words in (
        ({"folder": "/nowhere"}, "/nowhere"),
        ({"command": "no-such-program"}, "no-such-program"),
        ({"host": "127.0.0.2", "port": 1}, "cannot be reached"),
    ):
        lab.write(**wrong)
        done = lab.fleet("start", code=1)
        assert "nothing was started" in done.stderr
        assert words in done.stderr
    lab.write()
    assert {row["state"] for row in lab.facts("status")["boxes"].values()} == {"idle"}


@pytest.mark.slow
def test_a_host_that_is_not_known_is_refused(lab: Lab) -> None:
    text = lab._known.read_text()
    lab._known.write_text("")
    try:
        assert "cannot be reached over ssh: Host key" in lab.fleet("status", "--json", code=1).stdout
    finally:
        lab._known.write_text(text)


@pytest.mark.slow
def test_an_ssh_configuration_that_is_broken_is_told_of_each_box(lab: Lab) -> None:
    config = lab._known.with_name("config")
    config.write_text("Port nonsense\n")
    try:
        done = lab.fleet("status", code=1)
    finally:
        config.unlink()
    assert done.stdout.count("cannot be reached over ssh") == 2
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_a_start_that_is_called_off_starts_nothing(lab: Lab) -> None:
    import subprocess

    for line in ("", "stop\n", "go never\n", "go inf\n"):
        done = subprocess.run(
            [*COMMAND, "ctl", "arm"],
            input=line,
            cwd=lab.boxes["left"].folder,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        ready, called_off = map(json.loads, done.stdout.splitlines())
        assert (done.returncode, ready["ok"], called_off["ok"]) == (1, True, False)
    assert lab.boxes["left"].status()["state"] == "idle"


@pytest.mark.slow
def test_doctor_tells_of_each_box(lab: Lab) -> None:
    told = lab.facts("doctor", code=None)
    assert set(told["boxes"]) == {"left", "right"}
    assert len(told["versions"]) == 1
    assert all(one["state"] != "ok" for rows in told["boxes"].values() for one in rows)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "boxes: is missing"),
        ('[[boxes]]\nname = "a"\n', "host: is missing"),
        ('[[boxes]]\nname = "a b"\nhost = "x"\n', "letters"),
        ('[[boxes]]\nname = "a"\nhost = "x"\n[[boxes]]\nname = "a"\nhost = "y"\n', "two have the name 'a'"),
        ('[[boxes]]\nname = "a"\nhost = "x"\nprot = 3\n', "did you mean"),
        ("[[boxes", "not valid TOML"),
    ],
)
def test_a_mistake_in_the_file_is_named(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "fleet.toml").write_text(text)
    with pytest.raises(ConfigError, match="fleet.toml.*" + words.replace("(", r"\(")):
        load_fleet(tmp_path / "fleet.toml")
    with pytest.raises(ConfigError, match="cannot read"):
        load_fleet(tmp_path / "none.toml")


def row(source_id: str, **more: object) -> dict[str, object]:
    told = {"record": True, "state": "live", "clock_offset": 5.0, "clock_uncertainty": 1e-4, "key": "k"}
    return {"source_id": source_id, **told, **more}


def test_boxes_that_no_comparison_ties_together_are_named() -> None:
    def status(name: str, *rows: dict[str, object]) -> dict[str, object]:
        recorder = {"clock": f"clock of {name}", "label_source": f"labels of {name}"}
        return {"recorder": recorder, "streams": dict(enumerate(rows))}

    three = {"a": status("a", row("labels of b")), "b": status("b"), "c": status("c", row("labels of d"))}
    assert [(one.box, one.other) for one in links(three)] == [("a", "b")]
    assert apart(three, links(three)) == ["c"]
    three["c"] = status("c", row("labels of b", state="lost"))
    assert apart(three, links(three)) == ["c"]
    three["c"] = status("c", row("labels of b", clock_offset=None))
    assert apart(three, links(three)) == ["c"]
    three["c"] = status("c", row("labels of b"))
    assert apart(three, links(three)) == []


def test_what_keeps_a_box_from_starting_is_told() -> None:
    base = {"state": "idle", "session": None, "problems": [], "streams": {"emg": row("x")}}
    assert not_ready(base) == []
    assert not_ready({**base, "state": "recording"}) == ["it is recording already"]
    assert not_ready({**base, "streams": {}}) == ["no stream is selected to be recorded"]
    assert not_ready({**base, "streams": {"emg": row("x", state="lost")}}) == ["emg is lost"]
    disk = {"severity": "error", "subject": "disk", "text": "full"}
    assert not_ready({**base, "problems": [disk]}) == ["disk: full"]
