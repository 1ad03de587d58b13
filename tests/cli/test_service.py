"""`service`: a unit that systemd reads as it was meant, and clear words where there is no systemd."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from myogestic_tui.cli import systemctl
from myogestic_tui.cli.systemd_unit import UNIT, mount_of, own_program, sessions_of, unit_text
from myogestic_tui.errors import ConfigError, DiskError
from tests.sending import wait_for

PATIENCE = 120.0
COMMAND = [sys.executable, "-m", "myogestic_tui"]
ODD = [
    "plain",
    "a b",
    " lead and trail ",
    "50%h %%n",
    'q"uote',
    "s'ingle",
    "$HOME ${X} $$",
    "ü-ß 日本",
    "back\\slash\\",
    "a\\x20b",
    "#hash ;semi",
    "-dash",
    "@at",
    "!bang",
    "+plus",
    "{a} & |",
]
needs_analyze = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd-analyze here")

SYSTEMCTL = """#!/bin/sh
# Stands in for the systemctl of a machine that runs systemd: notes what it is told, and answers as that would.
echo "$*" >> "$FOLDER/calls"
case "$2" in
  show) echo ActiveState=$(cat "$FOLDER/active"); echo MainPID=42; echo ExecMainStatus=$(cat "$FOLDER/code") ;;
  enable) [ ! -e "$FOLDER/broken" ] || { echo "Job for myogestic.service failed" >&2; exit 1; }
          echo active > "$FOLDER/active" ;;
  disable) echo inactive > "$FOLDER/active" ;;
esac
"""


class Box:
    """A user's home with a shell in it: commands on the path, and whatever systemd there is."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.home = folder, folder / "home"
        self.bin = folder / "bin"
        for one in (self.home, self.bin):
            one.mkdir()
        self.environ = {"PATH": str(self.bin), "HOME": str(self.home), "FOLDER": str(folder), "LANG": "C.UTF-8"}

    @property
    def unit(self) -> Path:
        return self.home / ".config" / "systemd" / "user" / UNIT

    def with_systemd(self) -> None:
        (self.bin / "systemctl").write_text(SYSTEMCTL)
        (self.bin / "systemctl").chmod(0o755)
        (self.bin / "cat").symlink_to(shutil.which("cat") or "/bin/cat")
        (self.folder / "active").write_text("inactive")
        (self.folder / "code").write_text("0")

    def calls(self) -> list[str]:
        """What systemd was told, but for looks."""
        said = (self.folder / "calls").read_text().splitlines()
        (self.folder / "calls").unlink()
        return [line for line in said if "show" not in line]

    def run(self, *words: object) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [*COMMAND, *map(str, words)],
            cwd=self.home,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return done


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(tmp_path)


def parsed(text: str, folder: Path) -> list[str]:
    """The command line of a unit as systemd itself has read it."""
    file = folder / UNIT
    file.write_text(text)
    environ = {**os.environ, "XDG_RUNTIME_DIR": str(folder), "SYSTEMD_LOG_LEVEL": "debug"}
    done = subprocess.run(
        ["systemd-analyze", "--user", "verify", file], env=environ, capture_output=True, text=True, timeout=PATIENCE
    )
    (line,) = [line for line in done.stdout.splitlines() if "Command Line: " in line]
    # It is quoted for a shell.
    words = subprocess.check_output(["bash", "-c", f"printf '%s\\0' {line.partition('Command Line: ')[2]}"])
    return words.decode().split("\0")[:-1]


@needs_analyze
def test_systemd_reads_the_command_as_it_was_meant(tmp_path):
    sessions, config, mount = (Path("/x", *ODD, name) for name in ("sessions", "my.toml", "disk"))
    words = parsed(unit_text(["/usr/bin/env"], sessions, config, mount), tmp_path)
    meant = ["/usr/bin/env", "--sessions", sessions, "--config", config, "serve", "--wait-for-mount", mount]
    assert words == list(map(str, meant))


@needs_analyze
def test_systemd_finds_the_program_wherever_it_is_installed(tmp_path):
    program = tmp_path.joinpath(*ODD) / "myogestic-tui"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    assert systemctl.complaints(unit_text([str(program)], tmp_path)) == []
    plain = tmp_path / "a b" / "nothing"
    assert any("not executable" in line for line in systemctl.complaints(unit_text([str(plain)], tmp_path)))


@pytest.mark.parametrize("name", ["two\nlines", "bell\a", os.fsdecode(b"\xff")], ids=repr)
def test_a_path_that_no_unit_can_hold_is_refused(name):
    with pytest.raises(ConfigError, match="rename it"):
        unit_text(["/bin/true"], Path("/x") / name)


