"""`myogestic-tui completion`."""

from __future__ import annotations

import os
import re

import click
from click.shell_completion import BashComplete, CompletionItem, add_completion_class, get_completion_class

from .settings import COMPLETE

"""A recorder that does not answer by then is not asked: somebody has pressed the tab key and waits."""

SHELLS = ("bash", "zsh", "fish")
_CONNECT_SECONDS = 0.5


@add_completion_class
class QuotingBashComplete(BashComplete):
    """For bash, which puts a completion on the line as it stands: spaces have to be escaped.

    Twice, as the script's ``read`` takes one backslash away.
    """

    def format_completion(self, item: CompletionItem) -> str:
        """One completion as the script takes it."""
        value = re.sub(r"([^\w@%+=:,./-])", r"\\\\\1", item.value) if item.type == "plain" else item.value
        return f"{item.type},{value}"


@click.command()
@click.argument("shell", type=click.Choice(SHELLS), required=False)
@click.pass_context
def completion(ctx: click.Context, shell: str | None) -> None:
    """Print what makes SHELL (default: yours) complete commands, options, sessions, streams and gestures.

    \b
    Examples:
      myogestic-tui completion bash >> ~/.bashrc
      myogestic-tui completion zsh >> ~/.zshrc          (after compinit)
      myogestic-tui completion fish > ~/.config/fish/completions/myogestic-tui.fish
    """
    name = shell or os.path.basename(os.environ.get("SHELL", ""))
    kind = get_completion_class(name) if name in SHELLS else None
    if kind is None:
        raise click.UsageError(f"name the shell: {', '.join(SHELLS)}")
    click.echo(kind(ctx.find_root().command, {}, "myogestic-tui", COMPLETE).source())
