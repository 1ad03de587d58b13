"""Starts the viewer on a scripted recorder: in a real pty, or under Textual's pilot."""

from __future__ import annotations

import asyncio
import re
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from rich.cells import cell_len
from textual import events
from textual.pilot import Pilot

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from scripted import ScriptedRecorder  # noqa: E402
from terminal import Terminal  # noqa: E402

from myogestic_tui.app import interface as r  # noqa: E402
from myogestic_tui.tui import ViewerOptions  # noqa: E402
from myogestic_tui.tui.viewer import Viewer  # noqa: E402

if TYPE_CHECKING:
    from myogestic_tui.tui.recorder_feed import Then

READY = "help"
"""Waits for a viewer that reads keys; any longer text may be seen while it still opens."""
TAKEN_OVER = b"\x1b[?2004h"
"""What Textual asks the terminal for once it reads keys."""


NAMES = dict(zip("?:,.+-=/%; ", ("question_mark", "colon", "comma", "full_stop", "plus", "minus", "equals_sign",
    "slash", "percent_sign", "semicolon", "space"), strict=True))  # fmt: skip
"""What Textual calls keys that are no letters."""
_CELL = re.compile(r'<text[^>]*?x="([0-9.]+)"[^>]*?clip-path="url\(#[^"]*-line-(\d+)\)"[^>]*>(.*?)</text>', re.S)
_CELL_WIDTH = 12.2


def rows_of(svg: str, width: int, height: int) -> list[str]:
    """The text of a picture of the screen, which is all that is public of what Textual composes."""
    grid = [[" "] * width for _ in range(height)]
    for x, y, text in _CELL.findall(svg):
        column = round(float(x) / _CELL_WIDTH)
        for letter in unescape(text).replace("\xa0", " "):
            if int(y) < height and column < width:
                grid[int(y)][column] = letter
            column += cell_len(letter)
    return ["".join(row) for row in grid]


@pytest.fixture(autouse=True)
def colours(monkeypatch: pytest.MonkeyPatch) -> None:
    """The terminal that pytest runs in does not matter."""
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.delenv("NO_COLOR", raising=False)


class ScriptedTerminal(Terminal):
    """A terminal with ``run_scripted.py`` in it, and the log of what that was asked."""

    log = Path()

    def wait_log(self, beginning: str, more: int = 1, timeout: float = 120.0) -> str:
        """Wait for ``more`` further lines that begin so; the last of them."""
        deadline = time.monotonic() + timeout
        wanted = None
        while True:
            lines = [line for line in self.log.read_text().splitlines() if line.startswith(beginning)]
            wanted = len(lines) + more if wanted is None and beginning == "poll" else wanted or more
            if len(lines) >= wanted:
                return lines[-1]
            assert time.monotonic() < deadline, f"not logged: {beginning}"
            time.sleep(0.05)


@pytest.fixture
def viewer_in_pty(tmp_path: Path) -> Iterator[Callable[..., ScriptedTerminal]]:
    """Start ``run_scripted.py`` in a pty; every terminal is closed after the test."""
    started: list[ScriptedTerminal] = []

    def start(state: str = "idle", *arguments: str, ready: str = READY, **more: Any) -> ScriptedTerminal:
        log = tmp_path / f"log{len(started)}"
        log.touch()
        more["environ"] = {**more.get("environ", {}), "SCRIPT_LOG": str(log)}
        terminal = ScriptedTerminal.python(str(HERE / "run_scripted.py"), state, *arguments, **more)
        terminal.log = log
        started.append(terminal)
        terminal.wait_for(ready)
        if ready == READY:
            terminal.wait_output(TAKEN_OVER)
        return terminal

    yield start
    for terminal in started:
        terminal.close()


class Stage:
    """A viewer under Textual's pilot, with its scripted recorder."""

    def __init__(self, pilot: Pilot[int], viewer: Viewer, recorder: ScriptedRecorder) -> None:
        self.pilot, self.viewer, self.recorder = pilot, viewer, recorder
        self.n_unanswered = 0
        send = viewer.feed.execute

        def execute(command: r.AnyCommand, then: Then) -> None:
            def heard(command: r.AnyCommand, reply: r.Reply) -> None:
                self.n_unanswered -= 1
                then(command, reply)

            self.n_unanswered += 1
            send(command, heard)

        viewer.feed.execute = execute  # type: ignore[method-assign]

    async def press(self, *keys: str) -> None:
        """Press keys, each once the one before is dealt with, and wait until all that they caused has been drawn."""
        for key in keys:
            await self.pilot.press(NAMES.get(key, key))
            await self._keys_read()
        await self.settle()

    async def _keys_read(self) -> None:
        while not self.viewer.keys.idle and self.viewer.is_running:
            await asyncio.sleep(0.002)

    async def _answered(self) -> None:
        """Wait until the recorder has answered all that it was asked, unless it is held back."""
        released = getattr(self.recorder, "released", None)
        while self.n_unanswered and self.viewer.is_running and (released is None or released.is_set()):
            await asyncio.sleep(0.002)

    async def send(self, *keys: events.Event) -> None:
        """Keys of one read."""
        for key in keys:
            key.time = keys[0].time
            self.viewer.post_message(key)
        await self.settle()

    async def settle(self) -> None:
        """Wait until no key and no command is under way, and draw the newest snapshot."""
        for _ in range(2):
            await self.pilot.pause()
            await self._keys_read()
            await self._answered()
            if self.viewer.is_running:
                self.viewer.refresh_frame()
        await self.pilot.pause()

    def rows(self) -> list[str]:
        """The screen, row by row."""
        return rows_of(self.viewer.export_screenshot(), *self.viewer.size)

    @property
    def text(self) -> str:
        """The screen as one string."""
        return "\n".join(self.rows())

    async def until(self, condition: Callable[[], object], timeout: float = 120.0) -> None:
        """Wait until a condition holds."""
        deadline = time.monotonic() + timeout
        while not condition():
            assert time.monotonic() < deadline, f"never: {condition}\n{self.text}"
            await self.pilot.pause(0.05)


@pytest.fixture
def stage() -> Callable[..., Any]:
    """``async with stage(recorder, screen=…, size=…) as it``."""

    @asynccontextmanager
    async def start(
        recorder: ScriptedRecorder | None = None, *, size: tuple[int, int] = (80, 24), **options: Any
    ) -> AsyncIterator[Stage]:
        recorder = recorder or ScriptedRecorder()
        viewer = Viewer(recorder, ViewerOptions(**{"glyphs": "braille", **options}))
        async with viewer.run_test(size=size) as pilot:
            it = Stage(pilot, viewer, recorder)
            await it.until(lambda: viewer.front is not None and viewer.front.composed)
            await it.settle()
            yield it

    return start
