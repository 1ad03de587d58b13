"""The network as LSL sees it: this machine's interfaces, and where its settings say that outlets are asked."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from .lsl_settings import Settings

_GROUPS = {
    "machine": ("MachineAddresses", "{127.0.0.1}", 0),
    "link": ("LinkAddresses", "{255.255.255.255, 224.0.0.1, 224.0.0.183}", 1),
    "site": ("SiteAddresses", "{239.255.172.215}", 24),
    "organization": ("OrganizationAddresses", "{}", 32),
    "global": ("GlobalAddresses", "{}", 255),
}
_GROUPS_V6 = {"link": "FF02", "site": "FF05", "organization": "FF08", "global": "FF0E"}


@dataclass(frozen=True, slots=True)
class Network:
    """How LSL is set up on this machine: where outlets are asked, and by whose session."""

    groups: tuple[str, ...]
    hops: int
    port: int
    base_port: int
    n_ports: int
    peers: tuple[str, ...]
    session_id: str
    ipv4: bool
    ipv6: bool

    @classmethod
    def of(cls, given: Settings) -> Network:
        """From the settings that liblsl has; what is absent or unusable is as liblsl has it by default."""
        scope = given.get(("multicast", "ResolveScope"), "site")
        group_v6 = given.get(("multicast", "IPv6MulticastGroup"), "113D:6FDD:2C17:A643:FFE2:1BD1:3CD2")
        groups: list[str] = []
        hops = 0
        for name, (key, default, reach) in _GROUPS.items():
            groups += _members(given.get(("multicast", key), default))
            groups += [f"{_GROUPS_V6[name]}:{group_v6}"] if name in _GROUPS_V6 else []
            hops = reach
            if name == scope:
                break
        ipv6 = given.get(("ports", "IPv6"), "allow")
        return cls(
            groups=tuple(_members(given.get(("multicast", "AddressesOverride"), "{}")) or groups),
            hops=_number(given, "multicast", "TTLOverride", hops),
            port=_number(given, "ports", "MulticastPort", 16571),
            base_port=_number(given, "ports", "BasePort", 16572),
            n_ports=_number(given, "ports", "PortRange", 32),
            peers=tuple(_members(given.get(("lab", "KnownPeers"), "{}"))),
            session_id=given.get(("lab", "SessionID"), "default"),
            ipv4=not ipv6.startswith("force"),
            ipv6=not ipv6.startswith("disable"),
        )


def _members(text: str) -> list[str]:
    return [part.strip() for part in text.strip("{} ").split(",") if part.strip()]


def _number(given: Settings, section: str, key: str, default: int) -> int:
    try:
        number = int(given[section, key])
    except (KeyError, ValueError):
        return default
    return number if number >= 0 else default


@dataclass(frozen=True, slots=True)
class Interface:
    """An address of this machine that questions can be sent from."""

    name: str
    address: str
    index: int
    family: socket.AddressFamily


def interfaces() -> list[Interface]:
    """Every IPv4 address, and every interface with an IPv6 one, of those that are up.

    Raises
    ------
    OSError
        The system refuses to list them.
    """
    ways = {(one.address if one.family == socket.AF_INET else one.index): one for one in addresses()}
    return list(ways.values())


def addresses() -> list[Interface]:
    """Every address of every interface that is up.

    Raises
    ------
    OSError
        The system refuses to list them.
    """
    found = psutil.net_if_addrs()
    off = down()
    numbers = {name: index for index, name in socket.if_nameindex() if name not in off}
    return [
        Interface(name, one.address.partition("%")[0], numbers[name], socket.AddressFamily(one.family))
        for name, those in found.items()
        if name in numbers
        for one in those
        if one.family in (socket.AF_INET, socket.AF_INET6)
    ]


def down() -> set[str]:
    """Interfaces that are switched off or have no cable, and that say so; in some containers none does."""
    try:
        return {name for name, stats in psutil.net_if_stats().items() if not stats.isup}
    except OSError:
        return {name for _, name in socket.if_nameindex() if _state(name) in ("down", "lowerlayerdown", "notpresent")}


def _state(interface: str) -> str:
    try:
        return Path(f"/sys/class/net/{interface}/operstate").read_text().strip()
    except OSError:
        return ""


def is_loopback(address: str) -> bool:
    """Whether it is an address of the loopback."""
    return address.startswith("127.") or address == "::1"


def is_multicast(group: str) -> bool:
    """Whether it is the address of a multicast group."""
    return group[:2].casefold() == "ff" if ":" in group else 224 <= int(group.partition(".")[0] or 0) < 240


def is_own(address: str) -> bool:
    """Whether an address is one of this machine."""
    bare = address.partition("%")[0]
    found = (str(one.address).partition("%")[0] for those in psutil.net_if_addrs().values() for one in those)
    return is_loopback(bare) or bare in found
