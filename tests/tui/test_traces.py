"""Envelope drawing: golden rows against a plain reference, and nothing that happened is ever invisible."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from myogestic_tui.app.interface import ChannelQuality
from myogestic_tui.widgets.amplitude_scale import AutoScale, cut_channels, nice_scale, step_scale
from myogestic_tui.widgets.braille import draw_traces
from myogestic_tui.widgets.heat import columns_of, levels
from myogestic_tui.widgets.spectrum import columns_for, mains, measure
from myogestic_tui.widgets.styled_lines import rich_style
from myogestic_tui.widgets.view_settings import Lens, Loudness, plan, worst_first

DOT_BITS = {
    (0, 0): 0x40,
    (0, 1): 0x04,
    (0, 2): 0x02,
    (0, 3): 0x01,
    (1, 0): 0x80,
    (1, 1): 0x20,
    (1, 2): 0x10,
    (1, 3): 0x08,
}


def texts(codes):
    """Code points as text, by channel and row."""
    return [["".join(map(chr, row)) for row in channel] for channel in codes.tolist()]


def reference(low, high, scale, n_rows):
    """One channel drawn dot by dot."""
    levels = 4 * n_rows
    rows = []
    for at in range(n_rows):
        text = ""
        for cell in range(len(low) // 2):
            bits = 0
            for side in (0, 1):
                bottom, top = low[2 * cell + side], high[2 * cell + side]
                if np.isnan(bottom):
                    continue
                lit = [
                    min(max(int(np.floor((v * np.float32(0.5 / scale) + 0.5) * levels - 0.25)), 0), levels - 1)
                    for v in (bottom, top)
                ]
                for level in range(lit[0], lit[1] + 1):
                    row, dot = n_rows - 1 - level // 4, level % 4
                    if row == at:
                        bits |= DOT_BITS[side, dot]
            text += chr(0x2800 + bits) if bits else " "
        rows.append(text)
    return rows


columns = st.lists(
    st.one_of(
        st.just((np.nan, np.nan)),
        st.tuples(st.floats(-3, 3, width=32), st.floats(-3, 3, width=32)).map(lambda pair: (min(pair), max(pair))),
    ),
    min_size=2,
    max_size=40,
).filter(lambda pairs: len(pairs) % 2 == 0)


@settings(max_examples=150, deadline=None)
@given(columns, st.integers(1, 5), st.sampled_from([0.5, 1.0, 2.0]))
def test_braille_rows_equal_a_dot_by_dot_reference(pairs, n_rows, scale):
    low = np.array([[pair[0] for pair in pairs]], np.float32)
    high = np.array([[pair[1] for pair in pairs]], np.float32)
    assert texts(draw_traces(low, high, scale, n_rows)) == [reference(low[0], high[0], scale, n_rows)]


def test_golden_rows():
    low = np.array([[-1, -0.5, 0, 0, -0.1, np.nan, -2, 0.9]], np.float32)
    high = np.array([[1, 0.5, 0, 0, 0.1, np.nan, 2, 1.0]], np.float32)
    assert texts(draw_traces(low, high, 1.0)) == [["⣷⠤⠄⡏"]]
    assert texts(draw_traces(low, high, 1.0, glyphs="block")) == [["█▁▁█"]]
    assert texts(draw_traces(low, high, 1.0, glyphs="ascii")) == [["@..@"]]


@pytest.mark.parametrize("glyphs", ["braille", "block", "ascii"])
@pytest.mark.parametrize("n_rows", [1, 2, 6])
def test_a_single_column_that_stands_out_is_visible(glyphs, n_rows):
    flat = np.zeros((1, 112), np.float32)
    spike = flat.copy()
    spike[0, 51] = 0.9
    quiet = texts(draw_traces(flat, flat, 1.0, n_rows, glyphs))[0]
    loud = texts(draw_traces(flat, spike, 1.0, n_rows, glyphs))[0]
    changed = {i for before, after in zip(quiet, loud, strict=True) for i in range(56) if before[i] != after[i]}
    assert changed == {25}


@pytest.mark.parametrize("glyphs", ["braille", "block", "ascii"])
def test_columns_without_samples_are_blank_and_all_others_leave_a_mark(glyphs):
    low = np.zeros((2, 8), np.float32)
    low[0, 4:] = np.nan
    rows = texts(draw_traces(low, low, 1.0, 1, glyphs))
    assert rows[0][0][2:] == "  "
    assert all(mark not in " " for mark in rows[0][0][:2] + rows[1][0])


def test_scales_are_one_two_five():
    assert [nice_scale(v) for v in (0.9, 1.0, 1.1, 3, 5.5, 120)] == [1.0, 1.0, 2.0, 5.0, 10.0, 200.0]
    assert step_scale(50, up=True) == 100
    assert step_scale(50, up=False) == 20
    assert step_scale(20, up=False) == 10
    assert step_scale(100, up=False) == 50


def fed(auto, low, high, times, quality=()):
    """The scales that were shown, without repeats."""
    seen = [auto.feed(low, high, float(at), quality) for at in times]
    return [scale for i, scale in enumerate(seen) if i == 0 or scale != seen[i - 1]]


def test_autoscale_grows_soon_and_shrinks_late_and_does_not_jump():
    auto = AutoScale(hold=4.0)
    quiet, loud = np.full((4, 100), 30, np.float32), np.full((4, 100), 300, np.float32)
    assert fed(auto, -quiet, quiet, [0.0]) == [50]
    assert fed(auto, -loud, loud, np.arange(0.1, 1.0, 0.1)) == [50, 500]
    assert fed(auto, -quiet, quiet, np.arange(1.0, 4.9, 0.1)) == [500]
    assert fed(auto, -quiet, quiet, np.arange(4.9, 40.0, 0.1)) == [500, 200, 100, 50]
    wobble = [fed(auto, -quiet * k, quiet * k, [50 + i]) for i, k in enumerate([1.0, 1.3, 0.9, 1.2] * 5)]
    assert wobble == [[50]] * 20


@settings(max_examples=12, deadline=None)
@given(st.floats(0.01, 1e5), st.integers(0, 2**32 - 1))
def test_autoscale_stays_where_it_is_while_the_signal_wavers(level, seed):
    auto, choose = AutoScale(), np.random.default_rng(seed)
    high = np.full((8, 40), level, np.float32)
    auto.feed(-high, high, 0.0)
    shown = fed(auto, -high, high, np.arange(0.1, 5.0, 0.1))
    assert level < shown[0] <= 6 * level
    wavering = [high * np.float32(choose.uniform(0.9, 1.05)) for _ in range(400)]
    assert {auto.feed(-one, one, 5.0 + 0.1 * i) for i, one in enumerate(wavering)} <= {
        shown[0],
        nice_scale(level * 1.25),
    }


def test_autoscale_is_not_led_by_a_channel_that_is_broken_or_marked():
    high = np.full((16, 100), 60, np.float32)
    high[3] = 100_000  # nobody has flagged it yet
    assert AutoScale().feed(-high, high, 0.0) == 100
    high[:8] = 5_000
    flagged = [ChannelQuality(flags="M" if i < 8 else "") for i in range(16)]
    assert AutoScale().feed(-high, high, 0.0) == 10_000
    assert AutoScale().feed(-high, high, 0.0, flagged) == 100
    assert AutoScale().feed(-high[:8], high[:8], 0.0, flagged[:8]) == 10_000, "where all are flagged, all count"


def test_autoscale_shows_most_channels_whole_and_the_loudest_by_a_third_at_least():
    levels = np.array([10, 20, 30, 40, 50, 60, 400, 400], np.float32)
    high = np.repeat(levels[:, None], 100, axis=1)
    scale = AutoScale().feed(-high, high, 0.0)
    assert scale == 200
    assert cut_channels(-high, high, scale) == [False] * 6 + [True] * 2


def test_a_channel_that_the_scale_cuts_is_told_and_one_with_a_spike_is_not():
    low = np.full((3, 100), -40, np.float32)
    low[1, 7], low[2, :10] = -5000, -5000
    assert cut_channels(low, -low, 50) == [False, False, True]


def test_a_channel_keeps_its_step_of_the_ramp_until_it_is_well_beyond_it():
    rms = np.array([5.0, 320.0, 0.0, np.nan], np.float32)
    steps = levels(rms, 320.0, np.full(4, -1))
    assert steps.tolist() == [0, 15, 0, -1]
    step = 64 ** (1 / 16)
    before = levels(np.array([5 * step**3.5], np.float32), 320.0, np.array([-1]))
    assert before.tolist() == [3]
    assert levels(np.array([5 * step**4.3], np.float32), 320.0, before).tolist() == [3]
    assert levels(np.array([5 * step**4.4], np.float32), 320.0, before).tolist() == [4]
    assert levels(np.array([5 * step**2.7], np.float32), 320.0, before).tolist() == [3]


@pytest.mark.parametrize("cells", [30, 35, 70, 150, 190])
@pytest.mark.parametrize("seconds", [1.0, 2.0, 10.0, 30.0])
def test_the_heat_map_moves_by_no_less_than_a_quarter_of_a_second_and_fills_its_cells(cells, seconds):
    n_columns, each = columns_of(cells, seconds)
    assert n_columns == 1 or seconds / n_columns >= 0.25 - 1e-9
    assert cells - each < n_columns * each <= cells or n_columns == 1


def test_loudness_doubles_as_the_signal_needs_it_and_halves_late():
    loud = Loudness()
    loud.feed(100.0, 0.0, "µV")
    assert loud.value == 320.0
    loud.feed(900.0, 0.1, "µV")
    assert loud.value == 640.0
    for at in range(1, 12):
        loud.feed(100.0, float(at), "µV")
    assert loud.value == 640.0
    for at in range(12, 40):
        loud.feed(100.0, float(at), "µV")
    assert loud.value == 320.0
    loud.step(up=True)
    loud.feed(5.0, 99.0, "µV")
    assert loud.value == 640.0


@pytest.mark.parametrize(("hertz", "share"), [(50.0, 0.99), (60.0, 0.99), (83.0, 0.0)])
def test_a_spectrum_finds_the_mains_and_measures_what_is_drawn(hertz, share):
    columns, seconds = columns_for(2048.0)
    at = np.arange(columns) * seconds / columns
    values = (100 * np.sin(2 * np.pi * hertz * at)).astype(np.float32)
    values[1::2] = np.nan
    samples = measure(values, values, seconds)
    assert samples.rms == pytest.approx(70.7, abs=0.5)
    assert samples.peak == pytest.approx(100, abs=0.5)
    assert samples.hertz[np.argmax(samples.amplitude)] == pytest.approx(hertz, abs=1.0)
    found, of_power = mains(samples)
    assert of_power == pytest.approx(share, abs=0.02)
    assert found == (hertz if share else 50.0)


@pytest.mark.parametrize("fs", [0.0, float("nan"), float("inf")])
def test_a_stream_without_a_rate_has_no_spectrum(fs):
    assert columns_for(fs) == (0, 0.0)


def test_too_few_samples_have_no_spectrum():
    gone = np.full(4096, np.nan, np.float32)
    assert measure(gone, gone, 1.0) is None


def test_64_traces_fit_one_page_in_two_columns():
    lens = Lens(mode="traces")
    layout = plan(lens, 64, 164, 56)
    assert (layout.lanes, layout.n_channels, layout.lane(1)) == (2, 64, range(32, 64))
    assert plan(lens, 64, 80, 19).lanes == 1


def test_below_the_map_the_chosen_and_the_faulty_channels_come_first():
    assert worst_first(range(32), 20, {4, 30}, 5) == [0, 1, 4, 20, 30]
    assert worst_first(range(2), 20, {4}, 5) == [0, 1]


def test_a_style_may_be_a_background_alone():
    assert rich_style("on #18b176", {}).bgcolor.triplet.hex == "#18b176"
    assert rich_style("bold $ink on $paper", {"ink": "#ffffff", "paper": "#000000"}).bgcolor.triplet.hex == "#000000"
