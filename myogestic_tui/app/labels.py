"""Gesture classes, the active label, and the marks of bad channels: of the running session, and for the next one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import ConfigError, NotAllowedError
from ..info import MOST_CLASSES
from ..session.format.chain import SEGMENT_SOURCE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ..session import LabelEvent
    from ..stream import Stream
    from .label_markers import LabelOutlet
    from .recording import Recordings


class Labels:
    """What labels mean, and which one is active.

    Parameters
    ----------
    recordings
        Its running session takes the labels.
    on_gesture
        Called with each class index that is labelled, also while idle; -1 is none.
    outlet
        Tells other programs of every label.

    Attributes
    ----------
    keys
        The key of each class, where they are not the usual ones.
    bad_channels
        By stream name: channels (from 0) that are marked bad in this session and the next ones.
    """

    def __init__(self, recordings: Recordings, on_gesture: Callable[[int], None], outlet: LabelOutlet) -> None:
        self.keys: tuple[str, ...] = ()
        self.bad_channels: dict[str, set[int]] = {}
        self._recordings = recordings
        self._on_gesture = on_gesture
        self._outlet = outlet
        self._class_names: tuple[str, ...] = ()
        self._chosen: int | None = None
        self.chosen_by = "script"
        """Where the first label of the next session comes from."""
        self._from = ""

    # ---------------------------------------------------------------- classes

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the classes, by class index; the running session has them too."""
        return self._class_names

    @class_names.setter
    def class_names(self, names: Iterable[str]) -> None:
        from ..session.recording.start_metadata import class_name_list

        self._class_names = tuple(class_name_list(names))
        if (session := self._recordings.running) is not None and self._class_names:
            session.class_names = list(self._class_names)

    def class_name(self, class_index: int) -> str:
        """What a class is called, in words also where it has no name."""
        if class_index < 0:
            return "no label"
        return self._class_names[class_index] if class_index < len(self._class_names) else f"class {class_index}"

    def check_class(self, class_index: int) -> None:
        """Raise ConfigError where there is no class of that index; -1 is no label."""
        names = self._class_names
        if not -1 <= class_index < (len(names) or MOST_CLASSES):
            there = f"there are {len(names)}: {', '.join(names)}" if names else "classes count from 0"
            raise ConfigError(f"no class {class_index}; {there}")

    # ---------------------------------------------------------------- the active label

    @property
    def current(self) -> int | None:
        """Class index of the active label, or (idle) of the first label of the next session; None is no label."""
        session = self._recordings.running
        if session is None:
            return self._chosen
        active = session.label_track[-1].class_index if session.label_track else -1
        return None if active < 0 else active

    def choose(self, class_index: int | None, *, source: str = "script") -> None:
        """Set the first label of the next session, and where it comes from; None (or -1) is no label."""
        self.chosen_by = source
        self._chosen = None if class_index is None or class_index < 0 else int(class_index)

    def add(
        self, class_index: int, timestamp: float | None = None, *, source: str = "script", uncertainty_s: float = 0.0
    ) -> LabelEvent | None:
        """See `App.add_label`."""
        self.check_class(class_index)
        before = -1 if self.current is None else self.current
        self._on_gesture(class_index)
        session = self._recordings.running
        if session is None:
            self.choose(class_index, source=source)
            return None
        if class_index == before and source != "protocol":
            return None
        label = self._recordings.label(class_index, timestamp, source=source, uncertainty_s=uncertainty_s)
        self.publish(label)
        return label

    def publish(self, label: LabelEvent) -> None:
        """Tell other programs of a label."""
        self._outlet.publish_if_open(self.class_name(label.class_index), label.timestamp)

    def undo(self) -> LabelEvent | None:
        """See `App.undo_label`."""
        session = self._recordings.running
        if session is None:
            raise NotAllowedError("not recording; there is no label to undo")
        track = session.label_track
        if track and all(label.source == SEGMENT_SOURCE for label in track):
            raise NotAllowedError(
                "the label was given in the session before, which is finished; `myogestic-tui labels` sets it right"
            )
        undone = session.undo_label()
        if undone is not None:
            self._outlet.publish_undo(self.class_name(undone.class_index), undone.timestamp)
        return undone

    def came_from(self, who: str) -> None:
        """Enter it among the events where labels come from somebody else than before."""
        if self._recordings.running is not None and who != self._from:
            self._from = who
            self._recordings.add_event("labels", f"labels from {who}", who=who)

    def begin_session(self) -> None:
        """Another session has begun: who labels it is not known yet."""
        self._from = ""

    # ---------------------------------------------------------------- channels

    def mark_channel(self, stream: Stream, channel: int, bad: bool = True) -> None:
        """See `App.mark_channel`."""
        if stream.info is None or not 0 <= channel < stream.info.n_channels:
            raise ConfigError(f"{stream.name} has no channel {channel + 1}")
        marked = self.bad_channels.setdefault(stream.name, set())
        (marked.add if bad else marked.discard)(channel)
        if (session := self._recordings.running) is not None:
            session.mark_channel(stream.name, channel, bad)
