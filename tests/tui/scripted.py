"""A recorder that plays a script: deterministic snapshots and envelopes, and a log of every command."""

from __future__ import annotations

import threading
from typing import Any

import msgspec
import numpy as np

from myogestic_tui.app import interface as r

AT = 1003.3
"""When every snapshot was taken: where the sweep of Live stands must not depend on the machine's uptime."""
NAMES = ("Rest", "Fist", "Pinch", "Open")
FLAGS = {3: "M", 4: "F", 5: "C", 6: "x"}
REPLACE = msgspec.structs.replace


def quality(n_channels: int) -> tuple[r.ChannelQuality, ...]:
    """Mostly clean channels; four that are not."""
    return tuple(r.ChannelQuality(rms=40.0 + i, peak=150.0, flags=FLAGS.get(i, "")) for i in range(n_channels))


def emg(n_channels: int = 64, **more: Any) -> r.StreamStatus:
    """A live EMG stream."""
    values: dict[str, Any] = {
        "key": "emg",
        "name": "emg",
        "state": "live",
        "record": True,
        "type": "EMG",
        "source_id": "otb-4711",
        "hostname": "amp-pc",
        "n_channels": n_channels,
        "dtype": "float32",
        "fs": 2048.0,
        "channel_names": tuple(f"EMG{i + 1}" for i in range(n_channels)),
        "units": ("microvolts",) * n_channels,
        "measured_fs": 2048.1,
        "rate_trace": (2048.1,) * 60,
        "jitter_s": 0.0012,
        "n_samples": 106_500,
        "age_s": 0.01,
        "clock_offset": 0.00031,
        "clock_uncertainty": 0.00002,
        "clock_drift_ppm": 0.4,
        "quality": quality(n_channels),
    }
    return r.StreamStatus(**{**values, **more})


def hand(**more: Any) -> r.StreamStatus:
    """A live hand-control stream."""
    values: dict[str, Any] = {
        "key": "vhi_control",
        "name": "vhi_control",
        "state": "live",
        "record": True,
        "hostname": "rpi-emg2",
        "n_channels": 9,
        "dtype": "float32",
        "fs": 60.0,
        "measured_fs": 60.0,
        "n_samples": 3100,
        "age_s": 0.02,
        "quality": quality(9),
    }
    return r.StreamStatus(**{**values, **more})


def gestures(names: tuple[str, ...] = NAMES) -> tuple[r.GestureStatus, ...]:
    """Gestures with some trials."""
    return tuple(r.GestureStatus(name=name, trials=6 - i, seconds=18.0 - 4 * i) for i, name in enumerate(names))


def idle(**more: Any) -> r.Status:
    """Idle, with two live streams."""
    values: dict[str, Any] = {
        "at": AT,
        "host": "rpi-emg2",
        "gestures": gestures(),
        "take": r.TakeStatus(subject="P07", task="grasp", take=4),
        "streams": (emg(), hand()),
        "disk": r.DiskStatus(free_bytes=10**11, reserve_bytes=2 * 10**8, left_s=39_700.0),
        "protocols": ("baseline", "mvc"),
    }
    return r.Status(**{**values, **more})


def recording(elapsed: float = 52.0, **more: Any) -> r.Status:
    """Recording for ``elapsed`` seconds, with three labels."""
    labels = tuple(
        r.LabelStatus(timestamp=AT - back, class_index=index) for back, index in ((40.0, 0), (20.0, 2), (3.4, 1))
    )
    session = r.SessionStatus(
        path="sessions/2026-05-17_14-23-05",
        started_at=AT - elapsed,
        elapsed_s=elapsed,
        bytes=29_000_000,
        n_labels=3,
        label_seconds=3.4,
        unlabelled_s=5.6,
        labels=labels,
        notes=(r.NoteStatus(timestamp=AT - 20, text="electrode 17 re-taped"),),
    )
    streams = (emg(recording=True), hand(recording=True))
    values: dict[str, Any] = {"state": "recording", "current_label": 1, "session": session, "streams": streams}
    return idle(**{**values, **more})


