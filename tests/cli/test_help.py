"""Every command explains itself with an example; a wrong one says what is right."""

from __future__ import annotations

import re

import click
import pytest

from myogestic_tui.cli.command_table import COMMANDS, root


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_every_command_shows_an_example_of_it(name):
    command = root.get_command(click.Context(root), name)
    assert command is not None
    text = command.get_help(click.Context(command, info_name=name))
    assert re.search(rf"Examples?:\n +myogestic-tui {name}\b", text)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_explained(name):
    command = root.get_command(click.Context(root), name)
    assert command is not None
    assert all(one.help for one in command.params if isinstance(one, click.Option))


def test_the_top_level_help_lists_every_command(run):
    done = run("--help")
    assert done.code == 0
    assert all(f"\n  {name} " in done.out for name in COMMANDS)


def test_the_version_is_that_of_the_package(run):
    from myogestic_tui import __version__

    assert run("--version").out.split()[-1] == __version__


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["recrd"], "did you mean 'record'"),
        (["record", "--secnds", "3"], "--seconds"),
        (["record", "x", "--labels", "Rest"], "Rest:5,Fist:5"),
        (["record", "x", "--seconds", "0"], "seconds"),
        (["record", "x", "--all"], "not both"),
        (["record", "nme=x"], "did you mean 'name'"),
        (["verify"], "PATH"),
        (["info", "nowhere.session.zip"], "nowhere"),
        (["sessions", "--config", "nowhere.toml"], "nowhere.toml"),
    ],
)
def test_a_wrong_command_line_exits_2_and_says_what_is_right(run, arguments, said):
    done = run(*arguments)
    assert (done.code, done.out) == (2, "")
    assert said in done.err


def test_without_a_terminal_the_screens_say_so(run):
    done = run()
    assert done.code == 2
    assert "terminal" in done.err


def test_a_mistake_in_the_configuration_is_told_before_anything_starts(run, tmp_path):
    (tmp_path / "myogestic.toml").write_text('[screen]\ntheme = "drak"\n')
    done = run("record", "--all")
    assert done.code == 2
    assert done.err.startswith("myogestic-tui: myogestic.toml:2: screen.theme: is 'drak'; allowed: dark, light, ansi, ")


def test_init_writes_a_file_that_the_other_commands_take(run, tmp_path):
    assert run("init").out == "myogestic.toml\n"
    assert run("sessions").code == 0
    assert run("init").code == 2
    assert run("init", "--force").code == 0
