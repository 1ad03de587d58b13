"""Two computers and the cables between them: namespaces of this machine, each with its own network, name and clock.

Nothing of it has a name on this machine. A host is what its anchor process holds; it ends with that process, which ends
when its standard input closes, also where the test itself is killed.
"""

from __future__ import annotations

import contextlib
import functools
import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.sending import wait_for

PATIENCE = 180.0
needs_nft = pytest.mark.skipif(shutil.which("nft") is None, reason="nft is not installed")
_OUTLET = Path(__file__).parents[1] / "sources" / "outlet_child.py"
_READER = Path(__file__).with_name("reader_child.py")
_NO_DAD = "echo 0 > /proc/sys/net/ipv6/conf/default/accept_dad"  # link-local addresses count at once
_ANCHOR = f'{{ {_NO_DAD}; }} 2>/dev/null; hostname "$0" && ip link set lo up multicast on && echo up && exec cat'


@functools.cache
def not_permitted(*extra: str) -> str:
    """Why no host can be made here; empty where it can."""
    try:
        done = subprocess.run(
            [
                "unshare",
                "--net",
                "--uts",
                *extra,
                "ip",
                "link",
                "add",
                "name",
                "c1",
                "type",
                "veth",
                "peer",
                "name",
                "c2",
            ],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
    except OSError as error:
        return f"{error.filename}: {error.strerror}"
    return done.stderr.strip()


def _own(clock: str) -> int:
    """Seconds that this process's clock is ahead of the kernel's, by which a new namespace's offset counts."""
    with contextlib.suppress(FileNotFoundError):
        for line in Path("/proc/self/timens_offsets").read_text().splitlines():
            name, seconds, _ = line.split()
            if name == clock:
                return int(seconds)
    return 0


def _clock(ahead: int) -> list[str]:
    """Options of ``unshare`` for clocks that are so many seconds ahead of this process's."""
    return ["--time", "--monotonic", str(_own("monotonic") + ahead), "--boottime", str(_own("boottime") + ahead)]


class Host:
    """A computer.

    Parameters
    ----------
    name
        What it calls itself.
    ahead
        Seconds that its monotonic clock is ahead of this machine's; 0: it has the clock of this machine.
    """

    def __init__(self, name: str, ahead: int = 0) -> None:
        self.name = name
        clock = _clock(ahead) if ahead else []
        self._anchor = subprocess.Popen(
            ["unshare", "--net", "--uts", *clock, "--fork", "--kill-child", "sh", "-c", _ANCHOR, name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._anchor.stdout is not None
        self._children: list[subprocess.Popen[str]] = []
        assert self._anchor.stdout.readline() == "up\n"
        self.pid = int(Path(f"/proc/{self._anchor.pid}/task/{self._anchor.pid}/children").read_text())
        self.enter = ["nsenter", "--target", str(self.pid), "--net", "--uts", *(["--time"] if ahead else [])]

    def start(self, *command: object, **options: Any) -> subprocess.Popen[str]:
        """A program on it, with pipes; ended with the host at the latest."""
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, **options}
        child = subprocess.Popen([*self.enter, *map(str, command)], **pipes)
        self._children.append(child)
        return child

    def run(self, *command: object, code: int | None = 0, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a program on it to its end."""
        done = subprocess.run(
            [*self.enter, *map(str, command)], **{"capture_output": True, "text": True, "timeout": PATIENCE, **options}
        )
        assert code in (None, done.returncode), done.stderr
        return done

    def close(self) -> None:
        """End what runs on it, and it."""
        for child in self._children:
            if child.poll() is None:
                child.kill()
        for process in (*self._children, self._anchor):
            for pipe in (process.stdin, process.stdout, process.stderr):
                if pipe is not None:
                    with contextlib.suppress(OSError):
                        pipe.close()
            process.wait(PATIENCE)


class Outlet:
    """A ramp that is sent from a host; see `tests/sources/outlet_child.py`."""

    def __init__(self, host: Host, name: str, **info: Any) -> None:
        options = json.dumps({"name": name, "n_channels": 2, "fs": 200.0, "type": "EMG", **info})
        self._process = host.start(sys.executable, _OUTLET, options)
        assert self._process.stdout is not None
        self.uid = self._process.stdout.readline().strip()
        assert self.uid

    def say(self, line: str) -> None:
        """Send a marker."""
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def kill(self) -> None:
        """No goodbye on any socket."""
        self._process.kill()
        self._process.wait(PATIENCE)

    def freeze(self) -> None:
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._process.send_signal(signal.SIGCONT)


class Reader:
    """A source that is read on a host; see `reader_child.py`."""

    def __init__(self, host: Host, **source: Any) -> None:
        self._process = host.start(sys.executable, _READER, json.dumps(source))

    def ask(self, **question: Any) -> dict[str, Any]:
        """Say something to it; how the source is then."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def until(self, **condition: Any) -> dict[str, Any]:
        """Wait until all of these hold: ``state``, ``message`` (part of it), ``count`` (at least), ``uid``."""
        answer = self.ask(until=condition, patience=PATIENCE)
        assert answer["held"], answer
        return answer


class TwoHosts:
    """A recorder's computer and a sender's, with ``cables`` between them: cable 1 is 10.77.1.x, and so on."""

    def __init__(self, unique: str, cables: int = 1, ahead: int = 0, recorder_ahead: int = 0) -> None:
        with contextlib.ExitStack() as undo:
            self.recorder = Host(f"recorder-{unique}"[:60], recorder_ahead)
            undo.callback(self.recorder.close)
            self.sender = Host(f"sender-{unique}"[:60], ahead)
            undo.callback(self.sender.close)
            for cable in range(1, cables + 1):
                self._lay(cable)
            undo.pop_all()

    def _lay(self, cable: int) -> None:
        ends = (self.recorder, self.sender)
        ip(
            "link",
            "add",
            "name",
            f"c{cable}",
            "netns",
            ends[0].pid,
            "type",
            "veth",
            "peer",
            "name",
            f"c{cable}",
            "netns",
            ends[1].pid,
        )
        for place, host in enumerate(ends, 1):
            host.run("ip", "address", "add", f"10.77.{cable}.{place}/24", "dev", f"c{cable}")
            host.run("ip", "link", "set", f"c{cable}", "up")

    def reboot(self, ahead: int) -> None:
        """The sender's computer goes down, and comes up again with another clock."""
        name = self.sender.name
        self.sender.close()
        self.recorder.run("ip", "link", "delete", "c1", code=None)
        self.sender = Host(name, ahead)
        self._lay(1)

    def used_cable(self) -> int:
        """The cable that samples come by."""
        wait_for(lambda: len(self.connections()) == 1)
        (connection,) = self.connections()
        return int(connection[0].split(".")[2])

    def cut(self) -> None:
        """Let nothing pass any more of the connections that there are now; new ones work."""
        self.recorder.run("nft", "add table inet cut; add chain inet cut input { type filter hook input priority 0; }")
        for _, port in self.connections():
            self.recorder.run("nft", f"add rule inet cut input tcp dport {port} drop")

    def close_clock_service(self) -> None:
        """Let the sender's outlets be found and read, but not their clock be asked."""
        self.sender.run("nft", "add table inet shut; add chain inet shut input { type filter hook input priority 0; }")
        self.sender.run("nft", "add rule inet shut input udp dport 16572-16604 drop")

    def connections(self) -> set[tuple[str, str]]:
        """Address and port of the recorder's ends."""
        told = self.recorder.run("ss", "-tnH", "state", "established").stdout
        ends = (line.split()[2].rpartition(":") for line in told.splitlines())
        return {(address, port) for address, _, port in ends if address.startswith("10.77.")}

    def pull(self, cable: int) -> None:
        """Pull a cable out at the sender's."""
        self.sender.run("ip", "link", "set", f"c{cable}", "down")

    def plug(self, cable: int) -> None:
        """Put it back."""
        self.sender.run("ip", "link", "set", f"c{cable}", "up")

    def close(self) -> None:
        self.sender.close()
        self.recorder.close()

    def __enter__(self) -> TwoHosts:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def ip(*arguments: object) -> None:
    """Run `ip` on this machine."""
    subprocess.run(["ip", *map(str, arguments)], check=True, capture_output=True, timeout=PATIENCE)
