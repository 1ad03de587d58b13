"""Rows, numbers and strips: fixed fields, steady columns, ASCII where nothing else shows."""

from __future__ import annotations

import time

import pytest
from scripted import REPLACE, emg, hand, idle, recording

from myogestic_tui.app import recorder as r
from myogestic_tui.widgets import format as f
from myogestic_tui.widgets.frame import Frame
from myogestic_tui.widgets.glyphs import terminal_is_utf8, to_ascii
from myogestic_tui.widgets.headrows import header_rows
from myogestic_tui.widgets.record import record_rows
from myogestic_tui.widgets.spans import cut, fit, row, rule, spread, width_of
from myogestic_tui.widgets.streams import needs_you, stream_table
from myogestic_tui.widgets.timeline import label_strip, time_axis


def text(spans):
    return "".join(span.text for span in spans)


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
        rows = header_rows(frame(REPLACE(status, session=session), fps=10.0 - (tenth % 5)), width)
        assert [width_of(spans) for spans in rows] == [width] * 3
        seen.add("\n".join("".join("0" if c.isdigit() else c for c in text(spans)) for spans in rows))
    # figures are right-aligned in fixed fields, so blanks in front of them turn into digits and nothing else changes
    shapes = [list(shape) for shape in seen]
    for letters in zip(*shapes, strict=True):
        assert set(letters) <= {"0", " "} or len(set(letters)) == 1


@pytest.mark.parametrize("status", [idle(), recording()], ids=["idle", "recording"])
@pytest.mark.parametrize("width", [20, 30, 40, 50, 60, 72, 79, 80, 160])
def test_the_header_fills_its_width_and_names_the_state_at_any_width(status, width):
    rows = header_rows(frame(status), width)
    assert [width_of(spans) for spans in rows] == [width] * 3
    assert ("REC" if status.state == "recording" else "IDLE") in text(rows[1])
    if width >= 40 and status.state == "recording":
        assert "2 Fist" in text(rows[1])


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
    assert width_of([*row(fit("脳波計測", 5))]) == 5
    assert text(spread(row("left"), row("right"), 12)) == "left   right"
    assert text(spread(row("too long"), row("right"), 8)) == "tooright"
    assert text(cut(row("ab", "cd"), 3)) == "abc"
    assert width_of(rule("emg", 30)) == 30


def test_labels_are_drawn_where_they_were_with_key_and_bar():
    labels = [r.LabelStatus(timestamp=t, class_index=i) for t, i in ((0.0, 2), (10.0, 0), (15.0, -1))]
    spans = label_strip(labels, 0.0, 20.0, 20, lambda i: "123"[i])
    assert text(spans) == "│3━━━━━━━━│1━━━│····"
    assert [span.style for span in spans] == ["g2", "g0", "faint"]


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


@pytest.mark.parametrize("width", [80, 120, 160, 200])
def test_every_row_of_the_stream_table_is_as_wide_as_the_screen_and_columns_line_up(width):
    streams = [emg(), hand(), emg(key="x", name="a very long stream name", state="lost", measured_fs=None, age_s=12.4)]
    rows = stream_table(streams, 0, width)
    assert all(width_of(spans) <= width for spans in rows)
    heading = text(rows[0])
    for spans in rows[1:3]:
        assert text(spans)[: heading.index("NOW Hz") + 6].rstrip()[-1].isdigit()


def test_needs_you_puts_errors_first_and_counts_what_does_not_fit():
    problems = [r.Problem(severity=s, subject=s, text="x" * 20) for s in ("info", "warning", "error")] * 4
    rows = [text(spans) for spans in needs_you(problems, 80, 6)]
    assert rows[1].startswith(" ✗ error")
    assert len(rows) == 6
    assert "more" in rows[-1]
    assert needs_you([], 80, 6) == []


@pytest.mark.parametrize("width", [24, 34, 49, 50, 80])
def test_what_needs_you_can_be_read_to_the_end_at_any_width(width):
    words = "nothing for 12.4 s; looking for it on glove-pi, and for one of the same source_id elsewhere"
    rows = [text(spans) for spans in needs_you([r.Problem(severity="error", subject="glove", text=words)], width, 20)]
    assert all(len(line.rstrip()) <= width for line in rows)
    assert " ".join(words.split()) in " ".join(" ".join(rows).split())


@pytest.mark.parametrize("n_gestures", [0, 1, 4, 10, 36])
@pytest.mark.parametrize("size", [(80, 19), (40, 5), (160, 45), (30, 3)])
def test_the_record_body_fits_and_keeps_the_active_gesture_in_view(n_gestures, size):
    width, height = size
    names = tuple(r.GestureStatus(name=f"Gesture {i}", trials=i) for i in range(n_gestures))
    status = recording(gestures=names, current_label=n_gestures - 1)
    rows = record_rows(frame(status), width, height)
    assert len(rows) <= height
    if n_gestures and height > 10:
        assert any("▶" in text(spans) for spans in rows)


def test_a_protocol_shows_cue_countdown_and_what_comes_next():
    protocol = r.ProtocolStatus(
        name="grasp-6", state="running", cue=12, n_cues=48, class_index=1, cue_seconds=5.0, cue_elapsed_s=3.4,
        next_class_index=0, elapsed_s=46, total_s=192, seed=7,
    )  # fmt: skip
    shown = "\n".join(text(spans) for spans in record_rows(frame(recording(protocol=protocol)), 80, 19))
    for words in (" 2 FIST ", "NEXT  1 Rest", "1.6 s", "3.4 / 5.0 s", "cue 12 of 48", "00:46 of 03:12", "seed 7"):
        assert words in shown


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
    line = "● REC ▸ ⣿⠒⠤ ━━│┊ ±500 µV … ✗ ▲ ⏎ é 脳"
    plain = to_ascii(line)
    assert plain.isascii()
    assert len(plain) == len(line)


def test_clock_times_are_those_of_the_wall():
    now = time.monotonic()
    assert f.clock(now, now) == time.strftime("%H:%M:%S")
