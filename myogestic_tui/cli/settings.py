"""What the command line says about folder, configuration and screens."""

from __future__ import annotations

import errno
import os
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from ..config import Config

COMPLETE = "_MYOGESTIC_TUI_COMPLETE"
"""Set by a shell that asks for completions."""


class Settings:
    """What the command line says; the configuration is read when asked for.

    Paths are text here: importing pathlib alone takes a tenth of the time that ``--help`` may, dataclasses a twentieth.
    """

    def __init__(self) -> None:
        self.sessions: str | None = None
        self.config_file: str | None = None
        self.screen: dict[str, Any] = {}
        self.read_only = False

    @cached_property
    def config(self) -> Config:
        """The configuration, with the command line's screen options over it. Raises `ConfigError`."""
        from msgspec.structs import replace

        from ..config import load_config

        config = load_config(self.config_file)
        return replace(config, screen=replace(config.screen, **self.screen)) if self.screen else config

    @property
    def sessions_dir(self) -> Path:
        """The sessions folder: ``--sessions``, else the configuration's.

        Raises
        ------
        ConfigError
            It has a name that is no text, or is a link that leads round in a circle.
        """
        from pathlib import Path

        from ..errors import ConfigError
        from ..session.format.layout import is_storable

        folder = Path(self.sessions if self.sessions is not None else self.config.sessions)
        if not is_storable(os.fspath(folder)):
            raise ConfigError(f"the sessions folder {os.fspath(folder)!a} is not UTF-8; rename it")
        try:
            folder.stat()
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.ENAMETOOLONG):
                raise ConfigError(f"the sessions folder {folder} cannot be used: {error.strerror}") from error
        return folder
