"""The job that replays a session as live LSL outlets until its end, or until it is cancelled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import ConfigError
from ..session import open_session_store
from .replay_outlets import SUFFIX, Replay

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ..session.library.job_process import Control

_UNITS_PER_S = 1000
"""Progress is told in whole numbers."""


def replay(path: Path, options: Mapping[str, str], control: Control) -> dict[str, list[str]]:
    """See `Replay`; options ``speed`` (1 is real time), ``suffix``, ``loop`` (any text). Gives the outlets' names."""
    try:
        speed = float(options.get("speed", "1"))
    except ValueError:
        raise ConfigError(f"speed is {options['speed']!r}; give 1 for real time, 2 for twice as fast") from None
    with (
        open_session_store(path) as session,
        Replay(session, speed=speed, loop=bool(options.get("loop")), suffix=options.get("suffix", SUFFIX)) as sending,
    ):
        length = round(sending.length_s * _UNITS_PER_S)
        control.progress(0, length)
        sending.run(progress=lambda at: control.progress(min(round(at * _UNITS_PER_S), length - 1), length))
        return {"outlets": sending.names}
