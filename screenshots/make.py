"""Make the pictures of the screens: real streams from the synthetic generator, recorded by a real `App`.

``make.py [NAME …]`` draws all pictures, or those of these names (``live*``: all that begin so); it needs
``rsvg-convert``.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import tempfile
import threading
import time
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatch
from itertools import cycle
from pathlib import Path

os.environ.update(COLORTERM="truecolor", TERM="xterm-256color")

from typing import TYPE_CHECKING

from picture import save_png, strips_of

from myogestic_tui import App, Stream
from myogestic_tui.app import interface as r
from myogestic_tui.app.generator import Generator
from myogestic_tui.app.preferences import remember_view_mode
from myogestic_tui.config import parse_config
from myogestic_tui.control import hosted
from myogestic_tui.sources import LSLSource
from myogestic_tui.tui import ViewerOptions
from myogestic_tui.tui.cue_app import CueScreen
from myogestic_tui.tui.frame_pacing import Pacer
from myogestic_tui.tui.viewer import Viewer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HERE = Path(__file__).parent
GESTURES = ("Rest", "Fist", "Pinch", "Open", "Point", "Wrist up")
CONFIG = (
    """
app_name = "grasp study"
take = {subject = "P07", task = "grasp", take = 4}
"""
    + "".join(f'[[gestures]]\nname = "{name}"\n' for name in GESTURES)
    + """
[[montage]]
stream = "emg"
grid = "8x8"
muscle = "flexors"
side = "left"
[[protocols]]
name = "grasp-6"
repeats = 4
shuffle = true
seed = 7
lead_in = 2
steps = [{gesture = "Rest", seconds = 2}, {gesture = "Fist", seconds = 3}, {gesture = "Pinch", seconds = 3}]
[[protocols]]
name = "mvc"
lead_in = 0
steps = [{gesture = "Rest", seconds = 1}, {gesture = "Fist", seconds = 2}]
"""
)


class Unhurried(Pacer):
    """No picture says how busy the machine was that made it."""

    def woke(self, late: float, *, busy: bool) -> None:
        """Any frame came in time."""


@dataclass(frozen=True)
class Shot:
    """One picture: a screen at a size in a theme, keys to press first, and in which scene it is taken."""

    name: str
    scene: str
    screen: str
    size: tuple[int, int] = (80, 24)
    theme: str = "dark"
    keys: tuple[str, ...] = ()
    glyphs: str = "braille"
    seconds: float = 0.8
    """How long it is looked at before: a stream's last minute grows with that."""


