"""Which streams a command line means."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..config import stream_selection

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..config import Config, StreamConfig
    from ..sources.discovery import Seen


def selections(names: Iterable[str], config: Config) -> tuple[StreamConfig, ...]:
    """Each NAME as a selection: a stream of the config by either of its names, else a name on the network.

    Raises
    ------
    ConfigError
        A ``key=value`` list has an unknown key.
    """
    known = {name: stream for stream in config.streams for name in (stream.name, stream.session_name) if name}
    return tuple(known[name] if name in known else stream_selection(name) for name in names)


def describe(seen: Iterable[Seen]) -> str:
    """What is on the network, one a line."""
    return "".join(f"\n  {one.describe()}" for one in seen) or "nothing"
