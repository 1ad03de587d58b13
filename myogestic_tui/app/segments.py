"""A recording without an end: a new session each period, every stream cut at one instant, and a chain of them all."""

from __future__ import annotations

import logging
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from ..clock import local_clock
from ..errors import MyoGesticError, NotAllowedError

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from ..session import Session
    from ..session.format.chain import ChainLink
    from .operator_message import OperatorMessage
    from .recording import Recordings

_log = logging.getLogger(__name__)
_LEAD_SECONDS = 2.0
"""How long before its instant the next session is made."""
_MOST_LEAD_SECONDS = 60.0
_READY_SECONDS = 0.25
"""How long before the instant all streams are informed."""
_RETRY_SECONDS = 30.0
"""After a session that could not be made: the present one continues meanwhile."""


class TooLateError(NotAllowedError):
    """The next session was not ready at its instant: nothing was changed, and a later instant is chosen."""


class Segments:
    """Continues in another session each period, as long as a recording runs.

    Parameters
    ----------
    recordings
        What is recorded.
    make
        Makes the session that follows another from an instant on, with its place in the chain.
    finish
        Ends and packs a session that another one follows.
    message
        Reports to the operator.
    """

    def __init__(
        self,
        recordings: Recordings,
        make: Callable[[Session, float, ChainLink], Session],
        finish: Callable[[Session, Session], None],
        message: OperatorMessage,
    ) -> None:
        self._recordings = recordings
        self._make = make
        self._finish = finish
        self._message = message
        self._ended = threading.Event()
        self._finisher = ThreadPoolExecutor(1, thread_name_prefix="segment-end")
        self._finishing: Future[None] | None = None

    @staticmethod
    def first(period_s: float) -> ChainLink:
        """The place of the first session of a chain."""
        from ..session.format.chain import ChainLink

        return ChainLink(id=uuid.uuid4().hex[:12], segment=1, period_s=period_s)

    def begin(self, link: ChainLink) -> None:
        """A recording has begun that is the first of a chain."""
        self._ended = threading.Event()
        run = self._recordings.id, link, self._ended
        threading.Thread(target=self._run, args=run, name="segments", daemon=True).start()

    def end(self) -> None:
        """The recording ends: nothing follows, and the sessions before are finished when this returns."""
        self._ended.set()
        if self._finishing is not None:
            self._finishing.result()
            self._finishing = None

    def _run(self, recording: str, link: ChainLink, ended: threading.Event) -> None:
        lead = min(_LEAD_SECONDS, link.period_s / 2)
        due = self._recordings.started_at + link.period_s
        while not ended.wait(max(0.0, due - lead - local_clock())):
            try:
                link = self._change(recording, link, max(due, local_clock() + lead), ended)
                due = self._recordings.started_at + link.period_s
            except TooLateError:
                lead = min(2 * lead, _MOST_LEAD_SECONDS)
            except Exception as error:
                if ended.is_set():
                    return
                due = local_clock() + max(_RETRY_SECONDS, lead)
                self._tell(f"no new segment, the present session continues: {error}", error)

    def _tell(self, text: str, error: Exception) -> None:
        _log.warning("%s", text, exc_info=None if isinstance(error, MyoGesticError) else error)
        self._message.set(text)
        self._recordings.add_event("segment", text)

    def _change(self, recording: str, link: ChainLink, at: float, ended: threading.Event) -> ChainLink:
        from msgspec.structs import replace

        session = self._recordings.require_running(recording)
        following = replace(link, segment=link.segment + 1, before=session.path.name, before_sha256="")
        new = self._make(session, at, following)
        try:
            self._recordings.prepare(new, at)
            if ended.wait(max(0.0, at - _READY_SECONDS - local_clock())):
                raise NotAllowedError("the recording ended")
            undrained = self._recordings.change(recording, new, at)
        except BaseException:
            new.discard()
            raise
        self._finishing = self._finisher.submit(self._finish, session, new)
        if undrained:
            self._message.set(f"not heard from at the change of session: {', '.join(undrained)}")
        return following
