"""Asks the network which outlets there are: LSL's discovery, on every interface that there is at this moment.

liblsl does the same, but looks at the interfaces once per process and keeps the address that an outlet first answered
from. When one of its interfaces loses its address (a DHCP lease, a cable that is pulled) its background resolver ends
the whole process (liblsl 1.17: an exception that nothing catches). A recorder has to outlive that, so it asks itself.

A question is a UDP packet, ``LSL:shortinfo``, an XPath predicate, and the port and number to answer to. Outlets listen
for it at a multicast group, and at their own service port. The answer is the outlet's header.
"""

from __future__ import annotations

import contextlib
import re
import select
import socket
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .liblsl import effective_settings, header_from_xml
from .network import Interface, Network, interfaces, is_loopback, is_multicast

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .liblsl import InfoHandle

ASK_EVERY = 0.5
"""Seconds between two questions to the multicast groups, as liblsl has it."""

CALM_ASK_EVERY = 1.0
"""And while nothing changes: whenever an outlet has come, or does not answer, it is asked at the full pace again."""

CALM_AFTER = 10.0
"""Seconds in which the same outlets have answered every question."""

PEERS_EVERY = 2.0
"""Seconds between two questions to known peers, each of which is one packet per port of the range."""

STAYS_S = 2.0
"""Seconds without an answer from an address after which the outlet is at another one that it answers from."""

INTERFACES_EVERY = 2.0
"""Seconds between two looks at which interfaces there are."""

NAMES_EVERY = 30.0
"""Seconds between two looks at what the names of the peers stand for."""

_UID = re.compile(rb"<uid>([^<]*)</uid>")
_SESSION = re.compile(rb"<session_id>([^<]*)</session_id>")
_LONGEST = 65536
_AT_ONCE = 256
"""Packets: whoever floods a socket does not keep the others from being heard."""


@dataclass(slots=True)
class Answer:
    """What an outlet said, where it says it from, and when last (recorder's clock, s)."""

    uid: str
    xml: bytes
    at: float = 0.0
    _current: dict[str, str] = field(default_factory=dict)
    _heard: dict[str, float] = field(default_factory=dict)
    _handle: InfoHandle | None = None

    @property
    def address(self) -> str:
        """Where it is; the loopback, where it is here."""
        return self._current.get("v4address") or self._current.get("v6address", "")

    @property
    def handle(self) -> InfoHandle:
        """The header with the addresses in it, as liblsl has it.

        Raises
        ------
        StreamError
            It is no usable header.
        """
        if self._handle is None:
            self._handle = header_from_xml(_filled(self.xml, self._current))
        return self._handle

    @property
    def session_id(self) -> str:
        """The session that it belongs to."""
        found = _SESSION.search(self.xml)
        return found[1].decode("utf-8", "replace") if found else ""

    @property
    def for_inlet(self) -> InfoHandle:
        """The header to make an inlet of: by it, liblsl recovers a broken connection to this very outlet and no other.

        Left to itself, liblsl moves an inlet to any outlet of the same metadata, and does not say which. To a stream
        without a source_id it recovers nothing, and refuses to hand out samples that it holds already. It looks by a
        query into which it puts name, type and source_id as they are: so the uid can stand there.
        """
        only = f"{self.uid}' or uid='{self.uid}' or name='{self.uid}"
        return header_from_xml(_filled(self.xml, {**self._current, "name": only, "type": "", "source_id": self.uid}))

    def hear(self, address: str, now: float) -> None:
        """It has answered (again). It stays at an address for as long as it answers from there."""
        self.at = self._heard[address] = now
        tag = "v6address" if ":" in address else "v4address"
        current = self._current.get(tag, "")
        silent = now - self._heard.get(current, float("-inf")) > STAYS_S
        if address != current and (silent or is_loopback(address)) and not (is_loopback(current) and not silent):
            self._current[tag], self._handle = address, None


def _filled(xml: bytes, values: dict[str, str]) -> bytes:
    """A header with these elements set."""
    for tag, value in values.items():
        xml = re.sub(rf"<{tag} ?/>|<{tag}>[^<]*</{tag}>".encode(), f"<{tag}>{value}</{tag}>".encode(), xml, count=1)
    return xml


