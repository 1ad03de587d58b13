"""`myogestic-tui`: the table of commands, options that all share, and the way from an exception to an exit code."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING

import click

from ..errors import (
    AmbiguousStreamError,
    ClockError,
    ConfigError,
    MyoGesticError,
    StreamNotFoundError,
    did_you_mean,
)
from ..stdio import settle_output
from ..version import __version__
from .options import common_options, screen_options
from .settings import COMPLETE, Settings

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

FAILED, USAGE, NO_STREAM, INTERRUPTED = 1, 2, 3, 130

COMMANDS = {
    "demo": ("demo:demo", "Try everything on a synthetic EMG stream."),
    "record": ("record:record", "Record streams without screens."),
    "streams": ("streams:streams", "What is on the network."),
    "generate": ("generate:generate", "Synthetic EMG as an LSL outlet."),
    "serve": ("serve:serve", "The recorder in the foreground, for systemd."),
    "service": ("service:service", "The recorder as a systemd service of yours."),
    "ctl": ("ctl:ctl", "Drive a running recorder."),
    "fleet": ("fleet:fleet", "Drive the recorders of several boxes over ssh."),
    "web": ("web:web", "The screens in a browser."),
    "cue": ("cue:cue", "Show the subject what to do, from another terminal."),
    "sessions": ("sessions:sessions", "List recorded sessions."),
    "info": ("sessions:info", "Everything about one session."),
    "verify": ("verify:verify", "Verify the integrity of sessions."),
    "recover": ("recover:recover", "Finish sessions that were cut off."),
    "pack": ("recover:pack", "Pack session folders into archives."),
    "salvage": ("recover:salvage", "Save what still decodes of a damaged session."),
    "rename": ("edit_sessions:rename", "Change name, subject, task or take of a session."),
    "note": ("edit_sessions:note", "Add a note to a session."),
    "montage": ("montage:montage", "Say where the electrodes of a session were."),
    "labels": ("labels:labels", "List the labels of a session, and set them right."),
    "report": ("report:report", "Judge the signal and the time of a session."),
    "sync": ("sync:sync", "Prove the timing of a session by pulses and markers."),
    "copy": ("edit_sessions:copy", "Copy sessions elsewhere, and prove the copies."),
    "trash": ("trash:trash", "Move sessions to the trash, and back."),
    "plot": ("plot:plot", "Draw a session in the terminal."),
    "join": ("join:join", "Make one session of a chain."),
    "export": ("export:export", "Write sessions in another tool's format."),
    "import": ("import_xdf:import_file", "Make a session of an XDF file."),
    "merge": ("merge:merge", "Put sessions of several boxes onto one clock."),
    "windows": ("windows:windows", "Cut labelled windows for training."),
    "replay": ("replay:replay", "Send a session as live LSL outlets."),
    "inputs": ("inputs:inputs", "Pedals, gamepads and button boxes that label."),
    "init": ("init:init", "Write a commented myogestic.toml."),
    "doctor": ("doctor:doctor", "What is wrong here, and how to repair it."),
    "completion": ("completion:completion", "Make the shell complete commands, sessions and streams."),
}
"""Name: where it is (module:function) and one line about it, so that ``--help`` imports none of them."""


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Names in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import the command of that name; None where there is none."""
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(f".{module}", __package__), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List the commands from the table alone."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Commands from the table alone, and the options."""
        from click.shell_completion import CompletionItem

        found = [CompletionItem(name, help=text) for name, (_, text) in COMMANDS.items() if name.startswith(incomplete)]
        return [*found, *click.Command.shell_complete(self, ctx, incomplete)]

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, naming the nearest command where there is none of that name."""
        name = args[0]
        if not ctx.resilient_parsing and name not in COMMANDS and not name.startswith("-"):
            ctx.fail(f"no command {name!r}{did_you_mean(name, COMMANDS)}; see myogestic-tui --help")
        return super().resolve_command(ctx, args)


@click.group(cls=LazyGroup, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="myogestic-tui")
@screen_options
@common_options
@click.option("--read-only", is_flag=True, help="Screens that only show: no key changes anything.")
@click.pass_context
def root(ctx: click.Context, read_only: bool) -> int | None:
    """Record Lab Streaming Layer biosignals from a terminal, and lose nothing.

    Without a command it opens the screens on the sessions folder of the current directory.

    \b
    Examples:
      myogestic-tui                       open the screens
      myogestic-tui demo                  the same, on a synthetic EMG stream
      myogestic-tui record EMG --seconds 60
      myogestic-tui COMMAND --help
    """
    if ctx.invoked_subcommand is not None:
        return None
    from .open_viewer import open_screens

    settings = ctx.ensure_object(Settings)
    settings.read_only = read_only
    return open_screens(settings)


def run(arguments: list[str] | None = None) -> int:
    """Run a command line; return its exit code. Errors this package raises on purpose become one line on stderr."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # names of files are bytes, and not always text
    code = _run(arguments)
    unwritten = settle_output()
    if unwritten is None or code:
        return code
    if not isinstance(unwritten, BrokenPipeError):  # the reader of a pipe may leave (`… | head`)
        _complain(unwritten)
    return FAILED


def _run(arguments: list[str] | None) -> int:
    if COMPLETE in os.environ:
        from . import completion  # noqa: F401 (click looks up what it registers)
    try:
        code = root.main(arguments, prog_name="myogestic-tui", standalone_mode=False)
    except click.ClickException as error:
        with contextlib.suppress(OSError):
            error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except MyoGesticError as error:
        _complain(error)
        return _exit_code(error)
    except BrokenPipeError:
        return FAILED
    except OSError as error:
        _complain(error)
        return FAILED
    return code if isinstance(code, int) else 0


def _complain(error: Exception) -> None:
    with contextlib.suppress(OSError):
        click.echo(f"myogestic-tui: {error}", err=True)


def _exit_code(error: MyoGesticError) -> int:
    if isinstance(error, StreamNotFoundError | AmbiguousStreamError):
        return NO_STREAM
    return USAGE if isinstance(error, ConfigError | ClockError) else FAILED