SMALL, MIDDLE, WIDE, LARGE = (80, 24), (120, 40), (160, 50), (200, 60)
SHOTS = (
    Shot("streams", "recording", "streams", seconds=20.0),
    Shot("streams-light", "idle", "streams", theme="light"),
    Shot("streams-160x50", "idle", "streams", WIDE),
    Shot("streams-details", "idle", "streams", MIDDLE, keys=("enter",)),
    Shot("streams-ansi", "idle", "streams", theme="ansi"),
    Shot("live-idle", "idle", "live"),
    Shot("live-256-channels", "idle", "live", keys=("v", "v")),
    Shot("live-8-channels", "idle", "live", MIDDLE, keys=("v",)),
    Shot("live-256-channels-200x60", "idle", "live", LARGE, keys=("v", "v")),
    Shot("record-idle", "idle", "record"),
    Shot("record-idle-160x50", "idle", "record", WIDE),
    Shot("record-take-sheet", "idle", "record", keys=("t",)),
    Shot("help", "idle", "live", MIDDLE, keys=("?",)),
    Shot("live", "recording", "live"),
    Shot("live-traces", "recording", "live", WIDE, keys=("i",)),
    Shot("live-grid", "recording", "live", keys=("i", "i")),
    Shot("live-light", "recording", "live", theme="light"),
    Shot("live-ansi", "recording", "live", theme="ansi"),
    Shot("live-block", "recording", "live", glyphs="block"),
    Shot("live-ascii", "recording", "live", glyphs="ascii"),
    Shot("live-160x50", "recording", "live", WIDE),
    Shot("live-200x60-light", "recording", "live", LARGE, theme="light"),
    Shot("live-zoom", "recording", "live", MIDDLE, keys=("down", "down", "enter")),
    Shot("record", "recording", "record"),
    Shot("record-light", "recording", "record", theme="light"),
    Shot("record-ansi", "recording", "record", theme="ansi"),
    Shot("record-120x40", "recording", "record", MIDDLE),
    Shot("record-160x50", "recording", "record", WIDE),
    Shot("record-200x60", "recording", "record", LARGE),
    Shot("record-stop", "recording", "record", keys=("x",)),
    Shot("record-note", "recording", "record", keys=("n", *"electrode 17 re-taped")),
    Shot("streams-lost", "lost", "streams"),
    Shot("streams-lost-120x40", "lost", "streams", MIDDLE),
    Shot("streams-lost-200x60-light", "lost", "streams", LARGE, theme="light"),
    Shot("live-lost", "lost", "live", keys=("v",)),
    Shot("record-protocol", "protocol", "record"),
    Shot("record-protocol-160x50", "protocol", "record", WIDE),
    Shot("cue", "protocol", "cue"),
    Shot("cue-light-120x40", "protocol", "cue", MIDDLE, theme="light"),
    Shot("record-paused", "paused", "record"),
    Shot("cue-paused", "paused", "cue"),
    Shot("sessions", "after", "sessions"),
    Shot("sessions-light", "after", "sessions", theme="light"),
    Shot("sessions-160x50", "after", "sessions", WIDE, keys=("down",)),
    Shot("sessions-open", "after", "sessions", keys=("down", "enter")),
    Shot("sessions-open-160x50", "after", "sessions", WIDE, keys=("down", "enter", "down", "down")),
    Shot("sessions-samples", "after", "sessions", MIDDLE, keys=("down", "enter", "down", *"=" * 6)),
    Shot("live-percent-mvc-120x40", "mvc", "live", MIDDLE, keys=("%",)),
    Shot("streams-empty", "empty", "streams"),
    Shot("live-empty", "empty", "live"),
    Shot("sessions-empty", "empty", "sessions"),
    Shot("record-error", "error", "record", keys=("space", "enter")),
)


async def take(app: App, shot: Shot) -> None:
    """Open the viewer without a terminal, press the keys, and draw what stands on the screen."""
    if shot.screen == "cue":
        await take_cue(app, shot)
        return
    remember_view_mode("")
    viewer = Viewer(app, ViewerOptions(screen=shot.screen, theme=shot.theme, glyphs=shot.glyphs))
    viewer.pacer = Unhurried(viewer.pacer.most)
    async with viewer.run_test(size=shot.size) as pilot:
        await pilot.pause(0.4)
        for key in shot.keys:
            await pilot.press(key)
        await pilot.pause(shot.seconds)
        viewer.refresh_frame()
        await pilot.pause()
        save_png(strips_of(viewer), HERE / f"{shot.name}.png")
    print(shot.name, flush=True)


async def take_cue(app: App, shot: Shot) -> None:
    """The subject's screen, which follows the app through its socket."""
    screen = CueScreen(app.sessions_dir, ViewerOptions(theme=shot.theme))
    with hosted(app):
        async with screen.run_test(size=shot.size) as pilot:
            while not screen.frame.status.app_name:
                await pilot.pause(0.05)
            await pilot.pause(0.3)
            save_png(strips_of(screen), HERE / f"{shot.name}.png")
    print(shot.name, flush=True)


def scene_of(app: App, scene: str, shots: tuple[Shot, ...]) -> None:
    """Take all pictures of a scene."""
    for shot in shots:
        if shot.scene == scene:
            asyncio.run(take(app, shot))


def wait(condition: Callable[[], object], seconds: float = 30.0) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"never: {condition}")
        time.sleep(0.1)


def labelled(app: App, generator: Generator, turns: tuple[tuple[int, float], ...]) -> None:
    """Hold gestures, each for some seconds."""
    for index, seconds in turns:
        app.execute(r.AddLabel(class_index=index))
        generator.gesture(index)
        time.sleep(seconds)


