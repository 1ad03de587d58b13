"""What the shell is offered in place of a session, stream, gesture or protocol."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from click.shell_completion import CompletionItem

from ..errors import MyoGesticError
from .settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import click

    from ..app.interface import Status
    from ..config import Config
"""A recorder that does not answer by then is not asked: somebody has pressed the tab key and waits."""

SHELLS = ("bash", "zsh", "fish")
_CONNECT_SECONDS = 0.5


def sessions(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001
    """Sessions of the folder, newest first, by path or by name; files where none begins like this."""
    folder = str(_settings(ctx).sessions_dir)
    found = [
        os.path.join(folder, name)
        for name in sorted(_session_names(folder), reverse=True)
        if name.startswith(incomplete) or os.path.join(folder, name).startswith(incomplete)
    ]
    return [CompletionItem(path) for path in found] or [CompletionItem(incomplete, type="file")]


def _session_names(folder: str) -> Iterator[str]:
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.endswith(".session.zip") or (entry.name[0].isdigit() and entry.is_dir()):
                    yield entry.name
    except OSError:
        return


def streams(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001
    """Streams that the recorder sees; where none runs, those of the configuration."""
    status = _status(_settings(ctx))
    if status is not None:
        return _items([stream.name for stream in status.streams], incomplete)
    return _items([stream.session_name for stream in _config(ctx).streams], incomplete)


def gestures(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001
    """Gestures of the recorder, and `end`."""
    status = _status(_settings(ctx))
    names = [gesture.name for gesture in status.gestures] if status is not None else []
    return _items([*names, "end"], incomplete)


def protocols(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001
    """Protocols of the configuration."""
    return _items([protocol.name for protocol in _config(ctx).all_protocols], incomplete)


def _items(names: Sequence[str], incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(name) for name in dict.fromkeys(names) if name.startswith(incomplete)]


def _settings(ctx: click.Context) -> Settings:
    return ctx.ensure_object(Settings)


def _config(ctx: click.Context) -> Config:
    """The configuration; where it cannot be read, the defaults: this is no place to complain."""
    from ..config import Config

    try:
        return _settings(ctx).config
    except (MyoGesticError, OSError):
        return Config()


def _status(settings: Settings) -> Status | None:
    """What the folder's recorder says; None where none runs or answers."""
    from pathlib import Path

    from ..session.format.lock import recorder_of

    try:
        holder = recorder_of(settings.sessions_dir)
        if holder is None or not holder.socket:
            return None
        from ..control import RecorderClient

        with RecorderClient(Path(holder.socket), program="completion", timeout=_CONNECT_SECONDS) as client:
            return client.status()
    except (MyoGesticError, OSError):
        return None
