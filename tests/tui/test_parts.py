"""Rows, numbers and strips: fixed fields, steady columns, ASCII where nothing else shows."""

from __future__ import annotations

import ast
import re
import time
from pathlib import Path

import numpy as np
import pytest
from rich.segment import Segment
from rich.style import Style
from scripted import AT, REPLACE, emg, hand, idle, recording
from textual.color import Color
from textual.renderables.digits import Digits

import myogestic_tui
from myogestic_tui.app import interface as r
from myogestic_tui.session.format.findings import Finding
from myogestic_tui.session.format.summary import StreamSummary, Summary, Verified
from myogestic_tui.session.library.catalog_entry import Entry
from myogestic_tui.tui.recorder_feed import Trends
from myogestic_tui.widgets import colour_ramp
from myogestic_tui.widgets import number_format as f
from myogestic_tui.widgets.frame import Frame
from myogestic_tui.widgets.glyphs import AsciiFilter, terminal_is_utf8, to_ascii
from myogestic_tui.widgets.header import state_line
from myogestic_tui.widgets.label_timeline import label_strip, time_axis
from myogestic_tui.widgets.problem_list import needs_you, problem_lines, quality_lines, status_line
from myogestic_tui.widgets.record_panels import counter_line
from myogestic_tui.widgets.record_status import now_of
from myogestic_tui.widgets.session_details import Looked, short_details, stream_row
from myogestic_tui.widgets.stream_table import StreamRow, columns, details, sparkline
from myogestic_tui.widgets.styled_lines import FAINT, cut, fit, line, plain, rule, spread, width_of

text = plain


def frame(status, **more):
    return Frame(status, at=status.at, wall="14:31", **more)


@pytest.mark.parametrize("width", [80, 81, 100, 160, 200])
def test_in_a_minute_of_recording_no_character_of_the_header_moves(width):
    """Only digits change: whatever is no digit stays where it is."""
    seen = set()
    status = recording(0.0)
    for tenth in range(620):
        elapsed = tenth / 10
        session = REPLACE(status.session, elapsed_s=elapsed, label_seconds=elapsed, bytes=tenth * 52_000)
        row = state_line(frame(REPLACE(status, session=session)), width)
        assert width_of(row) == width
        seen.add("".join("0" if c.isdigit() else c for c in text(row)))
    # figures are right-aligned in fixed fields, so blanks in front of them turn into digits and nothing else changes
    for letters in zip(*(list(shape) for shape in seen), strict=True):
        assert set(letters) <= {"0", " "} or len(set(letters)) == 1


@pytest.mark.parametrize("status", [idle(), recording()], ids=["idle", "recording"])
@pytest.mark.parametrize("width", [20, 30, 40, 50, 60, 72, 79, 80, 160])
def test_the_header_fills_its_width_and_names_the_state_at_any_width(status, width):
    row = state_line(frame(status), width)
    assert width_of(row) == width
    assert ("REC" if status.state == "recording" else "IDLE") in text(row)
    if width >= 40 and status.state == "recording":
        assert "2 Fist" in text(row)


@pytest.mark.parametrize("width", [80, 120])
def test_a_long_gesture_name_takes_no_room_from_the_next_field(width):
    gestures = (r.GestureStatus(name="Wrist up and out", key="5"), r.GestureStatus(name="Rest"))
    row = text(state_line(frame(recording(gestures=gestures, current_label=0)), width))
    assert "Rest" not in row
    assert "5 Wrist up and out " in row
    assert "take 04" in row


def test_problems_of_electrodes_are_counted_in_the_header():
    row = text(state_line(frame(recording(streams=(emg(recording=True),))), 80))
    assert "▲ 1F 1C 1M" in row
    assert "fps" not in row


def test_all_faults_that_have_room_are_named_before_more_are_counted():
    row = text(status_line(frame(recording(streams=(emg(recording=True),))), 80)).rstrip()
    assert row == " ▲ recording 1 of 1 · emg 4 mains · emg 5 flat · emg 6 clipped"
    row = text(status_line(frame(recording(streams=(emg(recording=True),))), 60)).rstrip()
    assert row == " ▲ recording 1 of 1 · emg 4 mains · emg 5 flat · 1 more"


