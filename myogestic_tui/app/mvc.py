"""Maximum voluntary contraction: what each channel reached in a take of the protocol ``mvc``, so that Live can show %.

A channel's MVC is the greatest RMS about the mean of any 200 ms within the labels of that take, the first class (rest)
and trials marked bad left out. It is remembered by stream, for the sessions folder, until the next such take.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

import numpy as np

from ..errors import MyoGesticError
from .preferences import StreamMVC

if TYPE_CHECKING:
    from pathlib import Path

    from ..info import StreamInfo
    from ..session import Session
    from .operator_message import OperatorMessage
    from .preferences import Preferences
    from .streams import StreamTable

PROTOCOL = "mvc"
"""Name of the protocol after whose takes the MVC is measured."""
WINDOW_S = 0.2
HOP_S = 0.05
_TRIES = 3
_FINISH_SECONDS = 10.0
"""How long the end of the app waits for an MVC that is being measured."""

_log = logging.getLogger(__name__)


class MVC:
    """Measures the takes of the protocol, and knows what came of them.

    Parameters
    ----------
    streams
        The app's streams.
    preferences
        Keeps the MVC of each.
    message
        Tells the operator.
    """

    def __init__(self, streams: StreamTable, preferences: Preferences, message: OperatorMessage) -> None:
        self._streams = streams
        self._preferences = preferences
        self._message = message
        self._measuring: threading.Thread | None = None

    def measure_if_due(self, protocol: str, session: Session) -> None:
        """Measure a session that has just been finished, in the background, where ``protocol`` (its name) is this one.

        Returns at once; one without a cue beside rest has nothing to measure.
        """
        cued = any(label.source == "protocol" and label.class_index > 0 for label in session.label_track)
        if protocol == PROTOCOL and cued:
            self._measuring = threading.Thread(target=self._measure, args=(session,), name="mvc", daemon=True)
            self._measuring.start()

    def finish(self) -> None:
        """Wait for what is being measured, for a few seconds."""
        if self._measuring is not None:
            self._measuring.join(_FINISH_SECONDS)

    def of(self, name: str, info: StreamInfo) -> tuple[float, ...]:
        """MVC of each channel in the stream's unit; empty where none is known for a stream of so many channels."""
        known = self._preferences.kept.mvc.get(_key_of(name, info))
        return known.values if known is not None and len(known.values) == info.n_channels else ()

    def _measure(self, session: Session) -> None:
        for left in reversed(range(_TRIES)):
            try:
                found = measure(session.path)
            except (MyoGesticError, OSError) as error:
                if left:
                    continue  # packing replaced the folder meanwhile: the session has another path now
                self._message.set(f"the MVC could not be measured: {error}")
                return
            break
        infos = {name: stream.info for name, stream in self._streams.streams.items() if name in found}
        measured = {_key_of(name, info): found[name] for name, info in infos.items() if info is not None}
        if measured:
            kept = self._preferences.kept
            kept.mvc = {**kept.mvc, **measured}
            self._preferences.save()
            names = (name for name, info in infos.items() if info is not None)
            self._message.set(f"MVC of {', '.join(names)} is known: % on Live shows it")


def measure(path: Path) -> dict[str, StreamMVC]:
    """MVC of each channel of each stream of a finished session that has a rate to speak of, by stream name.

    Raises
    ------
    SessionError
        It cannot be read.
    """
    from ..session import iter_labeled_windows, open_session_store

    with open_session_store(path) as reader:
        infos = {name: reader.stream_info(name) for name in reader.streams}
        n_classes = len(reader.class_names)
    classes = range(1, n_classes) if n_classes > 1 else None
    found = {}
    for name, info in infos.items():
        if info.is_string or WINDOW_S * info.fs < 2:
            continue
        best = np.zeros(info.n_channels)
        for window, _, _ in iter_labeled_windows(path, name, WINDOW_S, HOP_S, classes, strict=True):
            best = np.fmax(best, window.std(axis=1, dtype=np.float64))
        if best.any():
            found[name] = StreamMVC(values=tuple(best.tolist()), session=path.name)
    return found


def _key_of(name: str, info: StreamInfo) -> str:
    """What a stream's MVC is remembered by: its source_id where it has one."""
    return info.source_id or name
