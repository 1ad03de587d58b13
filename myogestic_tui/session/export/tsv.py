"""Tables of BIDS: tab-separated, ``n/a`` for what is not known."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

UNKNOWN = "n/a"

Row = dict[str, str]


def read_tsv(path: Path) -> list[Row]:
    """The rows of a table; none where it is not there."""
    if not path.exists():
        return []
    head, *rows = (line.split("\t") for line in path.read_text(encoding="utf-8-sig").splitlines() if line)
    return [dict(zip(head, row, strict=False)) for row in rows]


def write_tsv(path: Path, columns: Sequence[str], rows: Sequence[Mapping[str, object]]) -> None:
    """Replace a table; what a row does not tell is ``n/a``."""
    lines = [columns, *([_cell(row.get(column)) for column in columns] for row in rows)]
    path.write_text("".join("\t".join(line) + "\n" for line in lines), encoding="utf-8")


def read_json(path: Path) -> dict[str, Any]:
    """An object; an empty one where there is no such file."""
    return json.loads(path.read_text(encoding="utf-8-sig")) if path.exists() else {}


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Replace a sidecar."""
    path.write_text(json.dumps(content, indent=4, ensure_ascii=False) + "\n", encoding="utf-8")


def number_text(value: float) -> str:
    """A number in as few digits as read back to the same; ``n/a`` for what is none."""
    return repr(value) if math.isfinite(value) else UNKNOWN


def _cell(value: object) -> str:
    text = "" if value is None else " ".join(str(value).split())
    return text or UNKNOWN
