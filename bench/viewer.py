"""What the screens cost: CPU and bytes per frame of a viewer in a real pty, at rest and to its first paint.

``python bench/viewer.py [--seconds S] [--channels 64] [--sizes 80x24,160x50,200x60] [--record] [--profile]`` starts a
synthetic outlet whose hand changes its gesture, a recorder and a viewer for each number of channels and size (Live,
10 fps; heat, traces, grid and zoom; with ``--record`` while it records), and prints figures as JSON. Nobody parses what
the viewer writes while it is measured; it is counted. ``pictures_per_s`` are frames with new cells of the picture;
``frames_per_s`` are those with anything new. ``of_budget`` has each figure as a ratio to its budget: 1 is the limit.
``recorder_cpu_percent`` is the recorder's meanwhile, ``unwatched`` once the viewer has left.

``--profile`` has py-spy, where it is installed, tell where the time goes: the share of each part in per cent.

``--kbit 512,48`` measures instead over links of so many kbit/s, which queue what they cannot send yet: how old what is
seen was at most, pictures per second, and how long a key waits for its effect.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import queue
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "tui"))

from terminal import Terminal

from myogestic_tui.app.generator import Generator
from myogestic_tui.tui.key_timing import ASK

BUDGET = {
    "cpu_percent": 6.0, "bytes_per_frame": 20_000, "recorder_cpu_percent": 2.0, "behind_s": 1.0,
    "whole_frame_s": 0.4, "help_s": 0.06,
}  # fmt: skip
IDLE_BUDGET = {"cpu_percent": 0.5}
PARTS = {
    "messages of the recorder": "control-client",
    "the terminal's input": "textual-input",
    "output": "textual-output",
    "spectrum": "_draw_spectrum",
    "cells of pictures": "SignalView._draw",
    "what differs, as text": "SignalView._send",
    "header, message, side": "frame_came",
    "snapshot": "refresh_frame",
    "compositor, paint": "_compositor",
    "wake-ups": "EpollSelector.select",
    "messages, timers and the rest of Textual": "",
}
"""What a profile is told by: the first that a stack has."""
FPS = 10.0
_SETTLE_SECONDS = 4.0
_PICTURE = b"\x1b7"
"""What begins the new cells of a picture: the cursor's place is kept."""
_QUESTION = re.compile(rb"\x1b\[1;(\d+)H" + re.escape(ASK.encode()))
_LONGEST_QUESTION = 16
_PAUSE_BETWEEN_FRAMES = 0.02
"""Bytes that come after a longer pause belong to another frame."""


class Counted(Terminal):
    """A terminal whose reader counts bytes and frames, and draws nothing once it is told so."""

    parsing = True
    n_frames = n_pictures = 0
    _last = 0.0
    _end = b""

    def _take(self, data: bytes) -> None:
        now = time.monotonic()
        self.n_frames += now - self._last > _PAUSE_BETWEEN_FRAMES
        self.n_pictures += (self._end + data).count(_PICTURE) - data.count(ASK.encode())
        self._last, self._end = now, data[-1:] if data[-1:] == _PICTURE[:1] else b""
        if self.parsing:
            super()._take(data)
        else:
            self.n_bytes += len(data)
            data = self._rest + data
            end = 0
            for question in _QUESTION.finditer(data):  # a terminal that owes answers gets no frames
                self.send(b"\x1b[1;%sR" % question[1])
                end = question.end()
            rest = data[max(end, len(data) - _LONGEST_QUESTION) :]
            self._rest = rest[rest.find(b"\x1b") :] if b"\x1b" in rest else b""

    def measure(self, seconds: float) -> dict[str, float]:
        """CPU, bytes and frames from now on."""
        self.parsing = False
        process = psutil.Process(self.process.pid)
        before, n_bytes, n_frames, start = process.cpu_times(), self.n_bytes, self.n_frames, time.monotonic()
        n_pictures = self.n_pictures
        time.sleep(seconds)
        after, lasted = process.cpu_times(), time.monotonic() - start
        cpu = (after.user + after.system - before.user - before.system) / lasted
        frames = self.n_frames - n_frames
        return {
            "cpu_percent": round(100 * cpu, 2),
            "pictures_per_s": round((self.n_pictures - n_pictures) / lasted, 2),
            "frames_per_s": round(frames / lasted, 2),
            "bytes_per_s": round((self.n_bytes - n_bytes) / lasted),
            "bytes_per_frame": round((self.n_bytes - n_bytes) / (FPS * lasted)),
            "bytes_per_painted_frame": round((self.n_bytes - n_bytes) / max(frames, 1)),
        }


