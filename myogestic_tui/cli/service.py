"""`myogestic-tui service`: the recorder as a systemd service of the user."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from .options import common_options, json_option, pass_settings
from .output import print_json, remark

if TYPE_CHECKING:
    from .service_install import Step
    from .settings import Settings


@click.group()
def service() -> None:
    """Keep a recorder running without a login: a systemd user service of this environment and sessions folder.

    It starts with the machine, and again when it was killed. Screens and `ctl` attach to it.

    \b
    Examples:
      myogestic-tui service install --sessions /data/sessions
      myogestic-tui service status
      myogestic-tui service logs --follow
      myogestic-tui service remove
    """


@service.command()
@click.option("--dry-run", is_flag=True, help="Print the unit and the steps; change nothing.")
@click.option("--force", is_flag=True, help="Replace a unit that is there with another content.")
@common_options
@json_option
@pass_settings
def install(settings: Settings, dry_run: bool, force: bool, as_json: bool) -> int:
    """Write the unit, start the service, and have it started with the machine.

    The unit names this environment's own command, the sessions folder and the configuration file by their absolute
    paths; it is read again when the service starts. Where the unit is there already and says the same, nothing
    changes. One that says something else is shown, and stays without --force.

    \b
    Examples:
      myogestic-tui service install --sessions /data/sessions
      myogestic-tui service install --dry-run
    """
    from .service_install import Installation

    plan = Installation.of(settings)
    steps = plan.steps(force=force)
    if not dry_run:
        plan.apply(steps)
    if as_json:
        print_json({**plan.facts(), "unit": plan.text, "dry_run": dry_run, "steps": steps})
    elif dry_run:
        click.echo(plan.text, nl=False)
    if not as_json:
        for step in steps:
            remark(_step_line(step, dry_run))
        for warning in plan.warnings:
            remark(f"warning: {warning}")
    return 0


def _step_line(step: Step, dry_run: bool) -> str:
    mark = "would" if dry_run and not step.by_hand else "✓" if step.done else "·"
    command = f": {step.command}" if step.command else ""
    return f"{mark} {step.text}{command}"


@service.command()
@json_option
def status(as_json: bool) -> int:
    """How the service is: exit code 0 where it runs, 1 where it does not.

    \b
    Examples:
      myogestic-tui service status
      myogestic-tui service status --json
    """
    from .service_status import read_state

    found = read_state()
    if as_json:
        print_json(found.facts())
    else:
        click.echo("\n".join(found.lines()))
    return 0 if found.runs else 1


@service.command()
@click.option("--follow", "-f", is_flag=True, help="Print new lines as they come.")
@click.option("--lines", "-n", type=click.IntRange(min=1), default=50, show_default=True, help="How many at first.")
def logs(follow: bool, lines: int) -> int:
    """Show what the service logged: who did what, what was recovered, and why it ended.

    \b
    Examples:
      myogestic-tui service logs
      myogestic-tui service logs --follow
    """
    import subprocess

    from .systemctl import require_journal
    from .systemd_unit import UNIT

    command = [require_journal(), f"--user-unit={UNIT}", f"--lines={lines}"]
    command += ["--follow"] if follow else ["--no-pager"]
    try:
        return subprocess.run(command, check=False).returncode
    except KeyboardInterrupt:
        return 0


@service.command()
@click.option("--force", is_flag=True, help="Even while it records, or where somebody else wrote the unit.")
@json_option
def remove(force: bool, as_json: bool) -> int:
    """Stop the service and remove its unit. Sessions, configuration and the installation stay as they are.

    \b
    Example:
      myogestic-tui service remove
    """
    from .service_install import remove_service

    steps = remove_service(force=force)
    told: dict[str, Any] = {"steps": steps}
    if as_json:
        print_json(told)
    else:
        for step in steps:
            remark(_step_line(step, dry_run=False))
    return 0
