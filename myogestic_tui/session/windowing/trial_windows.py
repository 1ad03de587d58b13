"""One window for each trial, around its label."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from ...errors import ConfigError
from ..reading.trials import whole_places
from ..signal.gapless_runs import Run
from ..signal.processed_stream import processed
from ..signal.window_bounds import Cut
from .arrays import gather
from .plan import Plan, make_plan
from .pooling import Pool
from .recipe import CLEAN, Recipe

if TYPE_CHECKING:
    from typing import Unpack

    from ..reading.find_sessions import Paths
    from ..reading.reader import SessionReader
    from .arrays import Windows
    from .pooling import Pick
    from .recipe import ClassChoice, WindowOptions


def trial_windows(
    paths: Paths,
    stream: str,
    pre_s: float,
    post_s: float,
    classes: ClassChoice = None,
    **options: Unpack[WindowOptions],
) -> Windows:
    """A window for each trial, from ``pre_s`` seconds before its label to ``post_s`` seconds after it.

    A trial that is not whole (it begins before the stream, ends after it, or holds a gap) is left out; ``meta`` tells
    which those are. What comes after the next label belongs to a window all the same.

    Parameters
    ----------
    paths, stream, classes
        As for `windows`.
    pre_s, post_s
        Seconds; 0 or more before the label.
    **options
        See `WindowOptions`; defaults as for `windows`. There is no ``skip_start_s``, and no ``times="raw"``.

    Raises
    ------
    ConfigError, ClockError, UnknownStreamError, OtherStreamError, OtherClassesError, NotFiniteError, SessionError
        As `iter_labeled_windows`.
    """
    for name, value, least in (("pre_s", pre_s, 0.0), ("post_s", post_s, -math.inf)):
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value < math.inf:
            raise ConfigError(f"{name} is {value!r}; give seconds, and 0 or more before the label")
    recipe = Recipe.of(stream, Cut(pre_s + post_s, pre_s + post_s), classes, options, CLEAN)
    if recipe.raw or recipe.wanted.skip_s:
        raise ConfigError("trials lie around their labels: leave out skip_start_s and times")
    pool = Pool(paths, recipe, recipe.check)
    return gather(pool, lambda reader, pick: _plan(reader, pick, recipe, float(pre_s)))


def _plan(reader: SessionReader, pick: Pick, recipe: Recipe, pre_s: float) -> tuple[Plan, list[str]]:
    source = reader.stream_data(recipe.stream)
    stream, wanted = processed(source, pick.processing), pick.wanted
    begins = [event.timestamp + wanted.delay_s - pre_s for event in reader.label_track]
    seconds = recipe.cut.win_seconds
    places = whole_places(stream, [(begin, begin + seconds) for begin in begins], seconds)
    runs = [Run(*place, index) for index, place in enumerate(places) if place is not None]
    kept = [run for run in runs if wanted.keeps(run, reader.label_track)]
    return make_plan(reader, pick, recipe, replace(source, raw=False), stream, kept), []
