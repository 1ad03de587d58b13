"""Make the moving picture at the head of the README: gestures on Live, as heat map, traces and grid, and on Record.

``moving.py`` writes ``moving.gif``: real streams of the synthetic generator, recorded by a real `App`. It needs
``rsvg-convert`` and Pillow (``pip install -e '.[docs]'``).
"""

from __future__ import annotations

import asyncio
import io
import os
import subprocess
import tempfile
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

from make import CONFIG, GESTURES, HERE, Unhurried, labelled, moving, wait
from picture import strips_of, svg_of
from PIL import Image

from myogestic_tui import App, Stream
from myogestic_tui.app.generator import Generator
from myogestic_tui.config import parse_config
from myogestic_tui.sources import LSLSource
from myogestic_tui.tui import ViewerOptions
from myogestic_tui.tui.viewer import Viewer

if TYPE_CHECKING:
    from collections.abc import Sequence

SIZE = (80, 24)
FPS = 4
ACTS = (("l", 5.0), ("i", 3.0), ("i", 3.0), ("r", 3.0))
"""What is pressed, and how long it is then looked at (s)."""
N_COLOURS = 160


async def film(app: App) -> list[str]:
    """The screen as SVG, so many times a second, at equal times."""
    frames: list[str] = []
    viewer = Viewer(app, ViewerOptions(screen="live", fps=FPS))
    viewer.pacer = Unhurried(FPS)
    async with viewer.run_test(size=SIZE) as pilot:
        await pilot.pause(1.0)
        for key, seconds in ACTS:
            await pilot.press(key)
            due = time.monotonic() + 0.5
            for _ in range(round(seconds * FPS)):
                await pilot.pause(max(due - time.monotonic(), 0.01))
                due += 1 / FPS
                viewer.refresh_frame()
                await pilot.pause()
                frames.append(svg_of(strips_of(viewer)))
    return frames


def save_gif(frames: Sequence[str], path: Path) -> None:
    """All frames with one palette, over and over."""
    drawn = [Image.open(io.BytesIO(_png(svg))).convert("RGB") for svg in frames]
    width, height = drawn[0].size
    some = drawn[:: max(len(drawn) // 6, 1)]
    sheet = Image.new("RGB", (width, height * len(some)))
    for i, one in enumerate(some):
        sheet.paste(one, (0, i * height))
    palette = sheet.quantize(N_COLOURS)
    first, *others = (one.quantize(palette=palette, dither=Image.Dither.NONE) for one in drawn)
    first.save(path, save_all=True, append_images=others, duration=1000 // FPS, loop=0, optimize=False)


def _png(svg: str) -> bytes:
    return subprocess.run(["rsvg-convert"], input=svg.encode(), capture_output=True, check=True).stdout


def main() -> None:
    """Record for half a minute, and look at it."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_STATE_HOME"] = folder
        name = f"emg-{uuid.uuid4().hex[:6]}"
        generator = Generator(name, 64, 2048.0)
        app = App("grasp study", config=parse_config(CONFIG), sessions_dir=Path(folder, "sessions"))
        app.streams(Stream("emg", source=LSLSource(name), buffer_seconds=40.0))
        app.open()
        try:
            wait(lambda: all(stream.info is not None for stream in app.ctx.streams.values()))
            app.start_recording()
            labelled(app, generator, ((0, 2), *((i % len(GESTURES), 2) for i in range(1, 5)), (0, 1)))
            with moving(app, generator):
                frames = asyncio.run(film(app))
        finally:
            app.shut()
            generator.stop()
    save_gif(frames, HERE / "moving.gif")


if __name__ == "__main__":
    main()
