"""Which viewer gets what, and when: statuses at a steady pace and at change, envelopes where they are new."""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING

from msgspec.structs import replace

from .messages import EnvelopeUpdate, StatusUpdate

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..app.interface import Envelope, Recorder, Status, View
    from .attachment import Attachment

_log = logging.getLogger(__name__)

STATUS_SECONDS = 0.25
CHANGE_SECONDS = 0.05
"""Least time between two statuses: a burst of commands is one change."""


class Publisher:
    """Asks the recorder for snapshots and puts them up for the viewers; runs on the server's thread."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._status: Status | None = None
        self._status_at = 0.0
        self._published = 0.0
        self._changed = False
        self._stale = False
        self._failing = False
        self.viewers = 0

    def changed(self) -> None:
        """Something happened that viewers should see before the next regular status."""
        self._changed = self._stale = True

    def status(self, now: float) -> Status:
        """The recorder's status, at most `CHANGE_SECONDS` old, and never from before a change."""
        if self._status is None or self._stale or now - self._status_at >= CHANGE_SECONDS:
            self._stale = False
            self._status = replace(self._recorder.status(), viewers=self.viewers)
            self._status_at = now
        return self._status

    def publish(self, attachments: Iterable[Attachment], now: float) -> float:
        """Put up what is due; return when something is due next (infinity: never)."""
        viewers = [one for one in attachments if one.channel is not None and one.subscription is not None]
        clear = [one.channel is not None and one.channel.is_clear for one in viewers]  # before anything is put up now
        due = self._publish_status([one for one in viewers if one.is_viewer], now)
        looked: dict[View, Envelope | None] = {}
        for one, is_clear in zip(viewers, clear, strict=True):
            due = min(due, self._publish_envelopes(one, now, looked, is_clear=is_clear))
        return due

    def _publish_status(self, viewers: list[Attachment], now: float) -> float:
        if not viewers:
            return float("inf")
        due = self._published + (CHANGE_SECONDS if self._changed else STATUS_SECONDS)
        if now < due:
            return due
        update = StatusUpdate(status=self.status(now))
        self._published, self._changed = now, False
        encoded: dict[str, bytes] = {}
        for one in viewers:
            assert one.channel is not None
            dialect = one.channel.dialect
            if dialect.name not in encoded:
                encoded[dialect.name] = dialect.encode(update)
            one.channel.offer("status", encoded[dialect.name])
        return now + STATUS_SECONDS

    def _publish_envelopes(
        self, one: Attachment, now: float, looked: dict[View, Envelope | None], *, is_clear: bool
    ) -> float:
        assert one.channel is not None
        assert one.subscription is not None
        for number, view in one.subscription.views.items():
            if now < one.due[number]:
                continue
            fps = one.subscription.fps
            one.due[number] = (math.floor(now * fps) + 1) / fps  # all of a viewer's at one instant
            if not is_clear:
                continue
            if view not in looked:
                looked[view] = self._look(view)
            envelope = looked[view]
            if envelope is not None and envelope != one.sent.get(number):
                one.sent[number] = envelope
                one.channel.offer(number, one.channel.dialect.encode(EnvelopeUpdate(view=number, envelope=envelope)))
        return min(one.due.values(), default=float("inf"))

    def _look(self, view: View) -> Envelope | None:
        """The recorder's envelope; one that it cannot draw is logged, once, and shows as none."""
        try:
            envelope = self._recorder.envelope(view)
        except Exception:
            if not self._failing:
                _log.exception("envelope of %s", view)
            self._failing = True
            return None
        self._failing = False
        return envelope
