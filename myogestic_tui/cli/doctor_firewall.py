"""Whether a firewall of this machine lets LSL through, by ufw, firewalld, nftables and iptables; it changes nothing."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .doctor_finding import Check

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .settings import Settings

WANTED = {"udp": (16571, 16604), "tcp": (16572, 16604)}
"""The ports that LSL needs, first and last."""

_OPEN = {
    "ufw": "sudo ufw allow 16571:16604/udp && sudo ufw allow 16572:16604/tcp",
    "firewalld": "sudo firewall-cmd --permanent --add-port=16571-16604/udp --add-port=16572-16604/tcp && "
    "sudo firewall-cmd --reload",
}
_ANSWER_S = 5
_ALL = (0, 65535)


def run_quietly(*command: str) -> str:
    """What a small program prints; empty where it is not there or fails."""
    return _run(*command)[0].strip()


def _run(*command: str) -> tuple[str, str]:
    """What it prints, and why it could not; both empty where it is not there."""
    path = shutil.which(command[0]) or shutil.which(command[0], path="/usr/sbin:/sbin")
    if path is None:
        return "", ""
    try:
        done = subprocess.run(
            [path, *command[1:]], capture_output=True, text=True, errors="replace", timeout=_ANSWER_S, check=False
        )
    except OSError as error:
        return "", error.strerror or str(error)
    except subprocess.TimeoutExpired:
        return "", f"no answer within {_ANSWER_S} s"
    return (done.stdout, "") if done.returncode == 0 else ("", (done.stderr.strip() or "it failed").splitlines()[0])


@dataclass(frozen=True, slots=True)
class Rule:
    """What one rule does with some ports of a protocol ("" is both): "accept" or "drop"."""

    does: str
    protocol: str = ""
    ports: tuple[int, int] = _ALL


@dataclass(slots=True)
class Chain:
    """What decides on packets that come in: its rules in order, then its policy."""

    name: str
    opens: str
    """Begin of the command that inserts a rule which opens ports, up to the protocol."""
    policy: str = "accept"
    rules: list[Rule] = field(default_factory=list)

    def blocked(self) -> list[str]:
        """Ports of LSL that it does not let in, such as ``"UDP 16572-16604"``."""
        return [
            f"{protocol.upper()} {first}-{last}"
            for protocol, (first, last) in WANTED.items()
            if not all(self._accepts(protocol, port) for port in range(first, last + 1))
        ]

    def _accepts(self, protocol: str, port: int) -> bool:
        for rule in self.rules:
            if rule.protocol in ("", protocol) and rule.ports[0] <= port <= rule.ports[1]:
                return rule.does == "accept"
        return self.policy == "accept"


def check_firewall(_: Settings) -> Iterable[Check]:
    """Each firewall that is active, and whether LSL's ports come through."""
    active = [name for name, asks in _MANAGERS.items() if asks()]
    for name in active:
        text = f"{name} is active; streams of other machines need UDP 16571-16604 and TCP 16572-16604"
        yield Check("firewall", "warning", text, _OPEN[name])
    unread, chains = [], []
    for name, read in _READERS.items():
        found, trouble = read()
        chains += found
        if trouble:
            unread.append(f"{name}: {trouble}")
    blocked = [(chain, ports) for chain in chains if (ports := chain.blocked())]
    for chain, ports in [] if active else blocked:
        fix = " && ".join(f"{chain.opens} {_opening(chain, one)}" for one in ports)
        text = f"{chain.name} may keep LSL out: no rule lets {' and '.join(ports)} in from everywhere"
        yield Check("firewall", "warning", text, fix)
    if unread:
        fix = "look as root: sudo nft list ruleset; sudo iptables -S"
        yield Check("firewall", "warning", f"its rules cannot be read ({'; '.join(unread)})", fix)
    elif not active and not blocked:
        yield Check("firewall", "ok", "no firewall of this machine keeps LSL out (ufw, firewalld, nftables, iptables)")


def _opening(chain: Chain, ports: str) -> str:
    protocol, _, those = ports.lower().partition(" ")
    if chain.opens.startswith("sudo nft"):
        return f"{protocol} dport {those} accept"
    return f"-p {protocol} --dport {those.replace('-', ':')} -j ACCEPT"


def _ufw_is_on() -> bool:
    path = Path("/etc/ufw/ufw.conf")
    try:
        return path.is_file() and "ENABLED=yes" in path.read_text("utf-8", "replace")
    except OSError:
        return False


