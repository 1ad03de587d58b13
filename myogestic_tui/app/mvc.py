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
    from .app import App

PROTOCOL = "mvc"
"""Name of the protocol after whose takes the MVC is measured."""
WINDOW_S = 0.2
HOP_S = 0.05
_TRIES = 3

_log = logging.getLogger(__name__)


def is_mvc_take(app: App, session: Session) -> bool:
    """Whether the protocol ran in this session."""
    ran = app.protocol is not None and app.protocol.plan.name == PROTOCOL
    return ran and any(label.source == "protocol" and label.class_index > 0 for label in session.label_track)


def measure_later(app: App, session: Session) -> threading.Thread:
    """Measure the session that has just been finished, in the background, and tell the app."""
    thread = threading.Thread(target=_measure, args=(app, session), name="mvc", daemon=True)
    thread.start()
    return thread


def _measure(app: App, session: Session) -> None:
    for left in reversed(range(_TRIES)):
        try:
            found = measure(session.path)
        except (MyoGesticError, OSError) as error:
            if left:
                continue  # packing replaced the folder meanwhile: the session has another path now
            app.say(f"the MVC could not be measured: {error}")
            return
        break
    known = {name: stream for name, stream in app.table.streams.items() if stream.info is not None}
    kept = {key_of(name, stream.info): found[name] for name, stream in known.items() if name in found and stream.info}
    if kept:
        app.remember_mvc(kept)
        app.say(f"MVC of {', '.join(name for name in found if name in known)} is known: % on Live shows it")


def measure(path: Path) -> dict[str, StreamMVC]:
    """MVC of each channel of each stream of a finished session that has a rate to speak of, by stream name.

    Raises
    ------
    SessionError
        It cannot be read.
    """
    from ..session import open_session_store
    from ..session.windows import iter_labeled_windows

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


def key_of(name: str, info: StreamInfo | None) -> str:
    """What a stream's MVC is remembered by: its source_id where it has one."""
    return (info.source_id if info is not None else "") or name


def mvc_of(app: App, name: str, info: StreamInfo) -> tuple[float, ...]:
    """MVC of each channel in the stream's unit; empty where none is known for a stream of so many channels."""
    known = app.mvc.get(key_of(name, info))
    return known.values if known is not None and len(known.values) == info.n_channels else ()
