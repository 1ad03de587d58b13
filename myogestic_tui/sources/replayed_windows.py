"""A recording through the code that cuts live streams, to try a decoder on what was recorded."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from ..session.signal.window_bounds import Cut
from ..session.windowing.recipe import PLAIN, Recipe
from ..stream.hop_cutter import HopCutter
from ..stream.live_windows import check_live
from .replay_source import ReplaySource

if TYPE_CHECKING:
    from collections.abc import Iterator
    from os import PathLike
    from typing import Unpack

    import numpy as np
    from numpy.typing import NDArray

    from ..session.windowing.recipe import WindowOptions

_log = logging.getLogger(__name__)


def live_windows(
    path: str | PathLike[str], stream: str, win_s: float, hop_s: float, **options: Unpack[WindowOptions]
) -> Iterator[tuple[NDArray[Any], NDArray[np.float64]]]:
    """The windows that `Stream.windows` would have given while a session was recorded, as fast as they are asked for.

    They are those of ``iter_aligned_windows(path, stream, [], win_s, hop_s, times="raw", …)`` with the same options:
    what is trained on recorded windows is fed the same ones live. Only where stamps alone cannot tell at once whether
    samples are late or missing, the recording, which knows what came afterwards, may be cut elsewhere.

    Parameters
    ----------
    path
        A session.
    stream
        One of its streams.
    win_s, hop_s, **options
        As for `Stream.windows`.

    Raises
    ------
    ConfigError
        A length or an option is not usable. Raised by the call.
    StreamNotFoundError
        The session cannot be read, or has no such stream. Raised by the call.
    """
    recipe = Recipe.of(stream, Cut(win_s, hop_s), None, options, {**PLAIN, "on_nan": "drop"})
    check_live(recipe)
    source = ReplaySource(path, stream, speed=0, loop=False, timestamps="recorded")
    try:
        cutter = HopCutter(recipe, source.connect())
    except BaseException:
        source.disconnect()
        raise
    return _windows(recipe, source, cutter)


def _windows(
    recipe: Recipe, source: ReplaySource, cutter: HopCutter
) -> Iterator[tuple[NDArray[Any], NDArray[np.float64]]]:
    n_windows = 0
    try:
        while not source.finished:
            for window in cutter.feed(*source.read()):
                n_windows += 1
                yield window
    finally:
        source.disconnect()
    if not n_windows and not cutter.dropped:
        _log.warning("%s: no window of %g s fits between its gaps", recipe.stream, recipe.cut.win_seconds)
