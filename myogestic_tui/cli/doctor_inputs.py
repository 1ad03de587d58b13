"""Whether the devices of ``[[inputs]]`` are there and may be opened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import ConfigError
from .doctor_finding import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .settings import Settings

_RULES = "/etc/udev/rules.d/70-myogestic-inputs.rules"


def check_inputs(settings: Settings) -> Iterator[Check]:
    """A finding for each device that the configuration names."""
    wanted = dict.fromkeys(one.device for one in settings.config.inputs)
    if not wanted:
        return
    from ..control.input_devices import JOIN_GROUP, list_inputs, udev_rule

    try:
        found = list_inputs()
    except ConfigError as error:
        yield Check("inputs", "warning", str(error), "sudo apt install gcc python3-dev, where pip has to build it")
        return
    for device in wanted:
        here = [one for one in found if device in (one.name, one.path)]
        if not here:
            there = ", ".join(one.name for one in found if one.name) or "none"
            yield Check("inputs", "warning", f"{device} is not there; there are: {there}", "plug it in")
        elif here[0].error:
            rule = f"echo '{udev_rule(here[0].name or device)}' | sudo tee -a {_RULES}"
            fix = f"{JOIN_GROUP}; where it still may not: {rule}; sudo udevadm control --reload; plug it in again"
            yield Check("inputs", "warning", f"{device} ({here[0].path}): {here[0].error}", fix)
        else:
            yield Check("inputs", "ok", f"{device} at {here[0].path}")
