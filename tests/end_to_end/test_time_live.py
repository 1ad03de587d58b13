"""Real outlets with every kind of clock: what is told while it comes in is what the session holds in the end."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from myogestic_tui import App, Stream, StreamInfo
from myogestic_tui.app import interface as r
from myogestic_tui.clock import Evidence, timeline_of
from myogestic_tui.session import open_session_store, verify_session
from myogestic_tui.sources import LSLSource, Outlet
from tests.sending import wait_for

FS = 250.0
SECONDS = 14.0
CAME = re.compile(r"came ([\d.]+) s after the start")


class Sender:
    """An outlet that sends in real time, chunk by chunk, as ``shape`` makes it of time since the start."""

    def __init__(self, name: str, shape: Callable[[float, np.ndarray], np.ndarray | None], every: float = 0.05) -> None:
        self.outlet = Outlet(name, StreamInfo(1, FS, source_id=name))
        self._shape, self._every = shape, every
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._send, name=f"send {name}")

    def __enter__(self) -> Sender:
        self.began = time.monotonic()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()
        self.outlet.close()

    def _send(self) -> None:
        sent = 0
        while not self._end.wait(self._every):
            due = int((time.monotonic() - self.began) * FS)
            number = np.arange(sent, due)
            stamps = self._shape(sent / FS, self.began + number / FS)
            if stamps is not None and len(stamps):
                self.outlet.push(number[:, None].astype(np.float32), stamps)
            sent = due


KINDS: dict[str, tuple[Callable[[float, np.ndarray], np.ndarray | None], float]] = {
    "plain": (lambda _, stamps: stamps, 0.05),
    "loss": (lambda at, stamps: None if 6.0 <= at < 8.0 else stamps, 0.05),
    "wall": (lambda _, stamps: stamps + 1.79e9, 0.05),
    "leap": (lambda at, stamps: stamps + (200_000.0 if at >= 7.0 else 0.0), 0.05),
    "burst": (lambda _, stamps: np.repeat(stamps[-1:], len(stamps)), 0.6),
    "dies": (lambda at, stamps: stamps if at < 6.0 else None, 0.05),
    "late": (lambda at, stamps: stamps if at >= 6.0 else None, 0.05),
}


def test_live_meta_and_verify_agree_on_real_outlets(tmp_path: Path, unique: str) -> None:
    app = App(unique, sessions_dir=tmp_path)
    senders = {kind: Sender(f"{unique}-{kind}", shape, every) for kind, (shape, every) in KINDS.items()}
    app.streams(*(Stream(kind, source=LSLSource(f"{unique}-{kind}")) for kind in senders))
    for sender in senders.values():
        sender.__enter__()
    try:
        app.open()
        wait_for(lambda: all(stream.info is not None for stream in app.ctx.streams.values()), 120.0)
        assert app.start_recording()
        began = max(sender.began for sender in senders.values())
        wait_for(lambda: time.monotonic() > began + SECONDS, 60.0)
        live = {row.name: row for row in app.status().streams}
        problems = [(one.subject, one.severity, one.text) for one in app.status().problems]
        app.stop_recording()
    finally:
        for sender in senders.values():
            sender.__exit__()
        app.shut()
    assert app.ctx.session is not None
    path = app.ctx.session.path
    check_words(live, problems)
    with open_session_store(path) as reader:
        start, stop = (anchor.lsl for anchor in reader.meta.anchors)
        for kind in KINDS:
            evidence = Evidence(
                reader.arrival_stores[kind][:], reader.clock_stores[kind][:], start, stop, stop_requested=True
            )
            found = timeline_of(reader.ts_stores[kind][:], FS, evidence)
            row, meta = live[kind], reader.meta.streams[kind]
            assert meta.time is not None
            assert (meta.time.basis, len(meta.time.leaps)) == (found.basis, len(found.leaps))
            assert [(gap.index, gap.kind or "gap") for gap in meta.gaps] == [
                (gap.index, gap.kind) for gap in found.gaps
            ]
            assert row.gaps == len(found.lost), (kind, found.lost)
            assert row.leaps == len(found.leaps), (kind, found.leaps)
            assert row.time_basis == found.basis, kind
            counted = row.lost_samples if not row.silent_s else 0
            assert counted == found.lost_samples or kind == "dies"
            if kind == "dies":
                assert found.tail is not None
                assert abs(found.tail.seconds - row.silent_s) < 5.0
            assert (found.tail is not None) == (kind == "dies"), (kind, found.gaps)
            if kind == "loss":
                missing = int(np.diff(reader.stores[kind][:][:, 0]).max()) - 1
                assert abs(row.lost_samples - missing) <= 2
            if kind == "late":
                assert found.head is not None
                told = [float(said[1]) for one in row.remarks if (said := CAME.fullmatch(one.text))]
                assert told == [pytest.approx(found.head.seconds, abs=0.06)]
            if kind == "wall":
                placed = found.corrected(reader.ts_stores[kind][:])
                assert start - 0.5 < placed[0]
                assert placed[-1] < stop + 0.5
    checked = verify_session(path)
    assert checked.ok
    found = {one.stream: one.text for one in checked.findings}
    assert "burst" not in found
    assert "plain" not in found
    assert "1 gap, " in found["loss"]
    assert f"{live['loss'].lost_samples} samples lost" in found["loss"]
    assert "before the stop" in found["dies"]
    assert found["dies"].endswith("sent nothing)")
    assert "after the start" in found["late"]
    assert "time stamps leap once (+200000 s), nothing lost" in found["leap"]
    assert "time by arrival" in found["wall"]


def check_words(live: dict[str, r.StreamStatus], problems: list[tuple[str, str, str]]) -> None:
    told = {kind: [(severity, text) for subject, severity, text in problems if subject == kind] for kind in KINDS}
    assert told["plain"] == []
    assert told["burst"] == []
    assert any(one.text.startswith("packets of ") for one in live["burst"].remarks)
    [(severity, text)] = told["loss"]
    assert severity == "error"
    assert text.startswith(f"{live['loss'].lost_samples} samples lost (")
    assert "stamps are in wall-clock time; aligned by arrival" in told["wall"][0][1]
    assert any(
        "stamps leap by +200000 s; samples continue without a pause; nothing lost" in text for _, text in told["leap"]
    )
    assert (live["leap"].lost_samples, live["wall"].lost_samples) == (0, 0)
    [(severity, text)] = told["dies"]
    assert severity == "error"
    assert text.startswith("no data for ")
    assert "counted as lost" in text
    assert live["dies"].lost_samples > 0.8 * live["dies"].silent_s * FS