class ScriptedRecorder:
    """A `Recorder` with injected snapshots; commands change the snapshot as the real one would."""

    def __init__(self, status: r.Status | None = None) -> None:
        self.now = status or idle()
        self.commands: list[r.AnyCommand] = []
        self.executed = threading.Condition()
        self.released = threading.Event()
        """While it is cleared, no command is carried out."""
        self.released.set()
        self.refuse = ""
        self.gone: Exception | None = None
        self.views: list[r.View] = []
        self.closed = False

    def status(self) -> r.Status:
        """The injected snapshot."""
        if self.gone is not None:
            raise self.gone
        return self.now

    def change(self, **fields: Any) -> None:
        """Replace fields of the snapshot."""
        self.now = REPLACE(self.now, **fields)

    def envelope(self, view: r.View) -> r.Envelope | None:
        """Noise that depends on nothing but channel and column, the louder the higher the channel."""
        self.views.append(view)
        channels = np.arange(view.first_channel, view.first_channel + view.n_channels)[:, None]
        columns = np.arange(view.columns)[None, :]
        high = (20 + channels + 10 * np.abs(np.sin(columns * 0.37 + channels))).astype(np.float32)
        labels = self.now.session.labels if self.now.session is not None and self.now.state == "recording" else ()
        values = {"low": (-high).tobytes(), "high": high.tobytes()}
        if view.rms_every:
            values["rms"] = (high[:, :: view.rms_every] / 2).tobytes()
        return r.Envelope(
            stream=view.stream,
            first_channel=view.first_channel,
            n_channels=view.n_channels,
            columns=view.columns,
            start=self.now.at - view.seconds,
            seconds=view.seconds,
            **({"low": b"", "high": b"", "rms": (high / 2).tobytes()} if view.rms else values),
            unit="microvolts",
            labels=labels,
        )

    def execute(self, command: r.AnyCommand) -> r.Reply:
        """Log the command and carry it out on the snapshot."""
        assert self.released.wait(300.0), "held, and never released"
        reply = r.Reply(ok=False, message=self.refuse) if self.refuse else self._carry_out(command)
        with self.executed:
            self.commands.append(command)
            self.executed.notify_all()
        return reply

    def _carry_out(self, command: r.AnyCommand) -> r.Reply:
        match command:
            case r.Start():
                self.now = REPLACE(recording(0.0), take=self.now.take, current_label=self.now.current_label)
                return r.Reply(ok=True, message="recording 2 streams")
            case r.Stop() | r.Discard():
                take = REPLACE(self.now.take, take=self.now.take.take + 1)
                self.change(state="idle", take=take, current_label=None)
                return r.Reply(ok=True, message="saved")
            case r.AddLabel():
                self.change(current_label=command.class_index)
            case r.DescribeStream():
                return r.Reply(ok=True, text=f"<info>\n\t<name>{command.key}</name>\n</info>")
            case r.TickStream():
                streams = [REPLACE(s, record=command.record) if s.key == command.key else s for s in self.now.streams]
                self.change(streams=tuple(streams))
            case r.SetTake():
                take = r.TakeStatus(subject=command.subject or "", task=command.task or "", take=command.take or 1)
                self.change(take=take)
        return r.Reply(ok=True, message=f"{type(command).__name__} done")

    def close(self) -> None:
        """The viewer goes."""
        self.closed = True

    def wait_for(self, kind: type, timeout: float = 120.0) -> Any:
        """The newest command of a kind, once there is one."""

        def newest() -> Any:
            return next((c for c in reversed(self.commands) if isinstance(c, kind)), None)

        with self.executed:
            assert self.executed.wait_for(lambda: newest() is not None, timeout), f"no {kind.__name__}: {self.commands}"
            return newest()

    def of(self, kind: type) -> list[Any]:
        """All commands of a kind, in order."""
        with self.executed:
            return [c for c in self.commands if isinstance(c, kind)]
