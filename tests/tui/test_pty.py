"""The viewer in a real terminal: what it paints, what keys do there, and how it gives the terminal back."""

from __future__ import annotations

import signal

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


@pytest.mark.parametrize("ready", ["help", "? help"], ids=["running", "opening"])
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129)])
def test_a_signal_ends_the_viewer_with_the_terminal_restored(viewer_in_pty, number, code, ready):
    terminal = viewer_in_pty("recording", ready=ready)
    terminal.signal(number)
    assert terminal.wait_exit() == code
    terminal.wait_output(b"\x1b[?1049l")
    terminal.wait_output(b"\x1b[?25h")
    assert terminal.is_restored()


def test_a_signal_ends_the_viewer_while_the_link_is_stalled(viewer_in_pty):
    terminal = viewer_in_pty("recording", "screen=live", columns=160, lines=50)
    terminal.wait_for("QUALITY")
    terminal.stall()
    terminal.signal(signal.SIGTERM)
    assert terminal.wait_exit() == 143
    assert terminal.is_restored()


@pytest.mark.parametrize("unbuffered", [None, "1"])
def test_a_closed_terminal_ends_the_viewer(viewer_in_pty, unbuffered):
    terminal = viewer_in_pty("recording", "screen=live", environ={"PYTHONUNBUFFERED": unbuffered})
    terminal.wait_for("QUALITY")
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
    assert "4 Open" in terminal.rows()[1]


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
    terminal.wait_for(lambda text: "─" * 100 in text and "? help" in text.splitlines()[29])
    assert terminal.rows()[0].startswith(" s Streams ")
    terminal.press("q")
    terminal.wait_for("leave?")
