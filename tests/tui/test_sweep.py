"""A picture that is written over in place: where now is, how old the rest is, and that nothing else is shown."""

from __future__ import annotations

import re
import threading

import numpy as np
import pytest
from scripted import REPLACE, ScriptedRecorder, emg, idle, recording

from myogestic_tui.app.interface import LabelStatus
from myogestic_tui.tui.viewer import Viewer
from myogestic_tui.widgets.heat import Levels
from myogestic_tui.widgets.label_timeline import time_axis
from myogestic_tui.widgets.signal_display import SignalView
from myogestic_tui.widgets.sweep import GAP, LINE, Sweep


def text(line):
    return "".join(part for part, _ in line)


def swept(newest, columns=10, each=2, filled=2, seconds=10.0, held=False):
    return Sweep(newest, columns, each, filled, seconds, held)


def drawn(sweep, numbers):
    """Cells with the numbers of their columns, those under line and gap left out."""
    cells = np.full(sweep.cells, -1)
    cells[sweep.places(len(numbers))] = np.repeat(numbers, sweep.each)
    return cells


@pytest.mark.parametrize("newest", range(37, 60))
def test_each_column_has_its_place_for_good_and_the_oldest_are_under_the_gap(newest):
    sweep = swept(newest)
    placed = drawn(sweep, np.arange(newest - 9, newest + 1))
    assert all(placed[2 * (n % 10)] == placed[2 * (n % 10) + 1] == n for n in range(newest - 9, newest + 1))
    assert placed[sweep.line - 1] == newest
    assert set(placed[sweep.line : sweep.line + GAP].tolist()) == {newest - 9}


def test_of_the_newest_column_only_the_time_that_has_come_is_drawn():
    sweep = swept(43, each=6, filled=2)
    assert (sweep.line, sweep.after) == (20, 24)


def test_a_picture_has_only_columns_made_anew_that_came_since():
    cells = np.full(20, -1)
    before = None
    for newest, n_new in ((37, 10), (37, 1), (38, 2), (41, 4), (60, 10), (59, 10)):
        sweep = swept(newest)
        assert sweep.recent(before) == n_new
        cells[sweep.places(n_new)] = np.repeat(np.arange(newest - n_new + 1, newest + 1), 2)
        assert cells.tolist() == drawn(sweep, np.arange(newest - 9, newest + 1)).tolist()
        before = sweep
    assert swept(60, columns=12).recent(before) == 12
    assert swept(60, held=True).recent(before) == 10
    assert swept(60, held=True).recent(swept(60, held=True)) == 1
    assert swept(61, held=True).recent(swept(60, held=True)) == 10


def test_a_view_that_is_held_runs_from_left_to_right():
    sweep = swept(43, held=True)
    assert sweep.places(10).tolist() == list(range(20))
    assert text(sweep.axis("held")).endswith("held")


@pytest.mark.parametrize("cells", [24, 45, 70, 93])
@pytest.mark.parametrize("seconds", [1.0, 5.0, 10.0, 30.0])
def test_the_axis_tells_the_age_of_every_place(seconds, cells):
    for line in range(cells):
        for behind in (0.0, 0.31 * seconds):
            end = f"-{behind:.1f} s" if behind else "now"
            axis = time_axis(seconds, cells, end=end, line=line, after=min(line + GAP, cells), behind=behind)
            assert len(axis) == cells
            assert axis[line] == LINE
            rest = axis.replace(end, " " * len(end), 1)
            for tick in re.finditer(r"-([0-9.]+)", rest):
                back = (line - tick.start()) % cells
                assert abs(back / cells * seconds + behind - float(tick[1])) <= 1.01 * seconds / cells
            assert end in axis or cells - line <= len(end)


def test_labels_stand_where_they_were_on_both_sides_of_the_line():
    labels = [LabelStatus(timestamp=at, class_index=i) for i, at in enumerate((32.0, 36.0, 41.0, 43.0))]
    sweep = swept(43, each=4, filled=4, columns=10)
    line = text(sweep.labels(labels, 34.0, lambda index: "1234"[index]))
    assert len(line) == 40
    assert line[:16] == "2━━━│3━━━━━━│4━━"
    assert line[16] == LINE
    assert line[18:] == "1━━━━━│2━━━━━━━━━━━━━━"
    sweep = swept(49, each=4, filled=4)
    assert text(sweep.labels(labels, 40.0, lambda index: "1234"[index])).startswith(LINE)


def test_complete_columns_keep_their_step_and_the_growing_one_follows_what_comes():
    rng = np.random.default_rng(3)
    rms = rng.uniform(5, 300, (4, 60)).astype(np.float32)
    whole, levels = None, Levels()
    for newest in range(20, 60):
        part = rms[:, newest - 19 : newest + 1].copy()
        for growing in (0.3, 0.9, 1.0):
            part[:, -1] = rms[:, newest] * growing
            steps = levels.take(part, 320.0, swept(newest, columns=20))
        if whole is not None:
            assert (steps[:, :-1] == whole[:, 1:]).all()
        whole = steps.copy()
    jumped = levels.take(rms[:, :20], 320.0, swept(500, columns=20))
    assert jumped.shape == (4, 20)


