"""The synthetic EMG outlet as a child process that follows the operator's gestures."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

from ..errors import MyoGesticError, NotAllowedError, StreamError
from ..process_limits import check_limits

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..config import LslConfig


class Generator:
    """A running ``python -m myogestic_tui.sources.generator``; it ends when its standard input closes.

    Parameters
    ----------
    name
        Name of the EMG outlet.
    n_channels, fs, seed
        Its channels, rate in Hz and random seed.
    lsl
        Settings of its LSL library: the recorder's own, or the two do not see each other.

    Raises
    ------
    StreamError
        It did not come up within 20 s.
    ProcessLimitError
        Too little memory may be reserved for it.
    """

    def __init__(
        self,
        name: str = "emg",
        n_channels: int = 64,
        fs: float = 2048.0,
        seed: int = 0,
        lsl: LslConfig | None = None,
    ) -> None:
        check_limits()
        command = [sys.executable, "-P", "-m", "myogestic_tui.sources.generator", "--until-eof"]
        command += ["--name", name, "--channels", str(n_channels), "--rate", str(fs), "--seed", str(seed)]
        command += _lsl_options(lsl) if lsl is not None else []
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
        )
        self._lock = threading.Lock()
        self.ready = self._wait_ready(20.0)

    def _wait_ready(self, timeout: float) -> dict[str, object]:
        assert self._process.stdout is not None
        timer = threading.Timer(timeout, self._process.kill)
        timer.daemon = True
        timer.start()
        line = self._process.stdout.readline()
        timer.cancel()
        if not line:
            self.stop()
            raise StreamError(f"the synthetic generator did not start (exit code {self._process.returncode})")
        ready: dict[str, object] = json.loads(line)
        return ready

    @property
    def uids(self) -> frozenset[str]:
        """Its outlets."""
        streams = self.ready["streams"]
        assert isinstance(streams, list)
        return frozenset(str(stream["uid"]) for stream in streams)

    @property
    def alive(self) -> bool:
        """True while the process runs."""
        return self._process.poll() is None

    def gesture(self, class_index: int) -> None:
        """Let the synthetic hand take up a gesture; -1 is rest."""
        with self._lock, contextlib.suppress(OSError, ValueError):
            assert self._process.stdin is not None
            self._process.stdin.write(f"gesture {class_index}\n".encode())
            self._process.stdin.flush()

    def stop(self, timeout: float = 3.0) -> None:
        """End the process."""
        with self._lock, contextlib.suppress(OSError):
            assert self._process.stdin is not None
            self._process.stdin.close()
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(timeout)
        if self._process.stdout is not None:
            self._process.stdout.close()


class Generators:
    """The recorder's one synthetic generator: off, starting or running.

    Parameters
    ----------
    lsl
        See `Generator`.
    tell
        Called with why it did not start.
    """

    def __init__(self, lsl: LslConfig, tell: Callable[[str], None]) -> None:
        self._lsl = lsl
        self._tell = tell
        self._lock = threading.Lock()
        self._starting: threading.Thread | None = None
        self._generator: Generator | None = None

    @property
    def running(self) -> bool:
        """True while it starts or runs."""
        return self._starting is not None or (self._generator is not None and self._generator.alive)

    def start(self, n_channels: int, fs: float) -> None:
        """Start it in the background.

        Raises
        ------
        NotAllowedError
            It starts or runs already.
        """
        with self._lock:
            if self.running:
                raise NotAllowedError("the synthetic generator is starting or running already")
            self._starting = threading.Thread(target=self._start, args=(n_channels, fs), name="generator-start")
            self._starting.daemon = True
            self._starting.start()

    def _start(self, n_channels: int, fs: float) -> None:
        try:
            self._generator = Generator(n_channels=n_channels, fs=fs, lsl=self._lsl)
        except (MyoGesticError, OSError) as error:
            self._tell(str(error))
        finally:
            self._starting = None

    def run(self, n_channels: int, fs: float) -> Generator:
        """Start it, and wait until its outlets are there.

        Raises
        ------
        StreamError
            It did not come up.
        """
        self._generator = Generator(n_channels=n_channels, fs=fs, lsl=self._lsl)
        return self._generator

    def stop(self) -> None:
        """End it; one that starts is waited for.

        Raises
        ------
        NotAllowedError
            None runs.
        """
        if (starting := self._starting) is not None:
            starting.join()
        with self._lock:
            generator, self._generator = self._generator, None
        if generator is None:
            raise NotAllowedError("no synthetic generator is running")
        generator.stop()

    @property
    def uids(self) -> frozenset[str]:
        """Its outlets."""
        generator = self._generator
        return frozenset() if generator is None else generator.uids

    def gesture(self, class_index: int) -> None:
        """Let the synthetic hand take up a gesture, where there is one; -1 is rest."""
        if (generator := self._generator) is not None:
            generator.gesture(class_index)


def _lsl_options(lsl: LslConfig) -> list[str]:
    options = [f"--known-peer={peer}" for peer in lsl.known_peers]
    options += [] if lsl.session_id is None else [f"--session-id={lsl.session_id}"]
    return options + ([] if lsl.resolve_scope is None else [f"--resolve-scope={lsl.resolve_scope}"])
