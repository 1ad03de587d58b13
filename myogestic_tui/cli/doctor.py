"""`myogestic-tui doctor`."""

from __future__ import annotations

import click

from .options import Settings, common_options, json_option, pass_settings
from .output import Progress, print_json


@click.command()
@common_options
@json_option
@pass_settings
def doctor(settings: Settings, as_json: bool) -> int:
    r"""Look at LSL, network, clock, disk and terminal: what is wrong, and how to mend it.

    Exits 1 if recording would not work.

    \b
    Examples:
      myogestic-tui doctor
      myogestic-tui doctor --json
    """
    from .checks import GLYPHS, run_checks

    progress, found = Progress(), []
    for check in run_checks(settings, progress.show):
        progress.clear()
        found.append(check)
        if not as_json:
            click.echo(f"{GLYPHS[check.state]} {check.subject:<11}{check.text}")
            if check.fix:
                click.echo(f"  {'':<11}→ {check.fix}")
    progress.clear()
    if as_json:
        print_json(found)
    return int(any(check.state == "bad" for check in found))
