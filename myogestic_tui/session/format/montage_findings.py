"""What other programs wrote of electrodes, and is none of this session's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...errors import ConfigError
from ...montage import grids_from_plain
from .findings import Finding, observation

if TYPE_CHECKING:
    from .meta import Meta


def montage_findings(meta: Meta) -> list[Finding]:
    """An observation for each stream whose grids cannot be used: its electrodes then have no place."""
    found = []
    for stem, stream in meta.all_streams.items():
        try:
            grids_from_plain(stream.extra, stream.n_channels)
        except ConfigError as error:
            found.append(observation(f"{stem}: its electrodes have no place: {error}", stream=stem))
    return found
