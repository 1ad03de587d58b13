"""`myogestic-tui inputs`: which pedals, gamepads and button boxes there are, and what their keys are called."""

from __future__ import annotations

import contextlib
import os
import select
import time

import click

from ..errors import ConfigError
from ..plural import count_of
from .options import json_option
from .output import print_json, remark, table

_NONE = "no input device with keys is plugged in"


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
    from ..control.input_devices import JOIN_GROUP, list_inputs

    found = list_inputs()
    if as_json:
        print_json([one._asdict() for one in found])
        return
    rows = [(one.path, one.name, one.error or f"{len(one.keys)} keys") for one in found]
    click.echo(table(("DEVICE", "NAME", ""), rows) if rows else _NONE)
    if any(one.forbidden for one in found):
        remark(f"what may not be opened cannot label: {JOIN_GROUP}")


@inputs.command()
@click.option("--timeout", type=click.FloatRange(min=0), default=30.0, show_default=True, help="Seconds to wait.")
def learn(timeout: float) -> int:
    """Wait for a key, and print the lines for myogestic.toml that make it label.

    \b
    Example: myogestic-tui inputs learn
    """
    from ..control.input_devices import EV_KEY, PRESSED, Device, key_name, list_inputs, open_input, open_trouble

    with contextlib.ExitStack() as stack:
        devices: dict[int, Device] = {}
        refused = []
        for one in list_inputs():
            try:
                device = open_input(one.path, grab=False)
            except OSError as error:
                refused.append(f"{one.name or one.path} {open_trouble(error)}")
                continue
            stack.callback(device.close)
            devices[device.fileno()] = device
        if not devices:
            raise ConfigError("\n".join(refused) or _NONE)
        for why in refused:
            remark(why)
        remark(f"press a key of the pedal or box ({count_of(len(devices), 'device')} watched)")
        end = time.monotonic() + timeout
        while (left := end - time.monotonic()) > 0:
            for fd in select.select([*devices], [], [], left)[0]:
                try:
                    events = list(devices[fd].read())
                except OSError as error:  # pulled out
                    remark(f"{devices.pop(fd).name} {open_trouble(error)}")
                    continue
                for event in events:
                    if event.type == EV_KEY and event.value == PRESSED:
                        click.echo(_lines(devices[fd].name, key_name(event.code)))
                        return 0
    remark(
        f"no key was pressed within {timeout:.0f} s; a device that a running recorder has grabbed is heard by it alone"
    )
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
