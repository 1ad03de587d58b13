"""Every key of every screen does what the footer and the help say, on injected snapshots."""

from __future__ import annotations

import re
import time
from html import unescape

import numpy as np
import pytest
from scripted import AT, REPLACE, ScriptedRecorder, emg, hand, idle, recording
from textual import events
from textual.widgets import HelpPanel

from myogestic_tui.app import interface as r
from myogestic_tui.errors import DiskError, RecorderGoneError
from myogestic_tui.widgets import lane
from myogestic_tui.widgets.frame import Frame
from myogestic_tui.widgets.grid import Grid
from myogestic_tui.widgets.live_data import Answer
from myogestic_tui.widgets.signal_display import SignalView
from myogestic_tui.widgets.strip_widget import Page

EIGHT_BY_EIGHT = tuple(tuple(range(8 * row, 8 * row + 8)) for row in range(8))


async def test_s_l_r_b_open_the_four_screens_from_anywhere(stage):
    async with stage() as it:
        for key, title, words in [
            ("l", "l LIVE", "emg 1-64/64"),
            ("r", "r RECORD", "GESTURE"),
            ("b", "b SESSIONS", "newest first"),
            ("s", "s STREAMS", "NOM Hz"),
        ]:
            await it.press(key)
            await it.until(lambda title=title, words=words: title in it.rows()[0] and words in it.text)


@pytest.mark.parametrize("screen", ["streams", "live", "record", "sessions"])
@pytest.mark.parametrize("size", [(80, 24), (160, 50), (200, 60), (40, 10), (24, 6)])
async def test_header_and_footer_stand_on_their_rows_at_every_size(stage, screen, size):
    for recorder in (ScriptedRecorder(idle()), ScriptedRecorder(recording())):
        async with stage(recorder, screen=screen, size=size) as it:
            rows = it.rows()
            assert len(rows) == size[1]
            assert ("REC" if recorder.now.state == "recording" else "IDLE") in rows[1]
            assert rows[2] == "─" * size[0] or screen == "live"
            assert "? help" in rows[-1] or size[0] < 40


# ---------------------------------------------------------------- gestures


@pytest.mark.parametrize("screen", ["streams", "live", "record", "sessions"])
async def test_gesture_keys_label_on_every_screen_with_the_time_of_the_key(stage, screen):
    async with stage(ScriptedRecorder(recording()), screen=screen) as it:
        before = time.monotonic()
        await it.press("4")
        label = it.recorder.wait_for(r.AddLabel)
        assert label.class_index == 3
        assert before <= label.timestamp <= time.monotonic()
        assert label.uncertainty_s == 0.0
        assert label.source == "key"


async def test_repeats_of_the_active_gesture_are_ignored_also_while_the_label_is_on_its_way(stage):
    recorder = ScriptedRecorder(recording())
    async with stage(recorder) as it:
        recorder.released.clear()
        await it.press("3", "3", "3", "3")
        recorder.released.set()
        await it.press("3", "1")
        assert [command.class_index for command in recorder.of(r.AddLabel)] == [2, 0]


async def test_labels_keep_the_order_of_the_keys(stage):
    async with stage(ScriptedRecorder(recording()), screen="record") as it:
        await it.press(*"1342413")
        await it.until(lambda: len(it.recorder.of(r.AddLabel)) == 7)
        labels = it.recorder.of(r.AddLabel)
        assert [label.class_index for label in labels] == [0, 2, 3, 1, 3, 0, 2]
        times = [label.timestamp for label in labels]
        assert times == sorted(times)


async def test_keys_of_one_read_are_labelled_as_uncertain(stage):
    async with stage(ScriptedRecorder(recording())) as it:
        keys = [events.Key("3", "3"), events.Key("1", "1")]
        it.viewer.link.times.opened(keys[0].time - 60)
        await it.send(*keys)
        await it.until(lambda: len(it.recorder.of(r.AddLabel)) == 2)
        assert [label.uncertainty_s for label in it.recorder.of(r.AddLabel)] == pytest.approx([60, 60], abs=0.1)


async def test_e_ends_the_label_and_u_undoes_it(stage):
    async with stage(ScriptedRecorder(recording()), screen="live") as it:
        await it.press("e")
        assert it.recorder.wait_for(r.AddLabel).class_index == -1
        await it.press("u")
        it.recorder.wait_for(r.UndoLabel)


async def test_an_unassigned_capital_asks_about_caps_lock(stage):
    async with stage(ScriptedRecorder(recording())) as it:
        await it.press("S")
        assert "Caps Lock" in it.text
        assert not it.recorder.of(r.AddLabel)


async def test_what_follows_the_key_of_a_screen_in_one_read_belongs_to_that_screen(stage):
    async with stage() as it:
        await it.send(events.Key("r", "r"), events.Key("t", "t"))
        await it.until(lambda: "take sheet" in it.text)
        assert "r RECORD" in it.rows()[0]
        assert not it.recorder.of(r.TickStream)


async def test_a_key_of_another_screen_says_where_it_is_one(stage):
    async with stage() as it:
        await it.press("space")
        assert "space is a key of Live and Record: start recording" in it.text
        assert not it.recorder.of(r.Start)


async def test_capitals_are_the_eleventh_gesture_and_up(stage):
    gestures = tuple(r.GestureStatus(name=f"g{i}") for i in range(36))
    async with stage(ScriptedRecorder(recording(gestures=gestures))) as it:
        await it.press("0", "A", "Z")
        await it.until(lambda: len(it.recorder.of(r.AddLabel)) == 3)
        assert [command.class_index for command in it.recorder.of(r.AddLabel)] == [9, 10, 35]


async def test_a_gesture_chosen_while_idle_is_the_first_label(stage):
    async with stage(screen="record") as it:
        await it.press("2")
        assert it.recorder.wait_for(r.AddLabel).class_index == 1
        await it.until(lambda: "first 2 Fist" in it.rows()[1])
        await it.press("space")
        it.recorder.wait_for(r.Start)


