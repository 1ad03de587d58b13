"""Options that several commands share, and what they add up to."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar, get_args

import click

from ..errors import ConfigError
from .settings import Settings

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

Decorated = TypeVar("Decorated", bound=Callable[..., Any])
SCREEN_OPTIONS = ("theme", "glyphs", "fps", "mouse")


def common_options(command: Decorated) -> Decorated:
    """Add ``--sessions`` and ``--config``; both may stand before or after the command's name."""
    command = click.option(
        "--sessions",
        type=click.Path(file_okay=False),
        expose_value=False,
        callback=_keep,
        help="Folder of the sessions.  [default: sessions]",
    )(command)
    return click.option(
        "--config",
        "config_file",
        type=click.Path(dir_okay=False),
        expose_value=False,
        callback=_keep,
        help="Configuration to use.  [default: myogestic.toml, if there]",
    )(command)


class _Theme(click.Choice[str]):
    """Names of themes, which are looked up when one is given: help imports no configuration."""

    name = "theme"

    def __init__(self) -> None:
        super().__init__(())

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:  # noqa: ARG002
        return "THEME"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        self._look_up()
        return super().convert(value, param, ctx)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        self._look_up()
        return super().shell_complete(ctx, param, incomplete)

    def _look_up(self) -> None:
        from ..config import Theme

        self.choices = get_args(Theme)


def screen_options(command: Decorated) -> Decorated:
    """Add what the screens may ask of the terminal; these go over the configuration."""
    options = [
        click.option("--theme", type=_Theme(), help="dark, light, ansi, or Textual's."),
        click.option(
            "--glyphs", type=click.Choice(["auto", "braille", "block", "ascii"]), help="Characters that draw curves."
        ),
        click.option("--fps", type=click.FloatRange(1, 30), help="Most frames per second."),
        click.option("--mouse/--no-mouse", default=None, help="Whether the screens take the mouse."),
    ]
    for option in reversed(options):
        command = option(command)
    for parameter in getattr(command, "__click_params__", ()):
        if parameter.name in SCREEN_OPTIONS:
            parameter.expose_value = False
            parameter.callback = _keep_screen
    return command


def json_option(command: Decorated) -> Decorated:
    """Add ``--json``, as the argument ``as_json``."""
    return click.option("--json", "as_json", is_flag=True, help="Output JSON.")(command)


class LocalSession(click.Path):
    """A session, as a path; the shell completes the sessions of the folder."""

    def __init__(self, *, exists: bool = True, as_text: bool = False) -> None:
        from pathlib import Path

        super().__init__(exists=exists, path_type=str if as_text else Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """As `click.Path`, but a link to nothing is named for what it is."""
        if self.exists and os.path.islink(value) and not os.path.exists(value):
            self.fail(f"{os.fspath(value)!r} is a link to {os.readlink(value)!r}, which cannot be opened.", param, ctx)
        return super().convert(value, param, ctx)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[click.shell_completion.CompletionItem]:
        """Sessions of the folder, and files where none begins like this."""
        from .complete_names import sessions

        return sessions(ctx, param, incomplete)


class SessionPath(LocalSession):
    """A session, a folder of sessions, or a URL of either, as text; a path has to exist."""

    def __init__(self) -> None:
        super().__init__(as_text=True)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Take a URL as it is; everything else as `click.Path` does."""
        return value if "://" in str(value) else super().convert(value, param, ctx)


def dask_option(command: Decorated) -> Decorated:
    """Add ``--dask ADDRESS``, as the argument ``dask``."""
    text = "Let the dask cluster at this address do it; its workers must reach the same paths."
    return click.option("--dask", metavar="ADDRESS", help=text)(command)


pass_settings = click.make_pass_decorator(Settings, ensure=True)


def _keep(ctx: click.Context, parameter: click.Parameter, value: str | None) -> None:
    if value is not None and parameter.name is not None:
        setattr(ctx.ensure_object(Settings), parameter.name, value)


def _keep_screen(ctx: click.Context, parameter: click.Parameter, value: Any) -> None:
    if value is not None and parameter.name is not None:
        ctx.ensure_object(Settings).screen[parameter.name] = value


def field_pair(text: str) -> tuple[str, str]:
    """A ``FIELD=TEXT`` of ``--set``; ConfigError where it is none."""
    field, equals, value = text.partition("=")
    if not (equals and field.strip()):
        raise ConfigError(f"--set {text!r}: write FIELD=TEXT")
    return field.strip(), value.strip()
