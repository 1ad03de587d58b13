"""Results to stdout, progress and remarks to stderr: one look for all commands."""

from __future__ import annotations

import contextlib
import shutil
import sys
import time
from typing import TYPE_CHECKING, Any

import click

from ..widgets.number_format import duration as duration
from ..widgets.number_format import rate as rate
from ..widgets.number_format import size as size

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_PLAIN_SECONDS = 10.0
"""How often progress gets a line where stderr is no terminal."""


def print_json(value: Any) -> None:
    """Print a struct or plain data as indented JSON."""
    import msgspec

    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def remark(text: str) -> None:
    """Say something that is no result; where nobody can hear it, the work continues."""
    with contextlib.suppress(OSError):
        click.echo(text, err=True)


def table(headers: Sequence[str], rows: Sequence[Sequence[object]], right: Sequence[str] = ()) -> str:
    """Columns as wide as their content; those named in ``right`` are flush right."""
    cells = [[str(cell) for cell in row] for row in (headers, *rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(headers))]
    lines = []
    for row in cells:
        parts = [
            cell.rjust(width) if header in right else cell.ljust(width)
            for cell, width, header in zip(row, widths, headers, strict=True)
        ]
        lines.append("  ".join(parts).rstrip())
    return "\n".join(lines)


class Progress:
    """A line on stderr that changes in place; where that is no terminal, a line now and then."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._next = time.monotonic() + _PLAIN_SECONDS
        self._width = 0

    def show(self, text: str) -> None:
        """Replace the line."""
        if self._terminal:
            text = text[: shutil.get_terminal_size().columns - 1]
            _draw(f"\r{text.ljust(self._width)}")
            self._width = len(text)
        elif time.monotonic() >= self._next:
            self._next = time.monotonic() + _PLAIN_SECONDS
            remark(text)

    def share(self, what: str) -> Callable[[int, int], None]:
        """A callback that is given the bytes done and the bytes in all."""
        return lambda done, total: self.show(f"{what}  {100 * done / max(total, 1):3.0f} %  {size(done)}")

    def clear(self) -> None:
        """Take the line away."""
        if self._terminal and self._width:
            _draw(f"\r{' ' * self._width}\r")
            self._width = 0


def _draw(text: str) -> None:
    with contextlib.suppress(OSError):  # the terminal hung up; a recording does not
        print(text, end="", file=sys.stderr, flush=True)
