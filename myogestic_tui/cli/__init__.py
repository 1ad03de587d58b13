"""The commands: parse, call, print. `main` is the entry point; every command is imported only when it is called."""

from __future__ import annotations

import sys
from typing import NoReturn


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run a command line (None: this process's own) and exit: 0 ok, 1 damage or failure, 2 usage, 3 no stream."""
    from ..stdio import open_missing_streams

    open_missing_streams()
    from .command_table import run

    sys.exit(run(arguments))
