"""Where the system refuses something, the message names it; what recording does not need is no failure."""

from __future__ import annotations

import errno
import os
import resource
import subprocess
from collections.abc import Callable

import psutil
import pytest

from myogestic_tui.cli import doctor_checks, doctor_network
from myogestic_tui.cli.settings import Settings

from .conftest import COMMAND, PATIENCE

COMMANDS = ("doctor", "streams", "record --all", "serve", "demo --headless")


def narrowest_for_each(*limits: int) -> list[tuple[str, int]]:
    """Every command under the narrowest limit, and one under the others: all look before they begin anything else."""
    return [*((command, limits[0]) for command in COMMANDS), *(("serve", limit) for limit in limits[1:])]


@pytest.mark.parametrize(("command", "megabytes"), narrowest_for_each(300, 600, 1000))
def test_too_little_memory_is_named_before_anything_begins(tmp_path, command, megabytes):
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20, megabytes << 20))

    done = subprocess.run(
        [*COMMAND, *command.split()],
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        preexec_fn=limit,
    )
    assert done.returncode == 1
    said = done.stdout + done.stderr
    assert f"may reserve {megabytes * (1 << 20) / 1e6:.0f} MB of address space" in said
    assert "ulimit -v" in said
    assert "Traceback" not in said


def limited_to(files: int) -> Callable[[], None]:
    return lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))


@pytest.mark.parametrize(("command", "files"), narrowest_for_each(24, 40, 63))
def test_too_few_open_files_are_named_before_anything_begins(tmp_path, command, files):
    done = subprocess.run(
        [*COMMAND, *command.split()],
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        preexec_fn=limited_to(files),
    )
    assert done.returncode == 1
    said = done.stdout + done.stderr
    assert f"may open {files} files, and recording needs 64" in said
    assert "ulimit -n" in said
    assert "Traceback" not in said


def test_as_many_files_are_opened_as_the_system_lets():
    script = "import resource as r; from myogestic_tui.process_limits import check_limits; check_limits(); "
    script += "print(*r.getrlimit(r.RLIMIT_NOFILE))"
    for soft, hard, expected in ((32, 512, "512 512"), (32, 4096, "1024 4096"), (2048, 4096, "2048 4096")):
        said = subprocess.run(
            [COMMAND[0], "-c", script],
            check=True,
            capture_output=True,
            text=True,
            preexec_fn=lambda soft=soft, hard=hard: resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard)),
        ).stdout
        assert said.strip() == expected


def refuse(*_: object, **__: object) -> None:
    raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))


def test_an_interface_is_looked_at_without_an_ioctl_that_containers_refuse(monkeypatch):
    monkeypatch.setattr(psutil, "net_if_stats", refuse)
    assert all(check.state != "bad" for check in doctor_network.check_interfaces(Settings()))


def test_a_refused_look_at_what_recording_does_not_need_is_a_warning(monkeypatch, tmp_path):
    monkeypatch.setattr(psutil, "net_if_addrs", refuse)
    monkeypatch.chdir(tmp_path)
    every = list(doctor_checks.run_checks(Settings()))
    assert not [check for check in every if check.state == "bad"]
    found = [check for check in every if check.subject == "network"]
    assert [(check.state, check.text) for check in found] == [
        ("warning", "cannot be looked at here: Operation not permitted")
    ]
    assert found[0].fix
