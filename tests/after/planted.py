"""Sessions as a recorder makes them, with planted signal: samples that arrive as they are taken, and labels."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from myogestic_tui import StreamInfo
from myogestic_tui.clock import local_clock
from myogestic_tui.session import Session

CLASSES = ("Rest", "Fist", "Pinch")
READ_S = 0.2


class Planted:
    """A session to be filled with samples of known content; times are in seconds since its start."""

    def __init__(self, base: Path, seconds: float, class_names: Iterable[str] = CLASSES, **fields: object) -> None:
        self.seconds, self.start = seconds, local_clock()
        names = list(class_names)
        self.session = Session(base, class_names=names, fields=fields, started_at=self.start, reserve_bytes=0)

    def stream(self, name: str, info: StreamInfo, samples: np.ndarray, times: np.ndarray | None = None) -> None:
        """A stream whose samples were taken at ``times`` (as its rate has it, by default) and read every 0.2 s."""
        taken = self.start + (np.arange(len(samples)) / info.fs if times is None else times)
        self.session.init_stream(name, info, began=self.start)
        edges = np.searchsorted(taken, np.arange(self.start + READ_S, self.start + self.seconds + 2 * READ_S, READ_S))
        for first, last in zip([0, *edges], [*edges, len(taken)], strict=False):
            if last > first:
                arrived = float(taken[last - 1]) + 0.01
                self.session.append(name, samples[first:last], taken[first:last], arrived=arrived)
        self.session.mark_arrival(name, self.start + self.seconds)

    def labels(self, labels: Iterable[tuple[float, int]]) -> None:
        for at, index in labels:
            self.session.add_label(index, self.start + at, source="key")

    def finish(self, *, packed: bool = False) -> Path:
        self.session.request_stop(self.start + self.seconds)
        self.session.finish()
        return self.session.pack_to_zip() if packed else self.session.path