@contextmanager
def moving(app: App, generator: Generator) -> Iterator[None]:
    """Gestures that follow each other, two seconds each, while pictures are taken."""
    done = threading.Event()

    def move() -> None:
        for index in cycle((0, 1, 0, 2, 0, 3)):
            if done.wait(2.0):
                return
            app.execute(r.AddLabel(class_index=index))
            generator.gesture(index)

    thread = threading.Thread(target=move)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def play(folder: Path, shots: tuple[Shot, ...]) -> None:
    """One day in the lab, a picture now and then."""
    tag = uuid.uuid4().hex[:6]
    names = {"emg": (64, 2048.0), "arm": (8, 1000.0), "hd_emg": (256, 2048.0)}
    generators = {name: Generator(f"{name}-{tag}", *layout) for name, layout in names.items()}
    app = App("grasp study", config=parse_config(CONFIG), sessions_dir=folder / "sessions")
    app.streams(*(Stream(name, source=LSLSource(f"{name}-{tag}"), buffer_seconds=40.0) for name in names))
    app.open()
    try:
        wait(lambda: all(stream.info is not None for stream in app.ctx.streams.values()))
        _scenes(app, generators, shots)
    finally:
        app.shut()
        for generator in generators.values():
            generator.stop()


def _scenes(app: App, generators: dict[str, Generator], shots: tuple[Shot, ...]) -> None:
    emg = generators["emg"]
    time.sleep(12.0)
    scene_of(app, "idle", shots)
    app.execute(r.TickStream(key="hd_emg", record=False))
    app.execute(r.AddLabel(class_index=0))
    app.start_recording()
    labelled(app, emg, ((0, 3), (2, 4), (0, 3), (3, 4), (0, 2)))
    app.execute(r.AddNote(text="electrode 17 re-taped"))
    app.execute(r.MarkTrial(index=1))
    labelled(app, emg, ((1, 5), (0, 3), (1, 3.4)))
    with moving(app, emg):
        time.sleep(8.0)
        scene_of(app, "recording", shots)
    generators["arm"].stop()
    time.sleep(5.0)
    scene_of(app, "lost", shots)
    app.stop_recording()
    app.execute(r.ForgetStream(key="arm"))
    app.execute(r.SetTake(take=5))
    app.execute(r.StartProtocol(name="grasp-6"))
    time.sleep(11.0)
    scene_of(app, "protocol", shots)
    app.execute(r.PauseProtocol())
    scene_of(app, "paused", shots)
    app.stop_recording()
    wait(lambda: not any(job.state in ("waiting", "running") for job in app.status().jobs), 120.0)
    _look_after(app)
    scene_of(app, "after", shots)
    app.execute(r.StartProtocol(name="mvc"))
    emg.gesture(1)
    wait(lambda: (protocol := app.status().protocol) is not None and protocol.state == "done")
    app.stop_recording()
    wait(lambda: app.status().streams[0].mvc)
    wait(lambda: not any(job.state in ("waiting", "running") for job in app.status().jobs), 120.0)
    labelled(app, emg, ((0, 3), (2, 2.5), (0, 2.5), (1, 2)))
    app.parts.message.set("")
    scene_of(app, "mvc", shots)


def _look_after(app: App) -> None:
    """One session is proved and copied, another damaged."""
    taken, damaged = sorted(app.sessions_dir.glob("*.session.zip"))[:2]
    content = bytearray(damaged.read_bytes())
    content[len(content) // 2] ^= 1
    damaged.write_bytes(content)
    app.execute(r.StartJob(kind="verify", paths=(str(taken), str(damaged))))
    app.execute(r.StartJob(kind="copy", paths=(str(taken),), options={"to": str(app.sessions_dir.parent / "usb")}))
    wait(lambda: not app.parts.jobs.busy, 120.0)
    app.parts.message.set("")


def main(words: list[str]) -> None:
    """Draw."""
    shots = tuple(shot for shot in SHOTS if not words or any(fnmatch(shot.name, word) for word in words))
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_STATE_HOME"] = folder  # what this machine remembers of other folders is in no picture
        if any(shot.scene not in ("empty", "error") for shot in shots):
            play(Path(folder), shots)
        empty = App("grasp study", config=parse_config(CONFIG), sessions_dir=Path(folder, "none"))
        scene_of(empty, "empty", shots)
        shutil.rmtree(empty.sessions_dir, ignore_errors=True)
        empty.sessions_dir.write_text("a file where the folder should be")
        scene_of(empty, "error", shots)


if __name__ == "__main__":
    main(sys.argv[1:])
