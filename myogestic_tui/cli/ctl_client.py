"""What all commands of `ctl` share: the way to the recorder, and how its replies become lines and exit codes."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import click

from ..errors import RecorderGoneError
from .options import common_options, json_option, pass_settings
from .output import print_json, remark

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..app.interface import AnyCommand, GestureStatus, Reply
    from ..control import RecorderClient
    from .settings import Settings

FAILED, NO_RECORDER = 1, 3


@contextlib.contextmanager
def attached(settings: Settings) -> Iterator[RecorderClient]:
    """The recorder; where there is none, or it goes away, the command ends with `NO_RECORDER`."""
    from ..control import attach

    try:
        with attach(settings.sessions_dir, start=False, program="ctl") as client:
            yield client
    except RecorderGoneError as error:
        remark(f"myogestic-tui: {error}")
        raise click.exceptions.Exit(NO_RECORDER) from None


sure = click.option("--yes", "--confirm", is_flag=True, help="Do it even where the recorder would ask first.")


def act(settings: Settings, command: AnyCommand, as_json: bool, yes: bool = False) -> int:
    """Carry out one command and return the exit code; ``yes`` answers what the recorder asks."""
    with attached(settings) as client:
        return tell(client, send(client, command, yes), as_json)


def send(client: RecorderClient, command: AnyCommand, yes: bool) -> Reply:
    """Carry out a command, questions of the recorder included where ``yes`` answers them."""
    from ..app.interface import confirmed

    return confirmed(client, command) if yes else client.execute(command)


def tell(client: RecorderClient, reply: Reply, as_json: bool) -> int:
    """Print what came of a command and return the exit code; raises `RecorderGoneError` where the recorder went."""
    if client.gone is not None and not reply.ok:
        raise RecorderGoneError(reply.message)
    if as_json:
        facts = {"ok": reply.ok, "message": reply.message, "path": reply.path, "job": reply.job}
        print_json({**facts, "confirm": reply.confirm} if reply.confirm else facts)
    elif reply.ok:
        click.echo(reply.message or "done")
    if not reply.ok:
        remark(f"myogestic-tui: {reply.message}{' (--yes does it)' if reply.confirm else ''}")
    return 0 if reply.ok else FAILED


def driver(name: str | None = None) -> Callable[[Callable[..., int]], click.Command]:
    """A command with the options that all of `ctl` have."""

    def make(function: Callable[..., int]) -> click.Command:
        return click.command(name)(common_options(json_option(pass_settings(function))))

    return make


def class_index(gesture: str, gestures: tuple[GestureStatus, ...]) -> int:
    """The class that a name, an index from 0, or `end` (-1) stands for; a UsageError names those that there are."""
    names = [one.name for one in gestures]
    if gesture in names:
        return names.index(gesture)
    folded = [name.casefold() for name in names]
    if folded.count(gesture.casefold()) == 1:
        return folded.index(gesture.casefold())
    if gesture in ("end", "-1"):
        return -1
    if gesture.isdecimal() and (not names or int(gesture) < len(names)):
        return int(gesture)
    raise click.UsageError(f"no gesture {gesture!r}; there are: {', '.join(names) or 'none, use indices'}")
