"""The app's streams: those registered by a script, those named in the config, and those seen on the network."""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING

from msgspec.structs import replace

from ..errors import AmbiguousStreamError, ConfigError, MyoGesticError, NotAllowedError, StreamNotFoundError
from ..stream import Stream
from .preferences import PickedStream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ..sources.discovery import Discovery, Seen
    from .interface import StreamState

RUN_KEY = "stream:"
SEEN_KEY = "seen:"


SLOW_SHARE = 0.95
"""A stream below this share of its nominal rate is slow."""
_LOST_SECONDS = 3.0
"""A regular stream silent for longer is lost, whatever its source says."""


def stream_state(stream: Stream) -> StreamState:
    """How a registered stream is, in a word."""
    info, condition = stream.info, stream.condition().state
    if info is None:
        return "wanted"
    if condition in ("lost", "refused"):
        return "lost" if condition == "lost" else "refused"
    if not info.is_regular:
        return "live"
    age, measured_fs = stream.pace()
    if age is None:
        return "connecting"
    if age > max(_LOST_SECONDS, 3.0 / info.fs):
        return "lost"
    if measured_fs is not None and measured_fs < SLOW_SHARE * info.fs:
        return "slow"
    return "live"


class StreamTable:
    """Registered streams by name, and whatever else discovery sees.

    Parameters
    ----------
    on_new
        Called with each stream that is added while the app runs, after it was started.
    on_add
        Called with each stream that is added, before it is started.
    """

    def __init__(self, on_new: Callable[[Stream], None], on_add: Callable[[Stream], None] = lambda _: None) -> None:
        self.streams: dict[str, Stream] = {}
        self.picked: dict[str, PickedStream] = {}
        """By stream name: what was connected by hand, and what it is found by again."""
        self._on_new, self._on_add = on_new, on_add
        self._started = False
        self._poll_s: float | None = None
        self._resting = False
        self._lock = threading.RLock()
        self._discovery: Discovery | None = None
        self._discovery_error = ""

    # ---------------------------------------------------------------- registered

    def add(self, streams: Iterable[Stream]) -> None:
        """Register streams; a running app starts them at once.

        Raises
        ------
        ConfigError
            A name is taken.
        """
        for stream in streams:
            with self._lock:
                if stream.name in self.streams:
                    raise ConfigError(f"a stream named {stream.name!r} is registered already; give each its own name")
                self.streams = {**self.streams, stream.name: stream}
                started = self._started
                if self._poll_s is not None:
                    stream.recorder_poll_s = self._poll_s
                stream.resting = self._resting
            self._on_add(stream)
            if started:
                stream.start()
                self._on_new(stream)

    def start(self) -> None:
        """Start a worker thread for every registered stream."""
        with self._lock:
            self._started = True
            streams = list(self.streams.values())
        for stream in streams:
            stream.start()

    def stop(self, timeout: float = 3.0) -> None:
        """Stop all workers and the discovery."""
        with self._lock:
            self._started = False
            streams, discovery = list(self.streams.values()), self._discovery
            self._discovery = None
        for stream in streams:
            stream.stop(timeout)
        if discovery is not None:
            discovery.close()

    def selected(self) -> list[Stream]:
        """The streams that the next recording takes."""
        return [stream for stream in self.streams.values() if stream.record]

    def set_poll(self, seconds: float) -> None:
        """How often every worker looks for samples that was not told otherwise, those that join later included."""
        with self._lock:
            self._poll_s = seconds
            for stream in self.streams.values():
                stream.recorder_poll_s = seconds

    def set_resting(self, resting: bool) -> None:
        """Whether nobody looks at the streams, those that join later included: fast ones hold less in memory."""
        with self._lock:
            self._resting = resting
            for stream in self.streams.values():
                stream.resting = resting

    # ---------------------------------------------------------------- seen on the network

    def discover(self) -> None:
        """Begin to look around on the network, in the background; importing LSL takes a second or more."""
        threading.Thread(target=self._open_discovery, name="discovery-start", daemon=True).start()

    def _open_discovery(self) -> None:
        from ..sources.discovery import discovery

        try:
            opened = discovery()
        except (MyoGesticError, OSError) as error:
            self._discovery_error = f"streams cannot be discovered: {error}"
            return
        self._discovery = opened

    @property
    def discovery_error(self) -> str:
        """Why nothing can be discovered; empty while all is well."""
        return self._discovery_error

    @property
    def discovering(self) -> bool:
        """True once the network is being watched."""
        return self._discovery is not None

    def seen(self) -> list[Seen]:
        """What is on the network and not connected yet."""
        if self._discovery is None:
            return []
        connected = set(map(_outlet_of, self.streams.values()))
        sources = {
            (stream.info.source_id, stream.info.hostname)
            for stream in self.streams.values()
            if stream.info is not None and stream.info.source_id
        }
        return [
            one
            for one in self._discovery.offered()
            if one.uid not in connected
            and not (one.source_id and (one.source_id, one.hostname) in sources and self._is_return(one))
        ]

    def _is_return(self, one: Seen) -> bool:
        """True where an outlet is the successor of a connected one that is gone (same source_id, new uid)."""
        assert self._discovery is not None
        alive = {other.uid for other in self._discovery.streams()}
        for stream in self.streams.values():
            info = stream.info
            if info is not None and (info.source_id, info.hostname) == (one.source_id, one.hostname):
                return _outlet_of(stream) not in alive
        return False

    def connect(self, key: str) -> Stream:
        """Connect what a row of the Streams screen names.

        Raises
        ------
        StreamNotFoundError
            Nothing has that key (any more).
        """
        name = key.removeprefix(RUN_KEY)
        if name in self.streams:
            return self.streams[name]
        candidates = [one for one in self.seen() if key in (SEEN_KEY + one.uid, one.uid, one.name)]
        if not candidates:
            there = ", ".join(f"{one.name} ({one.hostname})" for one in self.seen()) or "nothing"
            raise StreamNotFoundError(f"no stream {name!r} on the network; there is {there}")
        if len(candidates) > 1:
            listed = ", ".join(
                f"{SEEN_KEY}{one.uid} ({one.source_id or 'no id'} on {one.hostname})" for one in candidates
            )
            raise AmbiguousStreamError(f"{len(candidates)} streams are named {name!r}; name one by its key: {listed}")
        return self._connect_seen(candidates)[0]

    def _connect_seen(self, wanted: list[Seen]) -> list[Stream]:
        """Connect outlets, under names that do not depend on the order in which they were found."""
        from ..session.format.stream_names import Identity, distinct_names
        from ..sources import LSLSource

        def known_as(one: Seen) -> Identity:
            return Identity(one.name or "stream", one.type, one.source_id, one.hostname)

        there = self._discovery.streams() if self._discovery is not None else ()
        names = distinct_names([known_as(one) for one in wanted], self.streams, map(known_as, there))
        connected = []
        for place in sorted(names):
            one = wanted[place]
            stream = Stream(names[place], source=LSLSource(one.name, uid=one.uid))
            self.add([stream])
            self.picked[stream.name] = _identity(one)
            connected.append(stream)
        return connected

    def reconnect(self, key: str, outlet: str = "") -> tuple[Stream, PickedStream | None]:
        """Reconnect a stream, also while it is recorded; or say which outlet it is.

        Parameters
        ----------
        key
            Key or name of the stream.
        outlet
            Its uid or the beginning of it, or the host or source_id of the one that is called the same; empty: the one
            that it is at, or its successor.

        Returns
        -------
        stream, chosen
            The stream, and what the chosen outlet is found by again; None where none was named.

        Raises
        ------
        StreamNotFoundError
            There is no such stream, or no such outlet.
        AmbiguousStreamError
            More than one outlet is meant.
        NotAllowedError
            Another stream has that outlet, or this one is none of LSL.
        """
        stream = self.find(key)
        if not outlet:
            stream.reconnect()
            return stream, None
        one = self._outlet(stream, outlet)
        for other in self.streams.values():
            if other is not stream and _outlet_of(other) == one.uid:
                raise NotAllowedError(f"{one.uid[:8]} ({one.hostname}) is {other.name} already")
        choose = getattr(stream.source, "choose", None)
        if choose is not None:
            choose(one.hostname, one.source_id)
        if _outlet_of(stream) != one.uid or stream.condition().state != "live":
            stream.reconnect(one.uid)
        return stream, replace(_identity(one), hostname=one.hostname)

    def _outlet(self, stream: Stream, text: str) -> Seen:
        there = self._discovery.streams() if self._discovery is not None else ()
        text = text.removeprefix(SEEN_KEY)
        like = [one for one in there if text in (one.hostname, one.source_id) and one.name == _name_of(stream)]
        found = [one for one in there if one.uid.startswith(text)] or like
        if len(found) == 1:
            return found[0]
        listed = "".join(f"\n  {one.uid[:8]} {one.describe()}" for one in found or there)
        if found:
            raise AmbiguousStreamError(f"{text!r} is more than one outlet; name one by its uid:{listed}")
        raise StreamNotFoundError(f"no outlet {text!r} on the network; there is{listed or ' nothing'}")

    def restore(self, picked: dict[str, PickedStream], ticks: dict[str, bool]) -> None:
        """Register streams that were connected by hand before, but for names that are taken meanwhile."""
        from ..sources import LSLSource

        alike = Counter(replace(one, uid="") for one in picked.values())
        for name, one in picked.items():
            if name in self.streams:
                continue
            source = LSLSource(
                one.name,
                type=one.type or None,
                source_id=one.source_id or None,
                hostname=one.hostname or None,
                uid=one.uid or None if alike[replace(one, uid="")] > 1 else None,
            )
            self.add([Stream(name, source=source, record=ticks.get(name, True))])
            self.picked[name] = one

    def connect_all(self) -> list[Stream]:
        """Connect everything that is seen; returns what was not connected before."""
        return self._connect_seen(self.seen())

    def find(self, key: str) -> Stream:
        """The registered stream of a key or a name.

        Raises
        ------
        StreamNotFoundError
            There is none.
        """
        name = key.removeprefix(RUN_KEY)
        if name not in self.streams:
            known = ", ".join(self.streams) or "none"
            raise StreamNotFoundError(f"no connected stream {name!r}; connected are: {known}")
        return self.streams[name]

    def forget(self, key: str) -> None:
        """Disconnect a stream and take it off the list.

        Raises
        ------
        StreamNotFoundError
            There is none of that key.
        NotAllowedError
            It is being recorded.
        """
        stream = self.find(key)
        if stream.recording:
            raise NotAllowedError(f"{stream.name} is being recorded; stop first, then forget it")
        with self._lock:
            self.streams = {name: other for name, other in self.streams.items() if other is not stream}
            self.picked.pop(stream.name, None)
        stream.stop(2.0)


def _identity(one: Seen) -> PickedStream:
    """What an outlet is found by again; the host only where no source_id tells it."""
    host = "" if one.source_id else one.hostname
    return PickedStream(name=one.name, type=one.type, source_id=one.source_id, hostname=host, uid=one.uid)


def _name_of(stream: Stream) -> str:
    """What the outlet of a stream is called on the network."""
    seen = getattr(stream.source, "seen", None)
    return str(seen.name if seen is not None else getattr(getattr(stream.source, "selection", None), "name", ""))


def _outlet_of(stream: Stream) -> str:
    """Uid of the outlet that a stream is at (after a return another one than at first), or is meant to be at."""
    seen = getattr(stream.source, "seen", None)
    meant = getattr(getattr(stream.source, "selection", None), "uid", None)
    at = stream.info.uid if stream.info is not None else ""
    return str(seen.uid if seen is not None else at or meant or "")
