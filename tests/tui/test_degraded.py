"""Poor terminals and poor links: state, labels and stop still work, and nothing is drawn that cannot be shown."""

from __future__ import annotations

import math
import os
import re
import select
import time
import tty

import pytest
from terminal import Terminal

from myogestic_tui.tui.key_timing import ASK, TOGETHER_SECONDS
from myogestic_tui.tui.line_viewer import KeyReader
from myogestic_tui.tui.terminal_link import _LOST_SECONDS, Link
from tests.sending import wait_for

COLOUR = re.compile(rb"\x1b\[[0-9;]*?(?:[34][0-7]|9[0-7]|10[0-7]|[34]8;[25])[0-9;]*m")
RGB = re.compile(rb"[34]8;[25];")


def label_and_stop(terminal: Terminal) -> None:
    """Label and stop on the Record screen, whatever it looks like."""
    terminal.press("4")
    terminal.wait_for(lambda text: "4 Open" in text.splitlines()[1])
    terminal.press("x")
    terminal.wait_for("stop take 04?")
    terminal.press("enter")
    terminal.wait_for(lambda text: "IDLE" in text.splitlines()[1])


def test_with_lang_c_every_character_is_ascii(viewer_in_pty):
    terminal = viewer_in_pty("recording", "screen=live", environ={"LANG": "C"})
    terminal.wait_for("emg 1-")
    terminal.press("r")
    terminal.wait_for("GESTURE")
    label_and_stop(terminal)
    assert bytes(terminal.output).isascii()


def test_with_no_color_no_colour_is_sent_and_reverse_video_carries_the_meaning(viewer_in_pty):
    terminal = viewer_in_pty("recording", "screen=record", environ={"NO_COLOR": "1"})
    label_and_stop(terminal)
    assert not COLOUR.search(bytes(terminal.output))
    assert re.search(rb"\x1b\[1;7[;m]", terminal.output)


@pytest.mark.parametrize("term", ["xterm", "linux", "screen"])
def test_with_sixteen_colours_only_those_are_sent(viewer_in_pty, term):
    terminal = viewer_in_pty("recording", "screen=record", environ={"TERM": term, "COLORTERM": None})
    label_and_stop(terminal)
    assert COLOUR.search(bytes(terminal.output))
    assert not RGB.search(bytes(terminal.output))


@pytest.mark.parametrize(("columns", "lines"), [(40, 10), (30, 6), (60, 15), (79, 23)])
def test_below_80x24_state_labels_and_stop_still_work(viewer_in_pty, columns, lines):
    terminal = viewer_in_pty("recording", "screen=record", ready="REC", columns=columns, lines=lines)
    label_and_stop(terminal)


def test_a_terminal_that_cannot_place_text_gets_a_line_per_change(viewer_in_pty):
    terminal = viewer_in_pty("recording", ready="* REC", environ={"TERM": "dumb"})
    terminal.press("4")
    terminal.wait_for("[4 Open]")
    terminal.press("x")
    terminal.wait_for("stop? enter saves")
    terminal.press("3")
    terminal.wait_for("[3 Pinch]")
    terminal.press("x", "enter")
    terminal.wait_for("o IDLE")
    assert terminal.wait_log("Stop") == f"Stop tui {terminal.process.pid}"
    terminal.press("q")
    assert terminal.wait_exit() == 0
    assert b"\x1b" not in terminal.output
    assert terminal.is_restored()


@pytest.mark.parametrize("term", ["", "unknown"])
def test_a_terminal_of_which_nothing_is_known_gets_lines_and_is_told_what_to_do(viewer_in_pty, term):
    terminal = viewer_in_pty("idle", ready="o IDLE", environ={"TERM": term})
    assert f"TERM is {term or 'not set'}" in terminal.text
    assert "export TERM=xterm-256color" in terminal.text
    terminal.wait_for("2F 2C 2M")  # electrode problems are told here, too
    terminal.press("q")
    assert terminal.wait_exit() == 0
    assert b"\x1b" not in terminal.output
    assert terminal.is_restored()


def test_on_a_terminal_that_cannot_place_text_a_message_is_told_once(viewer_in_pty):
    """What was so when it came may not be so beside what holds now."""
    terminal = viewer_in_pty("told", ready="recording 2 streams", environ={"TERM": "dumb"})
    terminal.press("4")
    terminal.wait_for("[4 Open]")
    terminal.press("3")
    terminal.wait_for("[3 Pinch]")
    assert terminal.text.count("recording 2 streams") == 1