class Thin(Counted):
    """A terminal behind a link that queues without a word, and sends so many bytes per second."""

    rate = 0.0

    def __init__(self, *arguments: object, **more: object) -> None:
        self._queue: queue.SimpleQueue[tuple[float, bytes]] = queue.SimpleQueue()
        self.lags: list[float] = []
        self.seen = bytearray()
        threading.Thread(target=self._send, daemon=True).start()
        super().__init__(*arguments, **more)  # type: ignore[arg-type]

    def _take(self, data: bytes) -> None:
        self._queue.put((time.monotonic(), data))

    def wait_for_bytes(self, key: str, wanted: str, timeout: float = 60.0) -> float:
        """Press a key; seconds until something is seen."""
        with self._changed:
            self.seen.clear()
        pressed = time.monotonic()
        self.press(key)
        with self._changed:
            assert self._changed.wait_for(lambda: wanted.encode() in self.seen, timeout), wanted
        return time.monotonic() - pressed

    def _send(self) -> None:
        free = 0.0
        while True:
            came, data = self._queue.get()
            for start in range(0, len(data), 256):
                part = data[start : start + 256]
                if self.rate:
                    free = max(free, time.monotonic()) + len(part) / self.rate
                    time.sleep(max(free - time.monotonic(), 0.0))
                with self._changed:
                    super()._take(part)
                    self.seen += part if self.rate else b""
                    self._changed.notify_all()
            self.lags.append(time.monotonic() - came)


def open_viewer(
    folder: Path, config: str = "", columns: int = 160, lines: int = 50, kind: type[Counted] = Counted
) -> tuple[Counted, dict[str, float]]:
    """A viewer on the sessions of a folder, and the seconds to its header, to its first whole frame, and to its keys.

    ``cpu_s`` is what the process had used when the whole frame was seen.
    """
    (folder / "myogestic.toml").write_text(config)
    terminal = kind.python(
        "-c", "from myogestic_tui.cli import main; main()", columns=columns, lines=lines, cwd=folder,
        environ={"XDG_STATE_HOME": str(folder)},  # the view that was looked at last is not remembered from run to run
    )  # fmt: skip
    terminal.wait_for("s STREAMS")
    header = time.monotonic() - terminal.started
    terminal.wait_for("IDLE")
    frame = time.monotonic() - terminal.started
    cpu = psutil.Process(terminal.process.pid).cpu_times()
    terminal.press("r")
    terminal.wait_for("r RECORD")
    keys = time.monotonic() - terminal.started
    terminal.press("s")
    terminal.wait_for("s STREAMS")
    return terminal, {
        "header_s": round(header, 3),
        "whole_frame_s": round(frame, 3),
        "keys_s": round(keys, 3),
        "cpu_s": round(cpu.user + cpu.system, 2),
    }


def recorder_of(folder: Path) -> psutil.Process | None:
    """The recorder of a folder, where one runs."""
    lines = ((process, " ".join(process.info["cmdline"] or [])) for process in psutil.process_iter(["cmdline"]))
    return next((process for process, line in lines if str(folder) in line and "control.process" in line), None)


def leave(terminal: Counted, folder: Path) -> None:
    """Leave the viewer, and end its recorder."""
    terminal.close()
    if (recorder := recorder_of(folder)) is not None:
        recorder.terminate()
        recorder.wait(60)


