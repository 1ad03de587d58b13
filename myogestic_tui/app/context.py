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


class Context:
    """The app's present state, shared with scripts.

    Attributes
    ----------
    status_message
        The last thing the operator should know, with its remedy.
    """

    def __init__(self, app: App) -> None:
        self.app = app
        self.status_message = ""
        self._chosen: int | None = None
        self._class_names: tuple[str, ...] = ()

    @property
    def state(self) -> RecorderState:
        """``"idle"`` or ``"recording"``; the latter until the session is finished on disk."""
        return "idle" if self.app.recordings.state == "idle" else "recording"

    @property
    def session(self) -> Session | None:
        """The session being recorded, or the last one; None before the first."""
        return self.app.recordings.session

    @property
    def streams(self) -> Mapping[str, Stream]:
        """The app's streams by name, in the order they were registered or connected."""
        return MappingProxyType(self.app.table.streams)

    @property
    def class_names(self) -> list[str]:
        """Names of the gesture classes, by class index; once given they are written into every session.

        Setting one text instead of a list of them raises ConfigError.
        """
        return list(self._class_names)

    @class_names.setter
    def class_names(self, names: Iterable[str]) -> None:
        from ..session.recording.start_metadata import class_name_list

        self._class_names = tuple(class_name_list(names))
        if self.session is not None and self.state == "recording" and self._class_names:
            self.session.class_names = list(self._class_names)

    def offer_class_names(self, names: Iterable[str]) -> None:
        """Take class names from a widget: those that the script gave stay, those of the config give way."""
        offered = tuple(names)
        if offered and self._class_names in ((), self.app.config.class_names):
            self.class_names = offered

    @property
    def current_label(self) -> int | None:
        """Class index of the active label, or (idle) of the first label of the next session; None is no label."""
        session = self.session
        if self.state == "recording" and session is not None:
            active = session.label_track[-1].class_index if session.label_track else -1
            return None if active < 0 else active
        return self._chosen

    @current_label.setter
    def current_label(self, class_index: int | None) -> None:
        self._chosen = None if class_index is None or class_index < 0 else int(class_index)