def test_on_a_terminal_that_cannot_place_text_a_note_is_seen_and_can_be_left(viewer_in_pty):
    terminal = viewer_in_pty("recording", ready="* REC", environ={"TERM": "dumb"})
    terminal.press("n")
    terminal.wait_for("esc cancels")
    terminal.send(b"never")
    terminal.wait_for("never")
    terminal.press("escape")
    terminal.wait_for("no note")
    terminal.press("n")
    terminal.send(b"tapee\x7fd\n")
    terminal.wait_log("note taped ")
    assert "note never" not in terminal.log.read_text()


def test_an_arrow_key_is_no_gesture_where_text_cannot_be_placed():
    """Its sequence ends with a capital, which is a gesture where there are eleven of them."""
    keyboard, terminal = os.openpty()
    tty.setraw(terminal)
    keys = KeyReader(terminal)
    try:
        os.write(keyboard, b"\x1b[A\x1bOB\x1b[1;5C\x1b[3~4")
        assert (typed := keys.next(60.0)) is not None
        assert typed.character == "4"
        os.write(keyboard, b"\x1b")
        assert (typed := keys.next(60.0)) is not None
        assert typed.character == "\x1b"
    finally:
        keys.close()
        os.close(keyboard)
        os.close(terminal)


@pytest.mark.parametrize("term", ["linux", "vt100", "ansi"])
def test_older_terminals_get_the_screens_and_are_given_back(viewer_in_pty, term):
    """Sixteen colours at most; the font of a Linux console has no sign beyond those of its code page."""
    terminal = viewer_in_pty("recording", "screen=live", environ={"TERM": term, "COLORTERM": None})
    terminal.wait_for("emg 1-64/64")
    terminal.press("i")
    terminal.wait_for("i heat")
    terminal.press("4")
    terminal.wait_log("label 3")
    assert b";2;" not in terminal.output
    assert terminal.text.isascii() == (term == "linux")
    terminal.press("q")
    terminal.press("enter")
    assert terminal.wait_exit() == 0
    assert terminal.is_restored()


def test_a_terminal_that_cannot_place_text_offers_another_recorder_in_place_of_one_that_ended(viewer_in_pty):
    terminal = viewer_in_pty("dying", ready="* REC", environ={"TERM": "dumb"})
    terminal.press("u")
    terminal.wait_for("enter starts it again")
    terminal.wait_for("x GONE")
    terminal.press("escape", "space")
    terminal.wait_for(lambda text: text.count("enter starts it again") == 2)
    terminal.press("enter")
    terminal.wait_log("StartJob")
    terminal.wait_for("o IDLE")


def test_the_block_glyphs_need_no_braille(viewer_in_pty):
    terminal = viewer_in_pty("recording", "screen=live", "glyphs=block")
    terminal.press("i")
    text = terminal.wait_for("█")
    assert not any("\u2800" <= letter <= "\u28ff" for letter in text)


def test_a_stalled_link_freezes_no_key_and_catches_up(viewer_in_pty):
    """While nobody reads the terminal, keys still reach the recorder with the time at which they arrived."""
    terminal = viewer_in_pty("moving", "screen=live", columns=160, lines=50)
    terminal.wait_for("emg 1-")
    terminal.stall()
    terminal.wait_full()
    terminal.press("4")
    label = terminal.wait_log("label 3")
    terminal.flow()
    terminal.wait_for(lambda text: "4 Open" in text.splitlines()[1])
    assert float(label.split()[-1]) > 0.3, "the time of a key that came during a stall is uncertain"


def test_a_link_that_queues_gets_no_more_frames_than_its_terminal_has_answered(viewer_in_pty):
    """Kernel, sshd and TCP take seconds of output without a word: what is not answered has not been seen."""
    terminal = viewer_in_pty("moving", "screen=live", columns=160, lines=50)
    terminal.wait_for("emg 1-")
    wait_for(lambda: terminal.n_answers >= 4)
    owing = time.monotonic()
    terminal.owe()
    wait_for(lambda: terminal.n_owed)
    for key in "1414141414":  # each takes the loop a while: unpaced, frames would go on at ten a second
        terminal.press(key)
        terminal.wait_log("label")
        time.sleep(0.1)
    n_owed, n_taken_for_lost = terminal.n_owed, int((time.monotonic() - owing) / _LOST_SECONDS)
    assert n_owed <= 5 + 2 * n_taken_for_lost, (
        "two frames, each in two writes at most, and a question where answers are overdue"
    )
    terminal.pay()
    terminal.wait_for(lambda text: "4 Open" in text.splitlines()[1])


