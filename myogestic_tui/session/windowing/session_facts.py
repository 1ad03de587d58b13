"""What a session has to tell before windows are cut from it together with others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from ...errors import ClockError, ConfigError, SessionError
from ..reading.reader import open_session_store
from ..signal.gapless_runs import UNLABELLED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ...info import StreamInfo
    from ..reading.reader import SessionReader

    Check = Callable[[SessionReader], object]

Item = TypeVar("Item")
FAILURES = (SessionError, ConfigError, ClockError, OSError)
"""Why a session is left out. A `ConfigError` is about that session alone: the arguments fitted the first one."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a session has to tell before it is taken together with others; small, and can be pickled."""

    name: str
    class_names: tuple[str, ...]
    classes: frozenset[int]
    """Indices of the classes that were labelled."""
    streams: dict[str, StreamInfo]
    bad: dict[str, frozenset[int]]
    """Channels that are marked bad, by stream."""


def facts_of(path: str, streams: Sequence[str], check: Check) -> Facts:
    """Open a session and look at what is needed of it; raises what `check` raises, or why it cannot be opened."""
    with open_with(path, streams) as reader:
        check(reader)
        return Facts(
            reader.path.name,
            tuple(reader.class_names),
            frozenset(event.class_index for event in reader.label_track if event.class_index > UNLABELLED),
            {name: reader.stream_info(name) for name in streams},
            {name: frozenset(reader.meta.bad_channels.get(reader.stream(name).stem, ())) for name in streams},
        )


def tried(function: Callable[..., Item], *arguments: Any) -> Item | Exception:
    """The function's result, or why the session that it is about is left out."""
    try:
        return function(*arguments)
    except FAILURES as error:
        return error


def open_with(path: str, streams: Iterable[str]) -> SessionReader:
    """Open a session that has certain streams; UnknownStreamError where it lacks one."""
    reader = open_session_store(path)
    try:
        for name in streams:
            reader.stream_info(name)
    except BaseException:
        reader.close()
        raise
    return reader
