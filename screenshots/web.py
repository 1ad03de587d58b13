"""Draws `web.png`: Live in a headless Chromium, through `myogestic-tui web`. Run by hand, where Chromium is."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.end_to_end.browser import Browser

COMMAND = (sys.executable, "-P", "-m", "myogestic_tui")
CONFIG = 'gestures = [{ name = "Rest" }, { name = "Fist" }, { name = "Pinch" }, { name = "Open" }]\n'
PORT = "8123"
HERE = Path(__file__).parent


async def draw(folder: str) -> bytes:
    """The Live screen while a gesture is labelled."""

    def label(gesture: str) -> None:
        subprocess.run([*COMMAND, "ctl", "label", gesture], cwd=folder, check=True)

    async with Browser("1180,760") as browser:
        await browser.do("Page.navigate", url=f"http://localhost:{PORT}/?fontsize=14")
        await browser.until(b"STREAMS")
        await browser.focus()
        await browser.press("l")
        await browser.until(b"LIVE")
        await asyncio.sleep(4.0)
        label("Fist")
        await asyncio.sleep(4.0)
        label("Rest")
        await asyncio.sleep(2.0)
        return await browser.picture()


def main() -> None:
    """A recorder on a synthetic stream, and the page of it."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "myogestic.toml").write_text(CONFIG)
        started = [subprocess.Popen([*COMMAND, "serve"], cwd=folder)]
        try:
            while subprocess.run([*COMMAND, "ctl", "wait", "--state", "idle"], cwd=folder, check=False).returncode:
                time.sleep(0.5)
            started.append(subprocess.Popen([*COMMAND, "generate", "--channels", "32"], cwd=folder))
            time.sleep(4.0)
            subprocess.run([*COMMAND, "ctl", "connect", "--all"], cwd=folder, check=True)
            subprocess.run([*COMMAND, "ctl", "start", "--name", "demo"], cwd=folder, check=True)
            started.append(subprocess.Popen([*COMMAND, "web", "--port", PORT], cwd=folder))
            time.sleep(3.0)
            (HERE / "web.png").write_bytes(asyncio.run(draw(folder)))
        finally:
            for process in reversed(started):
                process.terminate()
                process.wait(60)


main()
