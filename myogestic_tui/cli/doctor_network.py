"""What `doctor` tries between hosts: multicast on each interface, known peers, TCP and clock of each remote stream."""

from __future__ import annotations

import contextlib
import socket
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from ..info import StreamInfo
from .doctor_finding import Check

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..sources.discovery import Seen
    from ..sources.network import Interface
    from ..sources.network_query import Asker
    from .settings import Settings

PROBE_NAME = "myogestic_tui doctor"
PORTS = "UDP 16571-16604 and TCP 16572-16604"
OPEN_THERE = f"allow {PORTS} in there: sudo ufw allow 16571:16604/udp && sudo ufw allow 16572:16604/tcp"

_ROUND_S = 0.5
_ROUNDS = 3
_NAME_S = 5.0
_MOST_WAYS = 16
_MOST_STREAMS = 64


def check_interfaces(_: Settings) -> Iterable[Check]:
    """Which interfaces are up, and which have no address or are down."""
    from ..sources.network import down, interfaces, is_loopback

    ways = [one for one in interfaces() if not is_loopback(one.address)]
    usable = [one for one in ways if one.family == socket.AF_INET or not one.address.startswith("fe80")] or ways
    if usable:
        yield Check("network", "ok", ", ".join(f"{one.name} {one.address}" for one in usable))
    else:
        fix = "plug in the network that the devices are in, or: sudo ip link set NAME up"
        yield Check("network", "warning", "only the loopback is up", fix)
    if ways and not any(one.family == socket.AF_INET for one in ways):
        fix = "give the devices and this machine IPv4 addresses if their programs have IPv6 switched off"
        yield Check("network", "warning", "there is no IPv4 address, only IPv6: many LSL programs want IPv4", fix)
    if off := down() - {"lo"}:
        yield Check("network", "ok", f"down, or without a cable: {', '.join(sorted(off))}")


def check_multicast(_: Settings) -> Iterable[Check]:
    """An outlet of our own has to be found by a question that is sent from one interface alone, for each of them."""
    from ..sources import Outlet
    from ..sources.network import interfaces, is_loopback

    outlet = Outlet(f"{PROBE_NAME} {uuid.uuid4().hex[:8]}", StreamInfo(1, 0.0, "int8"))
    try:
        try:
            ways = interfaces()[:_MOST_WAYS]
        except OSError:  # refused: by the routing table alone
            ways = []
        found = _asked_from(ways, outlet.uid)
        loopback = [way for way in ways if is_loopback(way.address)]
        everywhere = not any(found.values()) and not _answers(outlet.uid)
    finally:
        outlet.close()
    if everywhere:
        fix = f"allow {PORTS} on the loopback and the LAN; a VPN may swallow multicast: try without"
        yield Check("multicast", "bad", "an outlet on this machine was found from no interface", fix)
        return
    for way in ways:
        where = f"{way.name} {way.address}"
        if found[way]:
            yield Check("multicast", "ok", f"{where}: an outlet is found by multicast")
        elif way not in loopback:
            fix = (
                f"sudo ip link set {way.name} multicast on; allow {PORTS} in; where Wi-Fi or a VPN swallows it, "
                "name the senders under [lsl] known_peers"
            )
            yield Check("multicast", "warning", f"{where}: multicast does not come through", fix)
    if not any(found.values()):
        yield Check("multicast", "ok", "an outlet on this machine is found without multicast")


def _asked_from(ways: list[Interface], uid: str) -> dict[Interface, bool]:
    from ..sources.network_query import Asker

    askers: dict[Interface, Asker] = {way: Asker(f"uid='{uid}'") for way in ways}
    try:
        for _ in range(_ROUNDS):
            for way, asker in askers.items():
                asker.ask_from(way)
            for asker in askers.values():
                asker.listen(_ROUND_S / len(askers))
        return {way: uid in asker.answers for way, asker in askers.items()}
    finally:
        for asker in askers.values():
            asker.close()


def _answers(uid: str) -> bool:
    from ..sources.network_query import answers

    return answers(uid, _ROUNDS * _ROUND_S)


# ---------------------------------------------------------------- known peers, session id


def check_peers(_: Settings) -> Iterable[Check]:
    """Each known peer has to have an address, and an outlet that answers."""
    from ..sources.liblsl import effective_settings
    from ..sources.network import Network

    peers = Network.of(effective_settings()).peers
    if not peers:
        return
    with _pool(len(peers)) as pool:
        yield from pool.map(_peer, peers)


