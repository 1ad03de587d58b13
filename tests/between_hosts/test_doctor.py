"""`doctor` between two hosts: what works and what does not, each with its remedy, in bounded time."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import time
from pathlib import Path

import pytest

from .hosts import Host, Outlet, needs_nft
from .recorder import COMMAND

MOST_SECONDS = 180.0


def doctor(host: Host, folder: Path, config: str = "", code: int = 0) -> list[dict]:
    (folder / "myogestic.toml").write_text(config)
    began = time.monotonic()
    done = host.run(*COMMAND, "doctor", "--json", cwd=folder, code=code, timeout=2 * MOST_SECONDS)
    assert time.monotonic() - began < MOST_SECONDS
    return json.loads(done.stdout)


def found(checks: list[dict], subject: str, state: str, *words: str) -> dict:
    """A finding of that subject and state with all these words in text or remedy."""
    mine = [one for one in checks if (one["subject"], one["state"]) == (subject, state)]
    match = next((one for one in mine if all(word in one["text"] + one.get("fix", "") for word in words)), None)
    assert match is not None, "\n".join(f"{one['subject']} {one['state']} {one['text']}" for one in checks)
    return match


def test_two_hosts_where_all_is_well(hosts, unique, tmp_path):
    two = hosts(cables=2, ahead=500)
    Outlet(two.sender, unique, source_id=f"{unique}-id")
    checks = doctor(two.recorder, tmp_path, '[lsl]\nknown_peers = ["10.77.1.2"]\n')
    for cable in "12":
        found(checks, "multicast", "ok", f"c{cable} 10.77.{cable}.1")
    found(checks, "streams", "ok", f"{unique} on {two.sender.name}", "answers by TCP")
    clock = found(checks, "streams", "ok", f"{unique} on {two.sender.name}", "clock is compared")
    offset = re.search(r"compared \(([-+][\d.]+) s", clock["text"])
    assert offset is not None
    assert float(offset[1]) == pytest.approx(-500.0, abs=0.5)
    found(checks, "peers", "ok", "10.77.1.2", unique)
    if shutil.which("nft"):
        found(checks, "firewall", "ok", "nftables")


@pytest.mark.slow
@needs_nft
def test_what_a_firewall_at_the_sender_keeps_out_is_named_with_the_command_that_opens_it(hosts, unique, tmp_path):
    two = hosts()
    two.close_clock_service()
    Outlet(two.sender, unique, source_id=f"{unique}-id")
    checks = doctor(two.recorder, tmp_path)
    found(checks, "streams", "warning", unique, two.sender.name, "no clock comparison", "16572:16604/udp")
    two.sender.run("nft", "add rule inet shut input tcp dport 16572-16604 drop")
    checks = doctor(two.recorder, tmp_path, code=1)
    found(checks, "streams", "bad", unique, "no samples can come", "16572:16604/tcp")


@needs_nft
@pytest.mark.parametrize(
    "rule", ["udp dport 16572-16604 drop", "meta l4proto udp reject", "udp dport { 1, 16571 } drop"]
)
@pytest.mark.slow
def test_a_rule_of_this_machine_that_keeps_lsl_out_is_found(hosts, rule, tmp_path):
    two = hosts()
    two.recorder.run("nft", "add table inet mine; add chain inet mine in { type filter hook input priority 0; }")
    two.recorder.run("nft", f"add rule inet mine in iifname != lo tcp dport 9 accept; add rule inet mine in {rule}")
    two.recorder.run("nft", "insert rule inet mine in iif lo accept")
    checks = doctor(two.recorder, tmp_path)
    fix = found(checks, "firewall", "warning", "inet mine in", "UDP 16571-16604")["fix"]
    assert fix == "sudo nft insert rule inet mine in udp dport 16571-16604 accept"
    two.recorder.run(*fix.removeprefix("sudo ").split())
    found(doctor(two.recorder, tmp_path), "firewall", "ok", "nftables")


@pytest.mark.slow
def test_peers_that_do_not_answer_or_have_no_address(hosts, unique, tmp_path):
    two = hosts()
    peers = '["10.77.1.2", "10.77.1.77", "no-such-host.invalid", "not a name", "::1"]'
    checks = doctor(two.recorder, tmp_path, f"[lsl]\nknown_peers = {peers}\n")
    for silent in ("10.77.1.2", "10.77.1.77"):
        found(checks, "peers", "warning", f"{silent}: no outlet answers there", "16571:16604/udp")
    for unknown in ("no-such-host.invalid", "not a name"):
        found(checks, "peers", "warning", f"{unknown}: no such host", "known_peers")


@pytest.mark.slow
def test_an_outlet_of_another_session_is_named_with_its_session_id(hosts, unique, tmp_path):
    two = hosts()
    (tmp_path / "lab2.cfg").write_text("[lab]\nSessionID = lab2\n")
    code = f"import sys; sys.argv = ['', '{json.dumps({'name': unique, 'n_channels': 1, 'fs': 10.0})}'];"
    child = Path(__file__).parents[1] / "sources" / "outlet_child.py"
    environment = {**os.environ, "LSLAPICFG": str(tmp_path / "lab2.cfg")}
    outlet = two.sender.start(sys.executable, "-c", f"{code} exec(open('{child}').read())", env=environment)
    assert outlet.stdout is not None
    assert outlet.stdout.readline()
    checks = doctor(two.recorder, tmp_path)
    found(checks, "session id", "warning", f"{unique} on {two.sender.name}", "'lab2'", 'session_id = "lab2"')
    checks = doctor(two.recorder, tmp_path, '[lsl]\nsession_id = "lab2"\n')
    found(checks, "session id", "ok", "'lab2'")
    found(checks, "streams", "ok", unique)


@pytest.mark.slow
def test_interfaces_that_are_down_and_a_network_of_ipv6_only(hosts, unique, tmp_path):
    two = hosts()
    two.recorder.run("ip", "link", "add", "spare0", "type", "veth", "peer", "spare1")
    for host in (two.recorder, two.sender):
        host.run("ip", "-4", "address", "flush", "dev", "c1")
    Outlet(two.sender, unique, source_id=f"{unique}-id")
    checks = doctor(two.recorder, tmp_path)
    found(checks, "network", "ok", "down", "spare0")
    found(checks, "network", "warning", "no IPv4 address")
    found(checks, "streams", "ok", unique, "fe80", "clock is compared")
    two.recorder.run("ip", "link", "set", "c1", "down")
    two.recorder.run("ip", "link", "set", "lo", "down")
    checks = doctor(two.recorder, tmp_path, code=1)
    found(checks, "network", "warning", "only the loopback is up")
    found(checks, "multicast", "bad", "from no interface")


@pytest.mark.slow
@needs_nft
@pytest.mark.skipif(shutil.which("setpriv") is None, reason="setpriv is not installed")
def test_rules_that_this_account_may_not_read_are_told_with_the_command_that_shows_them(hosts, tmp_path):
    two = hosts()
    code = "from myogestic_tui.cli.doctor_firewall import check_firewall; print(*check_firewall(None), sep='\\n')"
    nobody = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups")
    done = two.recorder.run(*nobody, sys.executable, "-c", code, cwd=Path(__file__).parents[2], code=None)
    if done.returncode:
        pytest.skip(f"another account cannot run this Python: {done.stderr[-200:]}")
    assert "cannot be read (nftables" in done.stdout
    assert "sudo nft list ruleset" in done.stdout
