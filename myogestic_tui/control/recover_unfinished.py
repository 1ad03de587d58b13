"""Recovering what earlier recorders were cut off from, where nobody is there to be asked."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from ..errors import MyoGesticError
from ..session import unfinished_sessions
from ..session.format.lock import session_holder

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from ..app import App

_log = logging.getLogger(__name__)


def recover_unfinished(app: App, besides: Collection[Path]) -> None:
    """Recover and pack the unfinished sessions of the app's folder, in the background; each is a warning in the log.

    Parameters
    ----------
    app
        Its job queue does the work.
    besides
        Sessions that somebody else takes care of.
    """
    threading.Thread(target=_recover, args=(app, frozenset(besides)), name="recover-unfinished", daemon=True).start()


def _recover(app: App, besides: frozenset[Path]) -> None:
    for path in besides:
        if not path.is_dir() or session_holder(path) is not None:
            continue
        _log.warning("%s: its recorder ended without being stopped; it is recovered and packed", path)
    try:
        for path in unfinished_sessions(app.sessions_dir):
            if path not in besides:
                _log.warning("%s: its recorder ended without being stopped; it is recovered and packed", path)
                app.parts.jobs.add("recover", path)
    except (MyoGesticError, OSError) as error:
        _log.error("unfinished sessions in %s cannot be looked for: %s", app.sessions_dir, error)