async def test_gesture_rows_are_buttons(stage):
    async with stage(ScriptedRecorder(recording()), screen="record") as it:
        rows = it.rows()
        y = next(i for i, text in enumerate(rows) if "Pinch" in text[:40] and "3" in text[:40])
        await it.pilot.click(offset=(rows[y].index("Pinch"), y))
        await it.settle()
        assert it.recorder.wait_for(r.AddLabel).class_index == 2


# ---------------------------------------------------------------- start, stop, leave


async def test_space_starts_when_all_is_there_and_asks_when_a_stream_is_missing(stage):
    async with stage(screen="record") as it:
        await it.press("space")
        it.recorder.wait_for(r.Start)
        await it.until(lambda: "● REC" in it.rows()[1])
    lost = ScriptedRecorder(idle(streams=(emg(), hand(state="lost"))))
    async with stage(lost, screen="record") as it:
        await it.press("space")
        assert "missing vhi_control" in it.text
        assert not lost.of(r.Start)
        await it.press("enter")
        lost.wait_for(r.Start)


async def test_without_any_stream_starting_is_a_deliberate_choice(stage):
    async with stage(ScriptedRecorder(idle(streams=())), screen="live") as it:
        await it.press("space")
        assert "No connected streams to record" in it.text
        await it.press("escape")
        assert "No connected streams to record" not in it.text
        assert not it.recorder.of(r.Start)


@pytest.mark.parametrize("screen", ["streams", "live", "record", "sessions"])
async def test_every_answer_of_a_question_is_on_the_screen_at_80x24_and_no_key_that_does_nothing_is(stage, screen):
    lost = idle(streams=(emg(state="lost"),), protocols=tuple(f"protocol-{i}" for i in range(3)))
    async with stage(ScriptedRecorder(lost), screen=screen) as it:
        it.viewer.action_start()
        await it.settle()
        assert it.rows()[-2].strip() == "No connected streams to record; they would join as they connect."
        assert it.rows()[-1].split() == ["⏎", "start", "anyway", "esc", "wait"]


@pytest.mark.parametrize("width", [40, 80])
async def test_a_question_with_more_answers_than_a_row_holds_shows_them_all(stage, width):
    names = tuple(f"protocol-{i}" for i in range(12))
    async with stage(ScriptedRecorder(idle(protocols=names)), screen="record", size=(width, 24)) as it:
        await it.press("c")
        assert all(f"{key} {name} " in it.text for key, name in zip("abcfghijklmo", names, strict=True))
        assert "n another" in it.text
        assert "esc cancel" in it.rows()[-1]


async def test_stop_takes_two_different_keys_and_gestures_go_on_meanwhile(stage):
    async with stage(ScriptedRecorder(recording()), screen="live") as it:
        await it.press("x", "x", "x")
        assert "stop take 04?" in it.text
        await it.press("3")
        assert it.recorder.wait_for(r.AddLabel).class_index == 2
        assert "stop take 04?" in it.text
        assert not it.recorder.of(r.Stop)
        await it.press("enter")
        it.recorder.wait_for(r.Stop)
        await it.until(lambda: "○ IDLE" in it.rows()[1])


async def test_the_stop_line_discards_with_d_and_goes_on_with_escape(stage):
    async with stage(ScriptedRecorder(recording())) as it:
        await it.press("x", "escape")
        assert "stop take" not in it.text
        await it.press("x", "d")
        it.recorder.wait_for(r.Discard)
        assert not it.recorder.of(r.Stop)


async def test_x_while_idle_says_so(stage):
    async with stage() as it:
        await it.press("x")
        assert "nothing is being recorded" in it.text


async def test_leaving_while_recording_asks(stage):
    async with stage(ScriptedRecorder(recording())) as it:
        await it.press("q")
        assert "leave?" in it.text
        await it.press("escape", "q", "enter")
        assert it.viewer.return_value == 0
        assert not it.recorder.of(r.Stop)


async def test_leaving_can_stop_and_save_first(stage):
    async with stage(ScriptedRecorder(recording())) as it:
        await it.press("q", "x")
        it.recorder.wait_for(r.Stop)
        await it.until(lambda: it.viewer.return_value == 0)


async def test_leaving_while_idle_just_leaves(stage):
    async with stage() as it:
        await it.press("q")
        assert it.viewer.return_value == 0


async def test_a_refusal_is_shown_in_words(stage):
    recorder = ScriptedRecorder(recording())
    recorder.refuse = "the disk is down to its reserve; make room"
    async with stage(recorder) as it:
        await it.press("3")
        await it.until(lambda: "make room" in it.text)


# ---------------------------------------------------------------- typing


async def test_while_a_note_is_typed_the_gesture_keys_are_off_and_its_time_is_the_key_n(stage):
    async with stage(ScriptedRecorder(recording()), screen="live") as it:
        before = time.monotonic()
        await it.press("n")
        after = time.monotonic()
        assert "gesture keys off" in it.text
        await it.press(*"tape 17 Q x")
        await it.press("enter")
        note = it.recorder.wait_for(r.AddNote)
        assert note.text == "tape 17 Q x"
        assert before <= note.timestamp <= after
        assert not it.recorder.of(r.AddLabel)
        assert not it.recorder.of(r.Stop)


async def test_escape_cancels_a_note(stage):
    async with stage(ScriptedRecorder(recording()), screen="live") as it:
        await it.press("n", "a", "escape")
        assert "gesture keys off" not in it.text
        assert not it.recorder.of(r.AddNote)


async def test_pasted_text_goes_into_an_open_line_and_nowhere_else(stage):
    async with stage(ScriptedRecorder(recording()), screen="live") as it:
        it.viewer.post_message(events.Paste("123 x q"))
        await it.settle()
        assert "pasted text is ignored" in it.text
        await it.press("n")
        it.viewer.post_message(events.Paste("electrode\n17"))
        await it.settle()
        await it.press("enter")
        assert it.recorder.wait_for(r.AddNote).text == "electrode 17"
        assert not it.recorder.of(r.AddLabel)


