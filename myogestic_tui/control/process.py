"""The recorder's own process: lock, socket, then LSL and the app; and a clean end in bounded time, whoever asks for it.

``python -m myogestic_tui.control.process --sessions DIR`` is what a viewer starts (see `spawn`); `serve` runs the same
in the foreground.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import queue
import signal
import sys
import threading
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ..allocator import use_one_arena
from ..config import load_config
from ..errors import ControlError, MyoGesticError
from ..process_limits import check_limits
from ..session.format.lock import keep_sessions_folder, lock_sessions_folder
from ..session.library.priority import set_oom_score
from ..stdio import exit_with
from .address import socket_path
from .embedded import ask_for_room
from .logfile import LogFile, log_path
from .metrics_file import MetricsFile
from .server import ControlServer
from .spawn import RECORDER_NAME
from .starting import LateRecorder
from .systemd_notify import Notifier

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from ..app import App
    from ..app.interface import Status
    from ..config import Config
    from .input_labels import InputWatches
    from .marker_control import MarkerWatch
    from .resume import Continuity

_log = logging.getLogger("myogestic_tui.control.process")  # not "__main__"

IDLE_SECONDS = 60.0
"""A recorder that a viewer started ends after so long without anybody, a recording and a job."""
PACK_SECONDS = 20.0
"""How long the end waits for packing; the next start finishes what is left."""
END_SECONDS = 60.0
"""After this the process ends even if something hangs: everything recorded is in the journal."""
_TICK_SECONDS = 0.5
_BEAT_SECONDS = 10.0
"""A server loop that has not come round for longer gets no more watchdog feed."""


class RecorderProcess:
    """One recorder on one sessions folder, until it is asked to end, or (``idle_s``) nobody needs it.

    Parameters
    ----------
    sessions_dir
        Its folder; one recorder at a time.
    config
        Streams, gestures, remote port, markers.
    idle_s
        Seconds after which a recorder that nobody needs ends; None stays.
    log
        Rotated now and then, if given.
    unattended
        Whether it recovers by itself what earlier recorders were cut off from, and takes the place of one that a
        viewer left behind.
    metrics
        File for node-exporter; None: none.
    on_ready
        Called once viewers can attach.
    """

    def __init__(
        self,
        sessions_dir: Path,
        config: Config,
        *,
        idle_s: float | None = None,
        log: LogFile | None = None,
        unattended: bool = False,
        metrics: Path | None = None,
        on_ready: Callable[[], object] = lambda: None,
    ) -> None:
        self._sessions_dir = sessions_dir.resolve()
        self._config = config
        self._idle_s = idle_s
        self._log = log
        self._unattended = unattended
        self._on_ready = on_ready
        self._metrics = None if metrics is None else MetricsFile(metrics, self._status)
        self._continuity: Continuity | None = None
        self._failed = False
        self._notifier = Notifier()
        self._late = LateRecorder(str(self._sessions_dir))
        self._app: App | None = None
        self._markers: MarkerWatch | None = None
        self._inputs: InputWatches | None = None
        self._viewers = 0
        # A SimpleQueue may be filled by a signal handler that interrupts the thread which reads it; an Event may not.
        self._requests: queue.SimpleQueue[tuple[str, bool]] = queue.SimpleQueue()
        self._why = "the recorder has ended"

    def run(self) -> int:
        """Serve until the end; return an exit code.

        Raises
        ------
        SessionLockedError
            Another recorder has the folder; the message names its pid.
        ControlError
            The socket cannot be bound.
        ProcessLimitError
            Too little memory may be reserved for the threads.
        """
        check_limits()
        use_one_arena()
        self._catch_signals()
        if self._unattended:
            ask_for_room(self._sessions_dir)
        with lock_sessions_folder(self._sessions_dir) as lock:
            server = ControlServer(
                self._late,
                lambda: socket_path(self._sessions_dir),
                on_bound=lambda path: lock.announce(str(path)),
                on_viewers=self._watched,
                on_shutdown=lambda: self.end("it was shut down"),
                on_tidy=lambda: keep_sessions_folder(lock),
            )
            if self._metrics is not None:
                self._metrics.start()
            trouble = self._open_remote(server)
            server.start()
            self._on_ready()
            try:
                self._open_app(trouble)
                self._notifier.ready()
                self._stay(server)
                return 0
            except Exception as error:
                _log.exception("the recorder fails")
                self._failed = True
                self._why = f"the recorder failed: {error} (log: {log_path(self._sessions_dir)})"
                return 1
            finally:
                self._end(server)

    def end(self, why: str, *, hurry: bool = False) -> None:
        """Ask it to end. With ``hurry``, one that is ending already does not wait for packing any more.

        From any thread, and from signal handlers.
        """
        self._requests.put((why, hurry))

    # ---------------------------------------------------------------- start

    def _catch_signals(self) -> None:
        def end(number: int, _: FrameType | None) -> None:
            self.end(f"signal {signal.Signals(number).name}", hurry=True)

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, end)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    def _open_remote(self, server: ControlServer) -> str:
        """Open the remote-control port if wanted; return what went wrong: a recorder without it is better than none."""
        from .labrecorder_port import remote_lines

        remote = self._config.remote
        if not remote.enabled:
            return ""
        try:
            server.open_port(remote.host, remote.port, partial(remote_lines, token=remote.token))
        except ControlError as error:
            _log.error("%s", error)
            return str(error)
        _log.info("remote control on %s port %d", remote.host, remote.port)
        return ""

    def _open_app(self, trouble: str) -> None:
        """Import what a recorder needs (LSL takes its second), set it up, and hand it to those who wait."""
        from ..app import App
        from .recover_unfinished import recover_unfinished
        from .resume import Continuity

        app = App(self._config.app_name, config=self._config, sessions_dir=self._sessions_dir)
        continuity = Continuity(self._sessions_dir, resume=self._config.record.resume)
        app.open(discover=True, publish=True, lean=True)
        if trouble:
            app.parts.message.set(trouble)
        self._app, self._continuity = app, continuity
        continuity.begin(app)
        if self._unattended:
            recover_unfinished(app, continuity.linked())
        app.set_viewers(self._viewers)
        self._late.deliver(app)
        self._watch_markers(app)
        self._watch_inputs(app)

    def _watch_markers(self, app: App) -> None:
        if self._config.markers.stream is None:
            return
        from ..sources import LSLSource
        from .marker_control import MarkerControl, MarkerWatch

        control = MarkerControl(app, self._config.markers)
        self._markers = MarkerWatch(LSLSource(self._config.markers.stream), control)
        self._markers.start()

    def _status(self) -> Status | None:
        return None if self._app is None else self._app.status()

    def _watch_inputs(self, app: App) -> None:
        if not self._config.inputs:
            return
        from .input_labels import InputWatches

        self._inputs = InputWatches(app, self._config.inputs)
        self._inputs.start()

    def _watched(self, viewers: int) -> None:
        self._viewers = viewers
        if self._app is not None:
            self._app.set_viewers(viewers)

    # ---------------------------------------------------------------- life

    def _stay(self, server: ControlServer) -> None:
        assert self._app is not None
        quiet_since = time.monotonic()
        while not (request := self._request()):
            self._look_after(self._app)
            if self._app.stopping.is_set():
                self.end("it was stopped")
            if self._log is not None:
                self._log.rotate_if_long()
            if server.beat_age_s < _BEAT_SECONDS:
                self._notifier.alive()
            if self._app.ctx.state != "idle" or self._app.parts.jobs.busy:
                quiet_since = time.monotonic()
            quiet_s = min(time.monotonic() - quiet_since, server.lonely_s)
            if self._idle_s is not None and quiet_s >= self._idle_s:
                self.end(f"nobody needed it for {self._idle_s:.0f} s")
        self._why = f"the recorder has ended: {request[0]}"

    def _look_after(self, app: App) -> None:
        assert self._continuity is not None
        try:
            self._continuity.update(app)
        except (MyoGesticError, OSError):
            _log.exception("looking after what is to be continued after a kill")

    def _request(self) -> tuple[str, bool] | None:
        """What was asked within a tick, if anything."""
        with contextlib.suppress(queue.Empty):
            return self._requests.get(timeout=_TICK_SECONDS)
        return None

    # ---------------------------------------------------------------- end

    def _end(self, server: ControlServer) -> None:
        """Finish the session, wait for packing as long as allowed, close; a hang is cut short."""
        _log.info("%s", self._why)
        self._notifier.stopping(END_SECONDS)
        cut = threading.Timer(END_SECONDS, _give_up)
        cut.daemon = True
        cut.start()
        if self._continuity is not None and not self._failed:
            self._continuity.end()
        try:
            server.retire()
            if self._markers is not None:
                self._markers.close()
            if self._inputs is not None:
                self._inputs.close()
            if self._app is not None:
                self._finish(self._app)
            server.close(self._why)
            if self._metrics is not None:
                self._metrics.stop()
        finally:
            cut.cancel()

    def _finish(self, app: App) -> None:
        def hurry() -> bool:
            request = self._request()
            return request is not None and request[1]

        app.shut(PACK_SECONDS, hurry=hurry)


def _give_up() -> None:
    _log.error("the end took more than %.0f s; what was recorded is in its folder", END_SECONDS)
    os._exit(1)


def main(arguments: list[str] | None = None) -> int:
    """What `spawn` starts: a recorder with a log file, that ends when nobody needs it."""
    parser = argparse.ArgumentParser(prog=RECORDER_NAME, description=main.__doc__)
    parser.add_argument("--sessions", required=True, type=Path)
    parser.add_argument("--config", type=Path)
    parser.add_argument("--idle", type=float, default=IDLE_SECONDS, help="seconds; 0 stays")
    parser.add_argument("--ready-fd", type=int, help="gets one line once viewers can attach")
    parser.add_argument("--oom-score", type=int, help="what whoever started this had before it raised its own")
    given = parser.parse_args(arguments)
    if given.oom_score is not None:
        set_oom_score(given.oom_score)
    sys.argv[0] = parser.prog
    log = LogFile(log_path(given.sessions))
    log.rotate_if_long()
    logging.basicConfig(level=logging.INFO, handlers=[log])
    logging.captureWarnings(True)
    try:
        recorder = RecorderProcess(
            given.sessions,
            load_config(given.config),
            idle_s=given.idle or None,
            log=log,
            on_ready=lambda: _tell(given.ready_fd),
        )
        return recorder.run()
    except MyoGesticError as error:
        _log.error("%s", error)
        _tell(given.ready_fd, str(error))
        return 1


def _tell(descriptor: int | None, trouble: str = "") -> None:
    """Write to whoever started this process; it may be gone."""
    if descriptor is not None:
        with contextlib.suppress(OSError):
            os.write(descriptor, f"{trouble or 'ready'}\n".encode())
            os.close(descriptor)


if __name__ == "__main__":
    exit_with(main())
