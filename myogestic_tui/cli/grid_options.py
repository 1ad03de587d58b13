"""How a command line describes the electrodes of an array: options that `ctl montage` and `montage` share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..grid_layout import GridLayout

_ORDERS = ["rows", "columns", "rows serpentine", "columns serpentine"]
_OPTIONS = (
    click.option("--order", type=click.Choice(_ORDERS), help="How channels run over the grid."),
    click.option(
        "--without",
        type=click.IntRange(min=1),
        multiple=True,
        help="A place without an electrode, from 1 in that order; may be repeated.",
    ),
    click.option("--cells", default="", help="In place of GRID: rows of channels, '1 2 3 / 4 - 5'."),
    click.option("--channels", default="", help="Those on the grid, in order: '1-64'. Default: all."),
    click.option("--label", default="", help="Name of the grid."),
    click.option("--muscle", default="", help="Muscle beneath the grid."),
    click.option("--side", type=click.Choice(["left", "right"]), help="Of the body."),
    click.option("--distance", type=float, help="From an electrode to the next, in mm."),
    click.option("--add", is_flag=True, help="One more grid, instead of another montage."),
    click.option("--none", "nothing", is_flag=True, help="No electrode has a place."),
)


def grid_options(function: Callable[..., int]) -> Callable[..., int]:
    """The options, for a command that takes them as ``add``, ``nothing`` and ``**told``."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def layout_of(grid: str, told: Mapping[str, Any]) -> GridLayout | None:
    """What GRID and the options describe; None where they say nothing.

    Raises
    ------
    ConfigError
        They contradict each other, or a value is not usable.
    """
    from ..grid_layout import GridLayout, parse_cells

    given = {key: value for key, value in told.items() if value not in ("", (), None)}
    if not (grid or given):
        return None
    if "cells" in given:
        given["cells"] = parse_cells(given["cells"])
    return GridLayout(grid=grid, **given)
