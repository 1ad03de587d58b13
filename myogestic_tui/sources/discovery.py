"""What is on the network, kept up to date in the background."""

from __future__ import annotations

import atexit
import logging
import threading
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ..errors import StreamError
from .network_query import Resolver
from .outlet import NOT_OFFERED

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from .liblsl import InfoHandle
    from .network_query import Answer

_log = logging.getLogger(__name__)

LOOK_EVERY = 0.5
"""Seconds between looks at what the resolver heard; it asks at about the same pace."""

FORGET_AFTER = 5.0
"""Seconds without an answer after which an outlet is taken for gone."""

WATCHERS: set[Callable[[], None]] = set()
"""Called after each look at what the resolver heard; must return at once."""

FIRST_ROUND = 1.2
"""Seconds after which every outlet that can answer has done so."""


@dataclass(frozen=True, slots=True)
class Seen:
    """An outlet on the network. Two with equal metadata stay two: uid and host tell them apart."""

    name: str
    type: str
    source_id: str
    hostname: str
    uid: str
    n_channels: int
    fs: float
    dtype: str
    created_at: float
    """On the LSL clock of its own host."""
    first_seen: float
    """On ours."""
    header: InfoHandle = field(repr=False, compare=False)
    """From its header."""
    handle: InfoHandle = field(repr=False, compare=False)
    """To make an inlet of."""
    address: str = field(default="", compare=False)
    """Where it answers from; empty where that is not known."""

    @property
    def key(self) -> str:
        """Unique among all that are seen."""
        return f"{self.uid}@{self.hostname}"

    def describe(self) -> str:
        """One line for messages: name, layout, host and source_id."""
        rate = f"{self.fs:g} Hz" if self.fs else "irregular"
        source = f"source_id {self.source_id}" if self.source_id else f"uid {self.uid}, no source_id"
        kind = f" [{self.type}]" if self.type else ""
        return f"{self.name}{kind}: {self.n_channels} ch {self.dtype} {rate}, {self.hostname}, {source}"


def is_offered(seen: Seen) -> bool:
    """False for what this process itself tells others of a recording."""
    return seen.uid not in NOT_OFFERED