@pytest.mark.parametrize("dark", [True, False], ids=["dark", "light"])
@pytest.mark.parametrize("bits", [24, 8])
def test_each_fault_has_a_colour_of_its_own_for_any_colour_vision(dark, bits):
    """Under protanopia and deuteranopia too (Viénot 1999), as linear RGB, clipped and mains differ above all."""
    paints = [colour_ramp.fill(dark, bits, colour_ramp.FAULTS[flag]).bgcolor for flag in "FCMNx"]
    assert len({paint.get_truecolor() for paint in paints}) == 5
    clipped, mains = (np.array(paint.get_truecolor()) / 255.0 for paint in paints[1:3])
    for seen in (((0.11, 0.89), (0.11, 0.89)), ((0.29, 0.71), (0.29, 0.71))):
        colours = []
        for colour in (clipped, mains):
            linear = colour**2.2
            colours.append(np.array([*(np.array(seen) @ linear[:2]), linear[2]]) ** (1 / 2.2))
        assert np.abs(colours[0] - colours[1]).max() > 0.4


@pytest.mark.parametrize(
    ("states", "words"),
    [
        (("live", "live"), "● recording 2 of 2 · all clean"),
        (("live", "lost"), "▲ recording 1 of 2 · hand lost 23 s"),
        (("lost", "lost"), "✗ recording 0 of 2 · emg lost 23 s · hand lost 23 s"),
    ],
)
def test_the_status_line_is_computed_from_the_state(states, words):
    clean = tuple(r.ChannelQuality(rms=1.0) for _ in range(4))
    streams = tuple(
        emg(4, key=name, name=name, state=state, recording=True, age_s=23.4 if state == "lost" else 0.01, quality=clean)
        for name, state in zip(("emg", "hand"), states, strict=True)
    )
    assert text(status_line(frame(recording(streams=streams)))).strip() == words


def test_rec_with_fewer_streams_is_amber_and_with_none_loud():
    def style(*states: str) -> str:
        streams = tuple(
            emg(4, key=f"{i}", name=f"emg{i}", state=state, recording=True) for i, state in enumerate(states)
        )
        return next(style for words, style in state_line(frame(recording(streams=streams)), 80) if "REC" in words)

    assert style("live", "live") == "bold $rec-ink on $rec"
    assert style("live", "lost") == "bold reverse $text-warning"
    assert "blink" in style("lost", "lost")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, "-"), (39_700, "11 h"), (2_700, "45 m"), (50, "50 s"), (900_000, "10 d"), (9e9, "999d")],
)
def test_time_left_takes_four_characters_at_most(seconds, words):
    assert f.span_left(seconds) == words


@pytest.mark.parametrize(
    ("n", "words"), [(0, "0 B"), (999, "999 B"), (29_000_000, "29 MB"), (1_234_000_000, "1.2 GB"), (999_600, "1.0 MB")]
)
def test_sizes(n, words):
    assert f.size(n) == words


@pytest.mark.parametrize(("n", "words"), [(0, "0"), (3100, "3100"), (106_500, "106.5 k"), (12_000_000, "12.0 M")])
def test_counts(n, words):
    assert f.count(n) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [(48.23, "48.2"), (0.0, "0.0"), (0.05, "0.050"), (1640.0, "1640.0"), (25_000, "25000"), (float("nan"), "-")],
)
def test_amplitudes(value, words):
    assert f.amplitude(value) == words


def test_text_is_cut_and_padded_to_cells_not_characters():
    assert fit("subject", 4) == "sub…"
    assert fit("脳波", 5) == "脳波 "
    assert width_of(line(fit("脳波計測", 5))) == 5
    assert text(spread(line("left"), line("right"), 12)) == "left   right"
    assert text(spread(line("too long"), line("right"), 8)) == "to…right"
    assert text(cut(line("ab", "cdef"), 4)) == "abc…"
    assert width_of(rule("emg", 30)) == 30


