"""A recorder without streams or disk that keeps the `Recorder` protocol, and what tests need around it."""

from __future__ import annotations

import contextlib
import socket
import struct
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from myogestic_tui.app.interface import (
    AddLabel,
    AnyCommand,
    Discard,
    Envelope,
    GestureStatus,
    LabelStatus,
    Reply,
    SessionStatus,
    SetTake,
    Shutdown,
    Start,
    Status,
    Stop,
    StreamStatus,
    TakeStatus,
    UndoLabel,
    View,
)
from myogestic_tui.control.server import ControlServer

CLASSES = ("Rest", "Fist", "Pinch", "Open")


class TinyRecorder:
    """State machine, labels and take sheet in memory; `hold` makes the next commands wait."""

    def __init__(self) -> None:
        self.state = "idle"
        self.labels: list[LabelStatus] = []
        self.commands: list[AnyCommand] = []
        self.take = TakeStatus()
        self.selected = True
        self.release = threading.Event()
        self.release.set()
        self.frame = 0

    def status(self) -> Status:
        session = SessionStatus(path="/tiny", n_labels=len(self.labels), labels=tuple(self.labels[-200:]))
        return Status(
            at=time.monotonic(),
            state=self.state,  # type: ignore[arg-type]
            session=session if self.state == "recording" else None,
            gestures=tuple(GestureStatus(name=name) for name in CLASSES),
            take=self.take,
            streams=(StreamStatus(key="stream:emg", name="emg", state="live", record=self.selected),),
        )

    def envelope(self, view: View) -> Envelope | None:
        if view.stream != "emg":
            return None
        self.frame += 1
        cells = view.n_channels * view.columns
        return Envelope(
            stream="emg",
            first_channel=view.first_channel,
            n_channels=view.n_channels,
            columns=view.columns,
            start=float(self.frame),
            seconds=view.seconds,
            low=struct.pack("<f", -1.0) * cells,
            high=struct.pack("<f", 1.0) * cells,
        )

    def execute(self, command: AnyCommand) -> Reply:
        self.release.wait(300)
        self.commands.append(command)
        match command:
            case Start():
                return self._turn("idle", "recording")
            case Stop() | Discard():
                return self._turn("recording", "idle")
            case AddLabel():
                at = time.monotonic() if command.timestamp is None else command.timestamp
                self.labels.append(LabelStatus(timestamp=at, class_index=command.class_index))
            case UndoLabel():
                if not self.labels:
                    return Reply(ok=False, message="there is no label to undo")
                self.labels.pop()
            case SetTake():
                given = {key: getattr(command, key) for key in ("subject", "task", "take", "name", "fields")}
                self.take = msgspec.structs.replace(self.take, **{k: v for k, v in given.items() if v is not None})
            case Shutdown():
                pass
        return Reply(ok=True)

    def _turn(self, before: str, after: str) -> Reply:
        if self.state != before:
            return Reply(ok=False, message=f"not now: {self.state}")
        self.state = after
        return Reply(ok=True, path="/tiny")

    def close(self) -> None:
        return


@contextlib.contextmanager
def serving(recorder: TinyRecorder | None = None, **options: object) -> Iterator[tuple[ControlServer, TinyRecorder]]:
    """A started server of a tiny recorder, on a socket in a short folder of its own."""
    recorder = recorder or TinyRecorder()
    with tempfile.TemporaryDirectory(prefix="mt-") as folder:
        server = ControlServer(recorder, lambda: Path(folder, "s"), **options)  # type: ignore[arg-type]
        server.start()
        try:
            yield server, recorder
        finally:
            recorder.release.set()
            server.close("the test has ended")


def raw(server: ControlServer) -> socket.socket:
    """A plain connection to the server's socket, with a time-out."""
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(120)
    connection.connect(str(server.path))
    return connection


def read_all(connection: socket.socket) -> bytes:
    """Everything until the other end closes."""
    data = b""
    with contextlib.suppress(ConnectionResetError):
        while chunk := connection.recv(65536):
            data += chunk
    return data
