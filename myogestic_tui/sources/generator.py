"""Synthetic outlets in a process of their own: ``python -m myogestic_tui.sources.generator --name emg``.

An EMG outlet and a ``vhi_control`` outlet (nine joint angles at 60 Hz) that follow the same gesture. The gesture comes
as lines ``gesture N`` on standard input, and as markers (the class index as text) of an LSL stream ``NAME_gesture``.
One JSON line on standard output says when both outlets are on the network. The process ends on SIGTERM or SIGINT, when
its parent dies, and with ``--until-eof`` when standard input closes.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING, Protocol

import numpy as np

from ..errors import MyoGesticError
from ..stdio import exit_with
from .liblsl import configure_lsl
from .outlet import Outlet
from .synthetic_emg import EMGSignal, HandSignal, emg_info, hand_info

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .synthetic_emg import Block

HAND_NAME = "vhi_control"
HAND_HZ = 60.0
CHUNK_S = 1 / 64
"""Seconds of signal per push, as an amplifier's driver would have it."""
_LOOK_S = 0.5


class _Signal(Protocol):
    fs: float
    position: int

    def take(self, count: int) -> Block: ...

    def set_gesture(self, gesture: int) -> None: ...


class Generator:
    """Two outlets that play a hand; `run` keeps them going.

    Parameters
    ----------
    name
        Name of the EMG outlet.
    n_channels, fs, seed
        As for `EMGSignal`.
    hand
        Whether the ``vhi_control`` outlet is there too.

    Raises
    ------
    ConfigError
        A value is out of range.
    StreamError
        liblsl cannot open an outlet.
    """

    def __init__(
        self, name: str = "emg", n_channels: int = 64, fs: float = 2048.0, seed: int = 0, *, hand: bool = True
    ) -> None:
        self.name = name
        self._end = threading.Event()
        self._gesture = 0
        source_id = f"myogestic-{name}-{seed}"
        emg = EMGSignal(n_channels, fs, seed)
        self._parts: list[tuple[_Signal, Outlet]] = [(emg, Outlet(name, emg_info(n_channels, fs, source_id)))]
        if hand:
            info = hand_info(HAND_HZ, f"{source_id}-hand")
            self._parts.append((HandSignal(HAND_HZ, seed), Outlet(HAND_NAME, info)))

    def ready(self) -> dict[str, object]:
        """What is on the network: a row for each outlet."""
        outlets = [outlet for _, outlet in self._parts]
        return {
            "ready": True,
            "pid": os.getpid(),
            "streams": [
                {
                    "name": outlet.name,
                    "source_id": outlet.info.source_id,
                    "uid": outlet.uid,
                    "n_channels": outlet.info.n_channels,
                    "fs": outlet.info.fs,
                }
                for outlet in outlets
            ],
        }

    def set_gesture(self, gesture: int) -> None:
        """Take up a gesture (a class index; 0 and -1 are rest); any thread may call it."""
        self._gesture = gesture

    def stop(self) -> None:
        """Let `run` return; safe in a signal handler."""
        self._end.set()

    @property
    def stopped(self) -> bool:
        """True once it was asked to stop."""
        return self._end.is_set()

    def run(self) -> None:
        """Push samples as they come due, until `stop`; closes the outlets."""
        start, gesture = time.monotonic(), 0
        try:
            while not self._end.wait(CHUNK_S):
                now, wanted = time.monotonic(), self._gesture
                for signal_, outlet in self._parts:
                    if wanted != gesture:
                        signal_.set_gesture(wanted)
                    _push_due(signal_, outlet, start, now)
                gesture = wanted
        finally:
            for _, outlet in self._parts:
                outlet.close()


def _push_due(signal_: _Signal, outlet: Outlet, start: float, now: float) -> None:
    first, due = signal_.position, int((now - start) * signal_.fs) + 1
    if due > first:
        outlet.push(signal_.take(due - first), start + np.arange(first, due) / signal_.fs)


# ---------------------------------------------------------------- what it listens to


def _follow_input(generator: Generator, until_eof: bool) -> None:
    """In the background of a shell the terminal cannot be read: it is tried again, as the process may come back."""
    line = "\n"
    while line:
        try:
            line = sys.stdin.readline()
            _obey(generator, line.removeprefix("gesture"))
        except OSError:
            time.sleep(_LOOK_S)
    if until_eof:
        generator.stop()


def _follow_markers(generator: Generator) -> None:
    from .lsl_source import LSLSource

    source, connected = LSLSource(f"{generator.name}_gesture"), False
    while not generator.stopped:
        try:
            if not connected:
                source.connect()
                connected = True
            for row in source.read()[0]:
                _obey(generator, str(row[0]))
        except MyoGesticError:
            connected = False  # nobody sends markers yet: look again
        time.sleep(0.05)
    source.disconnect()


def _obey(generator: Generator, text: str) -> None:
    """Take up the gesture that begins the text; anything else is not for us."""
    word = (text.split() or [""])[0]
    if word.removeprefix("-").isdigit():
        generator.set_gesture(int(word))


def _follow_parent(generator: Generator) -> None:
    parent = os.getppid()
    while not generator.stopped:
        if os.getppid() != parent:
            generator.stop()
        time.sleep(_LOOK_S)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the generator process."""
    options = _options(arguments)
    try:
        configure_lsl(
            known_peers=options.known_peer, session_id=options.session_id, resolve_scope=options.resolve_scope
        )
        generator = Generator(options.name, options.channels, options.rate, options.seed, hand=not options.no_hand)
    except MyoGesticError as error:
        print(error, file=sys.stderr)
        return 1
    signal.signal(signal.SIGTTIN, signal.SIG_IGN)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: generator.stop())
    helpers = [(_follow_input, (generator, options.until_eof))]
    helpers += [] if options.no_listen else [(_follow_markers, (generator,))]  # type: ignore[list-item]
    helpers += [] if options.outlive_parent else [(_follow_parent, (generator,))]  # type: ignore[list-item]
    for function, given in helpers:
        threading.Thread(target=function, args=given, name=function.__name__.strip("_"), daemon=True).start()
    print(json.dumps(generator.ready()), flush=True)
    generator.run()
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m myogestic_tui.sources.generator", description=__doc__)
    parser.add_argument("--name", default="emg", help="name of the EMG outlet (%(default)s)")
    parser.add_argument("--channels", type=int, default=64, help="its channels (%(default)s)")
    parser.add_argument("--rate", type=float, default=2048.0, help="its rate in Hz (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="the same seed gives the same samples (%(default)s)")
    parser.add_argument("--no-hand", action="store_true", help=f"no {HAND_NAME} outlet")
    parser.add_argument("--no-listen", action="store_true", help="no markers: gestures from standard input only")
    parser.add_argument("--until-eof", action="store_true", help="end when standard input closes")
    parser.add_argument("--outlive-parent", action="store_true", help="continue when the parent process dies")
    parser.add_argument("--known-peer", action="append", default=[], help="a host to be found by; may be repeated")
    parser.add_argument("--session-id", help="seen only by those with the same LSL session id")
    parser.add_argument("--resolve-scope", help="how far multicast goes")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    exit_with(main())