def test_labels_are_drawn_where_they_were_with_key_and_bar():
    labels = [r.LabelStatus(timestamp=t, class_index=i) for t, i in ((0.0, 2), (10.0, 0), (15.0, -1))]
    spans = label_strip(labels, 0.0, 20.0, 20, lambda i: "123"[i])
    assert text(spans) == "│3━━━━━━━━│1━━━│····"
    assert [style for _, style in spans] == ["$gesture-2", "$gesture-0", FAINT]


def test_a_label_that_began_before_the_window_has_no_edge_in_it():
    labels = [r.LabelStatus(timestamp=-5.0, class_index=1), r.LabelStatus(timestamp=8.0, class_index=0, bad=True)]
    assert text(label_strip(labels, 0.0, 10.0, 10, lambda i: "12"[i])) == "2━━━━━━━│1"


def test_time_before_the_recording_and_after_the_present_is_blank():
    strip = label_strip([], 0.0, 10.0, 10, str, began=2.0, end=8.0)
    assert text(strip) == "  ······  "


@pytest.mark.parametrize("seconds", [1, 2, 5, 10, 20, 30, 60])
@pytest.mark.parametrize("cells", [30, 56, 112])
def test_the_axis_fits_and_ends_now(seconds, cells):
    axis = time_axis(seconds, cells)
    assert len(axis) == cells
    assert axis.endswith("now")
    assert "-" in axis


@pytest.mark.parametrize("width", [60, 80, 120, 160, 200])
def test_every_cell_of_the_stream_table_is_as_wide_as_its_column_and_all_fit(width):
    shown = columns(width)
    assert sum(column.width for column in shown) <= width
    long = emg(key="x", name="a very long stream name", state="lost", measured_fs=None, age_s=12.4)
    for stream in (emg(), hand(), long):
        for column in shown:
            assert column.width - 1 <= width_of(column.line(StreamRow(stream, (1.0,) * 60))) <= column.width
    assert ("trend" in [column.key for column in shown]) == (width >= 120)


def test_the_sparkline_ends_at_the_right_and_is_red_where_nothing_came():
    spark = sparkline([0.0, 8.0, float("nan"), 8.0], 6)
    assert text(spark) == "  ▁█▁█"
    assert [style for words, style in spark if words == "▁" and "error" in style] == ["bold $text-error"]


def test_needs_you_puts_errors_first_and_counts_what_does_not_fit():
    problems = [r.Problem(severity=s, subject=s, text="x" * 20) for s in ("info", "warning", "error")] * 4
    rows = [text(spans) for spans in needs_you(problems, 80, 6)]
    assert rows[1].startswith(" ✗ error")
    assert len(rows) == 6
    assert "more" in rows[-1]
    assert needs_you([], 80, 6) == []


@pytest.mark.parametrize("width", [24, 34, 49, 50, 80])
def test_what_needs_you_can_be_read_to_the_end_at_any_width(width):
    words = "no data for 12.4 s; searching on glove-pi, and for one of the same source_id elsewhere"
    rows = [text(spans) for spans in needs_you([r.Problem(severity="error", subject="glove", text=words)], width, 20)]
    assert all(len(line.rstrip()) <= width for line in rows)
    assert " ".join(words.split()) in " ".join(" ".join(rows).split())


def shown_now(status, width=80):
    now = now_of(frame(status), width)
    return "\n".join(text(row) for row in now.rows) + f"\n{now.digits}"


def test_a_protocol_shows_cue_countdown_and_what_comes_next():
    protocol = r.ProtocolStatus(
        name="grasp-6", state="running", cue=12, n_cues=48, class_index=1, cue_seconds=5.0, cue_elapsed_s=3.4,
        next_class_index=0, elapsed_s=46, total_s=192, seed=7,
    )  # fmt: skip
    for words in (" 2 FIST ", "NEXT  1 Rest", "1.6 s", "cue 12 of 48", "00:46 of 03:12", "seed 7"):
        assert words in shown_now(recording(protocol=protocol))
    assert now_of(frame(recording(protocol=protocol)), 80).share == pytest.approx(0.68)


