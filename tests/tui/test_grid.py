"""Electrodes in their places on Live: numbers, faults, names, labels of the grids, and the one that keys are about."""

from __future__ import annotations

from typing import Any

import pytest
from scripted import ScriptedRecorder, emg, idle

from myogestic_tui.grid_layout import GridLayout, on_stream
from myogestic_tui.montage import picture, placed_labels

SERPENTINE = GridLayout(
    grid="13x5", order="columns serpentine", without=(1,), channels="1-64", muscle="flexors", side="left"
)
OTHER = GridLayout(grid="13x5", order="columns", without=(65,), channels="65-128", label="extensors")
SINGLE = GridLayout(channels=129, muscle="biceps brachii")
FLAGS = {3: "M", 4: "F", 5: "C", 6: "x"}
"""As in `scripted.quality`."""


def recorder(*layouts: GridLayout, n_channels: int = 64, **more: Any) -> ScriptedRecorder:
    """A stream ``hd`` with these electrodes."""
    grids = on_stream(layouts, ["x"] * n_channels, "hd")
    places = picture(grids)
    stream = emg(n_channels, key="hd", name="hd", places=places, grid_labels=placed_labels(grids, places), **more)
    return ScriptedRecorder(idle(streams=(stream,)))


def cells(row: str) -> list[str]:
    """What stands in a row of electrodes."""
    return row.split()


async def on_grid(it: Any) -> list[str]:
    """The screen, once it shows the grid."""
    while "electrodes" not in it.rows()[2] and "of 129 channels" not in it.rows()[2]:
        await it.press("i")
    return it.rows()


async def choose(it: Any, channel: int) -> None:
    """The cursor on a channel, from 1."""
    it.viewer.screen.action_lens("move", channel - 1 - it.viewer.screen.lens.cursor)
    await it.settle()


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (160, 50), (200, 60)])
async def test_electrodes_stand_where_the_montage_has_them_and_holes_stay_empty(stage, size):
    async with stage(recorder(SERPENTINE), screen="live", size=size) as it:
        rows = await on_grid(it)
        numbers = [row for row in rows if {"27", "50"} <= {*cells(row)} or {"26", "51"} <= {*cells(row)}]
        assert cells(numbers[0])[:4] == ["25", "26", "51", "52"]
        assert cells(numbers[1])[:5] == ["[1]", "24", "27", "50", "53"]
        assert numbers[0].index("25") > numbers[1].index("[1]")
        places = [[word.strip("[]MFCx") for word in cells(row)[:5]] for row in rows[5:]]
        for channels in (("2", "23", "28", "49", "54"), ("12", "13", "38", "39", "64")):
            assert [*channels] in places


async def test_the_chosen_electrode_is_named_with_its_value_its_fault_and_its_place(stage):
    async with stage(recorder(SERPENTINE), screen="live") as it:
        rows = await on_grid(it)
        assert "hd 13×5 RMS" in rows[3]
        assert "▸1  EMG1" in rows[4]
        assert "µV" in rows[4]
        assert "row 2 column 1 of left flexors" in rows[4]
        await it.press("down", "down", "down", "down")
        assert "▸5F  EMG5" in it.rows()[4]
        assert "flat  row 6 column 1 of left flexors" in it.rows()[4]
        assert any("[5F]" in row for row in it.rows())
        await it.press("i")
        assert any(row.startswith("▸  5F") for row in it.rows()), "the list has another cursor"


async def test_arrows_go_from_electrode_to_electrode_on_the_grid_and_by_number_elsewhere(stage):
    async with stage(recorder(SERPENTINE, OTHER, SINGLE, n_channels=129), screen="live") as it:
        await it.press("down")
        assert it.viewer.screen.lens.cursor == 1, "channel 2 of the list"
        await on_grid(it)
        for key, channel in (
            ("right", 23), ("up", 24), ("right", 27), ("left", 24), ("up", 25), ("left", 25), ("right", 26),
            ("right", 51), ("right", 52), ("right", 65), ("down", 66), ("left", 53), ("pagedown", 54),
        ):  # fmt: skip
            await it.press(key)
            assert it.viewer.screen.lens.cursor == channel - 1, key
        assert "PAUSED" not in it.text
        await choose(it, 129)
        await it.press("up")
        assert it.viewer.screen.lens.cursor == 127
        await it.press("p", "left")
        assert it.viewer.screen.lens.cursor == 127
        assert "back" in it.rows()[2], "what is held goes back in time"