def test_the_unit_is_of_this_environment_folder_and_configuration(box):
    (box.home / "myogestic.toml").write_text("app_name = 'lab'\n")
    done = box.run("--sessions", "my data", "service", "install", "--dry-run")
    assert done.returncode == 0, done.stderr
    (command,) = [line for line in done.stdout.splitlines() if line.startswith("ExecStart=:")]
    assert shlex.split(command.removeprefix("ExecStart=:")) == [
        *own_program(),
        "--sessions",
        str(box.home / "my data"),
        "--config",
        str(box.home / "myogestic.toml"),
        "serve",
    ] + (["--wait-for-mount", str(mount)] if (mount := mount_of(box.home)) else [])
    for line in ("Type=notify", "WatchdogSec=30", "OOMPolicy=continue", "RestartPreventExitStatus=2 4"):
        assert line in done.stdout.splitlines()
    assert sessions_of(done.stdout) == box.home / "my data"
    assert "sudo loginctl enable-linger" in done.stderr
    assert sorted(path.name for path in box.home.rglob("*")) == ["myogestic.toml"]  # nothing was changed


def test_a_link_to_the_command_installs_what_it_leads_to(box):
    (program,) = own_program()
    (box.bin / "myogestic-tui").symlink_to(program)
    done = subprocess.run(
        [box.bin / "myogestic-tui", "service", "install", "--dry-run", "--json"],
        cwd=box.home,
        env=box.environ,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    told = json.loads(done.stdout)
    assert told["program"] == [program]
    assert told["dry_run"] is True
    assert told["sessions"] == str(box.home / "sessions")
    assert [step["done"] for step in told["steps"]] == [False] * len(told["steps"])


def test_the_lsl_configuration_of_the_shell_goes_along(box):
    box.environ["LSLAPICFG"] = "lab net.cfg"
    done = box.run("service", "install", "--dry-run")
    assert f'Environment="LSLAPICFG={box.home}/lab net.cfg"' in done.stdout


def test_without_systemd_it_says_so_and_changes_nothing(box):
    for words, code in (("install", 1), ("status", 1), ("logs", 1), ("remove", 1)):
        done = box.run("service", words)
        assert done.returncode == code, (words, done.stderr)
        told = done.stdout + done.stderr
        assert "no systemd" in told or "no service" in told
    assert not box.unit.exists()
    assert not (box.home / "sessions").exists()
    told = json.loads(box.run("service", "status", "--json").stdout)
    assert (told["state"], told["installed"], told["recorder"]) == ("unknown", False, None)


def test_where_systemd_cannot_be_reached_the_remedy_is_told(box):
    box.with_systemd()
    (box.bin / "systemctl").write_text("#!/bin/sh\necho 'Failed to connect to bus: No medium found' >&2\nexit 1\n")
    done = box.run("service", "install")
    assert done.returncode == 1
    if Path("/run/systemd/system").exists():
        assert "No medium found" in done.stderr
        assert "loginctl enable-linger" in done.stderr
    else:
        assert "was not started with systemd" in done.stderr
    assert not box.unit.exists()


def test_install_status_and_remove(box):
    box.with_systemd()
    done = box.run("--sessions", "data", "service", "install")
    assert done.returncode == 0, done.stderr
    assert box.unit.read_text().startswith("# Written by `myogestic-tui service install`")
    assert (box.home / "data").is_dir()
    assert box.calls() == ["--user show-environment", "--user daemon-reload", f"--user enable --now {UNIT}"][1:]
    status = box.run("service", "status")
    assert status.returncode == 0
    assert f"{UNIT}: active" in status.stdout
    before = box.unit.stat().st_mtime_ns
    again = box.run("--sessions", "data", "service", "install", "--json")
    assert json.loads(again.stdout)["steps"][0]["text"].startswith("have systemd read it")
    assert box.unit.stat().st_mtime_ns == before
    (box.home / "data" / "precious").write_text("data")
    removed = box.run("service", "remove")
    assert removed.returncode == 0, removed.stderr
    assert not box.unit.exists()
    assert (box.home / "data" / "precious").read_text() == "data"
    assert box.calls()[-2:] == [f"--user disable --now {UNIT}", "--user daemon-reload"]


def test_a_unit_with_another_content_stays_unless_forced(box):
    box.with_systemd()
    box.unit.parent.mkdir(parents=True)
    box.unit.write_text("[Service]\nExecStart=/mine\n")
    for words in (["install"], ["remove"]):
        done = box.run("service", *words)
        assert done.returncode == 1
        assert "--force" in done.stderr
        assert box.unit.read_text() == "[Service]\nExecStart=/mine\n"
    assert "-ExecStart=/mine" in box.run("service", "install").stderr
    (box.folder / "active").write_text("active")
    forced = box.run("service", "install", "--force")
    assert forced.returncode == 0, forced.stderr
    assert "still runs as it was" in forced.stderr
    assert sessions_of(box.unit.read_text()) == box.home / "sessions"


def test_one_that_does_not_start_says_where_to_look(box):
    box.with_systemd()
    (box.folder / "broken").touch()
    done = box.run("service", "install")
    assert done.returncode == 1
    assert "failed" in done.stderr
    assert "service logs" in done.stderr


def test_status_tells_that_a_held_folder_ended_it_for_good(box):
    box.with_systemd()
    box.run("service", "install")
    (box.folder / "active").write_text("failed")
    (box.folder / "code").write_text("4")
    done = box.run("service", "status")
    assert done.returncode == 1
    assert "another recorder had the sessions folder" in done.stdout


@pytest.mark.parametrize("content", ["streams = 3\n", "[[streams]]\n"])
def test_a_configuration_that_cannot_be_used_is_found_before_anything_is_written(box, content):
    box.with_systemd()
    (box.home / "myogestic.toml").write_text(content)
    assert box.run("service", "install").returncode == 2
    assert not box.unit.exists()


def test_a_folder_that_cannot_be_made_is_refused(box):
    (box.home / "file").touch()
    for sessions in ("file", "file/sessions"):
        done = box.run("--sessions", sessions, "service", "install", "--dry-run")
        assert done.returncode in (1, 2)
        assert "file" in done.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written_is_refused_with_the_remedy(box):
    (box.home / "locked").mkdir(mode=0o555)
    done = box.run("--sessions", "locked/sessions", "service", "install", "--dry-run")
    assert done.returncode == 1
    assert "sudo chown" in done.stderr


def test_a_disk_that_fstab_has_and_that_is_not_mounted_is_refused(tmp_path):
    fstab = tmp_path / "fstab"
    fstab.write_text(
        f"# disks\nUUID=1-2 /  ext4 defaults 0 1\nUUID=3-4 {tmp_path}/my\\040disk ext4 nofail 0 2\nbroken\n"
    )
    with pytest.raises(DiskError, match=r"sudo mount .*/my disk"):
        mount_of(tmp_path / "my disk" / "sessions", str(fstab))
    assert mount_of(tmp_path, str(fstab)) == mount_of(tmp_path, "/nowhere")
    assert mount_of(Path("/")) is None
    assert mount_of(Path("/proc/self")) == Path("/proc")


def test_serve_waits_for_the_disk_and_tells_systemd(tmp_path, unique):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind("\0" + unique)
        listener.settimeout(PATIENCE)
        served = subprocess.Popen(
            [*COMMAND, "--sessions", tmp_path / "sessions", "serve", "--wait-for-mount", tmp_path / "disk"],
            env={**os.environ, "NOTIFY_SOCKET": f"@{unique}"},
            stderr=subprocess.PIPE,
        )
        assert listener.recv(1000).startswith(b"STATUS=waiting for a disk at")
        assert listener.recv(1000).startswith(b"EXTEND_TIMEOUT_USEC=")
        assert not (tmp_path / "sessions").exists()
        served.send_signal(signal.SIGTERM)
        _, said = served.communicate(timeout=PATIENCE)
    assert b"WARNING" in said
    assert b"nothing is mounted there" in said


def may_mount() -> bool:
    """Whether this account may have mounts of its own; root in a chroot may not."""
    tools = all(shutil.which(name) for name in ("unshare", "nsenter"))
    return tools and subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode == 0


@pytest.mark.skipif(not may_mount(), reason="no mount namespace may be made")
def test_serve_starts_on_the_disk_once_it_is_mounted(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    served = subprocess.Popen(
        ["unshare", "--mount", *COMMAND, "--sessions", disk / "sessions", "serve", "--wait-for-mount", disk],
        stderr=subprocess.PIPE,
    )
    assert served.stderr is not None
    assert b"nothing is mounted there" in served.stderr.readline()
    lock = Path(f"/proc/{served.pid}/root/{disk}/sessions/.myogestic/recorder.lock")
    subprocess.run(["nsenter", "-t", str(served.pid), "-m", "mount", "-t", "tmpfs", "none", disk], check=True)
    wait_for(lock.exists, PATIENCE)
    served.send_signal(signal.SIGTERM)
    served.communicate(timeout=PATIENCE)
    assert not list(disk.iterdir())