async def test_the_take_sheet_is_filled_in_and_saved_from_any_field(stage):
    async with stage(screen="record") as it:
        await it.press(
            "t", *["backspace"] * 3, *"P08", "tab", *["backspace"] * 5, *"mvc", "tab", "backspace", "1", "enter"
        )
        command = it.recorder.wait_for(r.SetTake)
        assert (command.subject, command.task, command.take) == ("P08", "mvc", 1)
        await it.until(lambda: "P08 · mvc · take 01" in it.rows()[1])


async def test_further_fields_stand_on_the_take_sheet_and_another_subject_begins_at_its_own_next_number(stage):
    fields = {"hand": "left", "electrodes": "8 x 8, 10 mm", "experimenter": "ab", "age": ""}
    sheet = r.TakeStatus(subject="P07", task="grasp", take=4, name="", fields=fields)
    async with stage(ScriptedRecorder(idle(take=sheet)), screen="record") as it:
        await it.press("t", "backspace", "8", *["tab"] * 7)
        assert "age " in it.text
        assert "gesture keys off" in it.text
        await it.press(*"31", "enter")
        command = it.recorder.wait_for(r.SetTake)
        assert (command.subject, command.task, command.take) == ("P08", "grasp", None)
        assert command.fields == {**fields, "age": "31"}


async def test_a_take_that_is_no_number_is_refused(stage):
    async with stage(screen="record") as it:
        await it.press("t", "tab", "tab", "x", "enter")
        assert "whole number" in it.text
        assert not it.recorder.of(r.SetTake)


# ---------------------------------------------------------------- help, palette


@pytest.mark.parametrize("size", [(80, 24), (120, 60)])
async def test_help_lists_the_keys_of_the_screen_gestures_go_on_and_nothing_of_it_is_left_behind(stage, size):
    async with stage(ScriptedRecorder(recording()), screen="record", size=size) as it:
        before = [row[:40] for row in it.rows()[3:]]
        await it.press("?")
        assert "take sheet" in it.text
        await it.press("3")
        it.recorder.wait_for(r.AddLabel)
        assert "take sheet" in it.text
        await it.press("?")
        assert "take sheet" not in it.text
        after = [row.replace("▶", " ")[:4] for row in it.rows()[3:]]
        assert [row.replace("▶", " ")[:4] for row in before] == after


@pytest.mark.parametrize("screen", ["streams", "record", "sessions"])
async def test_a_screen_makes_room_for_the_help(stage, screen):
    async with stage(screen=screen) as it:
        await it.press("?")
        front = it.viewer.front
        await it.until(lambda: front.width < 80)
        await it.settle()
        shown = [row[: front.width] for row in it.rows()]
        assert front.width == front.query_one("#body").size.width
        assert not [row for row in shown if re.search(r"\s{3}…$", row)]


@pytest.mark.parametrize("screen", ["streams", "live", "record", "sessions"])
async def test_escape_closes_the_help_and_does_nothing_else(stage, screen):
    async with stage(ScriptedRecorder(recording()), screen=screen) as it:
        before = it.rows()[-1]
        await it.press("?")
        assert it.viewer.screen.query(HelpPanel)
        await it.press("escape")
        await it.until(lambda: not it.viewer.screen.query(HelpPanel))
        await it.until(lambda: it.rows()[-1] == before)


async def test_what_was_said_gives_way_once_it_has_been_read_and_things_stand_otherwise(stage):
    recorder = ScriptedRecorder(idle(streams=(emg(state="connecting"),)))
    async with stage(recorder) as it:
        it.viewer.reported = ("connecting emg", False, time.monotonic() + 1000)
        it.viewer.refresh_frame()
        await it.until(lambda: "connecting emg" in it.rows()[-2])
        recorder.change(streams=(emg(),))
        await it.settle()
        assert "connecting emg" in it.rows()[-2]
        it.viewer.reported = ("connecting emg", False, time.monotonic() + 3)
        it.viewer.refresh_frame()
        await it.until(lambda: "ready" in it.rows()[-2])


async def test_a_screen_key_works_while_help_is_open(stage):
    async with stage(screen="live") as it:
        await it.press("?", "r")
        await it.until(lambda: "GESTURE" in it.text)


async def test_messages_can_be_read_again_at_full_length(stage):
    recorder = ScriptedRecorder(recording())
    recorder.refuse = "not possible: " + "because of this and that " * 8 + "END"
    async with stage(recorder) as it:
        await it.press("3")
        await it.until(lambda: "not possible" in it.text)
        assert "END" not in it.text
        await it.press("h")
        assert "END" in it.text


async def test_the_palette_finds_commands_by_their_words_and_runs_them(stage):
    async with stage(ScriptedRecorder(recording()), screen="live") as it:
        await it.press(":", *"undo")
        await it.until(lambda: "undo the last label" in it.text)
        await it.press("enter")
        it.recorder.wait_for(r.UndoLabel)
        await it.until(lambda: "emg 1-64/64" in it.text)
        await it.press(":", "1", "2", "escape")
        assert not it.recorder.of(r.AddLabel)


# ---------------------------------------------------------------- streams


async def test_streams_rows_connect_tick_forget(stage):
    seen = emg(key="seen:2", name="emg2", state="seen", record=False, quality=())
    async with stage(ScriptedRecorder(idle(streams=(emg(), hand(), seen)))) as it:
        await it.press("down", "t")
        assert it.recorder.wait_for(r.TickStream) == r.TickStream(
            key="vhi_control", record=False, actor=it.viewer.actor
        )
        await it.press("down", "c")
        assert it.recorder.wait_for(r.ConnectStream).key == "seen:2"
        await it.press("f")
        assert it.recorder.wait_for(r.ForgetStream).key == "seen:2"
        await it.press("a", "g")
        it.recorder.wait_for(r.ConnectAll)
        it.recorder.wait_for(r.StartGenerator)


async def test_the_cursor_stays_on_its_stream_when_rows_come_and_go(stage):
    async with stage(ScriptedRecorder(idle(streams=(emg(), hand())))) as it:
        await it.press("down")
        it.recorder.change(streams=(emg(key="a", name="aaa"), emg(), hand()))
        await it.settle()
        assert it.viewer.front.table.chosen == "vhi_control"


