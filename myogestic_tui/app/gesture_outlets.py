"""Gestures for synthetic hands: a marker stream for each generator on the network that is recorded here."""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING

from ..clock import local_clock
from .marker_outlet import MarkerOutlet

if TYPE_CHECKING:
    from collections.abc import Callable

    from .streams import StreamTable

_SYNTHETIC = re.compile(r"myogestic-(.+)-\d+")
"""source_id of a generator's EMG outlet, with the outlet's name."""


class GestureOutlets:
    """Lets synthetic hands take up the gestures that are labelled, as `sources.generator` listens to them.

    Parameters
    ----------
    streams
        The app's streams; those of a generator are told.
    source
        What the outlets are found by again, with the generator's name.
    followed
        Gives the uids of outlets whose generator is told otherwise.
    """

    def __init__(self, streams: StreamTable, source: str, followed: Callable[[], frozenset[str]]) -> None:
        self._streams, self._source, self._followed = streams, source, followed
        self._outlets: dict[str, MarkerOutlet] = {}
        self._told: set[str] = set()
        self._gesture = 0
        self._lock = threading.Lock()

    def follow(self) -> None:
        """Open an outlet for each generator that connected, and tell those that listen since the last look."""
        with self._lock:
            for name in self._generators() - self._outlets.keys():
                outlet = self._outlets[name] = MarkerOutlet(f"{name}_gesture", f"{self._source}-{name}", offered=False)
                outlet.open()
            listening = {name for name, outlet in self._outlets.items() if outlet.is_heard}
            for name in listening - self._told:
                self._outlets[name].publish_if_open(str(self._gesture), local_clock())
            self._told = listening

    def send(self, class_index: int) -> None:
        """Let every hand take up a gesture; -1 is rest."""
        with self._lock:
            self._gesture = class_index
            for outlet in self._outlets.values():
                outlet.publish_if_open(str(class_index), local_clock())

    @property
    def waiting(self) -> bool:
        """Whether a generator that is recorded does not listen yet."""
        return bool(self._generators() - self._told)

    def close(self) -> None:
        """Take the outlets off the network."""
        with self._lock:
            for outlet in self._outlets.values():
                outlet.close()
            self._outlets, self._told = {}, set()

    def _generators(self) -> set[str]:
        infos = [stream.info for stream in self._streams.streams.values() if stream.info is not None]
        others = [info for info in infos if info.type == "EMG" and info.uid and info.uid not in self._followed()]
        return {match[1] for info in others if (match := _SYNTHETIC.fullmatch(info.source_id))}
