"""What XDF has no place for of a session's time: arrival records, anchors, reasons of gaps.

An export writes them as further elements of the file's header and of the streams' footers, which readers pass over; an
import of the file is then as certain about gaps, leaps and labels as the recording was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
import numpy as np
from msgspec import Struct, field

from ...errors import SessionDamagedError
from ...montage import grids_to_plain, told_grids
from .json_files import as_type, decode_json
from .meta import Anchor, RecorderMeta
from .time_records import GapRecord, PlacedMeta  # noqa: TC001  (msgspec resolves annotations at run time)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .meta import Meta, StreamMeta

T = TypeVar("T", bound=Struct)

SESSION_JSON = "session_json"
"""Element of the file's header: a `SessionTime` as JSON."""
STREAM_JSON = "stream_json"
"""Element of a stream's footer: a `StreamTime` as JSON."""
ARRIVALS = "arrivals"
"""Element of a stream's footer: the arrival record, a row to a line."""


class SessionTime(Struct, frozen=True, omit_defaults=True):
    """The session's ends, the recorder's computer and the take sheet's further fields, as in ``meta.json``."""

    anchors: list[Anchor] = field(default_factory=list)
    recorder: RecorderMeta = RecorderMeta()
    duration_s: float | None = None
    fields: dict[str, str | int | float] = field(default_factory=dict)
    """Further fields of the take sheet."""


class StreamTime(Struct, frozen=True, omit_defaults=True):
    """What ``meta.json`` knows of one stream beside its layout."""

    gaps: list[GapRecord] = field(default_factory=list)
    joined_at: float | None = None
    counter: int | None = None
    placed: PlacedMeta | None = None
    channel_grids: Any = None
    """Where electrodes are, with ``montage``, as under the stream in ``meta.json``."""
    montage: Any = None


def session_time(meta: Meta) -> SessionTime:
    """What an export has to carry of the session."""
    return SessionTime(meta.anchors, meta.recorder, meta.duration_s, meta.fields)


def stream_time(measured: StreamMeta, placed: PlacedMeta | None) -> StreamTime:
    """What an export has to carry of a stream; ``placed`` where its time stamps are written corrected."""
    grids = grids_to_plain(told_grids(measured.extra, measured.n_channels))
    return StreamTime(measured.gaps, measured.joined_at, measured.counter, placed or measured.placed, **grids)


def encode_time(told: Struct) -> str:
    """As the text of an element."""
    return msgspec.json.encode(told).decode()


def decode_time(text: str, kind: type[T], *, where: str) -> T:
    """The reverse; an empty text tells nothing.

    Raises
    ------
    SessionDamagedError
        It is nothing of the kind.
    """
    return as_type(decode_json(text.encode(), where=where), kind, where=where) if text else kind()


def encode_arrivals(rows: NDArray[np.float64]) -> str:
    """The arrival record ``(k, 2)`` as text: samples and seconds, a row to a line, as exact as they are."""
    return "\n".join(f"{int(count)} {at!r}" for count, at in rows.tolist())


def decode_arrivals(text: str, n_samples: int) -> NDArray[np.float64]:
    """The reverse, for a stream of ``n_samples``.

    Raises
    ------
    SessionDamagedError
        It is no arrival record, or that of another number of samples.
    """
    try:
        rows = np.array(text.split(), np.float64).reshape(-1, 2)
    except ValueError as error:
        raise SessionDamagedError(f"its arrival record cannot be read: {error}") from error
    if not (np.isfinite(rows).all() and (np.diff(rows, axis=0) >= 0).all() and (rows >= 0)[:, 0].all()):
        raise SessionDamagedError("its arrival record does not ascend")
    if len(rows) and rows[-1, 0] != n_samples:
        raise SessionDamagedError(f"its arrival record is one of {rows[-1, 0]:.0f} samples")
    return rows
