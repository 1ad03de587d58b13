"""An LSL marker stream that labels, starts and stops, by the mapping in the configuration's ``[markers]``."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from ..app.interface import AddLabel, Recorder, Reply, Stop
from ..clock import local_clock
from ..errors import MyoGesticError
from ..stream.source import ClockedSource
from .labrecorder_port import start_ticked

if TYPE_CHECKING:
    from ..config import MarkerConfig
    from ..stream.source import Source

_log = logging.getLogger(__name__)
_ACTOR = "marker"
_RETRY_SECONDS = 2.0
_POLL_SECONDS = 0.02


class MarkerControl:
    """What each marker does.

    Parameters
    ----------
    recorder
        Gets the commands.
    config
        Which texts start, stop and label.
    """

    def __init__(self, recorder: Recorder, config: MarkerConfig) -> None:
        self._recorder = recorder
        self._config = config

    def act(self, text: str, timestamp: float) -> Reply | None:
        """Carry out what a marker stands for; None where it stands for nothing.

        ``timestamp`` is the marker's own, on the recorder's clock: a label gets it.
        """
        text = text.strip()
        reply = None
        if text in self._config.stop:
            reply = self._recorder.execute(Stop(actor=_ACTOR))
        if text in self._config.start:
            reply = start_ticked(self._recorder, _ACTOR)
        if text in self._config.labels:
            reply = self._label(self._config.labels[text], timestamp)
        if reply is not None and not reply.ok:
            _log.warning("marker %r: %s", text, reply.message)
        return reply

    def _label(self, gesture: str, timestamp: float) -> Reply:
        names = [one.name for one in self._recorder.status().gestures]
        if gesture and gesture not in names:
            return Reply(ok=False, message=f"no gesture {gesture!r}; there are: {', '.join(names)}")
        index = names.index(gesture) if gesture else -1
        return self._recorder.execute(AddLabel(class_index=index, timestamp=timestamp, source="marker", actor=_ACTOR))


class MarkerWatch:
    """Reads a marker stream on a thread of its own, apart from the one that may be recorded, and acts on each marker.

    Parameters
    ----------
    source
        A string source; connected again whenever it fails.
    control
        What each marker does.
    """

    def __init__(self, source: Source, control: MarkerControl) -> None:
        self._source = source
        self._control = control
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="marker-watch", daemon=True)
        self._offset = 0.0

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def close(self, timeout: float = 5.0) -> None:
        """End the thread."""
        self._stop.set()
        if self._thread.ident:
            self._thread.join(timeout)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._watch()
            except (MyoGesticError, OSError) as error:
                _log.info("marker stream: %s", error)
                self._stop.wait(_RETRY_SECONDS)
            finally:
                self._source.disconnect()

    def _watch(self) -> None:
        """Act on every marker until the source fails; markers from before this moment are history."""
        since = local_clock()
        self._source.connect()
        while not self._stop.is_set():
            data, timestamps = self._source.read()
            self._learn_offset()
            for row, timestamp in zip(data, timestamps, strict=True):
                if timestamp + self._offset >= since:
                    self._control.act(str(row[0]), float(timestamp) + self._offset)
            if not len(data):
                self._stop.wait(_POLL_SECONDS)

    def _learn_offset(self) -> None:
        if isinstance(self._source, ClockedSource) and (estimates := self._source.take_clock_estimates()):
            self._offset = estimates[-1].offset