async def test_details_show_every_channel_at_full_length_and_the_xml(stage):
    names = tuple(f"flexor digitorum superficialis {i + 1}" for i in range(64))
    async with stage(ScriptedRecorder(idle(streams=(emg(channel_names=names), hand())))) as it:
        it.recorder.released.clear()
        await it.press("enter")
        shown = it.text
        for _ in range(8):
            await it.press("pagedown")
            shown += it.text
        assert all(f"{name} " in shown for name in names)
        assert "asking for its XML" in it.text
        it.recorder.released.set()
        await it.press("pagedown")
        assert "<name>emg</name>" in it.text
        assert "asking for its XML" not in it.text
        await it.press("enter")
        assert "superficialis 63 " not in it.text


async def test_the_doctor_is_asked_in_the_background_and_what_keeps_it_from_answering_is_reported(stage):
    def fails() -> list[str]:
        raise DiskError("the folder cannot be read")

    async with stage(doctor=lambda: ["network: 2 interfaces", "disk: 11 h"]) as it:
        await it.press("d")
        await it.until(lambda: "network: 2 interfaces" in it.text and "disk: 11 h" in it.text)
    async with stage(doctor=fails) as it:
        await it.press("d")
        await it.until(lambda: "the folder cannot be read" in it.rows()[-2])


async def test_no_stream_says_what_to_do(stage):
    async with stage(ScriptedRecorder(idle(streams=()))) as it:
        assert "No stream on the network yet" in it.text
        assert "start a synthetic EMG outlet" in it.text
        await it.press("l")
        await it.until(lambda: "l LIVE" in it.text and "No stream on the network yet" in it.text)


@pytest.mark.parametrize("glyphs", ["braille", "ascii"])
@pytest.mark.parametrize("screen", ["streams", "live", "record"])
async def test_no_name_on_the_network_reaches_the_terminal_as_a_command(stage, screen, glyphs):
    evil = "\x1b[2Jx\x07\n\x9b31m"
    stream = REPLACE(emg(recording=True), name=evil, source_id=evil, message=evil, units=(evil,) * 64)
    status = recording(streams=(stream,), problems=(r.Problem(severity="error", subject=evil, text=evil),))
    async with stage(ScriptedRecorder(status), screen=screen, size=(160, 50), glyphs=glyphs) as it:
        drawn = unescape(it.viewer.export_screenshot())
        assert "?[2Jx" in drawn.replace("\xa0", " ")
        assert not set(drawn) & {"\x1b", "\x07", "\x9b"}


async def test_what_is_on_the_network_is_listed_line_by_line_in_the_details(stage):
    listed = "no stream with name 'glove'; on the network are:\n  emg [EMG]: 64 ch\n  imu [IMU]: 6 ch"
    glove = REPLACE(hand(), name="glove", state="wanted", n_channels=0, fs=0.0, message=listed, measured_fs=None)
    async with stage(ScriptedRecorder(idle(streams=(glove,))), screen="streams") as it:
        note = next(y for y, row in enumerate(it.rows()) if row.startswith(" note "))
        assert [row[10:].strip() for row in it.rows()[note : note + 3]] == listed.replace("  ", "").splitlines()
        assert "irregular" not in it.text


@pytest.mark.parametrize("size", [(40, 14), (60, 20)])
async def test_a_narrow_terminal_shows_the_gestures_and_the_trials_while_one_is_chosen(stage, size):
    async with stage(ScriptedRecorder(recording()), screen="record", size=size) as it:
        assert re.search(r"2 +Fist", it.text)
        assert "TRIAL AT" not in it.text
        await it.press("up")
        assert "TRIAL AT" in it.text
        assert "KEY" not in it.text
        await it.press("escape")
        assert "KEY" in it.text


async def test_every_gesture_can_be_reached_where_they_do_not_fit(stage):
    gestures = tuple(r.GestureStatus(name=f"gesture {i}") for i in range(14))
    async with stage(ScriptedRecorder(recording(gestures=gestures)), screen="record") as it:
        box = it.viewer.front.query_one("#gestures")
        assert box.size.height <= it.viewer.front.query_one("#middle").size.height
        assert box.max_scroll_y > 0


async def test_on_record_beside_the_trials_what_needs_somebody_comes_first_and_no_verdict_is_cut(stage):
    streams = tuple(REPLACE(emg(recording=True), name=f"EMG of the left forearm, ring {i}") for i in range(12))
    status = recording(streams=streams, problems=(r.Problem(severity="error", subject="glove", text="gone"),))
    async with stage(ScriptedRecorder(status), screen="record", size=(120, 40)) as it:
        right = [row[80:].strip() for row in it.rows()]
        assert right.index(next(row for row in right if "needs you" in row)) < right.index(
            next(row for row in right if "signal quality" in row)
        )
        rows = [row for row in right if row.startswith("EMG of")]
        assert rows
        assert all(re.search(r"clean$|\d$|…$", row) for row in rows)
        assert any("more" in row for row in right)


async def test_problems_stand_in_needs_you(stage):
    problems = (r.Problem(severity="error", subject="glove", text="no data for 12.4 s; searching on glove-pi"),)
    async with stage(ScriptedRecorder(idle(problems=problems))) as it:
        assert "✗ glove" in it.text
        assert "needs you" in it.text


# ---------------------------------------------------------------- live


async def test_live_shows_all_channels_of_a_stream_as_a_heat_map_at_80x24(stage):
    async with stage(screen="live") as it:
        assert "emg 1-64/64" in it.text
        assert "RMS 5" in it.text
        assert "320 µV" in it.text
        assert sum("▀" in row for row in it.rows()) == 16
        assert any(row.startswith("   4M") for row in it.rows())
        assert any(row.startswith("  5FC▀") for row in it.rows()), "5 is flat, 6 clipped"
        assert any("▀  63 ▀" in row for row in it.rows())
        assert it.recorder.views[-1].rms