class Asker:
    """Sends one question, again and again, and collects what answers. Used by one thread.

    Parameters
    ----------
    query
        An XPath predicate on the header; None is every outlet of the session.
    any_session
        Ask outlets of other sessions, too.
    """

    def __init__(self, query: str | None = None, *, any_session: bool = False) -> None:
        self.network = Network.of(effective_settings())
        session = "session_id!=''" if any_session else f"session_id='{self.network.session_id}'"
        self.query = session if query is None else f"{session} and ({query})"
        self._number = str(abs(hash(self.query)))
        self._packet = memoryview(bytearray(_LONGEST))
        self.answers: dict[str, Answer] = {}
        self._sockets = dict(self._open())
        self._peers = _Names(self.network.peers)
        self._ways: list[Interface] = []
        self._ways_due = 0.0

    def _open(self) -> Iterator[tuple[socket.AddressFamily, socket.socket]]:
        for family, wanted in ((socket.AF_INET, self.network.ipv4), (socket.AF_INET6, self.network.ipv6)):
            if not wanted:
                continue
            try:
                one = socket.socket(family, socket.SOCK_DGRAM)
            except OSError:
                continue  # this kernel has no IPv6
            one.setblocking(False)
            if family == socket.AF_INET6:
                one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, self.network.hops)
            else:
                one.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
                one.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, self.network.hops)
            self._bind(one)
            yield family, one

    def _bind(self, one: socket.socket) -> None:
        """To a port of LSL's range, which firewalls are told to let through; else to any."""
        for port in [*range(self.network.base_port, self.network.base_port + self.network.n_ports), 0]:
            with contextlib.suppress(OSError):
                one.bind(("", port))
                return

    def ask(self) -> None:
        """Send the question to the multicast groups, from every interface."""
        if (now := time.monotonic()) >= self._ways_due:
            self._ways_due = now + INTERFACES_EVERY
            with contextlib.suppress(OSError):  # refused: by the routing table alone
                self._ways = interfaces()
        for interface in self._ways:
            self.ask_from(interface)
        # By the routing table, too: where no interface could be listed, and for the broadcast address
        for family in self._sockets:
            self._send(family, (group for group in self.network.groups if not is_multicast(group)), self.network.port)

    def ask_from(self, interface: Interface) -> None:
        """Send the question to the multicast groups from one interface."""
        one = self._sockets.get(interface.family)
        if one is None:
            return
        with contextlib.suppress(OSError):  # the address went this instant
            if interface.family == socket.AF_INET:
                one.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(interface.address))
            else:
                one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, interface.index)
            groups = (group for group in self.network.groups if is_multicast(group))
            self._send(interface.family, groups, self.network.port)

    def ask_peers(self) -> bool:
        """Send the question to every port of the known peers; False where none has an address (yet)."""
        addresses = self._peers.addresses()
        for address in addresses:
            self.ask_host(address)
        return bool(addresses)

    def ask_host(self, address: str) -> None:
        """Send the question to every port of one host that an outlet may have."""
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        for port in (self.network.port, *range(self.network.base_port, self.network.base_port + self.network.n_ports)):
            self._send(family, [address], port)

    def _send(self, family: socket.AddressFamily, addresses: Iterable[str], port: int) -> None:
        one = self._sockets.get(family)
        if one is None:
            return
        text = f"LSL:shortinfo\r\n{self.query}\r\n{one.getsockname()[1]} {self._number}\r\n".encode()
        for address in addresses:
            if (":" in address) == (family == socket.AF_INET6):
                with contextlib.suppress(OSError):  # no route there, or refused: others may answer
                    # Only an address that is looked up keeps the interface in fe80::1%eth0.
                    place = socket.getaddrinfo(address, port)[0][4] if "%" in address else (address, port)
                    one.sendto(text, place)

    def listen(self, seconds: float, *also: socket.socket) -> bool:
        """Collect answers for so long; True at once where one of the other sockets is readable."""
        end = time.monotonic() + seconds
        mine = list(self._sockets.values())
        while True:
            readable = select.select([*mine, *also], [], [], max(0.0, end - time.monotonic()))[0]
            for one in readable:
                if one in also:
                    return True
                self._hear(one)
            if time.monotonic() >= end:
                return False

    def _hear(self, one: socket.socket) -> None:
        """Take what waits at a socket: an outlet answers some twenty times, once for each group and interface."""
        heard: set[tuple[object, ...]] = set()
        for _ in range(_AT_ONCE):
            try:
                length, address = one.recvfrom_into(self._packet)
            except OSError:
                return
            packet, (host, _, *scope) = bytes(self._packet[:length]), address
            if (packet, host, *scope) not in heard:
                heard.add((packet, host, *scope))
                self._take(packet, _with_scope(address))

    def _take(self, packet: bytes, address: str) -> None:
        number, _, header = packet.partition(b"\n")
        found = _UID.search(header)
        if number.strip().decode("ascii", "replace") != self._number or found is None:
            return
        uid = found[1].decode("utf-8", "replace")
        answer = self.answers.get(uid)
        if answer is None or answer.xml != header:
            answer = self.answers[uid] = Answer(uid, header)
        answer.hear(address, time.monotonic())

    def close(self) -> None:
        """Ask no more."""
        for one in self._sockets.values():
            one.close()


