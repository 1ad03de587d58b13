"""The tab key, in real shells: commands, sessions, options; names from the recorder and the configuration."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import click
import pytest

from myogestic_tui.cli.command_table import root
from myogestic_tui.session.format.lock import lock_sessions_folder
from tests.control.tiny import serving
from tests.tui.terminal import Terminal

SHELLS = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], 'eval "$(myogestic-tui completion bash)"'),
    "zsh": (["zsh", "-f", "-i"], 'autoload -Uz compinit && compinit -C -D && eval "$(myogestic-tui completion zsh)"'),
    "fish": (["fish", "--no-config", "-i"], "myogestic-tui completion fish | source"),
}
ARCHIVE = "sessions/2026-05-17_14-23-05.session.zip"
NAMES = """
[[streams]]
name = "My EMG"

[[gestures]]
name = "Rest"

[[protocols]]
name = "warm up"
steps = [{ gesture = "Rest", seconds = 1 }]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sessions" / ".myogestic").mkdir(parents=True)
    (tmp_path / ARCHIVE).touch()
    return tmp_path


@pytest.mark.parametrize("shell", SHELLS)
def test_the_tab_key_completes_commands_sessions_and_options(shell, folder):
    arguments, source = SHELLS[shell]
    if shutil.which(arguments[0]) is None:
        pytest.skip(f"no {shell} here")
    path = f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin"
    environ = {"PATH": path, "HOME": str(folder), "PS1": "$ ", "SHELL": None}
    with Terminal(arguments, cwd=folder, environ=environ, columns=120) as terminal:
        terminal.send(f"{source}; echo rea''dy\r".encode())
        terminal.wait_for("ready")
        for typed, completed in (
            ("myogestic-tui expo", "export "),
            ("2026", f"export {ARCHIVE} "),
            ("--st", "--stream "),
        ):
            terminal.send(f"{typed}\t".encode())
            terminal.wait_for(completed)
        (folder / "myogestic.toml").write_text(NAMES)
        terminal.send(b"\x15myogestic-tui record My\t")
        terminal.wait_for("record My\\ EMG")


def offered(name: str, *before: str) -> list[str]:
    """What the last argument of a command is offered when nothing of it is typed yet."""
    ctx = click.Context(root, info_name="myogestic-tui")
    words = [*name.split(), *before]
    command: click.Command = root
    while isinstance(command, click.Group):
        command = command.get_command(ctx, words.pop(0))
        ctx = command.make_context(None, list(words), parent=ctx, resilient_parsing=True)
    argument = [one for one in command.params if isinstance(one, click.Argument)][-1]
    return [item.value for item in argument.shell_complete(ctx, "")]


def test_names_come_from_the_configuration_and_from_the_recorder(folder, monkeypatch):
    monkeypatch.chdir(folder)
    (folder / "myogestic.toml").write_text(NAMES)
    assert offered("record") == ["My EMG"]
    assert "warm up" in offered("ctl protocol", "start")
    assert offered("ctl label") == ["end"]
    with serving() as (server, _), lock_sessions_folder(folder / "sessions") as lock:
        lock.announce(str(server.path))
        assert offered("record") == ["emg"]
        assert offered("ctl label") == ["Rest", "Fist", "Pinch", "Open", "end"]
    (folder / "myogestic.toml").write_text("streams = 3")
    assert offered("record") == []