def test_a_terminal_of_thirty_columns_has_room_for_the_cursor_of_every_question():
    """A column beyond its edge would be answered with another one, which is of no question."""
    link = Link()
    columns = [int(re.search(r"\x1b\[1;(\d+)H", link.asked())[1]) for _ in range(100)]
    assert max(columns) <= 30
    assert all(len(set(columns[i : i + 10])) == 10 for i in range(90)), "those under way differ"


def test_a_picture_is_sent_in_parts_that_the_link_takes_at_once(monkeypatch):
    now = [100.0]
    monkeypatch.setattr("myogestic_tui.tui.terminal_link.time.monotonic", lambda: now[0])
    link = Link()
    assert link.picture_bytes == math.inf, "nobody tells what it takes"
    link.asks = True

    def sent(n_bytes, seconds):
        link.asked(n_bytes)
        now[0] += seconds
        link.answered()
        return link.picture_bytes

    assert sent(8000, 0.01) > 50_000
    assert sent(12_000, 2.0) == pytest.approx(2400, rel=0.1), "what 48 kbit/s take in 0.4 s"
    assert sent(1200, 0.2) == pytest.approx(2400, rel=0.1)
    assert sent(0, 1.0) == pytest.approx(2400, rel=0.1), "a question alone says nothing"
    for _ in range(3):
        sent(10_000, 0.15)
    assert link.picture_bytes > 20_000


@pytest.fixture
def link_in_pty(monkeypatch):
    """A link to a terminal that nobody answers for, the terminal's other end, and the time, which may be set."""
    now = [100.0]
    monkeypatch.setattr("myogestic_tui.tui.terminal_link.time.monotonic", lambda: now[0])
    master, slave = os.openpty()
    with os.fdopen(slave, "w") as file:
        monkeypatch.setattr("myogestic_tui.tui.terminal_link._terminal", lambda: file)
        yield Link(), master, now
    os.close(master)


def test_an_answer_that_is_lost_holds_frames_back_for_a_moment_only(link_in_pty):
    """It is asked once more, and each answer tells which question it is of: before, all waited for 15 s."""
    link, master, now = link_in_pty
    link.asks = True

    def column(question):
        return int(re.search(r"\x1b\[1;(\d+)H", question)[1]) - 1

    assert link.answered(column(link.asked(100))) == 1
    late = column(link.asked(100))
    link.asked(100)
    assert link.busy
    link.ask_again()
    assert not select.select([master], [], [], 0)[0], "nothing is overdue"
    now[0] += 1.1
    link.ask_again()
    link.ask_again()
    again = os.read(master, 1000).decode()
    assert again.count(ASK) == 1
    assert link.answered(column(again)) == 3
    assert not link.busy
    assert link.answered(late) == 0, "of a question that was answered with a later one"
    frame = column(link.asked(100))
    assert link.answered(frame) == 1


def test_answers_that_are_lost_on_the_way_do_not_freeze_the_screens(link_in_pty):
    link, _, now = link_in_pty
    link.asked()
    link.answered()
    link.asked()
    link.asked()
    assert link.busy
    now[0] += 10.0
    assert link.busy
    now[0] += 10.0
    assert not link.busy


@pytest.mark.parametrize("pressed", ["1", "134"])
@pytest.mark.parametrize("seconds", [3.0, pytest.param(13.0, marks=pytest.mark.slow)])
@pytest.mark.parametrize("screen", ["record", "live"])
def test_keys_typed_into_a_dead_link_have_a_doubt_that_covers_how_late_they_came(
    viewer_in_pty, screen, seconds, pressed
):
    terminal = viewer_in_pty("moving", f"screen={screen}")
    wait_for(lambda: terminal.n_answers >= 2)
    terminal.stall()
    typed = {}
    for place, key in enumerate(pressed):
        time.sleep(1.0 if place else 0.4)
        typed[key] = time.monotonic()
    time.sleep(seconds - 0.4 - (len(pressed) - 1))
    terminal.flow()
    terminal.press(*pressed)
    for key, at in typed.items():
        _, _, stamp, doubt = terminal.wait_log(f"label {int(key) - 1} ").split()
        late = float(stamp) - at
        assert late > seconds - len(pressed)
        assert float(doubt) >= late, f"{key} was {late:.3f} s late, and is reported to be within {float(doubt):.3f} s"
    assert labels_are_certain_again(terminal)


