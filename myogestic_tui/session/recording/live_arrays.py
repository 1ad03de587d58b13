"""The `zarr.Array` objects of a session that is being recorded: they grow as the checkpointer extends them."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from ..format.layout import array_name
from ..format.stream_names import ByStream

if TYPE_CHECKING:
    import zarr

    from .active_session import Recording


class LiveStores:
    """Arrays by stream, opened when first asked for: a session whose arrays nobody looks at does not import zarr."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._lock = threading.Lock()
        self.data = self._mapping("")
        """``(n_samples, n_channels)``."""
        self.stamps = self._mapping("_timestamps")
        """``(n_samples,)`` float64 seconds, raw."""
        recording.on_commit = self._grow

    def _mapping(self, derived: str) -> ByStream[zarr.Array[Any]]:
        return ByStream(lambda: self._recording.own_names, lambda stem: self._open(stem, derived), self._lock)

    def _open(self, stem: str, derived: str) -> zarr.Array[Any]:
        from ..reading.zarr_stores import RecordingStore, open_array

        return open_array(RecordingStore(self._recording.folder), array_name(stem, derived), writable=True)

    def _grow(self) -> None:
        with self._lock:
            for mapping in (self.data, self.stamps):
                for stem, array in mapping.made().items():
                    n = self._recording.committers[stem].published
                    if array.shape[0] != n:
                        array.resize((n, *array.shape[1:]))