def test_after_the_last_cue_it_says_done_and_what_saves():
    protocol = r.ProtocolStatus(name="grasp-6", state="done", n_cues=48)
    assert "DONE   x ⏎ saves take 04" in shown_now(recording(protocol=protocol))


def test_ready_waits_for_what_is_required():
    assert "READY" in shown_now(idle())
    missing = r.StreamStatus(key="m", name="markers", state="wanted", required=True, record=True)
    assert "WAITING   for markers" in shown_now(idle(streams=(emg(), missing)))
    assert "READY" not in shown_now(idle(streams=(emg(), missing)))
    for none in ((), (emg(record=False),)):
        assert "NO STREAM" in shown_now(idle(streams=none))
        assert "READY" not in shown_now(idle(streams=none))


@pytest.mark.parametrize(
    ("environ", "utf8"),
    [
        ({}, True),
        ({"LANG": "C"}, False),
        ({"LANG": "C", "LC_CTYPE": "C.UTF-8"}, False),  # what Python makes of LANG=C
        ({"LANG": "C.UTF-8"}, True),
        ({"LANG": "en_US.UTF-8", "LC_ALL": "C"}, False),
        ({"LANG": "C", "LC_ALL": "de_DE.utf8"}, True),
        ({"LANG": "en_US.ISO-8859-1"}, False),
        ({"TERM": "linux"}, False),
    ],
)
def test_utf8_is_told_by_the_locale(environ, utf8):
    assert terminal_is_utf8(environ) is utf8


def test_ascii_text_is_as_long_as_the_text_it_stands_for():
    words = "● REC ▸ ⣿⠒⠤ ━━│┊ ±500 µV … ✗ ▲ ⏎ é 脳"
    ascii_words = to_ascii(words)
    assert ascii_words.isascii()
    assert len(ascii_words) == len(words)


def _letters_of(path: Path) -> set[str]:
    """The letters of all strings of a module, but of those that document it and of patterns."""
    nodes = list(ast.walk(ast.parse(path.read_text())))
    documents = {id(one.value) for one in nodes if isinstance(one, ast.Expr)}
    patterns = {id(one) for call in nodes if isinstance(call, ast.Call) and "compile" in ast.unparse(call.func)
                for one in ast.walk(call)}  # fmt: skip
    texts = (one for one in nodes if isinstance(one, ast.Constant) and id(one) not in documents | patterns)
    return {letter for one in texts if isinstance(one.value, str) for letter in one.value}


def test_whatever_the_screens_write_has_a_likeness_in_ascii():
    folder = Path(myogestic_tui.__file__).parent
    paths = [*folder.glob("tui/**/*.py"), *folder.glob("widgets/*.py")]
    letters = set().union(*(_letters_of(path) for path in paths if path.name != "keys.py"))  # what is typed there
    letters |= {letter for segment in Digits("0123456789.").render(Style()) for letter in segment.text}
    assert set("⏎╷╭") <= letters
    assert [letter for letter in sorted(letters) if letter != "?" and to_ascii(letter) == "?"] == []


def test_the_enter_key_is_named_in_ascii_and_the_row_stays_as_wide():
    row = [Segment(" ⏎ save  "), Segment("esc cancel"), Segment(" " * 8)]
    made = AsciiFilter().apply(row, Color.parse("black"))
    assert "".join(segment.text for segment in made) == " enter save  esc cancel    "


def test_a_stream_that_the_recording_lacks_is_named_in_the_status_line():
    status = recording(streams=(emg(recording=True),))
    lacking = REPLACE(status, session=REPLACE(status.session, expected=("emg", "glove")))
    assert text(status_line(frame(lacking))).startswith(" ▲ recording 1 of 2 · glove not in it")


