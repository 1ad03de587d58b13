"""A walk over the Sessions screen by keys alone, in a real terminal, on real sessions: whole, damaged and cut off."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from myogestic_tui import StreamInfo
from myogestic_tui.clock import local_clock
from myogestic_tui.session import Session, open_session_store, verify_session
from tests.archive.sessions import assert_holds, cut_off_folder, flip
from tests.sending import wait_for
from tests.tui.terminal import Terminal


def record(sessions: Path, name: str) -> Path:
    """A packed session of 10 s."""
    session = Session(sessions, class_names=["Rest", "Fist"], fields={"name": name}, reserve_bytes=0)
    at = local_clock()
    session.init_stream("emg", StreamInfo(4, 100.0))
    samples = np.random.default_rng(1).standard_normal((1000, 4)).astype(np.float32)
    session.append("emg", samples, at + np.arange(1000) / 100.0)
    session.add_label(1, at + 2.0)
    return session.pack_to_zip()


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    """The screens on three sessions; the recorder that they start is ended."""
    sessions = tmp_path / "sessions"
    sessions.mkdir()
    record(sessions, "alpha")
    flip(record(sessions, "bravo"), "emg.zarr/c/3/0")
    cut_off_folder(tmp_path / "elsewhere").rename(sessions / "2026-05-17_14-23-05")
    with Terminal([sys.executable, "-m", "myogestic_tui"], cwd=tmp_path) as screens:
        screens.wait_for("STREAMS")
        screens.press("b")
        screens.wait_for("3 of 3")
        yield screens
    with suppress(OSError, ValueError):
        pid = json.loads((sessions / ".myogestic/recorder.lock").read_bytes())["pid"]
        os.kill(pid, signal.SIGTERM)
        wait_for(lambda: not Path(f"/proc/{pid}").exists())


def find(terminal: Terminal, words: str) -> None:
    """Show only the sessions that hold these words."""
    terminal.press("/")
    terminal.wait_for("gesture keys off")
    terminal.send(b"\x15" + words.encode() + b"\r")
    terminal.wait_for(lambda text: "gesture keys off" not in text and f"find: {words}" in text)


def wait_for_stretch(terminal: Terminal, first: float, last: float) -> None:
    """Wait until the plot shows this part of the whole, whose length depends on how busy the machine was."""

    def shown(text: str) -> bool:
        found = re.search(r"([\d.]+) to ([\d.]+) of ([\d.]+)", text)
        if not found:
            return False
        begin, end, whole = map(float, found.groups())
        return begin / whole == pytest.approx(first, abs=0.02) and end / whole == pytest.approx(last, abs=0.02)

    terminal.wait_for(shown)


def test_find_open_zoom_verify_mend_rename_trash_and_restore(terminal: Terminal, tmp_path: Path) -> None:
    sessions = tmp_path / "sessions"
    find(terminal, "alpha")
    terminal.wait_for("1 of 3")
    terminal.wait_for(lambda text: "RMS" in text and "│2━" in text)

    terminal.press("enter")
    terminal.wait_for("RMS of all channels")
    wait_for_stretch(terminal, 0.0, 1.0)
    terminal.press("=")
    wait_for_stretch(terminal, 0.25, 0.75)
    terminal.press("right")
    wait_for_stretch(terminal, 0.5, 1.0)
    terminal.press("down")
    terminal.wait_for("channel 1 ")
    terminal.press("escape")
    terminal.wait_for("SUBJECT")

    terminal.press("v")
    terminal.wait_for("every byte")
    terminal.press("enter")
    terminal.wait_for("◆ verified")
    terminal.wait_for("full verify ok")
    find(terminal, "bravo")
    terminal.press("v")
    terminal.wait_for("every byte")
    terminal.press("enter")
    terminal.wait_for("✗ DAMAGED")

    find(terminal, "14-23-05")
    terminal.wait_for("! unfinished")
    terminal.press("f")
    terminal.wait_for("◇ packed")
    assert_holds(sessions / "2026-05-17_14-23-05.session.zip")

    find(terminal, "alpha")
    terminal.press("t")
    terminal.wait_for("subject")
    terminal.press("tab", "tab", "tab")
    terminal.send(b"_two\r")
    terminal.wait_for("── alpha_two   packed")
    [renamed] = sessions.glob("*_alpha_two.session.zip")
    with open_session_store(renamed) as session:
        assert session.meta.name == "alpha_two"
    assert verify_session(renamed).ok

    terminal.press("d")
    terminal.wait_for("to the trash?")
    terminal.press("enter")
    terminal.wait_for("0 of 2")
    assert not renamed.exists()
    terminal.press("u")
    terminal.wait_for("1 of 3")
    assert verify_session(renamed).ok
