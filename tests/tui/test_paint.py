"""What is painted cell by cell is what a full redraw would show, and no more than what changed is written."""

from __future__ import annotations

import random
import string

import pyte
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scripted import REPLACE, ScriptedRecorder, idle, recording

from myogestic_tui.tui.stage import Stage
from myogestic_tui.widgets.spans import changed_cells, row, slice_cells, width_of


class Mirror:
    """A terminal that gets what the stage writes."""

    def __init__(self, it) -> None:
        self.it = it
        self.screen = pyte.Screen(*it.viewer.size)
        self.stream = pyte.Stream(self.screen)
        self.stream.feed("\r\n".join(it.rows()))
        self.n_bytes = 0

    def paint(self, stage: Stage) -> None:
        """In place of `Stage.paint`."""
        changed, stage._changed = stage._changed, {}
        text = "".join(stage._sequences(changed))
        self.n_bytes += len(text.encode())
        self.stream.feed(text)


@pytest.mark.parametrize("size", [(80, 24), (160, 50)])
@pytest.mark.parametrize("screen", ["streams", "live", "record", "sessions"])
async def test_painted_cells_leave_the_screen_that_a_full_redraw_shows(stage, monkeypatch, screen, size):
    recorder = ScriptedRecorder(recording())
    async with stage(recorder, screen=screen, size=size) as it:
        mirror = Mirror(it)
        monkeypatch.setattr(Stage, "paint", lambda self: mirror.paint(self))
        choose = random.Random(7)
        for _ in range(30):
            change(recorder, choose)
            it.viewer.refresh_status()
            it.viewer.redraw()
            if choose.random() < 0.5:
                it.viewer.run_command(choose.choice(KEYS[screen]), 0.0)
            it.viewer.say("".join(choose.choices(string.ascii_letters, k=choose.randrange(60))))
        it.viewer.redraw()
        assert mirror.n_bytes
        assert [line.rstrip() for line in mirror.screen.display] == [line.rstrip() for line in it.rows()]


KEYS = {
    "streams": ["streams.up", "streams.down", "streams.details"],
    "live": ["live.down", "live.page_down", "live.gain_up", "live.shorter", "live.zoom", "live.longer"],
    "record": ["note"],
    "sessions": ["sessions.order"],
}


def change(recorder, choose) -> None:
    """Another instant."""
    session = REPLACE(recording().session, elapsed_s=choose.uniform(0, 9e3), label_seconds=choose.uniform(0, 99))
    streams = tuple(REPLACE(s, age_s=choose.random() * 20, n_samples=choose.randrange(10**7)) for s in idle().streams)
    recorder.change(session=session, streams=streams, current_label=choose.randrange(-1, 4))


async def test_a_digit_that_changes_costs_a_few_bytes(stage, monkeypatch):
    recorder = ScriptedRecorder(recording())
    async with stage(recorder, screen="streams") as it:
        mirror = Mirror(it)
        monkeypatch.setattr(Stage, "paint", lambda self: mirror.paint(self))
        recorder.change(session=REPLACE(recorder.now.session, label_seconds=3.5))
        it.viewer.refresh_status()
        it.viewer.redraw()
        assert 0 < mirror.n_bytes < 80


texts = st.text(alphabet="ab ●⠶脳é", max_size=8)
spans = st.lists(st.tuples(texts, st.sampled_from(["", "dim"])), max_size=5).map(lambda parts: row(*parts))


@settings(max_examples=200, deadline=None)
@given(spans, spans)
def test_cells_outside_of_the_change_are_alike(old, new):
    width = max(width_of(old), width_of(new), 1)
    changed = changed_cells(old, new, width)
    before, after = cells_of(old, width), cells_of(new, width)
    if changed is None:
        assert before == after
    else:
        first, last = changed
        assert before[:first] == after[:first]
        assert before[last:] == after[last:]


def cells_of(spans, width):
    """One (character, style) per cell."""
    cells = []
    for span in spans:
        for i in range(width_of([span])):
            cells.append((slice_cells(span.text, i, i + 1), span.style, i, span.text if "脳" in span.text else ""))
    plain = [(letter, style if letter != " " or style else "") for letter, style, _, _ in cells]
    return plain + [(" ", "")] * (width - len(plain))


@given(texts, st.integers(0, 12), st.integers(0, 12))
def test_a_slice_of_cells_is_as_wide_as_asked(text, first, last):
    width = width_of(row(text))
    assert width_of(row(slice_cells(text, first, last))) == max(min(last, width) - first, 0)
