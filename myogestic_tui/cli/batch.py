"""One job on each of many paths; what the commands that take several of them share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import click

from ..errors import MyoGesticError
from .output import Progress, print_json, remark

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

T = TypeVar("T")
Where = TypeVar("Where", "Path", str)
"""A path, or a URL."""


def on_each_path(
    paths: Sequence[Where],
    job: Callable[[Where], T],
    lines: Callable[[T], Sequence[str]],
    *,
    progress: Progress | None = None,
    as_json: bool = False,
    plain: Callable[[T], Any] = lambda outcome: outcome,
    good: Callable[[T], bool] = lambda _: True,
) -> int:
    """Do it and print what came of it; a path that fails does not keep the others from theirs.

    Parameters
    ----------
    job
        What is done with a path.
    lines, plain
        What came of it, for the terminal as it is done, and for the JSON array at the end.
    progress
        The line that is cleared before anything is printed.
    good
        Whether what came of it leaves the exit code 0.

    Returns
    -------
    int
        1 where a path failed or its outcome is not good.
    """
    from ..session.library.priority import be_expendable

    be_expendable()
    progress = progress or Progress()
    done: list[T] = []
    for path in paths:
        try:
            outcome = job(path)
        except (MyoGesticError, OSError) as error:
            progress.clear()
            remark(f"{path}: {error}")
            continue
        progress.clear()
        done.append(outcome)
        if not as_json:
            click.echo("\n".join(lines(outcome)))
    if as_json:
        print_json([plain(outcome) for outcome in done])
    return int(len(done) < len(paths) or not all(good(outcome) for outcome in done))
