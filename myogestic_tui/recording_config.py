"""What ``myogestic.toml`` says of recordings: how long, how early, and whom to tell of what happens to them."""

from __future__ import annotations

import shlex
from typing import Annotated

from msgspec import Meta

from .errors import ConfigError
from .toml_tables import Section, seconds_of

MOST_BEFORE_S = 600.0


class RecordConfig(Section, frozen=True, kw_only=True):
    """What the recorder does by itself."""

    resume: bool = False
    """Continue a recording that the recorder was killed in, in a new session, as soon as it runs again."""
    before_s: Annotated[float, Meta(ge=0, le=MOST_BEFORE_S, description=f"seconds, at most {MOST_BEFORE_S:g}")] = 0.0
    """Begin a session so many seconds before it is started, with samples that are held in memory until then."""

    segment: str = ""
    """Continue in another session after so long (``"1h"``, ``"30m"``, ``"90s"``); empty: one session until the stop."""

    def __post_init__(self) -> None:
        if self.segment:
            seconds_of(self.segment, "segment")

    @property
    def segment_s(self) -> float:
        """The same in seconds; 0 where there is none."""
        return seconds_of(self.segment, "segment") if self.segment else 0.0


EVENTS = ("lost", "slow", "disk", "stopped", "packed", "damaged")
"""What a program can be run for."""
FIELDS = ("stream", "seconds", "path", "text", "event")
"""What ``{...}`` of a command stands for."""

TimeLimit = Annotated[float, Meta(gt=0, le=3600, description="seconds, at most 3600")]


def arguments_of(command: str, where: str, fields: tuple[str, ...] = FIELDS) -> tuple[str, ...]:
    """The program and its arguments, divided as a shell would; ``{stream}`` and the like stay within theirs.

    Raises
    ------
    ConfigError
        A quote is not closed, there is no program, or a field is none of ``fields``.
    """
    try:
        arguments = tuple(shlex.split(command))
    except ValueError as error:
        raise ConfigError(f"{where}: is {command!r}, with a quote that is not closed: {error}") from None
    if not arguments or "\0" in command:
        raise ConfigError(f"{where}: is {command!r}; give a program and its arguments")
    for argument in arguments:
        for name in (part.partition("}")[0] for part in argument.split("{")[1:] if "}" in part):
            if name.isidentifier() and name not in fields:
                known = ", ".join(f"{{{field}}}" for field in fields) or "none"
                raise ConfigError(f"{where}: {{{name}}} stands for nothing; there are: {known}")
    return arguments


class OnConfig(Section, frozen=True, kw_only=True):
    """Programs that are run when something happens; never through a shell, at most once a minute each."""

    lost: str = ""
    """A recorded stream is lost."""
    slow: str = ""
    """A recorded stream stays below its nominal rate."""
    disk: str = ""
    """The disk gets full, or does not answer."""
    stopped: str = ""
    """A recording ended that nobody ended."""
    packed: str = ""
    """A session is packed."""
    damaged: str = ""
    """A session was found damaged, or could not be packed."""
    time_limit_s: TimeLimit = 30.0
    """A program that takes longer is killed, with what it started."""

    def __post_init__(self) -> None:
        for event in EVENTS:
            if command := getattr(self, event):
                arguments_of(command, event)

    @property
    def programs(self) -> dict[str, tuple[str, ...]]:
        """Program and arguments by event, of those that are given."""
        given = {event: getattr(self, event) for event in EVENTS}
        return {event: arguments_of(command, event) for event, command in given.items() if command}


class CommandConfig(Section, frozen=True, kw_only=True):
    """A custom program, and its key on every screen."""

    name: Annotated[str, Meta(min_length=1)]
    run: Annotated[str, Meta(min_length=1)]
    """Program and arguments; never through a shell. ``{path}`` is the session that is recorded, or was last."""
    key: str = ""
    """As in ``[keymap]``; without one it is in the palette."""
    time_limit_s: TimeLimit = 30.0

    def __post_init__(self) -> None:
        arguments_of(self.run, "run", ("path",))

    @property
    def arguments(self) -> tuple[str, ...]:
        """The program and its arguments."""
        return arguments_of(self.run, "run", ("path",))


class InputConfig(Section, frozen=True, kw_only=True):
    """A key of a pedal, gamepad or button box: what its press and its release label."""

    device: Annotated[str, Meta(min_length=1)]
    """Its name, or the path of its event file."""
    key: Annotated[str, Meta(pattern="^(KEY|BTN)_[A-Z0-9_]+$", description="a name such as KEY_B or BTN_SOUTH")]
    press: str
    """A gesture's name; empty: no label."""
    release: str | None = None
    """The same for letting it go; absent: nothing happens then."""
    grab: bool = True
    """Take the whole device, so that it types nowhere else."""