class Discovery:
    """Watches the network. Everything but `wait_for` and `close` returns at once; any thread may call.

    Get the one of this process from `discovery()`.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._resolvers: dict[str | None, Resolver] = {None: Resolver(None, FORGET_AFTER)}
        self._found: dict[str | None, dict[str, Seen]] = {None: {}}
        self._began: dict[str | None, float] = {None: time.monotonic()}
        self._heard: dict[str, float] = {}
        self._end = threading.Event()
        self.changes = 0
        """Counts up whenever streams come or go."""
        self._thread = threading.Thread(target=self._watch, name="lsl-discovery", daemon=True)
        self._thread.start()

    # ---------------------------------------------------------------- asked by callers

    def streams(self, query: str | None = None) -> tuple[Seen, ...]:
        """What is there now, by name, then in the order of appearance.

        Parameters
        ----------
        query
            An XPath predicate that the outlets evaluate themselves, descriptions included. The first call for a
            predicate begins to ask; its answers come within about a second.
        """
        with self._changed:
            self._ask(query)
            return tuple(sorted(self._found[query].values(), key=lambda seen: (seen.name, seen.first_seen)))

    def offered(self) -> tuple[Seen, ...]:
        """What is there now and can be recorded: `streams` without what this process itself tells of a recording."""
        return tuple(seen for seen in self.streams() if is_offered(seen))

    def has(self, uid: str) -> bool:
        """True while the outlet of that uid answers."""
        with self._changed:
            return uid in self._found[None]

    def heard_at(self, uid: str) -> float:
        """When an outlet answered last, on our clock; minus infinity where it never did."""
        with self._changed:
            return self._heard.get(uid, float("-inf"))

    def settled(self, query: str | None = None) -> bool:
        """True once every outlet has had time to answer for the first time."""
        with self._changed:
            self._ask(query)
            return time.monotonic() - self._began[query] >= FIRST_ROUND

    def wait_for(
        self, predicate: Callable[[Seen], bool], timeout: float, *, query: str | None = None, settle: bool = False
    ) -> list[Seen]:
        """Wait until an outlet satisfies the predicate; empty if none does within ``timeout`` seconds.

        With ``settle`` it does not return before every outlet has had time to answer, so that a second match is not
        missed.
        """
        end = time.monotonic() + timeout
        while True:
            with self._changed:
                found = [seen for seen in self.streams(query) if predicate(seen)]
                left = end - time.monotonic()
                if left <= 0 or self._end.is_set() or (found and (not settle or self.settled(query))):
                    return found
                self._changed.wait(min(left, LOOK_EVERY))

    def wait_changed(self, changes: int, timeout: float) -> bool:
        """Wait until streams came or went since `changes` had this value; False if none did."""
        with self._changed:
            return self._changed.wait_for(lambda: self.changes != changes or self._end.is_set(), timeout)

    def close(self) -> None:
        """Stop asking; `discovery()` starts again. May be called twice."""
        self._end.set()
        if self._thread is not threading.current_thread():
            self._thread.join(5.0)

    @property
    def closed(self) -> bool:
        """True after `close`."""
        return self._end.is_set()

    # ---------------------------------------------------------------- in its own thread

    def _ask(self, query: str | None) -> None:
        if query not in self._resolvers and not self._end.is_set():
            self._resolvers[query] = Resolver(query, FORGET_AFTER)
            self._began[query] = time.monotonic()
        self._found.setdefault(query, {})
        self._began.setdefault(query, time.monotonic())

    def _pause(self) -> float:
        """Look often while the first answers come in, then at the resolver's own pace."""
        with self._changed:
            youngest = max(self._began.values())
        return LOOK_EVERY if time.monotonic() - youngest > FIRST_ROUND else LOOK_EVERY / 5

    def _watch(self) -> None:
        while not self._end.wait(self._pause()):
            with self._changed:
                resolvers = list(self._resolvers.items())
            for query, resolver in resolvers:
                try:
                    self._update(query, resolver.results())
                except Exception:  # whatever stands in one header, the other outlets stay in sight
                    _log.exception("discovery")
            for watcher in tuple(WATCHERS):
                try:
                    watcher()
                except Exception:  # such as no memory for a thread: the next look is soon
                    _log.exception("discovery")
        with self._changed:
            for resolver in self._resolvers.values():
                resolver.close()
            self._changed.notify_all()

    def _update(self, query: str | None, answers: Collection[Answer]) -> None:
        now = time.monotonic()
        with self._changed:
            self._heard.update((answer.uid, answer.at) for answer in answers)
            known = self._found[query]
            read = (_read(answer, known.get(answer.uid), now) for answer in answers)
            fresh = {seen.uid: seen for seen in read if seen is not None}
            self._found[query] = fresh
            if fresh.keys() == known.keys():
                return
            self.changes += 1
            self._changed.notify_all()


def _read(answer: Answer, known: Seen | None, now: float) -> Seen | None:
    """The header of an outlet, and where it is now; None where it makes no sense."""
    try:
        header = answer.handle
        if known is not None:
            moved = known.header is not header
            return replace(known, header=header, handle=answer.for_inlet, address=answer.address) if moved else known
        for_inlet = answer.for_inlet
    except StreamError as error:
        _log.debug("%s", error)
        return None
    return Seen(
        name=header.text("name"),
        type=header.text("type"),
        source_id=header.text("source_id"),
        hostname=header.text("hostname"),
        uid=answer.uid,
        n_channels=header.n_channels,
        fs=header.fs,
        dtype=header.dtype,
        created_at=header.created_at,
        first_seen=now,
        header=header,
        handle=for_inlet,
        address=answer.address,
    )


_lock = threading.Lock()
_shared: Discovery | None = None


def discovery() -> Discovery:
    """The `Discovery` of this process, begun on the first call.

    Raises
    ------
    StreamError
        liblsl is not usable, or no network interface is up.
    """
    global _shared
    with _lock:
        if _shared is None or _shared.closed:
            _shared = Discovery()
            atexit.register(_shared.close)
        return _shared