@pytest.mark.parametrize("status", [idle, recording])
async def test_record_tells_electrode_problems_at_80x24(stage, status):
    async with stage(ScriptedRecorder(status()), screen="record") as it:
        (row,) = [row for row in it.rows() if row.startswith(" emg  1 ")]
        assert all(words in row for words in ("1 flat: 5", "1 clipped: 6", "1 mains: 4", "1 bad: 7"))
        assert all(name in it.text for name in ("Rest", "Fist", "Pinch", "Open", "no label"))


async def test_what_happens_while_the_list_of_events_is_read_comes_into_it(stage):
    lost = r.EventStatus(timestamp=AT - 9, kind="lost", text="arm lost")
    session = recording().session
    status = recording(session=REPLACE(session, events=(lost,)))
    async with stage(ScriptedRecorder(status), screen="record") as it:
        await it.press("h")
        assert "arm lost" in it.text
        assert "arm back" not in it.text
        back = r.EventStatus(timestamp=AT, kind="back", text="arm back, gap 9.0 s")
        it.recorder.change(session=REPLACE(session, events=(lost, back)))
        await it.settle()
        rows = [row for row in it.rows() if "arm " in row]
        assert ["back" in row for row in rows[:2]] == [True, False]
        await it.press("escape")
        assert "what happened" not in it.text


async def test_a_row_of_two_faulty_channels_names_the_chosen_one(stage):
    async with stage(ScriptedRecorder(idle(streams=(emg(),))), screen="live") as it:
        await it.press(*["down"] * 4)
        assert any(row.startswith("▸  5F▀") for row in it.rows())
        await it.press("down")
        assert any(row.startswith("▸  6C▀") for row in it.rows())
        await it.press("down")
        assert any(row.startswith("  5FC▀") for row in it.rows())


@pytest.mark.parametrize("mode", ["heat", "traces"])
async def test_columns_of_channels_have_one_time_below_them(stage, mode):
    """The last column has fewer channels; its time stands beside that of the others all the same."""
    async with stage(ScriptedRecorder(idle(streams=(emg(67),))), screen="live", size=(160, 50)) as it:
        if mode == "traces":
            await it.press("i")
        assert any(row.count("now") == 2 for row in it.rows()), it.text


async def test_i_goes_round_the_views_and_the_choice_stays(stage):
    async with stage(screen="live") as it:
        await it.press("i")
        assert "i heat" in it.text
        assert not it.recorder.views[-1].rms
        await it.press("r", "l")
        assert "i heat" in it.text
        await it.press("i")
        assert "i traces" in it.text
    async with stage(ScriptedRecorder(idle(streams=(emg(places=EIGHT_BY_EIGHT),))), screen="live") as it:
        await it.press("i", "i")
        assert "64 electrodes" in it.text
        assert "emg 8×8 RMS" in it.text
        await it.press("i")
        assert "i traces" in it.text


async def test_few_channels_are_shown_as_traces(stage):
    async with stage(ScriptedRecorder(idle(streams=(emg(8),))), screen="live") as it:
        assert "i heat" in it.text
        assert "emg 1-8/8" in it.text


async def test_traces_of_a_screen_that_grows_have_a_number_each(stage):
    """Numbers are renewed twice a second; a layout may be drawn once, and the next one has room for more channels."""
    async with stage(screen="live") as it:
        view = it.viewer.screen.query_one(SignalView)
        frame, envelope = Frame(it.recorder.status(), at=100.0), it.recorder.envelope(r.View(stream="emg"))
        for n_channels in (7, 8):
            view._drawn = ()  # as after each change of layout
            rms = np.ones((n_channels, 20), np.float32)
            page = Page(0, n_channels, 0, 0.0, 10.0, "µV", (), False)
            assert len(view._numbers_of(Answer(envelope, rms, rms, rms), page, frame)) == n_channels


async def test_live_pages_and_moves_the_channel_cursor(stage):
    async with stage(screen="live") as it:
        await it.press("i")
        assert "emg 1-17/64" in it.text
        await it.press("pagedown")
        assert "emg 18-34/64" in it.text
        await it.press("down")
        assert "▸ 19" in it.text
        await it.press("pageup", "up")
        assert "▸  1" in it.text


async def test_live_time_gain_autoscale_filters_and_offset_ask_for_another_view(stage):
    async with stage(screen="live") as it:
        await it.press("i", ",")
        assert "  5 s" in it.rows()[2]
        await it.press(".", ".")
        assert "  20 s" in it.rows()[2]
        assert "manual" not in it.text
        await it.press("-")
        assert "±100 µV" in it.text
        assert "manual (a: auto)" in it.rows()[2]
        await it.press("+", "+")
        assert "±20 µV" in it.text
        await it.press("a")
        assert "manual" not in it.text
        await it.press("f", "f", "o")
        assert "filter hp 10, notch 50, with offset" in it.text
        view = next(view for view in reversed(it.recorder.views) if not view.rms)
        assert (view.highpass_hz, view.notch_hz, view.remove_offset) == (10.0, 50.0, False)
        assert view.seconds == pytest.approx(20.0)


async def test_the_number_beside_a_trace_is_of_what_is_drawn(stage):
    async with stage(screen="live") as it:
        await it.press("i")
        assert it.recorder.views[-1].rms_every
        await it.press("f")
        assert it.recorder.views[-1].highpass_hz == 10.0
        number = next(row for row in it.rows() if row.startswith("▸  1")).split()[2].strip("┊")
        assert 10 <= float(number) <= 15


