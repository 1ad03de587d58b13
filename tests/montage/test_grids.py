"""Where electrodes are: what people write, what it means channel by channel, and what is refused."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from myogestic_tui import ChannelGrid, GridLayout, StreamInfo
from myogestic_tui.config import parse_config
from myogestic_tui.errors import ConfigError
from myogestic_tui.grid_layout import on_stream, parse_cells
from myogestic_tui.montage import grids_from_plain, grids_to_plain, picture, told_grids

STREAM = '[[streams]]\nname = "emg"\n[[montage]]\n'


def cells(text: str, n_channels: int = 64):
    return GridLayout(grid=text).on([f"ch{i}" for i in range(n_channels)], "emg").cells


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("8x8", [0, 1, 2], [61, 62, 63]),
        ("8×8 rows", [0, 1, 2], [61, 62, 63]),
        ("8x8 columns", [0, 8, 16], [47, 55, 63]),
        ("8x8 serpentine", [0, 1, 2], [58, 57, 56]),
        ("8x8 columns serpentine", [0, 15, 16], [40, 55, 56]),
        ("13x5 without 1", [None, 0, 1], [61, 62, 63]),
        ("13x5 columns without 1", [None, 12, 25], [37, 50, 63]),
        ("13x5 without 65", [0, 1, 2], [62, 63, None]),
    ],
)
def test_a_grid_is_filled_in_every_order_with_holes(text, first, last):
    found = cells(text)
    assert list(found[0][:3]) == first
    assert list(found[-1][-3:]) == last


@pytest.mark.parametrize(
    "text",
    ["8", "8x7", "axb", "0x8", "8x8 colums", "8x8 without", "8x9 without x", "8x9 without 73", "8x²", "13x5", "9x8"]
    + ["8x8 rows columns", "-8x8", "8x8x1", "1000x1"],
)
def test_a_grid_that_is_none_or_has_other_places_than_channels_is_refused(text):
    """A 13x5 grid of 64 electrodes has a hole somewhere; nobody may guess where."""
    with pytest.raises(ConfigError, match="grid"):
        cells(text)


def test_the_words_for_a_misfit_say_what_is_missing():
    with pytest.raises(ConfigError, match=r"65 places for the 64 channels of the stream; name the places without"):
        cells("13x5")
    with pytest.raises(ConfigError, match=r"64 places for the 70 channels of the stream; name those on it"):
        cells("8x8", 70)


def test_several_grids_of_one_stream_each_have_their_channels():
    config = parse_config(
        STREAM
        + 'stream = "emg"\ngrid = "2x3"\nchannels = "1-6"\nmuscle = "biceps brachii"\nside = "left"\ndistance = 10\n'
        + '[[montage]]\nstream = "emg"\ngrid = "3x2"\nchannels = "12-7"\norder = "columns serpentine"\nlabel = "back"\n'
        + '[[montage]]\nstream = "emg"\ncells = [[13, 0], [0, 14]]\n'
        + '[[montage]]\nstream = "emg"\nchannels = 15\nmuscle = "triceps"\n'
    )
    grids = on_stream(config.layouts("emg"), ["x"] * 16, "emg")
    assert [grid.label for grid in grids] == ["left biceps brachii", "back", "emg 3", "triceps"]
    assert grids[0].cells == ((0, 1, 2), (3, 4, 5))
    assert grids[1].cells == ((11, 6), (10, 7), (9, 8))
    assert grids[2].cells == ((12, None), (None, 13))
    assert grids[3].cells == ((14,),)
    assert [grid.words() for grid in grids] == [
        "left biceps brachii: 2x3, 10 mm, channels 1-6",
        "back: 3x2, channels 7-12",
        "emg 3: 2x2, channels 13-14",
        "triceps: single electrode, channel 15",
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            'stream = "emgg"\ngrid = "8x8"',
            r"lab\.toml:4: montage\[1\]\.stream: no .* called 'emgg'; allowed: emg",
        ),
        ('grid = "8x8"', r"montage\[1\]\.stream: is missing"),
        ('stream = "emg"', "give a grid, cells, or the one channel"),
        ('stream = "emg"\ngrid = "8by8"', "give rows x columns"),
        ('stream = "emg"\ncells = [[1, 2], [3]]', "rows of one length"),
        ('stream = "emg"\ncells = [[1, 1]]', "channel 1 has two places"),
        ('stream = "emg"\ncells = [[0, 0]]', "with a channel in them"),
        ('stream = "emg"\ncells = [[1, -2]]', "channel numbers from 1"),
        ('stream = "emg"\ncells = [[1, "E2"]]', r"montage\[1\]\.cells: .*whole number"),
        ('stream = "emg"\ncells = [[1, 2]]\ngrid = "1x2"', "leave out grid"),
        ('stream = "emg"\ngrid = "2x2"\nchannels = "0-3"', "numbers from 1"),
        ('stream = "emg"\ngrid = "2x2"\nchannels = "1-3,3"', "named twice"),
        ('stream = "emg"\ngrid = "2x2"\nchannels = "1-"', "numbers from 1"),
        ('stream = "emg"\ngrid = "2x2"\nside = "top"', "allowed: left, right"),
        ('stream = "emg"\ngrid = "2x2"\norder = "cols"', "allowed: rows, columns"),
        ('stream = "emg"\ngrid = "2x2"\ndistance = 0', "give it in mm"),
        ('stream = "emg"\norder = "rows"\nchannels = 1', "belong to a grid"),
        ('stream = "emg"\ngrid = "2x2"\nmuscel = "biceps"', "did you mean 'muscle'"),
    ],
)
def test_a_mistake_in_the_configuration_is_named_with_its_place(text, words):
    with pytest.raises(ConfigError, match=words):
        parse_config(STREAM + text, "lab.toml")


def test_a_stream_has_a_grid_in_one_place_only():
    with pytest.raises(ConfigError, match="leave out one of them"):
        parse_config('[[streams]]\nname = "emg"\ngrid = "8x8"\n[[montage]]\nstream = "emg"\ngrid = "8x8"\n')
    short = parse_config('[[streams]]\nname = "emg"\ngrid = "2x2"\n').layouts("emg")
    assert on_stream(short, ["x"] * 4, "emg")[0].cells == ((0, 1), (2, 3))


def test_without_a_list_of_streams_any_may_have_a_montage():
    assert parse_config('[[montage]]\nstream = "emg"\ngrid = "8x8"\n').layouts("emg")


@pytest.mark.parametrize(
    ("layouts", "words"),
    [
        (["1-4", "4-7"], "channel 4 is in two grids"),
        (["1-4", "6-9"], "no channel 9; there are 8"),
    ],
)
def test_channels_beyond_the_last_or_in_two_grids_are_refused(layouts, words):
    with pytest.raises(ConfigError, match=words):
        on_stream([GridLayout(grid="2x2", channels=one) for one in layouts], ["x"] * 8, "emg")


def test_two_grids_of_one_label_are_refused():
    told = [GridLayout(grid="1x2", channels=one, label="arm") for one in ("1-2", "3-4")]
    with pytest.raises(ConfigError, match="label 'arm'"):
        on_stream(told, ["x"] * 4, "emg")


@pytest.mark.parametrize(
    "made",
    [
        lambda: ChannelGrid("g", [[0, 1], [2]]),
        lambda: ChannelGrid("g", []),
        lambda: ChannelGrid("g", [[]]),
        lambda: ChannelGrid("g", [[None]]),
        lambda: ChannelGrid("g", [[0.5]]),
        lambda: ChannelGrid("g", [["a"]]),
        lambda: ChannelGrid("g", 3),
        lambda: ChannelGrid("g", [[-1]]),
        lambda: ChannelGrid(" ", [[0]]),
        lambda: ChannelGrid(None, [[0]]),
        lambda: ChannelGrid("g", [[0]], side="up"),
        lambda: ChannelGrid("g", [[0]], distance_mm=float("nan")),
        lambda: StreamInfo(2, 100.0, channel_grids=[ChannelGrid("g", [[0, 2]])]),
        lambda: StreamInfo(2, 100.0, channel_grids=[ChannelGrid("g", [[0]]), ChannelGrid("h", [[0]])]),
    ],
)
def test_grids_that_cannot_be_are_refused(made):
    with pytest.raises(ConfigError):
        made()


def test_values_come_to_the_places_of_their_electrodes():
    grid = ChannelGrid("g", [[3, None], [np.int64(0), 1]])
    assert grid.columns == [3, 0, 1]
    arranged = grid.arrange(np.arange(8).reshape(2, 4))
    assert arranged.shape == (2, 2, 2)
    np.testing.assert_array_equal(arranged[1], [[7, np.nan], [4, 5]])


def test_grids_stand_in_meta_json_as_myogestic_has_them_and_come_back():
    grids = (ChannelGrid("a", ((0, None), (1, 2)), "biceps", "left", 8.0), ChannelGrid("b", ((3,),)))
    plain = json.loads(json.dumps(grids_to_plain(grids)))
    assert plain["channel_grids"] == [
        {"label": "a", "cells": [[0, None], [1, 2]]},
        {"label": "b", "cells": [[3]]},
    ]
    assert plain["montage"] == {
        "a": {"muscle": "biceps", "side": "left", "inter_electrode_distance_mm": 8.0},
        "b": {},
    }
    assert grids_from_plain(plain, 4) == grids
    assert grids_from_plain({"channel_grids": plain["channel_grids"]}, 4)[0] == ChannelGrid("a", ((0, None), (1, 2)))


@pytest.mark.parametrize(
    "told",
    [
        3,
        "8x8",
        [3],
        [{"label": "a"}],
        [{"cells": [[0]]}],
        [{"label": "a", "cells": [[9]]}],
        [{"label": 3, "cells": [[0]]}],
    ]
    + [[{"label": "a", "cells": {"0": 1}}], {"label": "a"}, [None], [{"label": ["a"], "cells": [[0]]}]],
)
def test_grids_of_others_that_are_none_tell_nothing(told):
    assert told_grids({"channel_grids": told, "montage": 7}, 4) is None


def test_cells_are_read_from_words():
    assert parse_cells("1 2 3 / 4 - 5") == ((1, 2, 3), (4, 0, 5))
    assert parse_cells("1,2;3,0") == ((1, 2), (3, 0))
    with pytest.raises(ConfigError, match="'x' is no channel"):
        parse_cells("1 x")


def test_the_screens_show_grids_side_by_side_and_no_single_electrodes():
    a, b = ChannelGrid("a", ((0, 1), (2, 3))), ChannelGrid("b", ((4,), (5,), (6,)))
    assert picture((a, b, ChannelGrid("c", ((7,),)))) == ((0, 1, -1, 4), (2, 3, -1, 5), (-1, -1, -1, 6))
    three = picture((a, b, ChannelGrid("c", ((7, 8),))))
    assert three == ((0, 1, -1, 4), (2, 3, -1, 5), (-1, -1, -1, 6), (-1,) * 4, (7, 8, -1, -1))
    assert picture((ChannelGrid("c", ((7,),)),)) == ()


def test_the_example_in_the_documents_is_what_comes_of_it():
    page = (Path(__file__).parents[2] / "docs/electrodes.md").read_text("utf-8")
    config = parse_config(re.search(r"```toml\n(.*?)```", page, re.DOTALL)[1])
    drawn = re.search(r"```text\n(.*?)```", page, re.DOTALL)[1].splitlines()
    grids = on_stream(config.layouts("emg"), ["x"] * 70, "emg")
    cells = grids[0].cells
    assert [line.split() for line in drawn] == [["." if one is None else str(one + 1) for one in row] for row in cells]
    assert [grid.where for grid in grids] == ["left flexors", "left biceps brachii", "left triceps brachii"]


def test_grids_lie_on_the_screen_as_a_terminal_has_room():
    def grids(rows: int, columns: int) -> list[ChannelGrid]:
        size = rows * columns
        one = np.arange(size).reshape(rows, columns)
        return [ChannelGrid(str(number), (one + number * size).tolist()) for number in range(4)]

    tall, square = picture(grids(13, 5)), picture(grids(8, 8))
    assert (len(tall), len(tall[0])) == (13, 23)
    assert (len(square), len(square[0])) == (17, 17)
    for shown, n in ((tall, 260), (square, 256)):
        assert sorted(channel for row in shown for channel in row if channel >= 0) == list(range(n))
