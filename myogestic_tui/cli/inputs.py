"""`myogestic-tui inputs`: which pedals, gamepads and button boxes there are, and what their keys are called."""

from __future__ import annotations

import contextlib
import os
import select
import time

import click

from ..errors import ConfigError
from .options import json_option
from .output import print_json, remark, table


@click.group(invoke_without_command=True)
@json_option
@click.pass_context
def inputs(ctx: click.Context, as_json: bool) -> None:
    """List input devices with keys (extra [inputs]); `learn` tells the name of one that is pressed.

    \b
    Examples:
      myogestic-tui inputs
      myogestic-tui inputs learn
    """
    if ctx.invoked_subcommand is not None:
        return
    from ..control.input_devices import list_inputs

    found = list_inputs()
    if as_json:
        print_json([one._asdict() for one in found])
        return
    rows = [(one.path, one.name, one.error or f"{len(one.keys)} keys") for one in found]
    click.echo(table(("DEVICE", "NAME", ""), rows) if rows else "no input device")


@inputs.command()
@click.option("--timeout", type=click.FloatRange(min=0), default=30.0, show_default=True, help="Seconds to wait.")
def learn(timeout: float) -> int:
    """Wait for a key, and print the lines for myogestic.toml that make it label.

    \b
    Example: myogestic-tui inputs learn
    """
    from ..control.input_devices import EV_KEY, PRESSED, Device, key_name, list_inputs, open_input

    with contextlib.ExitStack() as stack:
        devices: dict[int, Device] = {}
        for one in list_inputs():
            with contextlib.suppress(OSError):
                device = open_input(one.path, grab=False)
                stack.callback(device.close)
                devices[device.fileno()] = device
        if not devices:
            raise ConfigError("no input device can be opened; `myogestic-tui doctor` tells what is missing")
        remark(f"press a key of the pedal or box ({len(devices)} devices are watched)")
        end = time.monotonic() + timeout
        while (left := end - time.monotonic()) > 0:
            for fd in select.select([*devices], [], [], left)[0]:
                for event in devices[fd].read():
                    if event.type == EV_KEY and event.value == PRESSED:
                        click.echo(_lines(devices[fd].name, key_name(event.code)))
                        return 0
    remark(f"no key was pressed within {timeout:.0f} s")
    return 1


def _lines(device: str, key: str) -> str:
    quoted = os.fsdecode(device).replace("\\", "\\\\").replace('"', '\\"')
    rows = (
        "[[inputs]]",
        f'device = "{quoted}"',
        f'key = "{key}"',
        'press = "Fist"    # a gesture; "" ends the label',
    )
    return "\n".join((*rows, 'release = "Rest"'))