def cpu_of(process: psutil.Process) -> float:
    """Seconds of a processor that a process has used."""
    times = process.cpu_times()
    return float(times.user + times.system)


def of_budget(figures: dict[str, float], budget: dict[str, float] = BUDGET) -> dict[str, float]:
    """Figures as ratios to their budgets."""
    return {name: round(figures[name] / most, 2) for name, most in budget.items() if name in figures}


def profile(pid: int, seconds: float) -> dict[str, float]:
    """The share of each of `PARTS` in what a process does, in per cent."""
    spy = shutil.which("py-spy")
    if spy is None:
        raise SystemExit("py-spy is not installed")
    with tempfile.NamedTemporaryFile() as file:
        options = ["-p", str(pid), "-d", str(round(seconds)), "-r", "500", "-t", "-f", "raw", "-o", file.name]
        subprocess.run([spy, "record", "--nonblocking", *options], check=True, capture_output=True)
        stacks = [line.rpartition(" ") for line in Path(file.name).read_text().splitlines()]
    found = Counter[str]()
    for stack, _, count in stacks:
        found[next(part for part, name in PARTS.items() if name in stack)] += int(count)
    return {part: round(100 * count / max(found.total(), 1), 1) for part, count in found.most_common()}


def watched(terminal: Counted, folder: Path, seconds: float, profiled: bool) -> dict[str, object]:
    """What a view costs the screens and the recorder."""
    recorder = recorder_of(folder)
    before = cpu_of(recorder)
    start = time.monotonic()
    figures = terminal.measure(seconds)
    figures["recorder_cpu_percent"] = round(100 * (cpu_of(recorder) - before) / (time.monotonic() - start), 2)
    more = {"profile": profile(terminal.process.pid, seconds)} if profiled else {}
    return {**figures, "of_budget": of_budget(figures), **more}


def live(
    n_channels: int, columns: int, lines: int, seconds: float, *, recording: bool = False, profiled: bool = False
) -> dict[str, object]:
    """The views of the Live screen while the stream runs and gestures change."""
    name = f"bench{uuid.uuid4().hex[:8]}"
    generator = Generator(name, n_channels=n_channels, fs=2048.0)
    config = f'[[streams]]\nname = "{name}"\ngrid = "{-(-n_channels // 8)}x8"\n'
    found: dict[str, object] = {"channels": n_channels, "size": f"{columns}x{lines}"}
    try:
        with tempfile.TemporaryDirectory() as folder, gestures(generator):
            terminal, _ = open_viewer(Path(folder), config, columns, lines)
            try:
                terminal.wait_for("1/1 streams")
                terminal.press("l")
                if recording:
                    terminal.press("space")
                    terminal.wait_for("REC")
                for view, key in (("heat", "i"), ("traces", "i"), ("grid", "enter"), ("zoom", "")):
                    time.sleep(_SETTLE_SECONDS)
                    found[view] = watched(terminal, Path(folder), seconds, profiled)
                    if key:
                        terminal.press(key)
                terminal.close()
                time.sleep(_SETTLE_SECONDS)
                recorder = recorder_of(Path(folder))
                before = cpu_of(recorder)
                time.sleep(seconds)
                found["unwatched"] = {"recorder_cpu_percent": round(100 * (cpu_of(recorder) - before) / seconds, 2)}
            finally:
                leave(terminal, Path(folder))
    finally:
        generator.stop()
    return found


