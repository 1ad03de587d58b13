"""The pages on the Pi and on systemd, followed to the letter in a box of files: real commands, but for systemd's."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from myogestic_tui.cli.systemd_unit import own_program, unit_text
from tests.docs.test_examples import network, sending  # noqa: F401

ROOT = Path(__file__).parents[2]
PI, SYSTEMD = (ROOT / "docs" / name for name in ("raspberry-pi.md", "systemd.md"))
BLOCK = re.compile(r"^<!-- on the box -->\n```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PATIENCE = 240.0
NOT_HERE = {"apt", "loginctl", "lsblk", "mount", "timedatectl"}
"""Commands that change or look at the machine itself; that they are called is noted."""
SYSTEMCTL = f"""#!{sys.executable}
# Stands in for the systemd of a box: it starts the service as the unit has it, and stops it.
import json, os, shlex, signal, subprocess, sys, time
from pathlib import Path
folder, words = Path(os.environ["BOX"]), sys.argv[1:]
unit, pid = Path.home() / ".config/systemd/user/myogestic.service", folder / "pid"
if words[1:2] == ["enable"]:
    (line,) = [one for one in unit.read_text().splitlines() if one.startswith("ExecStart=:")]
    command = shlex.split(line.removeprefix("ExecStart=:"))
    with open(folder / "log", "ab") as log:
        served = subprocess.Popen(command, cwd="/", stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    pid.write_text(str(served.pid))
    status = [*command[:3], "ctl", "status", "--json"]
    while served.poll() is None:  # until it has looked around, as it has when a person types the next command
        told = subprocess.run(status, capture_output=True)
        if told.returncode == 0 and json.loads(told.stdout)["streams"]:
            break
        time.sleep(0.2)
elif words[1:2] == ["show"]:
    print("ActiveState=active" if pid.exists() else "ActiveState=inactive")
elif words[1:2] == ["disable"]:
    os.kill(int(pid.read_text()), signal.SIGTERM)
    pid.unlink()
"""


class Box:
    """A home, a disk that is a file, and the commands of a page with their paths within all this."""

    def __init__(self, folder: Path, environ: dict[str, str]) -> None:
        self.folder = folder
        self.home, self.data, self.bin = (folder / name for name in ("home", "data", "bin"))
        for one in (self.home, self.bin):
            one.mkdir()
        self._stand_ins()
        (self.home / "myogestic_tui").symlink_to(ROOT)
        for disk in ("sda", "sda1"):
            with (folder / disk).open("wb") as file:
                file.truncate(16 << 20)
        keep = {key: environ[key] for key in ("LSLAPICFG", "XDG_RUNTIME_DIR") if key in environ}
        self.environ = {
            **keep,
            "PATH": f"{self.bin}:{os.environ['PATH']}",
            "HOME": str(self.home),
            "USER": str(os.getuid()),
            "BOX": str(folder),
            "LANG": "C.UTF-8",
        }

    def _stand_ins(self) -> None:
        texts = {name: f'#!/bin/sh\necho "{name} $*" >> "$BOX/calls"\n' for name in NOT_HERE}
        texts |= {"sudo": '#!/bin/sh\nexec "$@"\n', "systemctl": SYSTEMCTL}
        texts["python3"] = f'#!/bin/sh\nexec {sys.executable} "$@" --without-pip\n'
        for name, text in texts.items():
            (self.bin / name).write_text(text)
            (self.bin / name).chmod(0o755)

    def adapted(self, line: str) -> str:
        """A line of the page with this box's paths; what is tested elsewhere, or needs a network, done in its stead."""
        if line == "myogestic-tui" or line.startswith("myogestic-tui doctor") or "--follow" in line:
            return ":"
        if "/pip install" in line:
            (constraints, source) = re.search(r"-c (\S+) (\S+)$", line).groups()  # type: ignore[union-attr]
            return (
                f"test -f {constraints} && test -f {source}/pyproject.toml && ln -s {own_program()[0]} ~/myogestic/bin/"
            )
        line = re.sub(r"/dev/(sda1?)", rf"{self.folder}/\1", line).replace("/etc/fstab", f"{self.folder}/fstab")
        return re.sub(r"(?<![\w/])/data\b", str(self.data), line)

    def follow(self, page: Path) -> str:
        """Type every command of a page, in one login; what they print."""
        lines = [line for block in BLOCK.findall(page.read_text("utf-8")) for line in block.splitlines()]
        script = "\n".join(["set -eu", *map(self.adapted, lines)])
        done = subprocess.run(
            ["bash", "-c", script], cwd=self.home, env=self.environ, capture_output=True, text=True, timeout=PATIENCE
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def close(self) -> None:
        pid = self.folder / "pid"
        if pid.exists() and psutil.pid_exists(int(pid.read_text())):
            service = psutil.Process(int(pid.read_text()))
            service.terminate()
            service.wait(PATIENCE)


@pytest.fixture
def box(tmp_path: Path, network: dict[str, str]) -> Iterator[Box]:  # noqa: F811
    box = Box(tmp_path, network)
    yield box
    box.close()


@pytest.mark.skipif(
    any(shutil.which(name, path="/usr/sbin:/sbin:/usr/bin:/bin") is None for name in ("sfdisk", "mkfs.ext4", "blkid")),
    reason="sfdisk, mkfs.ext4 and blkid are not all here",
)
def test_the_pi_guide_leads_from_a_blank_disk_to_a_recording(box, sending):  # noqa: F811
    box.environ["PATH"] += ":/usr/sbin:/sbin"
    told = box.follow(PI)
    table = subprocess.check_output(["/usr/sbin/sfdisk", "--json", box.folder / "sda"], env=box.environ)
    assert len(json.loads(table)["partitiontable"]["partitions"]) == 1
    (entry,) = (box.folder / "fstab").read_text().splitlines()
    uuid, where, kind, options, *_ = entry.split()
    assert re.fullmatch(r"UUID=[0-9a-f-]{36}", uuid)
    assert (where, kind) == (str(box.data), "ext4")
    assert "nofail" in options.split(",")
    calls = (box.folder / "calls").read_text()
    assert f"mount {box.data}" in calls
    assert "loginctl enable-linger" in calls
    assert calls.index("timedatectl set-ntp false") < calls.index("timedatectl set-time")  # refused otherwise
    unit = (box.home / ".config/systemd/user/myogestic.service").read_text()
    assert f"--sessions {box.data}/sessions --config {box.data}/myogestic.toml serve" in unit
    assert "myogestic.service: active" in told
    assert "packed" in told.splitlines()[-1]
    assert len(list((box.data / "sessions").glob("*.session.zip"))) == 1


def test_the_commands_of_the_page_on_systemd_install_and_remove_the_service(box, sending):  # noqa: F811
    (box.bin / "myogestic-tui").symlink_to(own_program()[0])
    told = box.follow(SYSTEMD)
    assert "ExecStart=:" in told
    assert not (box.home / ".config/systemd/user/myogestic.service").exists()
    assert (box.home / "sessions").is_dir()


def test_the_unit_on_the_page_is_the_one_that_is_written(monkeypatch):
    monkeypatch.delenv("LSLAPICFG", raising=False)
    shown = re.search(r"<!-- unit -->\n```ini\n(.*?)^```$", SYSTEMD.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    data = Path("/data")
    program = ["/home/you/myogestic/bin/myogestic-tui"]
    assert shown is not None
    assert shown[1] == unit_text(program, data / "sessions", data / "myogestic.toml", data)