def test_streams_that_have_no_room_are_called_clean_only_where_all_of_them_were_judged():
    clean = [emg(name=f"emg {i}", quality=(r.ChannelQuality(),) * 64) for i in range(5)]
    assert text(quality_lines(clean, 60, 3)[-1]) == " … and 3 more without faults"
    gone = [emg(name=f"gone {i}", state="lost", quality=()) for i in range(4)]
    rows = [text(row) for row in quality_lines([*clean, *gone], 60, 3)]
    assert rows[0].startswith(" gone 0  nothing comes")
    assert rows[-1] == " … and 7 more"


def test_a_row_that_does_not_fit_says_that_it_goes_on():
    assert text(cut(line("0 of 13 live; ", "missing: glove"), 20)) == "0 of 13 live; missi…"


def test_blanks_at_the_end_of_a_row_are_nothing_that_is_cut():
    assert text(cut(line("noted", "   ", "    "), 6)) == "noted"
    assert text(cut(line("noted", "   ", "now"), 6)) == "noted…"


def test_clock_times_are_those_of_the_wall():
    now, before = time.monotonic(), int(time.time())
    told, after = Frame(idle(), at=now).clock(now), int(time.time())
    assert told in {time.strftime("%H:%M:%S", time.localtime(at)) for at in range(before, after + 1)}


def test_a_clock_time_is_the_same_however_late_its_snapshot_is_drawn():
    """A trial at the edge of a second had another time in every frame of a busy machine."""
    snapshots = [Frame(idle(), at=100.0 + late, taken=1e9 + late) for late in (0.0, 0.3, 0.9)]
    assert len({one.clock(99.999) for one in snapshots}) == 1
    assert snapshots[0].clock(100.0) == time.strftime("%H:%M:%S", time.localtime(1e9))


@pytest.mark.parametrize(("gaps", "words"), [(0, "  0 gaps "), (1, "   1 gap "), (12, " 12 gaps ")])
def test_gaps_are_counted_in_a_fixed_field(gaps, words):
    session = REPLACE(recording().session, gaps=gaps)
    assert text(counter_line(frame(recording(session=session)), 80)).endswith(words)


def test_at_80_columns_a_number_of_the_header_has_its_word():
    gestures = tuple(r.GestureStatus(name=name) for name in ("Rest", "Fist"))
    whole = text(state_line(frame(recording(gestures=gestures)), 80))
    assert re.search(r"disk +\S+ [dhms] $", whole)
    gone = (emg(recording=True), hand(recording=True, state="lost"))
    fewer = text(state_line(frame(recording(gestures=gestures, streams=gone)), 80))
    assert fewer.endswith("1/2 live ")
    assert len(whole) == len(fewer) == 80


@pytest.mark.parametrize("width", [60, 78, 80, 118])
def test_beside_or_beneath_its_streams_no_class_of_a_session_is_cut(width):
    streams = {"forearm": StreamSummary(n_channels=64, dtype="float32", fs=2048.0, n_samples=413_312)}
    labels = {"Rest": 41, "Fist": 14, "Wrist flexion": 13}
    one = Entry(
        summary=Summary(
            path="s", state="packed", created="2026-05-17T14:23:05", name="s", streams=streams, labels=labels
        )
    )
    rows = [text(row) for row in short_details(one, Looked(), frame(idle()), width)]
    assert all(any(name in row for row in rows) for name in labels)
    assert any("413 312  0 gaps" in row for row in rows)
    assert max(map(len, rows)) <= width


@pytest.mark.parametrize("width", [40, 80])
def test_why_the_recorder_stopped_is_told_in_whole_sentences(width):
    why = "the disk reached its reserve (60 MB); what was recorded until then is complete"
    stopped = r.StopStatus(session="s", text=why, at=AT, take=3)
    rows = [text(row) for row in now_of(frame(idle(stopped=stopped)), width).rows]
    told = " ".join(" ".join(row.split()) for row in rows[1:-1])
    assert told == why if width == 80 else told.endswith("…")
    assert rows[-1].split() == ["take", "03", "is", "saved", "⏎", "understood"]
    assert len(rows) == 4
    assert max(map(len, rows[1:])) <= width


