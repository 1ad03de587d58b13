"""What a device has to offer to be recorded: three methods."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ..info import StreamInfo

ConditionState = Literal["live", "lost", "refused"]


@runtime_checkable
class Source(Protocol):
    """A device, as its `Stream`'s worker thread sees it. All three methods are called from that one thread."""

    def connect(self) -> StreamInfo:
        """Open the device and say how its samples look.

        Waits a bounded time (a second or two) at most; the worker asks again later.

        Raises
        ------
        StreamNotFoundError
            It is not there (yet).
        AmbiguousStreamError
            More than one answers.
        """
        ...

    def read(self) -> tuple[NDArray[Any], NDArray[np.float64]]:
        """Take all that waits, without blocking for more than a poll interval.

        Returns
        -------
        data
            ``(n_samples, n_channels)`` in the dtype of `StreamInfo` (object array of str for strings), a copy.
        timestamps
            ``(n_samples,)`` seconds on the source's own clock, raw. Both are empty when nothing waits.
        """
        ...

    def disconnect(self) -> None:
        """Close the device. May be called twice; never raises."""
        ...


@dataclass(frozen=True, slots=True)
class ClockEstimate:
    """One comparison of a source's clock with the recorder's (`emg_clock.zarr` holds a row of each).

    ``recorder time = source time + offset``, all in seconds.
    """

    collected_at: float
    offset: float
    uncertainty: float
    remote_time: float


@dataclass(frozen=True, slots=True)
class Condition:
    """How a source that connected once is now."""

    state: ConditionState
    message: str = ""
    cause: str = ""
    """Why nothing comes, as it will stand with the gap; empty where the message says it."""


@runtime_checkable
class ClockedSource(Protocol):
    """A source that compares its clock with the recorder's."""

    def take_clock_estimates(self) -> list[ClockEstimate]:
        """New estimates since the last call, oldest first; unchanged ones are left out."""
        ...


@runtime_checkable
class MonitoredSource(Protocol):
    """A source that knows when it is lost, or came back as something else."""

    def condition(self) -> Condition:
        """The present condition; never blocks."""
        ...


@runtime_checkable
class OwnedSource(Protocol):
    """A source that tells the operator which stream it belongs to."""

    owner: str
    """Name of the stream; the stream sets it."""


@runtime_checkable
class ReconnectingSource(Protocol):
    """A source that can reconnect, and that may hold samples back while one is in doubt."""

    def reconnect(self, uid: str = "") -> None:
        """With the next read, reconnect: to the outlet of that uid, else to the one that it was at. Any thread."""
        ...

    def release(self) -> bool:
        """With the next read, hand out what is held back in case more comes before it. Any thread.

        True while more is held back that is worth waiting for.
        """
        ...