_MANAGERS: dict[str, Callable[[], bool]] = {
    "ufw": _ufw_is_on,
    "firewalld": lambda: run_quietly("firewall-cmd", "--state") == "running",
}


# ---------------------------------------------------------------- nftables


def _nft() -> tuple[list[Chain], str]:
    told, trouble = _run("nft", "-j", "list", "ruleset")
    if not told:
        return [], trouble
    try:
        entries = [entry for entry in json.loads(told)["nftables"] if isinstance(entry, dict)]
        return list(_nft_chains(entries)), ""
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        return [], f"its answer makes no sense: {error}"


def _nft_chains(entries: list[dict[str, Any]]) -> Iterable[Chain]:
    rules = [entry["rule"] for entry in entries if "rule" in entry]
    for one in (entry["chain"] for entry in entries if "chain" in entry):
        place = one["family"], one["table"], one["name"]
        if one.get("hook") != "input" or _is_iptables(place):
            continue
        name = " ".join(place)
        chain = Chain(f"nftables chain {name}", f"sudo nft insert rule {name}", one.get("policy", "accept"))
        mine = [rule for rule in rules if (rule["family"], rule["table"], rule["chain"]) == place]
        chain.rules = [known for rule in mine for known in _nft_rules(rule["expr"])]
        yield chain


def _is_iptables(place: tuple[str, str, str]) -> bool:
    """Chains that iptables keeps in nftables: it is asked itself."""
    return place[0] in ("ip", "ip6") and place[1:] == ("filter", "INPUT")


def _nft_rules(parts: list[dict[str, Any]]) -> list[Rule]:
    """What a rule does with ports; none where it asks for more than protocol and port, or decides nothing."""
    does = next((verdict for part in parts for verdict in part if verdict in ("accept", "drop", "reject")), "")
    matches = [part["match"] for part in parts if "match" in part]
    odd = [part for part in parts if not part.keys() & {"match", "accept", "drop", "reject", "counter", "log"}]
    if not does or odd:
        return []
    protocol, ports = "", [_ALL]
    for match in matches:
        left, right = match.get("left", {}), match.get("right")
        payload, meta = left.get("payload", {}), left.get("meta", {})
        if match.get("op") not in ("==", "in"):
            return []
        if payload.get("field") == "dport" and payload.get("protocol") in ("udp", "tcp", "th"):
            protocol = protocol if payload["protocol"] == "th" else payload["protocol"]
            ports = [_range(one) for one in (right["set"] if isinstance(right, dict) and "set" in right else [right])]
        elif meta.get("key") == "l4proto" and right in ("udp", "tcp"):
            protocol = right
        else:
            return []
    return [Rule("accept" if does == "accept" else "drop", protocol, one) for one in ports]


def _range(one: Any) -> tuple[int, int]:
    if isinstance(one, dict):
        first, last = one["range"]
        return int(first), int(last)
    return int(one), int(one)


# ---------------------------------------------------------------- iptables


def _iptables(command: str) -> tuple[list[Chain], str]:
    told, trouble = _run(command, "-S", "INPUT")
    if not told:
        return [], trouble
    chain = Chain(f"{command} chain INPUT", f"sudo {command} -I INPUT")
    for line in told.splitlines():
        if policy := re.match(r"-P INPUT (\w+)", line):
            chain.policy = "accept" if policy[1] == "ACCEPT" else "drop"
        elif rule := _iptables_rule(line):
            chain.rules.append(rule)
    return [chain], ""


_IPTABLES_RULE = re.compile(
    r"-A INPUT(?: -p (?P<protocol>udp|tcp))?(?: -m \w+)?(?: --dport (?P<first>\d+)(?::(?P<last>\d+))?)?"
    r" -j (?P<does>ACCEPT|DROP|REJECT)(?: --reject-with \S+)?$"
)


def _iptables_rule(line: str) -> Rule | None:
    found = _IPTABLES_RULE.match(line.strip())
    if found is None:
        return None
    first = int(found["first"] or 0)
    ports = (first, int(found["last"] or first)) if found["first"] else _ALL
    return Rule("accept" if found["does"] == "ACCEPT" else "drop", found["protocol"] or "", ports)


_READERS: dict[str, Callable[[], tuple[list[Chain], str]]] = {
    "nftables": _nft,
    "iptables": lambda: _iptables("iptables"),
    "ip6tables": lambda: _iptables("ip6tables"),
}
