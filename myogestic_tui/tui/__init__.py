"""The screens: a terminal viewer on any `app.recorder.Recorder`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .curtain import curtain
from .options import ViewerOptions

if TYPE_CHECKING:
    from ..app import App
    from ..app.recorder import Recorder

__all__ = ["ViewerOptions", "curtain", "run_script", "run_viewer"]


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
        The keymap or the keyboard is not usable.
    """
    options = options or ViewerOptions()
    with curtain(options.screen):
        from .opening import paint_opening

        paint_opening(recorder.status(), options)
        from .launch import launch

        return launch(recorder, options)


def run_script(app: App, *, options: ViewerOptions | None = None) -> int:
    """Show the screen that a script's ``@app.ui`` composes, the four screens one key away, until it is left.

    Returns
    -------
    int
        As `run_viewer`.
    """
    from .scripted import run_scripted

    return run_scripted(app, options or ViewerOptions())
