"""`myogestic-tui init`."""

from __future__ import annotations

from pathlib import Path

import click

from ..errors import ConfigError

TEMPLATE = Path(__file__).with_name("template.toml")


@click.command()
@click.argument("path", type=click.Path(dir_okay=False, path_type=Path), default="myogestic.toml")
@click.option("--force", is_flag=True, help="Replace a file that is there.")
def init(path: Path, force: bool) -> None:
    """Write a commented myogestic.toml to start from.

    All of it is commented out except four gestures and a protocol: take out a # to use a line.

    \b
    Example:
      myogestic-tui init
    """
    try:
        with path.open("wb" if force else "xb") as file:
            file.write(TEMPLATE.read_bytes())
    except FileExistsError:
        raise ConfigError(f"{path} is there already; --force replaces it") from None
    except OSError as error:
        raise ConfigError(f"cannot write {path}: {error.strerror}") from error
    click.echo(path)
