"""What was found when a session was recovered, imported or merged, as ``meta.json`` keeps it."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

from ...msgspec_types import prepared
from .findings import Finding
from .meta import IMPORTED, MERGED, RECOVERY

if TYPE_CHECKING:
    from .meta import Meta


def kept_findings(meta: Meta) -> dict[str, list[Finding]]:
    """What was found before, as ``meta.json`` keeps it, by when: ``"recovered"``, ``"imported"``, ``"merged"``."""
    found = {}
    for when, field in (("recovered", RECOVERY), ("imported", IMPORTED), ("merged", MERGED)):
        kept = meta.extra.get(field)
        with suppress(KeyError, msgspec.ValidationError):
            if isinstance(kept, dict):
                found[when] = msgspec.convert(kept["findings"], prepared(list[Finding]))
    return found
