"""`myogestic-tui doctor`."""

from __future__ import annotations

import shutil
import sys
import textwrap
from typing import TYPE_CHECKING

import click

from .options import common_options, json_option, pass_settings
from .output import Progress, print_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .doctor_finding import Check
    from .settings import Settings

_INDENT = 13
_UNLIMITED = 1_000_000


@click.command()
@common_options
@json_option
@pass_settings
def doctor(settings: Settings, as_json: bool) -> int:
    """Look at LSL, network, clock, disk and terminal: what is wrong, and how to repair it.

    Exits 1 if recording would not work.

    \b
    Examples:
      myogestic-tui doctor
      myogestic-tui doctor --json
    """
    from .doctor_checks import run_checks

    progress, found = Progress(), []
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else _UNLIMITED
    for check in run_checks(settings, progress.show):
        progress.clear()
        found.append(check)
        if not as_json:
            click.echo("\n".join(part for line in _lines(check) for part in _wrapped(line, width)))
    progress.clear()
    if as_json:
        print_json(found)
    return int(any(check.state == "bad" for check in found))


def doctor_lines(settings: Settings) -> Iterator[str]:
    """What `doctor` prints, line by line as it is found out."""
    from .doctor_checks import run_checks

    for check in run_checks(settings):
        yield from _lines(check)


def _wrapped(line: str, width: int) -> list[str]:
    return textwrap.wrap(line, width, subsequent_indent=" " * _INDENT, break_on_hyphens=False)


def _lines(check: Check) -> Iterator[str]:
    from .doctor_finding import GLYPHS

    yield f"{GLYPHS[check.state]} {check.subject:<11}{check.text}"
    if check.fix:
        yield f"  {'':<11}→ {check.fix}"