class Late(ScriptedRecorder):
    """Answers with the samples of one instant, tells it by its amplitude, and only once it is let."""

    instant = 100.0
    answers = True

    def envelope(self, view: r.View) -> r.Envelope | None:
        envelope = super().envelope(view)
        if envelope is None or not self.answers:
            return None
        end = self.instant if view.until is None else view.until
        high = np.full((view.n_channels, view.columns), self.instant, np.float32)
        rms = np.full((view.n_channels, view.columns // (view.rms_every or 1)), self.instant, np.float32)
        extremes = {"low": (-high).tobytes(), "high": high.tobytes()} if not view.rms else {"low": b"", "high": b""}
        told = {"rms": rms.tobytes()} if view.rms or view.rms_every else {}
        return REPLACE(envelope, start=end - view.seconds, **extremes, **told)


@pytest.mark.parametrize(("mode", "size"), [("heat", (160, 50)), ("heat", (200, 60)), ("traces", (160, 50))])
async def test_all_that_live_shows_is_of_one_answer(stage, mode, size, monkeypatch):
    """Map, traces, labels, numbers and electrodes of one frame come of a single question to the recorder."""
    recorder = Late(recording(streams=(emg(places=EIGHT_BY_EIGHT, quality=()),)))
    drawn = {}
    originals = {"show_map": lane.Lane.show_map, "show_traces": lane.Lane.show_traces, "draw": Grid.draw}
    for place, name in ((lane.Lane, "show_map"), (lane.Lane, "show_traces"), (Grid, "draw")):

        def draw(self, *given, name=name, original=originals[name], **more):
            values = given[2] if name == "draw" else given[1].answer.rms
            drawn[name] = float(np.nanmax(np.asarray(values)))
            original(self, *given, **more)

        monkeypatch.setattr(place, name, draw)
    async with stage(recorder, screen="live", size=size) as it:
        if mode == "traces":
            await it.press("i")
        for instant in (150.0, 180.0, 120.0):
            recorder.instant = instant
            recorder.views.clear()
            drawn.clear()
            it.viewer.refresh_frame()
            assert len({(view.columns, view.rms, view.rms_every) for view in recorder.views}) == 1
            assert drawn == dict.fromkeys(("show_map" if mode == "heat" else "show_traces", "draw"), instant)


@pytest.mark.parametrize("key", ["v", ",", "f", "i", "enter"])
async def test_what_is_stale_after_a_change_of_the_view_is_blank_until_the_answer_comes(stage, key):
    recorder = Late(recording(streams=(emg(), emg(key="arm", name="arm", recording=True))))
    async with stage(recorder, screen="live", size=(160, 30)) as it:
        assert any("▀" in row for row in it.rows())
        recorder.answers = False
        await it.press(key)
        assert not any("▀" in row or "⣿" in row or "now" in row for row in it.rows()), it.text
        recorder.answers = True
        await it.settle()
        assert any("now" in row for row in it.rows()), it.text


async def test_the_zoom_has_the_spectrum_of_the_channel_and_its_rms_and_peak_as_drawn(stage):
    async with stage(ScriptedRecorder(idle(streams=(emg(),))), screen="live", size=(160, 50)) as it:
        await it.press("enter")
        await it.until(lambda: "spectrum of 1 s" in it.text)
        assert "Hz mains" in it.text
        assert re.search(r"RMS 0\.0 peak 0\.0 \S+ in 1 s", it.text)
        assert any(view.seconds == 1.0 and view.columns == 4096 and view.n_channels == 1 for view in it.recorder.views)


async def test_a_filter_belongs_to_one_stream(stage):
    async with stage(screen="live") as it:
        await it.press("f", "v")
        assert "filter off" in it.text
        await it.press("v")
        assert "filter hp 10" in it.text


async def test_live_pause_holds_the_view_and_arrows_scroll_back(stage):
    async with stage(screen="live") as it:
        await it.press("p")
        assert "PAUSED" in it.text
        held = it.recorder.views[-1].until
        await it.press("left")
        assert it.recorder.views[-1].until == pytest.approx(held - 2.5)
        await it.press("p")
        assert "PAUSED" not in it.text
        assert it.recorder.views[-1].until is None


async def test_live_zoom_shows_one_channel_over_the_whole_height_with_its_own_scale_and_unit(stage):
    units = ("microvolts", "millivolts", *("microvolts",) * 62)
    async with stage(ScriptedRecorder(idle(streams=(emg(units=units),))), screen="live") as it:
        page = it.rows()[2]
        await it.press("down", "enter")
        assert "channel 2 EMG2" in it.text
        assert it.recorder.views[-1].n_channels == 1
        assert "+50 mV" in it.text
        assert any(line.startswith(f"{'+50 mV':>13}") for line in it.rows())
        await it.press("-", "-")
        assert "+200 mV" in it.text
        await it.press("a", "enter")
        assert it.rows()[2] == page


async def test_live_w_goes_to_the_worst_channels_and_m_marks(stage):
    async with stage(screen="live") as it:
        await it.press("w")
        assert "▸  5" in it.text
        await it.press("w")
        assert "▸  6" in it.text
        await it.press("m")
        command = it.recorder.wait_for(r.MarkChannel)
        assert (command.stream, command.channel, command.bad) == ("emg", 5, True)


async def test_live_v_goes_to_the_next_numeric_stream(stage):
    text = r.StreamStatus(key="m", name="markers", state="live", dtype="string", n_channels=1)
    async with stage(ScriptedRecorder(idle(streams=(text, emg(), hand()))), screen="live") as it:
        assert "emg 1-64" in it.text
        await it.press("v")
        assert "vhi_control 1-9/9" in it.text
        await it.press("v")
        assert "emg 1-64" in it.text


@pytest.mark.parametrize(
    ("n_channels", "size"), [(8, (80, 24)), (64, (160, 50)), (256, (80, 24)), (256, (200, 60)), (1, (40, 10))]
)
async def test_live_maps_every_channel_at_every_size(stage, n_channels, size):
    async with stage(ScriptedRecorder(idle(streams=(emg(n_channels),))), screen="live", size=size) as it:
        first_to_last = it.viewer.front.lens.per_page
        assert first_to_last >= min(n_channels, {(80, 24): 68, (40, 10): 1}.get(size, 256))
        view = it.recorder.views[-1]
        assert view.n_channels <= n_channels
        assert all(len(text) == size[0] for text in it.rows())


# ---------------------------------------------------------------- record


async def test_record_marks_the_running_trial_and_runs_protocols(stage):
    async with stage(ScriptedRecorder(recording()), screen="record") as it:
        await it.press("m")
        command = it.recorder.wait_for(r.MarkTrial)
        assert command.bad is True
        assert command.timestamp == it.recorder.now.session.labels[2].timestamp
        assert "the running trial, 2 Fist, marked bad" in it.text
        await it.press("c")
        assert "a baseline" in it.text
        await it.press("b")
        assert it.recorder.wait_for(r.StartProtocol).name == "mvc"
        protocol = r.ProtocolStatus(name="mvc", state="running", cue=1, n_cues=6, class_index=1, cue_seconds=5)
        it.recorder.change(protocol=protocol)
        await it.settle()
        await it.press("p", "k")
        assert it.recorder.wait_for(r.PauseProtocol).paused is True
        it.recorder.wait_for(r.SkipCue)
        await it.press("c", "enter")
        it.recorder.wait_for(r.AbortProtocol)


async def test_a_trial_that_was_gone_back_to_is_marked_and_relabelled(stage):
    async with stage(ScriptedRecorder(recording()), screen="record") as it:
        await it.press("up", "up", "m")
        assert it.recorder.wait_for(r.MarkTrial).timestamp == it.recorder.now.session.labels[1].timestamp
        assert "the trial of 16.6 s, 3 Pinch, marked bad" in it.text
        await it.press("4")
        relabel = it.recorder.wait_for(r.Relabel)
        assert (relabel.timestamp, relabel.class_index) == (it.recorder.now.session.labels[1].timestamp, 3)
        assert not it.recorder.of(r.AddLabel)
        await it.press("escape", "4")
        assert it.recorder.wait_for(r.AddLabel).class_index == 3


@pytest.mark.parametrize("leave", ["escape", "l"])
async def test_what_keys_do_with_a_trial_is_told_only_where_they_do_it(stage, leave):
    async with stage(ScriptedRecorder(recording()), screen="record") as it:
        await it.press("up")
        assert "a digit relabels it" in it.text
        await it.press(leave)
        assert "a digit relabels it" not in it.text


@pytest.mark.parametrize("theme", ["dark", "light", "ansi"])
async def test_the_chosen_row_stands_out_and_its_key_keeps_its_ink(stage, theme):
    async with stage(ScriptedRecorder(recording()), screen="record", theme=theme) as it:
        table = it.viewer.front.query_one("#trials")

        def keys() -> list[tuple[object, object, bool]]:
            styles = [
                segment.style
                for y in range(1, table.row_count + 1)
                for segment in table.render_line(y)
                if segment.text == " 1 "
            ]
            return [(style.color, style.bgcolor, bool(style.reverse)) for style in styles]

        before = keys()
        assert before
        await it.press(*["up"] * table.row_count)
        (ink, paper, turned), *others = keys()
        assert others == before[1:]
        assert (ink, paper) == before[0][:2]
        chosen, other = (next(iter(table.render_line(y))).style for y in (1, 2))
        assert turned is (theme == "ansi")
        assert turned or chosen.bgcolor != other.bgcolor


async def test_a_trial_that_was_gone_back_to_is_moved_and_each_change_is_undone(stage):
    async with stage(ScriptedRecorder(recording()), screen="record") as it:
        at = it.recorder.now.session.labels[1].timestamp
        await it.press("left")
        await it.press("up", "up", "left")
        moved = it.recorder.wait_for(r.MoveLabel)
        assert (moved.timestamp, moved.seconds) == (at, -0.05)
        await it.press("m")
        assert it.recorder.wait_for(r.MarkTrial).bad is True
        await it.press("4")
        relabel = it.recorder.wait_for(r.Relabel)
        await it.press("u")
        assert it.recorder.of(r.Relabel)[-1].class_index != relabel.class_index
        await it.press("u")
        assert [one.bad for one in it.recorder.of(r.MarkTrial)] == [True, False]
        await it.press("u")
        assert [one.seconds for one in it.recorder.of(r.MoveLabel)] == [-0.05, 0.05]
        await it.press("u")
        assert "nothing to undo in the trials" in it.text
        assert not it.recorder.of(r.UndoLabel)
        await it.press("escape", "u")
        it.recorder.wait_for(r.UndoLabel)


async def test_on_record_the_gravest_problems_stand_below_the_counters_of_a_narrow_terminal(stage):
    problems = tuple(
        r.Problem(severity=severity, subject=severity, text="look at\nit " * 9)
        for severity in ("info", "warning", "error")
    )
    async with stage(ScriptedRecorder(recording(problems=problems)), screen="record") as it:
        rows = [row for row in it.rows()[:-2] if " error: look" in row or " warning: look" in row]
        assert [row[:10] for row in rows] == [" ✗ error: ", " ▲ warning"]
        assert not any(" … info" in row for row in it.rows())
        assert "no label" in it.text


async def test_on_record_nothing_moves_as_a_recording_begins(stage):
    shapes = set()
    for status in (idle(), recording(), recording(current_label=-1)):
        async with stage(ScriptedRecorder(status), screen="record", size=(120, 40)) as it:
            shapes.add(next(y for y, row in enumerate(it.rows()) if "TRIALS" in row))
    assert len(shapes) == 1


async def test_a_protocol_is_made_up_in_a_form_which_keeps_what_was_typed(stage):
    async with stage(screen="record") as it:
        await it.press("c", "n")
        assert "gesture keys off" in it.text
        assert "Rest:3,Fist:3,Pinch:3,Open:3" in it.text
        await it.press("ctrl+u", *"fist:0.5,3:1,-:2", "tab", "backspace", "4", "tab", *"17", "enter")
        assert "record take 04 with protocol typed?" in it.text
        await it.press("enter")
        command = it.recorder.wait_for(r.StartProtocol)
        assert command.steps == (("Fist", 0.5), ("Pinch", 1.0), ("", 2.0))
        assert (command.repeats, command.shuffle, command.seed) == (4, True, 17)
        await it.press("c", "n", "tab", "tab", *["backspace"] * 2, "enter", "enter")
        await it.until(lambda: len(it.recorder.of(r.StartProtocol)) == 2)
        assert it.recorder.of(r.StartProtocol)[1].steps == command.steps
        assert it.recorder.of(r.StartProtocol)[1].shuffle is False
        await it.press("c", "n", "backspace", "backspace", "enter")
        assert "write it like Rest:5,Fist:5" in it.text


async def test_a_protocol_that_would_start_without_a_stream_asks_first(stage):
    async with stage(ScriptedRecorder(idle(streams=())), screen="record") as it:
        await it.press("c", "a")
        assert "No connected streams" in it.text
        assert not it.recorder.of(r.StartProtocol)
        await it.press("enter")
        assert it.recorder.wait_for(r.StartProtocol).name == "baseline"


async def test_record_does_not_move_as_figures_change(stage):
    async with stage(ScriptedRecorder(recording(0.0)), screen="record") as it:
        shapes = set()
        for elapsed in (1.0, 9.9, 10.0, 59.9):
            session = REPLACE(
                it.recorder.now.session, elapsed_s=elapsed, label_seconds=elapsed, bytes=int(elapsed * 5e5)
            )
            it.recorder.change(session=session)
            await it.settle()
            shapes.add(
                tuple(
                    "".join("0" if c in "0123456789 " else c for c in text)
                    for text in (row[:60] for row in it.rows()[1:10])
                )
            )
        assert len(shapes) == 1


# ---------------------------------------------------------------- a recorder that goes


async def test_a_recorder_that_goes_is_said_at_once_and_started_again(stage):
    fresh = ScriptedRecorder(recording())
    async with stage(ScriptedRecorder(recording()), reconnect=lambda: fresh) as it:
        it.recorder.gone = RecorderGoneError("no recorder answers")
        await it.settle()
        assert "✗ GONE" in it.rows()[1]
        assert "the recorder has ended" in it.text
        await it.press("enter")
        await it.until(lambda: "● REC" in it.rows()[1])
        await it.press("3")
        fresh.wait_for(r.AddLabel)


async def test_the_grid_is_shown_of_no_stream_whose_electrodes_have_no_places(stage):
    streams = (emg(places=EIGHT_BY_EIGHT), emg(key="arm", name="arm"))
    async with stage(ScriptedRecorder(idle(streams=streams)), screen="live") as it:
        await it.press("i", "i")
        assert "64 electrodes" in it.rows()[2]
        await it.press("v")
        assert "arm 1-64/64" in it.rows()[2]
        await it.press("v")
        assert "64 electrodes" in it.rows()[2]


async def test_the_view_is_the_same_in_the_next_run(stage):
    async with stage(ScriptedRecorder(idle(streams=(emg(),))), screen="live") as it:
        assert "RMS" in it.rows()[2]
        await it.press("i")
        assert "±" in it.rows()[2]
    async with stage(ScriptedRecorder(idle(streams=(emg(),))), screen="live") as it:
        assert "±" in it.rows()[2]
        await it.press("i")
    async with stage(ScriptedRecorder(idle(streams=(emg(),))), screen="live") as it:
        assert "RMS" in it.rows()[2]


@pytest.mark.parametrize("mode", ["heat", "traces"])
async def test_the_newest_sample_is_now_only_while_samples_come_and_are_followed(stage, mode):
    recorder = ScriptedRecorder(idle(streams=(emg(),)))
    async with stage(recorder, screen="live") as it:
        await it.press(*("i" if mode == "traces" else ""))

        def ends():
            axes = [row for row in it.rows() if re.fullmatch(r"[-\d.│ s]*(?:now|held|lost).*", row)]
            return {word for axis in axes for word in re.findall(r"now|held|lost", axis)}

        assert ends() == {"now"}
        await it.press("p")
        assert ends() == {"held"}
        await it.press("p")
        assert ends() == {"now"}
        recorder.change(streams=(emg(state="lost", age_s=12.3),))
        await it.settle()
        assert ends() == {"lost"}


async def test_a_long_protocol_is_told_uncut_at_80x24(stage):
    protocol = r.ProtocolStatus(
        name="grasp-6-of-both-hands", state="running", class_index=1, next_class_index=0, cue=12, n_cues=48,
        cue_seconds=5.0, cue_elapsed_s=3.4, elapsed_s=46.0, total_s=192.0, seed=7,
    )  # fmt: skip
    async with stage(ScriptedRecorder(recording(protocol=protocol)), screen="record") as it:
        assert re.search(r"cue 12 of 48    00:4\d of 03:12 ", it.text), it.text
        assert "protocol grasp-6-of-both-hands   seed 7" in it.text


async def test_the_count_of_streams_has_its_word_where_there_is_room(stage):
    async with stage(ScriptedRecorder(recording()), screen="record", size=(100, 30)) as it:
        assert "2/2 streams   disk" in it.rows()[1]
        assert re.search(r"2 Fist {1,5}\d+.\d s", it.rows()[1]), it.rows()[1]


async def test_a_paused_protocol_tells_how_it_continues_and_what_comes_next_at_80x24(stage):
    protocol = r.ProtocolStatus(
        name="grasp", state="paused", class_index=1, next_class_index=2, cue=2, n_cues=9, cue_seconds=3.0,
        cue_elapsed_s=1.0, elapsed_s=4.0, total_s=27.0,
    )  # fmt: skip
    async with stage(ScriptedRecorder(recording(protocol=protocol)), screen="record") as it:
        assert "p continues with 2 Fist" in it.text
        assert "NEXT  3 Pinch " in it.text


@pytest.mark.parametrize("screen", ["streams", "live", "record", "sessions"])
async def test_the_footer_has_each_command_once(stage, screen):
    async with stage(ScriptedRecorder(recording()), screen=screen, size=(200, 60)) as it:
        await it.press("?")
        for row in (it.rows()[-1], it.rows()[-1].lower()):
            words = re.findall(r"(?<=  )\S+ \S+", row)
            assert len(words) == len({word.split()[1] for word in words})


async def test_gestures_stand_under_their_headings(stage):
    async with stage(ScriptedRecorder(recording()), screen="record") as it:
        rows = it.rows()
        heading = next(row for row in rows if "GESTURE" in row)
        first = next(row for row in rows if " Rest " in row)
        assert first.index("Rest") == heading.index("GESTURE")
        assert first.index("6") == heading.index("TRIALS") + len("TRIALS") - 1