def test_a_column_in_which_nothing_came_has_no_step():
    rms = np.full((2, 10), 50.0, np.float32)
    rms[:, 4:7] = np.nan
    steps = Levels().take(rms, 320.0, swept(9))
    assert (steps[:, 4:7] == -1).all()
    assert (np.delete(steps, [4, 5, 6], axis=1) > 0).all()


class Moving(ScriptedRecorder):
    """Values that depend on channel and time alone, in columns that lie on the grid of time."""

    def envelope(self, view):
        width, every = view.seconds / view.columns, view.rms_every or 1
        last = int(self.now.at / width)
        end = last // every * every + every
        numbers = np.arange(end - view.columns, end)
        channels = np.arange(view.first_channel, view.first_channel + view.n_channels)[:, None]
        high = (10 + 3 * channels + 40 * np.abs(np.sin(numbers * width + channels))).astype(np.float32)
        rms = high[:, ::every] / 2
        high[:, numbers > last] = np.nan
        extremes = {} if view.rms else {"low": (-high).tobytes(), "high": high.tobytes()}
        start = float(numbers[0] * width)
        return REPLACE(super().envelope(view), start=start, rms=rms.tobytes(), **extremes)


@pytest.mark.parametrize("keys", ["", "i"])
@pytest.mark.parametrize("size", [(80, 24), (160, 50)])
async def test_a_picture_made_of_new_columns_is_the_one_that_is_made_at_once(stage, keys, size, monkeypatch):
    monkeypatch.setattr("myogestic_tui.widgets.signal_display._WHOLE_SECONDS", 1e9)
    monkeypatch.setattr("myogestic_tui.widgets.signal_display._NUMBERS_SECONDS", 1e-3)
    recorder = Moving(idle(streams=(emg(),), at=1000.0))
    async with stage(recorder, screen="live", size=size) as it:
        await it.press(*keys)
        for _ in range(40):
            recorder.change(at=recorder.now.at + 0.13)
            it.viewer.refresh_frame()
        await it.settle()
        swept_over, signal = it.rows()[3:-2], it.viewer.screen.query_one(SignalView)
        assert any("│" in row for row in swept_over)
        signal.blank()
        await it.settle()
        assert it.rows()[3:-2] == swept_over


class Steady(Moving):
    """A recorder that answers with the same envelope until another one came, as one at the end of a socket."""

    def __init__(self, status):
        super().__init__(status)
        self.newest = {}

    def envelope(self, view):
        if view not in self.newest:
            self.newest[view] = super().envelope(view)
        return self.newest[view]


@pytest.mark.parametrize("keys", ["", "i", "ii", ["enter"]])
async def test_a_picture_is_drawn_where_anything_of_it_is_new_and_only_then(stage, keys, monkeypatch):
    drawn = []
    draw = SignalView._draw
    monkeypatch.setattr(SignalView, "_draw", lambda view, *about: (drawn.append(about), draw(view, *about))[1])
    recorder = Steady(idle(streams=(emg(),), at=1000.0))
    async with stage(recorder, screen="live", size=(160, 50)) as it:
        monkeypatch.setattr(it.viewer, "frame_due", lambda: None)  # no frames but those of the test
        await it.press(*keys)

        def frames(n=5):
            drawn.clear()
            for _ in range(n):
                it.viewer.refresh_frame()
            return len(drawn)

        def changed(**fields):
            (stream,) = recorder.now.streams
            recorder.change(streams=(REPLACE(stream, **fields),))

        frames()
        assert frames() == 0
        recorder.newest.clear()
        assert frames() == 1
        quality = recorder.now.streams[0].quality
        changed(quality=(REPLACE(quality[0], flags="C"), *quality[1:]))
        assert frames() == 1
        changed(n_samples=77, gaps=1)
        assert frames() == 0
        changed(state="lost")
        assert frames() == 1
        recorder.change(at=1000.4)  # nothing came, and time goes on: what was now is so many seconds ago
        assert frames() == 1
        await it.press("+")
        assert len(drawn) > 1
        await it.settle()
        before = it.rows()[1:]  # the first has the time of day
        it.viewer.theme = "textual-light"
        await it.settle()
        assert it.rows()[1:] == before


async def test_an_envelope_brings_a_frame_and_nothing_else_is_waited_for(stage, monkeypatch):
    frames = []
    monkeypatch.setattr(Viewer, "rate", lambda _: 1e-3)
    monkeypatch.setattr(Viewer, "frame_due", lambda viewer: (frames.append(1), viewer.refresh_frame()))
    recorder = Moving(idle(streams=(emg(),), at=1000.0))
    recorder.on_envelope = lambda: None
    async with stage(recorder, screen="live", size=(160, 50)) as it:
        for _ in range(3):
            frames.clear()
            thread = threading.Thread(target=recorder.on_envelope)
            thread.start()
            await it.until(lambda: frames)
            thread.join()


async def test_screens_look_at_a_recorder_that_tells_of_envelopes_only_as_often_as_one_does(stage):
    remote = ScriptedRecorder(recording())
    remote.on_envelope = lambda: None
    async with stage(remote, screen="live") as it:
        assert it.viewer.rate() < it.viewer.pacer.fps
    async with stage(ScriptedRecorder(recording()), screen="live") as it:
        assert it.viewer.rate() == it.viewer.pacer.fps
