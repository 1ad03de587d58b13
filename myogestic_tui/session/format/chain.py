"""Sessions of one recording without an end, each of which begins where the one before ends: a chain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from ...msgspec_types import prepared
from .json_files import Int64  # noqa: TC001  (msgspec resolves annotations)

if TYPE_CHECKING:
    from .meta import Meta

CHAIN = "chain"
"""Further field of ``meta.json``: the session's place in its chain."""
SEGMENT_SOURCE = "segment"
"""``source`` of the label that a session begins with because the one before ended with it."""


class ChainLink(Struct, frozen=True, omit_defaults=True):
    """The place of a session in its chain."""

    id: str
    """The same in all sessions of the chain."""
    segment: Int64
    """From 1."""
    period_s: float = 0.0
    """How long each is meant to be."""
    before: str = ""
    """Name of the folder of the session before; empty in the first."""
    before_sha256: str = ""
    """What that one has recorded, as one hash (`archive.recorded_digest`); entered when this one is packed."""


def chain_link(meta: Meta) -> ChainLink | None:
    """The place of a session in its chain; None where it belongs to none, or what it says cannot be read."""
    plain = meta.extra.get(CHAIN)
    try:
        link = msgspec.convert(plain, prepared(ChainLink)) if isinstance(plain, dict) else None
    except (msgspec.ValidationError, RecursionError):
        return None
    return link if link is not None and link.id and link.segment > 0 else None


def chain_field(link: ChainLink) -> dict[str, Any]:
    """The field of ``meta.json`` that says so."""
    return {CHAIN: msgspec.to_builtins(link)}


def chain_words(link: ChainLink | None) -> str:
    """The place in words; empty for a session of no chain."""
    if link is None:
        return ""
    return f"segment {link.segment} of chain {link.id}{f', after {link.before}' if link.before else ''}"
