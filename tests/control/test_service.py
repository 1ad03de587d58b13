"""What the process around the recorder does: it tells systemd, and keeps its log short."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest

from myogestic_tui.control.logfile import KEPT, log_path, tail
from myogestic_tui.control.systemd_notify import Notifier

SHOUT = """
import logging, os, sys
from pathlib import Path
from myogestic_tui.control.logfile import LogFile
log = LogFile(Path(sys.argv[1]), most_bytes=1000)
logging.basicConfig(level=logging.INFO, handlers=[log])
for number in range(100):
    logging.info("ours %d", number)
    os.write(1, b"liblsl on stdout %d\\n" % number)
    os.write(2, b"liblsl on stderr %d\\n" % number)
    log.rotate_if_long()
"""


@pytest.mark.parametrize("abstract", [False, True])
def test_systemd_hears_when_it_is_ready_alive_and_stopping(tmp_path, monkeypatch, unique, abstract):
    address = f"@{unique}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind("\0" + unique if abstract else address)
        systemd.settimeout(30)
        monkeypatch.setenv("NOTIFY_SOCKET", address)
        monkeypatch.setenv("WATCHDOG_USEC", "20000000")
        monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()))
        notifier = Notifier()
        notifier.ready()
        for _ in range(5):
            notifier.alive()
        notifier.stopping(60.0)
        assert systemd.recv(1000) == f"READY=1\nMAINPID={os.getpid()}".encode()
        assert systemd.recv(1000) == b"WATCHDOG=1"
        assert systemd.recv(1000) == b"STOPPING=1\nEXTEND_TIMEOUT_USEC=60000000"


def test_without_systemd_nothing_is_sent_and_nothing_fails(monkeypatch):
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    Notifier().ready()
    monkeypatch.setenv("NOTIFY_SOCKET", "/nowhere/at/all")
    Notifier().ready()


def test_all_that_the_process_prints_is_in_a_few_short_files(tmp_path):
    path = tmp_path / "deep" / "r.log"
    subprocess.run([sys.executable, "-c", SHOUT, path], check=True, timeout=240)
    files = sorted(path.parent.iterdir())
    assert len(files) == KEPT + 1
    assert all(file.stat().st_size < 1300 for file in files)
    newest = "".join(file.read_text() for file in files)
    for words in ("ours 99", "liblsl on stdout 99", "liblsl on stderr 99"):
        assert words in newest
    assert "liblsl on stderr 99" in tail(path, 5) or "liblsl on stderr 99" in tail(path.with_suffix(".1.log"), 5)


def test_every_sessions_folder_has_its_own_log(tmp_path):
    paths = {log_path(tmp_path / name) for name in ("a", "b", "a/sessions", "b/sessions")}
    assert len(paths) == 4
    assert tail(tmp_path / "none") == ""