@pytest.mark.parametrize("screen", ["record", "live"])
def test_clicks_and_notes_on_a_dead_link_have_a_doubt_that_covers_how_late_they_came(viewer_in_pty, screen):
    terminal = viewer_in_pty("moving", f"screen={screen}", columns=160, lines=50)
    terminal.wait_for("4   Open" if screen == "record" else "Open")
    wait_for(lambda: terminal.n_answers >= 2)
    rows = terminal.text.splitlines()
    y = next(i for i, row in enumerate(rows) if re.search(r"\b4 +Open", row) and i > 1)
    x = rows[y].index("Open")
    terminal.stall()
    time.sleep(0.4)
    acted = time.monotonic()
    time.sleep(2.6)
    terminal.flow()
    terminal.send(f"\x1b[<0;{x + 1};{y + 1}M".encode())
    terminal.send(f"\x1b[<0;{x + 1};{y + 1}m".encode())
    _, _, stamp, doubt = terminal.wait_log("label 3 ").split()
    assert float(doubt) >= float(stamp) - acted > 2.0
    terminal.stall()
    time.sleep(0.4)
    acted = time.monotonic()
    time.sleep(2.6)
    terminal.flow()
    terminal.press("n")
    terminal.wait_for("note")
    terminal.press("w", "enter")
    _, _, stamp, doubt = terminal.wait_log("note w ").split()
    assert float(doubt) >= float(stamp) - acted > 2.0


def test_a_note_on_a_terminal_that_cannot_place_text_shares_the_doubt_of_its_read(viewer_in_pty):
    terminal = viewer_in_pty("recording", ready="* REC", environ={"TERM": "dumb"})
    terminal.press("4")
    terminal.wait_log("label 3")
    read = time.monotonic()
    time.sleep(0.4)
    terminal.send(b"nab\n")
    _, _, stamp, doubt = terminal.wait_log("note ab ").split()
    assert float(stamp) - float(doubt) <= read + 0.02


def labels_are_certain_again(terminal):
    """Once the link lives; a machine that is busy may need some tries."""
    for _ in range(20):
        for key in "2", "3":
            answers = terminal.n_answers
            wait_for(lambda answers=answers: terminal.n_answers > answers)
            n_labels = terminal.log.read_text().count("\nlabel ")
            terminal.press(key)
            if float(terminal.wait_log("label ", more=n_labels + 1).split()[-1]) == 0.0:
                return True
    return False


def test_a_terminal_that_cannot_place_text_stamps_keys_while_a_command_runs(viewer_in_pty):
    terminal = viewer_in_pty("slow", ready="* REC", environ={"TERM": "dumb"})
    terminal.press("u")
    terminal.wait_log("UndoLabel")
    for _ in range(5):  # of a reader that stood still for a moment itself a key is uncertain
        time.sleep(2 * TOGETHER_SECONDS)  # keys that are nearer count as one read
        terminal.press("4")
        wait_for(lambda: not terminal.n_unread())
    time.sleep(0.3)
    terminal.send(b"31")
    wait_for(lambda: not terminal.n_unread())
    through = time.monotonic()
    terminal.log.with_name(terminal.log.name + ".go").touch()
    terminal.wait_log("label 3", more=5)
    alone = [line.split() for line in terminal.log.read_text().splitlines() if line.startswith("label 3")]
    assert all(float(stamp) < through for _, _, stamp, _ in alone), "not when the command was through"
    assert 0.0 in [float(doubt) for *_, doubt in alone]
    burst = [terminal.wait_log(f"label {index} ").split() for index in (2, 0)]
    assert all(float(doubt) > 0.2 for *_, doubt in burst), "keys of one read share the doubt"


def test_a_key_pressed_while_the_screens_open_is_not_lost_and_its_time_is_uncertain(viewer_in_pty):
    terminal = viewer_in_pty("recording", ready="")
    terminal.press("4")
    label = terminal.wait_log("label 3")
    assert float(label.split()[-1]) > 0.05


def test_while_nothing_changes_nothing_is_sent(viewer_in_pty):
    terminal = viewer_in_pty("idle", "screen=record")
    terminal.wait_for("READY")
    terminal.wait_log("poll", more=6)
    began, sent = "", 0
    while began != (minute := terminal.rows()[0].split()[-1]):  # another minute is another row
        began, before = minute, terminal.n_bytes
        terminal.wait_log("poll", more=8)
        sent = terminal.n_bytes - before
    assert sent < 60
