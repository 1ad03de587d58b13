"""The screens: a terminal viewer on any `app.recorder.Recorder`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .viewer_options import ViewerOptions

if TYPE_CHECKING:
    from ..app.interface import Recorder, ScriptedRecorder

__all__ = ["ViewerOptions", "run_script", "run_viewer"]


def run_viewer(recorder: Recorder, *, options: ViewerOptions | None = None) -> int:
    """Show the screens on a recorder until the operator leaves, or the terminal goes.

    Parameters
    ----------
    recorder
        Who is shown and driven; it is not stopped by leaving.
    options
        How to look and what to offer; None is all defaults.

    Returns
    -------
    int
        0 after leaving; 1 after a crash of the screens; 128 + the signal's number (129 where the terminal went away).

    Raises
    ------
    ConfigError
        The keymap, the keyboard, the theme or the first screen is not usable.
    """
    from .launch import launch

    return launch(recorder, options or ViewerOptions())


def run_script(app: ScriptedRecorder, *, options: ViewerOptions | None = None) -> int:
    """Show the screen that a script's ``@app.ui`` composes, the four screens one key away, until it is left.

    Returns
    -------
    int
        As `run_viewer`.
    """
    from dataclasses import replace

    from .launch import launch

    return launch(app, replace(options or ViewerOptions(), screen="script", script=app))