def thin(kbit: float, n_channels: int, columns: int, lines: int, seconds: float) -> dict[str, object]:
    """Heat and traces over a link of so many kbit/s."""
    name = f"bench{uuid.uuid4().hex[:8]}"
    generator = Generator(name, n_channels=n_channels, fs=2048.0)
    config = f'[[streams]]\nname = "{name}"\n'
    found: dict[str, object] = {"kbit_per_s": kbit, "channels": n_channels, "size": f"{columns}x{lines}"}
    Thin.rate = kbit * 1000 / 8
    try:
        with tempfile.TemporaryDirectory() as folder, gestures(generator):
            terminal, _ = open_viewer(Path(folder), config, columns, lines, Thin)
            assert isinstance(terminal, Thin)
            try:
                terminal.wait_for("1/1 streams")
                terminal.parsing = False
                for view, key in (("heat", "l"), ("traces", "i")):
                    first = terminal.wait_for_bytes(key, "now")
                    terminal.lags.clear()
                    n_pictures, start, waits = terminal.n_pictures, time.monotonic(), []
                    while (lasted := time.monotonic() - start) < seconds:
                        for key, seen in (("a", "manual"), ("a", "filter off")):
                            time.sleep(0.7)
                            waits.append(terminal.wait_for_bytes(key, seen))
                    figures = {
                        "now_seen_s": round(first, 2),
                        "behind_s": round(max(terminal.lags), 2),
                        "pictures_per_s": round((terminal.n_pictures - n_pictures) / lasted, 2),
                        "key_s_median": round(sorted(waits)[len(waits) // 2], 2),
                        "key_s_most": round(max(waits), 2),
                    }
                    found[view] = {**figures, "of_budget": of_budget(figures)}
            finally:
                terminal.rate = 0.0
                leave(terminal, Path(folder))
    finally:
        generator.stop()
    return found


@contextlib.contextmanager
def gestures(generator: Generator, every: float = 2.5) -> Iterator[None]:
    """Within, the hand takes up another gesture every few seconds."""
    end = threading.Event()

    def play() -> None:
        for index in itertools.cycle((1, 0, 2, 0, 3, 0)):
            generator.gesture(index)
            if end.wait(every):
                return

    thread = threading.Thread(target=play, daemon=True)
    thread.start()
    try:
        yield
    finally:
        end.set()
        thread.join()


def idle(seconds: float) -> dict[str, object]:
    """Screens with nothing to show; time to the first paint where a recorder has to be started, and where one runs."""
    with tempfile.TemporaryDirectory() as folder:
        terminal, cold = open_viewer(Path(folder))
        rest = {}
        for key, title in (("r", "RECORD"), ("b", "SESSIONS")):
            terminal.parsing = True
            terminal.press(key)
            terminal.wait_for(title)
            time.sleep(_SETTLE_SECONDS)
            figures = terminal.measure(seconds)
            rest[title.lower()] = {**figures, "of_budget": of_budget(figures, IDLE_BUDGET)}
        terminal.close()
        warm = []
        for _ in range(3):
            terminal, painted = open_viewer(Path(folder))
            warm.append(painted)
            terminal.close()
        leave(terminal, Path(folder))
    best = min(warm, key=lambda times: times["whole_frame_s"])
    best["help_s"] = min(help_seconds() for _ in range(10))
    return {
        "start": {**best, "of_budget": of_budget(best)},
        "start_with_a_recorder_to_start": cold,
        "idle": rest,
    }


def help_seconds() -> float:
    """Seconds that ``--help`` takes."""
    start = time.monotonic()
    subprocess.run([sys.executable, "-m", "myogestic_tui", "--help"], check=True, capture_output=True)
    return round(time.monotonic() - start, 3)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--channels", default="64")
    parser.add_argument("--sizes", default="80x24,160x50,200x60")
    parser.add_argument("--kbit", default="")
    parser.add_argument("--record", action="store_true")
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    if options.kbit:
        links, channels = options.kbit.split(","), int(options.channels.split(",")[0])
        sizes = [[*map(int, size.split("x"))] for size in options.sizes.split(",")]
        figures = [thin(float(kbit), channels, *size, options.seconds) for kbit in links for size in sizes]
        print(json.dumps(figures, indent=2))
        return
    figures = {
        "live": [
            live(
                int(n),
                *map(int, size.split("x")),
                options.seconds,
                recording=options.record,
                profiled=options.profile,
            )
            for n in options.channels.split(",")
            for size in options.sizes.split(",")
        ],
        **idle(options.seconds),
        "load_average": psutil.getloadavg()[0],
        "budget": {**BUDGET, "idle": IDLE_BUDGET},
    }
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