def _with_scope(address: tuple[str, int] | tuple[str, int, int, int]) -> str:
    """The address, with the interface that it counts on where it is one of the link only."""
    if len(address) == 4 and address[3] and "%" not in address[0]:
        return f"{address[0]}%{socket.if_indextoname(address[3])}"
    return address[0]


class _Names:
    """The addresses of the known peers; names are looked up in a thread of their own, since that can take long."""

    def __init__(self, peers: tuple[str, ...]) -> None:
        self._peers, self._due = peers, 0.0
        self._found: list[str] = []
        self._busy = False

    def addresses(self) -> list[str]:
        """What is known by now."""
        if self._peers and not self._busy and time.monotonic() >= self._due:
            self._busy = True
            threading.Thread(target=self._look_up, name="lsl-peers", daemon=True).start()
        return self._found

    def _look_up(self) -> None:
        found = []
        for peer in self._peers:
            with contextlib.suppress(OSError, UnicodeError):
                those = socket.getaddrinfo(peer, None, type=socket.SOCK_DGRAM)
                found += [str(one[4][0]) for one in those]
        self._found = list(dict.fromkeys(found))
        self._due, self._busy = time.monotonic() + NAMES_EVERY, False


class _Pace:
    """When the next question is due: each costs the recorder, and every outlet of the network, its answer."""

    def __init__(self) -> None:
        self._asked_at = self._changed_at = float("-inf")
        self._uids: frozenset[str] = frozenset()

    def due(self, now: float, answers: Iterable[Answer]) -> bool:
        """Whether to ask at ``now`` (recorder's clock, s), with what has answered so far; taken as asked then."""
        answers = list(answers)
        uids = frozenset(one.uid for one in answers)
        if uids != self._uids or any(one.at < self._asked_at for one in answers):
            self._uids, self._changed_at = uids, now
        calm = now - self._changed_at >= CALM_AFTER
        if calm and now - self._asked_at < CALM_ASK_EVERY - ASK_EVERY / 2:
            return False
        self._asked_at = now
        return True


class Resolver:
    """Asks all the time, in a thread of its own.

    Parameters
    ----------
    query
        An XPath predicate on the stream header, such as ``"type='EMG' and channel_count>8"``; None is every stream.
    forget_after
        Seconds without an answer after which an outlet is taken for gone.
    """

    def __init__(self, query: str | None = None, forget_after: float = 5.0) -> None:
        self._asker = Asker(query)
        self._forget_after = forget_after
        self._results: list[Answer] = []
        self._end, self._ended = socket.socketpair()
        self._thread = threading.Thread(target=self._run, name="lsl-resolver", daemon=True)
        self._thread.start()

    def results(self) -> list[Answer]:
        """Outlets that answered lately; returns at once."""
        return self._results

    def _run(self) -> None:
        pace = _Pace()
        peers_due = 0.0
        ended = False
        while not ended:
            now = time.monotonic()
            if pace.due(now, self._results):
                self._asker.ask()
            if now >= peers_due:
                peers_due = now + (PEERS_EVERY if self._asker.ask_peers() else ASK_EVERY)
            ended = self._asker.listen(ASK_EVERY, self._ended)
            answers = self._asker.answers
            now = time.monotonic()
            for uid in [uid for uid, one in answers.items() if now - one.at > self._forget_after]:
                del answers[uid]
            self._results = list(answers.values())
        self._asker.close()
        self._ended.close()

    def close(self) -> None:
        """Stop asking. May be called twice."""
        self._end.close()
        if self._thread is not threading.current_thread():
            self._thread.join(5.0)


def resolve(uid: str, timeout: float) -> InfoHandle | None:
    """Ask for the outlet of this uid, which answers with where it is now; None after ``timeout`` seconds."""
    asker = Asker(f"uid='{uid}'")
    end = time.monotonic() + timeout
    try:
        while uid not in asker.answers:
            asker.ask()
            asker.ask_peers()
            left = end - time.monotonic()
            if left <= 0:
                return None
            _listen_for(asker, uid, min(left, ASK_EVERY))
        return asker.answers[uid].for_inlet
    finally:
        asker.close()


def _listen_for(asker: Asker, uid: str, seconds: float) -> None:
    end = time.monotonic() + seconds
    while uid not in asker.answers and time.monotonic() < end:
        asker.listen(min(0.05, seconds))


def answers(uid: str, timeout: float) -> bool:
    """Ask the network whether the outlet of this uid is there: at most ``timeout`` seconds, and less if it is."""
    return resolve(uid, timeout) is not None
