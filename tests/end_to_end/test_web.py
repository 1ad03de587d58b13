"""The screens in a browser: what textual-serve starts has no terminal, and speaks Textual's packets over its pipes."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.sending import wait_for

DRIVER = {"TEXTUAL_DRIVER": "textual.drivers.web_driver:WebDriver", "COLUMNS": "80", "ROWS": "24", "TERM": ""}


def packet(kind: bytes, payload: bytes) -> bytes:
    """As the web driver takes it: kind, length, content."""
    return kind + len(payload).to_bytes(4, "big") + payload


@pytest.mark.parametrize("command", [(), ("demo",)], ids=["plain", "demo"])
def test_the_screens_are_shown_and_driven_without_a_terminal_where_a_driver_is_named(
    folder: Path, command: tuple[str, ...]
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "myogestic_tui", *command],
        cwd=folder,
        env=os.environ | DRIVER,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    shown, told = bytearray(), bytearray()
    readers = [
        threading.Thread(target=lambda pipe=pipe, to=to: [to.extend(data) for data in iter(pipe.read1, b"")])  # type: ignore[misc]
        for pipe, to in ((process.stdout, shown), (process.stderr, told))
    ]
    for reader in readers:
        reader.start()
    try:
        wait_for(lambda: b"STREAMS" in shown or process.poll() is not None, 120.0)
        assert process.poll() is None, told.decode()
        for key, title in ((b"r", b"RECORD"), (b"l", b"LIVE")):
            process.stdin.write(packet(b"D", key))
            process.stdin.flush()
            wait_for(lambda title=title: title in shown, 120.0)
        process.stdin.write(packet(b"D", b"q"))
        process.stdin.flush()
        assert process.wait(120) == 0
    finally:
        process.kill()
        process.wait()
        for reader in readers:
            reader.join()
        for pipe in (process.stdin, process.stdout, process.stderr):
            pipe.close()
