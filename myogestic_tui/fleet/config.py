"""`fleet.toml`: which boxes there are, and where their recorders are found."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from msgspec import Meta

from ..errors import ConfigError
from ..toml_tables import Section, parse_toml, read_table, read_text

FLEET_FILE = "fleet.toml"
"""The file that is read from the current directory where none is named."""


class BoxConfig(Section, frozen=True, kw_only=True):
    """One box. Keys, ports and jump hosts that ``~/.ssh/config`` has for its host count here, too."""

    name: Annotated[str, Meta(pattern="^[A-Za-z0-9_-]+$", description="letters, digits, - and _")]
    """What it is called here."""
    host: Annotated[str, Meta(min_length=1)]
    """Its name or address for ssh."""
    user: str | None = None
    port: Annotated[int, Meta(ge=1, le=65535)] | None = None
    folder: str = "."
    """Folder on the box that its recorder was started in."""
    command: str = "myogestic-tui"
    """The program on the box, such as ``/home/pi/lab/.venv/bin/myogestic-tui``."""


class FleetConfig(Section, frozen=True, kw_only=True):
    """All of `fleet.toml`."""

    boxes: Annotated[tuple[BoxConfig, ...], Meta(min_length=1)]

    def __post_init__(self) -> None:
        names = [box.name for box in self.boxes]
        twice = [name for name in names if names.count(name) > 1]
        if twice:
            raise ConfigError(f"boxes: two have the name {twice[0]!r}; each needs its own")

    def only(self, names: tuple[str, ...]) -> tuple[BoxConfig, ...]:
        """The boxes of these names; all where none is given.

        Raises
        ------
        ConfigError
            There is none of a name.
        """
        known = {box.name: box for box in self.boxes}
        for name in names:
            if name not in known:
                raise ConfigError(f"no box is called {name!r}; there are: {', '.join(known)}")
        return tuple(known[name] for name in names) if names else self.boxes


def load_fleet(path: str | Path | None = None) -> FleetConfig:
    """Read the file; None is `FLEET_FILE` of the current directory.

    Raises
    ------
    ConfigError
        It is missing or unreadable, or something in it is not usable.
    """
    file = Path(path if path is not None else FLEET_FILE)
    return parse_fleet(read_text(file, "it names the boxes: [[boxes]] with name and host"), str(file))


def parse_fleet(text: str, source: str = FLEET_FILE) -> FleetConfig:
    """Check a fleet given as text; ``source`` is what errors call it. Raises `ConfigError`."""
    return parse_toml(text, source, lambda table: read_table(FleetConfig, table, ""))
