"""The commands of `ctl` by which `fleet` measures a box's clock, and starts several boxes at one instant."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import click

from .ctl_client import FAILED, attached, driver, send

if TYPE_CHECKING:
    from .settings import Settings

_MOST_AHEAD = 60.0


@click.command()
def clock() -> None:
    """Print the recorder's clock (s) for each line of standard input, until that ends.

    \b
    Example: echo | myogestic-tui ctl clock
    """
    for _ in sys.stdin:
        click.echo(f"{time.monotonic():.9f}")


@driver()
@click.option("--fleet-id", default="", help="What the sessions of all boxes have in common.")
@click.option("--name", help="Name of the session; the take sheet's where absent.")
@click.option("--yes", is_flag=True, help="Do it even where the recorder would ask first.")
def arm(settings: Settings, fleet_id: str, name: str | None, yes: bool, as_json: bool) -> int:  # noqa: ARG001
    """Get ready to start, and start at the instant that a line `go SECONDS` on standard input names.

    Prints a line of JSON once it is ready, or why not. Where standard input ends first, or says anything else, nothing
    is started.

    \b
    Example: myogestic-tui ctl arm --fleet-id 2026-05-17-a
    """
    from ..app.interface import Start

    with attached(settings) as client:
        rehearsed = send(client, Start(name=name, fleet_id=fleet_id, rehearse=True), yes)
        line = _one_line({"ok": rehearsed.ok, "message": rehearsed.message, "confirm": rehearsed.confirm})
        click.echo(line)
        if not rehearsed.ok:
            return FAILED
        at = _instant(sys.stdin.readline())
        if at is None:
            click.echo(_one_line({"ok": False, "message": "not started: the fleet called it off"}))
            return FAILED
        time.sleep(max(0.0, at - time.monotonic()))
        late = time.monotonic() - at
        reply = send(client, Start(name=name, fleet_id=fleet_id), yes)
        click.echo(_one_line({"ok": reply.ok, "message": reply.message, "path": reply.path, "late_s": late}))
        return 0 if reply.ok else FAILED


def _instant(line: str) -> float | None:
    word, _, seconds = line.strip().partition(" ")
    try:
        at = float(seconds) if word == "go" else None
    except ValueError:
        return None
    return at if at is not None and at - time.monotonic() < _MOST_AHEAD else None


def _one_line(facts: dict[str, object]) -> str:
    import msgspec

    return msgspec.json.encode(facts).decode()
