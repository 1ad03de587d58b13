"""The viewer in a real terminal: what it paints, what keys do there, and how it gives the terminal back."""

from __future__ import annotations

import signal
import time

import pytest


def test_the_first_screen_is_painted_and_q_gives_the_terminal_back(viewer_in_pty):
    terminal = viewer_in_pty("idle")
    rows = terminal.rows()
    assert rows[0].startswith(" s STREAMS ")
    assert rows[1].startswith(" ○ IDLE")
    assert rows[2] == "─" * 80
    assert "? help" in rows[23]
    terminal.press("q")
    assert terminal.wait_exit() == 0
    terminal.wait_output(b"\x1b[?1049l")
    assert terminal.is_restored()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129)])
def test_a_signal_ends_the_viewer_with_the_terminal_restored(viewer_in_pty, number, code):
    terminal = viewer_in_pty("recording")
    terminal.signal(number)
    assert terminal.wait_exit() == code
    terminal.wait_output(b"\x1b[?1049l")
    terminal.wait_output(b"\x1b[?25h")
    assert terminal.is_restored()


GIVEN_BACK = (b"\x1b[?1049l", b"\x1b[?25h", b"\x1b[?2004l")
"""Other screen, cursor, paste: what a shell notices if it is left as it was."""


def wait_given_back(terminal, n_before: int) -> None:
    """Wait until what the viewer switched on is off in the bytes that arrive after ``n_before`` of them."""
    terminal.flow()
    deadline = time.monotonic() + 120.0
    while not all(wanted in terminal.output[n_before:] for wanted in GIVEN_BACK):
        assert time.monotonic() < deadline, bytes(terminal.output[-300:])
        time.sleep(0.02)
    assert terminal.is_restored()


WAYS_OUT = {
    "q": (0, lambda terminal: (terminal.press("q"), terminal.press("enter"))),
    "SIGTERM": (143, lambda terminal: terminal.signal(signal.SIGTERM)),
    "SIGINT": (130, lambda terminal: terminal.signal(signal.SIGINT)),
    "SIGHUP": (129, lambda terminal: terminal.signal(signal.SIGHUP)),
}


@pytest.mark.parametrize("stalled", [False, True], ids=["flowing", "stalled"])
@pytest.mark.parametrize("way", WAYS_OUT)
def test_every_way_out_gives_the_terminal_back_also_after_a_stall(viewer_in_pty, way, stalled):
    code, leave = WAYS_OUT[way]
    terminal = viewer_in_pty("moving", "screen=live", columns=160, lines=50)
    terminal.wait_for("emg 1-")
    n_before = len(terminal.output)
    if stalled:
        terminal.stall()
        terminal.wait_full()
    leave(terminal)
    assert terminal.wait_exit() == code
    wait_given_back(terminal, n_before)


@pytest.mark.parametrize("unbuffered", [None, "1"])
@pytest.mark.parametrize("stalled", [False, True], ids=["flowing", "stalled"])
def test_a_closed_terminal_ends_the_viewer(viewer_in_pty, unbuffered, stalled):
    terminal = viewer_in_pty("moving", "screen=live", environ={"PYTHONUNBUFFERED": unbuffered})
    terminal.wait_for("emg 1-")
    if stalled:
        terminal.stall()
        terminal.wait_full()
    terminal.hang_up()
    assert terminal.wait_exit() == 129


def test_a_crash_of_the_screens_restores_the_terminal_and_says_why(viewer_in_pty):
    terminal = viewer_in_pty("crash")
    terminal.press("g")
    assert terminal.wait_exit() == 1
    terminal.wait_for("The screens crashed")
    assert terminal.is_restored()


def test_keys_reach_the_recorder_and_labels_carry_the_time_of_the_key(viewer_in_pty):
    terminal = viewer_in_pty("recording")
    terminal.press("r")
    terminal.wait_for("GESTURE")
    terminal.press("4")
    terminal.wait_for(" 4 OPEN ")
    terminal.wait_for(lambda text: "4 Open" in text.splitlines()[1])


def test_pasted_text_triggers_no_key(viewer_in_pty):
    terminal = viewer_in_pty("recording")
    terminal.paste("4 x q\r 3 reboot\r")
    terminal.wait_for("pasted text is ignored")
    assert "● REC" in terminal.rows()[1]
    assert "2 Fist" in terminal.rows()[1]


def test_text_pasted_without_brackets_triggers_no_key(viewer_in_pty):
    terminal = viewer_in_pty("recording")
    terminal.send(b"sudo reboot\rx\r")
    terminal.wait_for("look like pasted text")
    assert "2 Fist" in terminal.rows()[1]
    assert "s STREAMS" in terminal.rows()[0]


def test_an_escape_that_tmux_glues_to_a_digit_is_still_both(viewer_in_pty):
    terminal = viewer_in_pty("recording", "screen=record")
    terminal.press("n")
    terminal.wait_for("gesture keys off")
    terminal.send(b"\x1b3")
    terminal.wait_for(" 3 PINCH ")
    assert "gesture keys off" not in terminal.text


def test_a_storm_of_resizes_leaves_a_whole_screen(viewer_in_pty):
    terminal = viewer_in_pty("recording", "screen=live", environ={"COLUMNS": "80", "LINES": "24"})
    for columns, lines in [(160, 50), (40, 10), (200, 60), (81, 25), (20, 5), (120, 40), (79, 23)] * 4:
        terminal.resize(columns, lines)
    terminal.resize(100, 30)
    terminal.wait_for(
        lambda text: "emg 1-64/64" in text and "? help" in text.splitlines()[29] and text.startswith(" s Streams ")
    )
    terminal.press("q")
    terminal.wait_for("leave?")