def test_problems_are_told_in_whole_sentences_as_far_as_there_is_room():
    long = "no data for 4.8 s, counted as lost (4,766 samples so far); searching on vm, and on all other hosts"
    problems = [
        r.Problem(severity="warning", subject="imu", text="91.7 Hz for 40 s"),
        r.Problem(severity="error", subject="arm", text=long),
        r.Problem(severity="info", subject="x", text="y"),
    ]
    rows = [text(row) for row in problem_lines(problems, 80, 4)]
    assert " ".join(" ".join(row.split()) for row in rows[:2]) == f"✗ arm: {long}"
    assert rows[2:] == [" ▲ imu: 91.7 Hz for 40 s"]
    rows = [text(row) for row in problem_lines(problems, 80, 2)]
    assert rows[0].endswith("…")
    assert rows[1:] == [" ▲ imu: 91.7 Hz for 40 s"]
    assert not any("imu" in text(row) for row in problem_lines(problems, 80, 4, 1))
    assert max(len(row) for row in rows) <= 80


def test_the_trend_of_a_signal_is_its_rms_and_nothing_until_that_is_known():
    """How many samples came in the first second stood beside microvolts, and dwarfed them for a minute."""
    trends = Trends()
    markers = {"key": "markers", "n_channels": 1, "dtype": "string", "fs": 0.0, "quality": ()}
    for second, quality in enumerate(((), (), (r.ChannelQuality(rms=8.0, peak=20.0),))):
        signal = emg(1, quality=quality, n_samples=2048 * second)
        trends.take(idle(at=AT + second, streams=(signal, emg(**markers, n_samples=3 * second))))
    assert trends.of("emg") == (8.0,)
    assert trends.of("markers") == (0.0, 3.0, 3.0)


def test_details_of_a_stream_tell_its_grids_and_single_electrodes():
    montage = ("flexors: 13x5, left flexors, 8 mm, channels 1-64", "left biceps brachii: single electrode, channel 65")
    rows = [text(row) for row in details(emg(65, montage=montage), 80, whole=True)]
    assert [row.strip() for row in rows if row.startswith(" grid ")] == [f"grid     {words}" for words in montage]
    assert not any(row.startswith(" grid ") for row in map(text, details(emg(65), 80, whole=True)))


def test_many_classes_of_a_session_leave_room_for_what_a_verification_found():
    """In one column beside a single stream six of them left five blank rows, and the damage had no room under them."""
    labels = dict.fromkeys(("Rest", "Fist", "Pinch", "Open", "Point", "Wrist up"), 3)
    streams = {"emg": StreamSummary(n_channels=64, dtype="float32", fs=2048.0, n_samples=31_554)}
    found = Verified(level="full", ok=False, findings=[Finding(kind="damage", text="chunk 3 does not decode")])
    summary = Summary(path="s", state="damaged", name="s", streams=streams, labels=labels, verified=found)
    rows = [text(row) for row in short_details(Entry(summary=summary), Looked(), frame(idle()), 80)]
    assert "chunk 3 does not decode" in rows[4]
    assert not any("0.0 s" in row for row in rows), "nobody has read yet how long they were"
    assert all(any(name in row for row in rows) for name in labels)
    many = dict.fromkeys(("emg", "arm", "hand", "imu", "force"), streams["emg"])
    one = Entry(summary=REPLACE(summary, streams=many))
    rows = [text(row) for row in short_details(one, Looked(), frame(idle()), 80)]
    assert "Rest" in rows[1], "beside the streams where those are as many"


@pytest.mark.parametrize(("gaps", "words"), [(None, "gaps unknown"), (0, "0 gaps"), (1, "1 gap"), (2, "2 gaps")])
def test_gaps_that_an_older_archive_does_not_tell_are_unknown(gaps, words):
    stream = StreamSummary(n_channels=8, dtype="float32", fs=1000.0, n_samples=4000, gaps=gaps)
    assert text(stream_row("forearm", stream, None)).endswith(f" {words}")
