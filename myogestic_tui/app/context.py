"""What hooks, callbacks and ``ui(ctx)`` see of the app."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ..session import Session
    from ..stream import Stream
    from .app import App
    from .interface import RecorderState
    from .parts import Parts


class Context:
    """The app's present state, shared with scripts.

    Attributes
    ----------
    app
        The `App` itself.
    """

    def __init__(self, app: App, parts: Parts) -> None:
        self.app = app
        self._parts = parts

    @property
    def status_message(self) -> str:
        """The last thing the operator should know, with its remedy."""
        return self._parts.message.text

    @status_message.setter
    def status_message(self, text: str) -> None:
        self._parts.message.text = text

    @property
    def state(self) -> RecorderState:
        """``"idle"`` or ``"recording"``; the latter until the session is finished on disk."""
        return "idle" if self._parts.recordings.running is None else "recording"

    @property
    def session(self) -> Session | None:
        """The session being recorded, or the last one; None before the first."""
        return self._parts.recordings.session

    @property
    def streams(self) -> Mapping[str, Stream]:
        """The app's streams by name, in the order they were registered or connected."""
        return MappingProxyType(self._parts.streams.streams)

    @property
    def class_names(self) -> list[str]:
        """Names of the gesture classes, by class index; once given they are written into every session.

        Setting one text instead of a list of them raises ConfigError.
        """
        return list(self._parts.labels.class_names)

    @class_names.setter
    def class_names(self, names: Iterable[str]) -> None:
        self._parts.labels.class_names = names

    def offer_class_names(self, names: Iterable[str]) -> None:
        """Take class names from a widget: those that the script gave stay, those of the config give way."""
        offered, labels = tuple(names), self._parts.labels
        if offered and labels.class_names in ((), self._parts.config.class_names):
            self.class_names = list(offered)

    @property
    def current_label(self) -> int | None:
        """Class index of the active label, or (idle) of the first label of the next session; None is no label."""
        return self._parts.labels.current

    @current_label.setter
    def current_label(self, class_index: int | None) -> None:
        self._parts.labels.choose(class_index)
