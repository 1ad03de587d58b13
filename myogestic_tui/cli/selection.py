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
    """What is on the network, in one line."""
    return "; ".join(map(describe_one, seen)) or "nothing"


def describe_one(one: Seen) -> str:
    """``EMG (64 ch float32, 2048 Hz, source_id otb-4711 on amp-pc)``."""
    speed = f"{one.fs:g} Hz" if one.fs else "irregular"
    source = f"source_id {one.source_id} " if one.source_id else ""
    return f"{one.name} ({one.n_channels} ch {one.dtype}, {speed}, {source}on {one.hostname})"
