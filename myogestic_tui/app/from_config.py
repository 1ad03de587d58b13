"""From a loaded ``myogestic.toml`` to an app that is set up as it says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from ..config import LslConfig, ProtocolConfig, StepConfig
from ..errors import ConfigError
from ..stream import Stream
from .interface import TakeStatus
from .protocol import Plan, make_plan

if TYPE_CHECKING:
    from ..config import Config, StreamConfig
    from .app import App
    from .interface import StartProtocol


def apply_config(app: App, config: Config) -> None:
    """Give the app its streams, class names, keys and take sheet; what the folder remembers goes first.

    Raises
    ------
    ConfigError
        Two streams would have the same name in the session.
    """
    if not app.ctx.class_names:
        app.ctx.class_names = list(config.class_names)
    app.gesture_keys = config.gesture_keys
    for expected in config.streams:
        app.streams(_stream(app, expected))
    start = config.take
    if app.take == TakeStatus():
        app.take = TakeStatus(subject=start.subject, task=start.task, take=start.take, fields=dict(start.fields))
    elif not start.fields.keys() <= app.take.fields.keys():
        app.take = replace(app.take, fields={**start.fields, **app.take.fields})


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


def _stream(app: App, expected: StreamConfig) -> Stream:
    from ..sources import LSLSource

    source = LSLSource(
        expected.name,
        type=expected.type,
        source_id=expected.source_id,
        hostname=expected.host,
        query=expected.query,
    )
    name = expected.session_name
    if (chosen := app.chosen.get(name)) is not None:
        source.choose(chosen.hostname, chosen.source_id)
    selected = app.ticks.get(name, expected.record)
    return Stream(
        name,
        source=source,
        record=selected,
        required=expected.required,
        counter=expected.counter,
        grid=expected.grid,
    )


def make_plan_of(app: App, command: StartProtocol) -> Plan:
    """The protocol that a command asks for, ready to run: of its own steps, from the config, or one that ships.

    Raises
    ------
    ConfigError
        There is none of that name, it names a gesture that there is not, or it has nothing to do.
    """
    name, seed, names = command.name, command.seed, app.ctx.class_names
    protocol = _given(command) if command.steps else _known(app, name)
    steps = []
    for step in protocol.steps:
        if step.gesture and step.gesture not in names:
            raise ConfigError(f"protocol {name!r}: no gesture {step.gesture!r}; there are: {', '.join(names)}")
        steps.append((names.index(step.gesture) if step.gesture else -1, step.seconds))
    return make_plan(
        name,
        steps,
        repeats=protocol.repeats,
        shuffle=protocol.shuffle,
        seed=protocol.seed if seed is None else seed,
        lead_in=protocol.lead_in,
        bell=protocol.bell,
    )


def _given(command: StartProtocol) -> ProtocolConfig:
    steps = tuple(StepConfig(gesture=gesture, seconds=seconds) for gesture, seconds in command.steps)
    return ProtocolConfig(name=command.name, steps=steps, repeats=command.repeats, shuffle=command.shuffle)


def _known(app: App, name: str) -> ProtocolConfig:
    protocols = {protocol.name: protocol for protocol in app.config.with_gestures(app.ctx.class_names).all_protocols}
    if name not in protocols:
        raise ConfigError(f"no protocol {name!r}; there are: {', '.join(protocols) or 'none'}")
    return protocols[name]


def protocol_names(app: App) -> tuple[str, ...]:
    """Names of the protocols that are known."""
    return tuple(protocol.name for protocol in app.config.with_gestures(app.ctx.class_names).all_protocols)
