"""From a loaded ``myogestic.toml`` to an app that is set up as it says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from ..config import LslConfig
from ..stream import Stream
from .interface import TakeStatus

if TYPE_CHECKING:
    from ..config import StreamConfig
    from .parts import Parts
    from .preferences import Remembered


def apply_config(parts: Parts) -> None:
    """Give the app its streams, class names, keys and take sheet; what the folder remembers goes first.

    Raises
    ------
    ConfigError
        Two streams would have the same name in the session.
    """
    config, takes = parts.config, parts.takes
    parts.labels.class_names = config.class_names
    parts.labels.keys = config.gesture_keys
    for expected in config.streams:
        parts.streams.add([_stream(parts.preferences.kept, expected)])
    start = config.take
    if takes.sheet == TakeStatus():
        takes.sheet = TakeStatus(subject=start.subject, task=start.task, take=start.take, fields=dict(start.fields))
    elif not start.fields.keys() <= takes.sheet.fields.keys():
        takes.sheet = replace(takes.sheet, fields={**start.fields, **takes.sheet.fields})


def apply_lsl(lsl: LslConfig) -> None:
    """Hand the LSL library its settings; without any it is not even loaded.

    Raises
    ------
    ConfigError
        A value is not usable, or this process uses LSL with other settings already.
    """
    if lsl != LslConfig():
        from ..sources import configure_lsl

        configure_lsl(known_peers=lsl.known_peers, session_id=lsl.session_id, resolve_scope=lsl.resolve_scope)


def _stream(kept: Remembered, expected: StreamConfig) -> Stream:
    from ..sources import LSLSource

    source = LSLSource(
        expected.name,
        type=expected.type,
        source_id=expected.source_id,
        hostname=expected.host,
        query=expected.query,
    )
    name = expected.session_name
    if (chosen := kept.chosen.get(name)) is not None:
        source.choose(chosen.hostname, chosen.source_id)
    selected = kept.ticks.get(name, expected.record)
    return Stream(
        name,
        source=source,
        record=selected,
        required=expected.required,
        counter=expected.counter,
    )
