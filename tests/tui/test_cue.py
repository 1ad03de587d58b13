"""The subject's screen: follows the recorder through its life, shows what holds now, and drives nothing."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec
import pytest
from terminal import Terminal, shows

from myogestic_tui import App
from myogestic_tui.app import interface as r
from myogestic_tui.app.protocol import foresee, make_plan
from myogestic_tui.config import parse_config
from myogestic_tui.control import RecorderClient, hosted
from myogestic_tui.control.spawn import locate
from myogestic_tui.widgets.blockletters import block_rows
from myogestic_tui.widgets.cue_display import cue_rows
from myogestic_tui.widgets.frame import Frame
from myogestic_tui.widgets.styled_lines import width_of

CONFIG = """
gestures = [{ name = "Rest" }, { name = "Fist" }]
protocols = [{ name = "long", lead_in = 0, bell = false, steps = [{ gesture = "Fist", seconds = 600 }] }]
"""
STATES = ("lead-in", "running", "paused", "done", "aborted")


def new_app(folder: Path) -> App:
    """A recorder with a protocol of one long cue."""
    return App("cued", config=parse_config(CONFIG), sessions_dir=folder / "sessions")


def wait_for_statuses(client: RecorderClient, number: int) -> None:
    """Wait until viewers were told so many newer statuses."""
    for _ in range(number):
        last = client.status().at
        assert client.wait_for(lambda status, last=last: status.at > last, 120.0)


def test_it_waits_for_a_recorder_follows_it_and_finds_the_next_one(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "myogestic_tui", "--sessions", str(tmp_path / "sessions"), "cue", "--bell"]
    with Terminal(command, cwd=tmp_path) as subject:
        subject.wait_for("no recorder runs on")
        assert shows("waiting", 80)(subject.text)
        assert not (tmp_path / "sessions").exists(), "it writes nothing"
        app = new_app(tmp_path)
        with hosted(app):
            subject.wait_for("for the first cue")
            app.execute(r.StartProtocol(name="long"))
            subject.wait_for(shows("fist", 80))
            assert subject.n_bells() == 1
            app.execute(r.PauseProtocol())
            subject.wait_for(shows("paused", 80))
            with RecorderClient(lambda: locate(app.sessions_dir)) as beside:
                wait_for_statuses(beside, 2)
                before = subject.n_bytes
                subject.press("x", "1", " ", "c")
                wait_for_statuses(beside, 4)
                assert subject.n_bytes == before, "nothing changed, and something was written"
            app.execute(r.PauseProtocol(paused=False))
            subject.wait_for(shows("fist", 80))
            assert subject.n_bells() == 1, "the end of a pause is no cue"
            assert app.ctx.state == "recording"
            app.execute(r.AbortProtocol())
            subject.wait_for(shows("stopped", 80))
            app.stop_recording()
        subject.wait_for("no recorder runs on")
        with hosted(again := new_app(tmp_path)):
            subject.wait_for("for the first cue")
            assert again.ctx.state == "idle"
        subject.press("q")
        assert subject.wait_exit() == 0
        assert subject.is_restored()


@pytest.mark.parametrize("ascii_only", [False, True])
@pytest.mark.parametrize("size", [(80, 24), (160, 50), (200, 60), (40, 12), (24, 6), (10, 3)])
def test_every_state_fills_every_terminal_and_no_more(size: tuple[int, int], ascii_only: bool) -> None:
    gestures = tuple(r.GestureStatus(name=name) for name in ("Rest", "Extension of the index finger", "拳を握る"))
    for state in STATES:
        for index in (-1, 0, 1, 2):
            protocol = r.ProtocolStatus(
                name="p", state=state, cue=1, n_cues=6, class_index=index, cue_seconds=5, next_class_index=index
            )
            status = r.Status(at=0.0, app_name="a", gestures=gestures, protocol=protocol, state="recording")
            for gone in ("", "no recorder runs on /some/where/sessions"):
                rows = cue_rows(Frame(status, gone=gone), *size, ascii_only=ascii_only)
                assert len(rows) == size[1]
                assert max(map(width_of, rows)) <= size[0]
                assert any(width_of(row) for row in rows)


def test_letters_are_as_large_as_fits_and_never_larger() -> None:
    before = 0
    for width in range(20, 200, 12):
        rows = block_rows("fist", width, width // 4)
        assert all(len(row) <= width for row in rows)
        assert len(rows) <= width // 4
        assert len(rows) >= before
        before = len(rows)
    assert block_rows("öffnen", 76, 13) == block_rows("OFFNEN", 76, 13)
    assert block_rows("拳", 76, 13) == ()
    assert set("".join(block_rows("fist", 76, 13, ascii_only=True))) == {" ", "#"}


def test_a_cue_is_foreseen_when_it_is_planned() -> None:
    plan = make_plan("p", [(0, 2.0), (1, 3.0)], lead_in=1.0)
    ahead = r.ProtocolStatus(
        name="p", state="lead-in", n_cues=2, cue_started_at=10.0, cue_seconds=1.0, cue_elapsed_s=0.25,
        next_class_index=0, next_seconds=2.0, then_class_index=1, total_s=plan.total_s,
    )  # fmt: skip
    still = foresee(ahead, 10.5)
    assert (still.state, still.cue, still.cue_elapsed_s, still.elapsed_s) == ("lead-in", 0, 0.5, 0.0)
    begun = foresee(ahead, 11.5)
    assert (begun.state, begun.cue, begun.class_index, begun.cue_started_at) == ("running", 1, 0, 11.0)
    assert (begun.cue_elapsed_s, begun.elapsed_s, begun.cue_seconds) == (0.5, 0.5, 2.0)
    assert begun.next_class_index == 1
    late = foresee(begun, 99.0)
    assert (late.cue, late.cue_elapsed_s, late.elapsed_s) == (1, 2.0, 2.0)
    assert foresee(msgspec.structs.replace(ahead, state="paused"), 99.0).cue_elapsed_s == 0.25