async def test_the_legend_of_amplitudes_goes_where_only_faults_are_coloured(stage):
    async with stage(recorder(SERPENTINE), screen="live") as it:
        assert "RMS 5" in (await on_grid(it))[2]
        await it.press("o")
        assert "hd 13×5 quality" in it.rows()[3]
        assert "RMS" not in it.rows()[2]
        assert "coloured: what is wrong" in it.rows()[2]


async def test_each_grid_has_its_label_above_it_and_what_is_on_none_is_told(stage):
    async with stage(recorder(SERPENTINE, OTHER, SINGLE, n_channels=129), screen="live") as it:
        rows = await on_grid(it)
        assert "hd 128 of 129 channels" in rows[2]
        assert "hd 2 grids RMS" in rows[3]
        assert "max" in rows[3]
        assert "at 129" not in rows[3], "the loudest of the grids is on none of them"
        assert rows[5].index("left flexors") < 5
        assert rows[5].index("extensors") == rows[7].index("66") - 2
        await choose(it, 129)
        assert "▸129  EMG129" in it.rows()[4]
        assert "on no grid" in it.rows()[4]


async def test_labels_of_grids_in_rows_stand_between_them(stage):
    quarters = [
        GridLayout(grid="8x8", channels=f"{1 + 64 * i}-{64 * (i + 1)}", label=label)
        for i, label in enumerate(("north", "east", "south", "west"))
    ]
    async with stage(recorder(*quarters, n_channels=256), screen="live", size=(80, 30)) as it:
        rows = await on_grid(it)
        first, second = (next(i for i, row in enumerate(rows) if word in row) for word in ("  north", "  south"))
        assert "east" in rows[first]
        assert "west" in rows[second]
        assert cells(rows[first + 1])[0] == "[1]"
        assert cells(rows[second + 1])[0] == "129"


@pytest.mark.parametrize("size", [(40, 12), (60, 12), (80, 14)])
@pytest.mark.parametrize("channel", [1, 64, 65, 128])
async def test_a_screen_too_small_for_all_shows_those_around_the_chosen_one_and_says_which(stage, size, channel):
    async with stage(recorder(SERPENTINE, OTHER, SINGLE, n_channels=129), screen="live", size=size) as it:
        while "of 129 channels" not in it.rows()[2]:
            await it.press("i")
        await choose(it, channel)
        rows = it.rows()
        assert f"▸{channel}  EMG{channel}" in rows[4]
        assert any(f" {channel} " in row or f"[{channel}]" in row for row in rows[6:]), it.text
        assert " rows " in rows[3]
        assert "left flex" in rows[5] or "extensors" in rows[5]


async def test_beside_the_map_a_faulty_electrode_keeps_its_number(stage):
    eight = tuple(tuple(range(8 * row, 8 * row + 8)) for row in range(8))
    for size, values in (((160, 50), False), ((200, 60), True)):
        async with stage(ScriptedRecorder(idle(streams=(emg(places=eight),))), screen="live", size=size) as it:
            text = "\n".join(row[size[0] // 3 :] for row in it.rows())
            for channel, flag in FLAGS.items():
                assert f"{channel + 1}{flag}" in text
            assert "▸1  EMG1" in text
            first, second = (
                next(i for i, row in enumerate(text.split("\n")) if both.issubset(row.split()))
                for both in ({"49", "50"}, {"57", "58"})
            )
            assert (second - first > 1) == values


async def test_names_that_say_more_than_a_number_stand_on_the_electrodes(stage):
    names = tuple(f"EMG{i + 1}" if i else "ulnar" for i in range(64))
    async with stage(recorder(SERPENTINE, channel_names=names), screen="live", size=(160, 60)) as it:
        rows = await on_grid(it)
        assert "▸1  ulnar" in rows[4]
        (named,) = [row for row in rows[5:] if "ulnar" in row]
        assert "EMG24" not in named
        assert "[1]" in rows[rows.index(named) + 1]


def test_the_corner_of_a_grid_may_be_a_hole():
    grids = on_stream((SERPENTINE, OTHER, SINGLE), ["x"] * 129, "hd")
    places = picture(grids)
    assert placed_labels(grids, places) == (("left flexors", 0, 0), ("extensors", 0, 6))
    assert placed_labels(grids[2:], picture(grids[2:])) == ()