def _peer(peer: str) -> Check:
    addresses = _addresses(peer)
    if not addresses:
        fix = "correct its name under [lsl] known_peers, or give its address there"
        return Check("peers", "warning", f"{peer}: no such host, or no name server answers", fix)
    said = f"{peer} ({addresses[0]})" if peer != addresses[0] else peer
    heard = [text for address in addresses for text in _names_at(address)]
    if heard:
        return Check("peers", "ok", f"{said}: {', '.join(heard)}")
    fix = f"start the LSL program on {peer}; {OPEN_THERE}"
    return Check("peers", "warning", f"{said}: no outlet answers there", fix)


def _addresses(peer: str) -> list[str]:
    """The addresses of a host, in bounded time: a name server that is silent would hold us up for half a minute."""
    found: list[str] = []

    def look_up() -> None:
        with contextlib.suppress(OSError, UnicodeError):
            found.extend(str(one[4][0]) for one in socket.getaddrinfo(peer, None, type=socket.SOCK_DGRAM))

    thread = threading.Thread(target=look_up, name="doctor-name", daemon=True)
    thread.start()
    thread.join(_NAME_S)
    return list(dict.fromkeys(found))


def _names_at(address: str) -> list[str]:
    """Names of the outlets that answer at an address, whatever their session."""
    from ..sources.network_query import Asker

    asker = Asker(any_session=True)
    try:
        for _ in range(_ROUNDS):
            asker.ask_host(address)
            asker.listen(_ROUND_S)
        return [answer.handle.text("name") for answer in asker.answers.values()]
    finally:
        asker.close()


def check_session_id(settings: Settings) -> Iterable[Check]:
    """Names the session, and outlets that are there but belong to another one."""
    from ..sources.network_query import Asker

    asker = Asker(any_session=True)
    try:
        own = asker.network.session_id
        for _ in range(_ROUNDS):
            asker.ask()
            asker.ask_peers()
            asker.listen(_ROUND_S)
        others = [one.handle for one in asker.answers.values() if one.session_id != own]
        ids = {one.session_id for one in asker.answers.values()} - {own}
    finally:
        asker.close()
    if settings.config.lsl.session_id is not None or own != "default":
        yield Check("session id", "ok", f"{own!r}: only outlets of that session are seen")
    if others:
        there = ", ".join(f"{one.text('name')} on {one.text('hostname')}" for one in others)
        named = " or ".join(map(repr, sorted(ids)))
        fix = f'if they are yours: session_id = "{min(ids)}" under [lsl], or SessionID = {own} in their lsl_api.cfg'
        yield Check("session id", "warning", f"not seen, since their session id is {named}, not {own!r}: {there}", fix)


# ---------------------------------------------------------------- streams of other hosts


def check_remote_streams(_: Settings) -> Iterable[Check]:
    """Tries TCP and a clock comparison with each stream of another host."""
    from ..sources.discovery import discovery
    from ..sources.network import is_own

    there = [one for one in discovery().streams() if one.address and not is_own(one.address)]
    if not there:
        return
    with _pool(len(there)) as pool:
        for checks in pool.map(_remote, there[:_MOST_STREAMS]):
            yield from checks
    if len(there) > _MOST_STREAMS:
        yield Check("streams", "ok", f"{len(there) - _MOST_STREAMS} further streams were not tried")


def _remote(one: Seen) -> list[Check]:
    from ..sources.outlet_probe import NoAnswerError, compare_clock, ports_of, read_header

    data_port, service_port = ports_of(one)
    who = f"{one.name} on {one.hostname} ({one.address})"
    found = []
    try:
        read_header(one.address, data_port)
        found.append(Check("streams", "ok", f"{who}: answers by TCP {data_port}"))
    except NoAnswerError as error:
        fix = f"on {one.hostname}: sudo ufw allow 16572:16604/tcp, or sudo firewall-cmd --add-port=16572-16604/tcp"
        found.append(Check("streams", "bad", f"{who}: no samples can come, TCP {data_port}: {error}", fix))
    try:
        offset, round_trip = compare_clock(one.address, service_port)
        text = f"{who}: its clock is compared ({offset:+.6f} s, round trip {round_trip * 1e3:.1f} ms)"
        found.append(Check("streams", "ok", text))
    except NoAnswerError as error:
        fix = f"on {one.hostname}: sudo ufw allow 16572:16604/udp, or sudo firewall-cmd --add-port=16572-16604/udp"
        text = f"{who}: no clock comparison, so it is aligned by arrival only (±0.2 s), UDP {service_port}: {error}"
        found.append(Check("streams", "warning", text, fix))
    return found


@contextlib.contextmanager
def _pool(size: int) -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(min(16, max(1, size)), thread_name_prefix="doctor") as pool:
        yield pool
