"""Commands on where electrodes are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from ..montage import grids_to_plain
from .interface.commands import Reply

if TYPE_CHECKING:
    from ..montage import ChannelGrid
    from ..stream import Stream
    from .interface.commands import DescribeMontage, SetMontage
    from .parts import Parts


def set_montage(parts: Parts, command: SetMontage) -> Reply:
    """Carry out the command."""
    stream, wanted = parts.streams.find(command.stream), command.layouts
    if command.add and wanted is not None:
        wanted = (*stream.told.montage, *wanted)
    parts.montages.set(stream, wanted)
    words = "; ".join(grid.words() for grid in _grids(stream))
    later = "it is checked when the stream connects" if stream.info is None else "no electrode has a place"
    return Reply(ok=True, message=f"{stream.name}: {words or later}", text=_json(stream))


def describe_montage(parts: Parts, command: DescribeMontage) -> Reply:
    """Answer with the grids of a stream, as they stand in ``meta.json``."""
    return Reply(ok=True, text=_json(parts.streams.find(command.stream)))


def _grids(stream: Stream) -> tuple[ChannelGrid, ...]:
    return (stream.info.channel_grids if stream.info is not None else None) or ()


def _json(stream: Stream) -> str:
    return msgspec.json.encode(grids_to_plain(_grids(stream))).decode()
