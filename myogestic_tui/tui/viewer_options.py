"""Options that the viewer starts with, besides its recorder."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from msgspec.structs import asdict

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from ..app.interface import Recorder, ScriptedRecorder
    from ..config import Config


@dataclass(frozen=True)
class ViewerOptions:
    """How the viewer looks and what it may do; every field has a default.

    Parameters
    ----------
    theme
        ``dark``, ``light``, ``ansi`` (the terminal's own 16 colours), or a theme of Textual's.
    glyphs
        ``braille``, ``block``, ``ascii``, or ``auto``: braille where the terminal is UTF-8.
    fps
        Frames per second at most; it falls by itself on a slow link.
    mouse
        Whether clicks are wanted.
    keyboard
        A name of `keys.LAYOUTS`.
    keymap
        Command id to keys.
    commands
        Programs of one's own: key by name, empty where one has none.
    screen
        The screen that opens.
    embedded
        The recorder lives in this process: on a hang-up the viewer returns, and never ends the process.
    list_sessions
        Lists the sessions of a folder for the Sessions screen; None is `session.summary`'s own.
    doctor
        Gives the lines that the doctor prints; called off the event loop.
    script
        The app of a script with a screen of its own, which is the first one then.
    reconnect
        Starts (or finds) a recorder after the old one went, and returns it; None where that cannot be.
    """

    theme: str = "dark"
    glyphs: str = "auto"
    fps: float = 10.0
    mouse: bool = True
    keyboard: str = "qwerty"
    keymap: Mapping[str, str] = field(default_factory=dict)
    commands: Mapping[str, str] = field(default_factory=dict)
    screen: str = "streams"
    embedded: bool = True
    list_sessions: Callable[[Path], Sequence[Any]] | None = None
    doctor: Callable[[], Sequence[str]] | None = None
    reconnect: Callable[[], Recorder] | None = None
    script: ScriptedRecorder | None = None

    @classmethod
    def from_config(cls, config: Config, **more: Any) -> ViewerOptions:
        """The options that a configuration file asks for; ``more`` overrides them."""
        commands = {one.name: one.key for one in config.commands}
        return cls(**{**asdict(config.screen), "keymap": config.keymap, "commands": commands, **more})
