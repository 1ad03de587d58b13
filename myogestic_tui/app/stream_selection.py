"""Which streams are recorded, and which outlets they are: what the operator chose is remembered for the folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

if TYPE_CHECKING:
    from ..stream import Stream
    from .preferences import PickedStream, Preferences
    from .recording import Recordings
    from .streams import StreamTable


class StreamSelection:
    """Carries out the operator's choice of streams.

    Parameters
    ----------
    streams, recordings
        The app's streams, and the recording that they join or leave.
    preferences
        Keeps the choice.
    """

    def __init__(self, streams: StreamTable, recordings: Recordings, preferences: Preferences) -> None:
        self._streams = streams
        self._recordings = recordings
        self._preferences = preferences

    def restore_picked(self) -> None:
        """Register what was connected by hand before."""
        kept = self._preferences.kept
        self._streams.restore(kept.picked, kept.ticks)

    def select(self, stream: Stream, record: bool, *, who: str) -> None:
        """Select a stream for recording, or deselect it, the running recording included.

        Raises
        ------
        SessionError, NotAllowedError
            It is selected, and cannot join the running recording.
        """
        leaves = not record and stream.recording
        self._preferences.kept.ticks[stream.name] = record
        self._preferences.save()
        if record:
            self._recordings.include(stream)
        else:
            self._recordings.exclude(stream, "taken out by the operator")
        if leaves:
            text = f"{stream.name} taken out of the recording by {who}"
            self._recordings.add_event("excluded", text, who=who, stream=stream.name)

    def connect(self, key: str) -> Stream:
        """Connect what a row of the Streams screen names, and remember it; see `StreamTable.connect`."""
        stream = self._streams.connect(key)
        self._remember_picked()
        return stream

    def connect_all(self, *, who: str) -> list[str]:
        """Connect and select everything that is seen; names of the streams that were not selected before."""
        before = [stream.name for stream in self._streams.selected()]
        self._streams.connect_all()
        self._remember_picked()
        for stream in self._streams.streams.values():
            self.select(stream, True, who=who)
        return [stream.name for stream in self._streams.selected() if stream.name not in before]

    def forget(self, key: str) -> None:
        """Disconnect a stream for good; see `StreamTable.forget`."""
        self._streams.forget(key)
        self._remember_picked()

    def reconnect(self, key: str, outlet: str = "") -> tuple[Stream, PickedStream | None]:
        """Reconnect a stream; an outlet that is named is remembered. See `StreamTable.reconnect`."""
        stream, chosen = self._streams.reconnect(key, outlet)
        if chosen is not None:
            self._remember_outlet(stream.name, chosen)
        return stream, chosen

    def _remember_picked(self) -> None:
        self._preferences.kept.picked = dict(self._streams.picked)
        self._preferences.save()

    def _remember_outlet(self, name: str, outlet: PickedStream) -> None:
        """A stream is this outlet, also for the recorders that come after this one."""
        if name in self._streams.picked:
            host = "" if outlet.source_id else outlet.hostname
            self._streams.picked[name] = replace(outlet, hostname=host)
            self._remember_picked()
        else:
            kept = self._preferences.kept
            kept.chosen = {**kept.chosen, name: outlet}
            self._preferences.save()
