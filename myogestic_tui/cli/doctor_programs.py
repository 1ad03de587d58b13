"""Whether the programs of ``[on]`` and ``[[commands]]`` are there: else it shows when they are needed."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from .doctor_finding import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .settings import Settings

_FIX = "install it, or give its full path: a service looks in other folders than your shell"


def check_programs(settings: Settings) -> Iterator[Check]:
    """A finding for each program that the configuration names and nobody finds; one for all where they are there."""
    config = settings.config
    programs = {f"[on] {event}": arguments[0] for event, arguments in config.on.programs.items()}
    programs |= {f"command {one.name}": one.arguments[0] for one in config.commands}
    missing = {where: program for where, program in programs.items() if shutil.which(program) is None}
    for where, program in missing.items():
        yield Check("programs", "warning", f"{where}: there is no program {program}", _FIX)
    if programs and not missing:
        yield Check("programs", "ok", f"{', '.join(programs)}: there")
