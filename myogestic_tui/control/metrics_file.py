"""What a recorder does as a text file for node-exporter's textfile collector, rewritten every few seconds."""

from __future__ import annotations

import logging
import os
import threading
from typing import TYPE_CHECKING, NamedTuple

from ..errors import DiskError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from ..app.interface import SessionStatus, Status, StreamStatus

_log = logging.getLogger(__name__)
PERIOD_S = 15.0
_JOIN_S = 2.0
_ESCAPED = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


class Metric(NamedTuple):
    """A family of samples."""

    name: str
    """Without ``myogestic_``."""
    help: str
    samples: list[tuple[dict[str, str], float]]


class MetricsFile:
    """Writes the file, in a thread of its own: a disk that hangs holds up nothing else.

    Parameters
    ----------
    path
        The file, which node-exporter reads if it ends in ``.prom``.
    status
        Gives what stands in it; None while the recorder starts.
    """

    def __init__(self, path: Path, status: Callable[[], Status | None]) -> None:
        self._path = path
        self._status = status
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None
        self._trouble = ""

    def start(self) -> None:
        """Write it once, and from then on again and again; DiskError where it cannot be written."""
        try:
            self._write(up=True)
        except OSError as error:
            raise DiskError(f"{self._path} cannot be written: {error.strerror}") from error
        self._thread = threading.Thread(target=self._run, name="metrics", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Leave a file that says that the recorder has ended."""
        self._ending.set()
        if self._thread is not None:
            self._thread.join(_JOIN_S)

    def _run(self) -> None:
        while not self._ending.wait(PERIOD_S):
            self._try_to_write(up=True)
        self._try_to_write(up=False)

    def _try_to_write(self, *, up: bool) -> None:
        try:
            self._write(up=up)
            self._trouble = ""
        except OSError as error:
            if str(error) != self._trouble:
                _log.warning("%s cannot be written: %s", self._path, error.strerror)
            self._trouble = str(error)

    def _write(self, *, up: bool) -> None:
        """Replace it in one step: node-exporter never reads half of it."""
        partial = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        try:
            partial.write_text(metrics_text(self._status() if up else None, up=up), encoding="utf-8")
            os.replace(partial, self._path)
        finally:
            partial.unlink(missing_ok=True)


def metrics_text(status: Status | None, *, up: bool) -> str:
    """The metrics in Prometheus' text format; only whether it is up where there is no status."""
    metrics = [Metric("up", "Whether the recorder runs.", [({}, float(up))])]
    if status is not None:
        metrics += [*_of_recorder(status), *_of_session(status.session, status), *_of_streams(status.streams)]
    return "".join(line for metric in metrics for line in _lines(metric))


def _lines(metric: Metric) -> Iterator[str]:
    name = f"myogestic_{metric.name}"
    yield f"# HELP {name} {metric.help}\n# TYPE {name} gauge\n"
    for labels, value in metric.samples:
        inner = ",".join(f'{key}="{text.translate(_ESCAPED)}"' for key, text in labels.items())
        yield f"{name}{f'{{{inner}}}' if inner else ''} {value!r}\n"


def _of_recorder(status: Status) -> Iterator[Metric]:
    yield Metric("recording", "Whether a recording runs.", [({}, float(status.state == "recording"))])
    stopped = float(status.stopped is not None)
    yield Metric(
        "stopped_by_itself", "Whether a recording ended that nobody ended, not acknowledged yet.", [({}, stopped)]
    )
    yield Metric("disk_free_bytes", "Free bytes where sessions go.", [({}, float(status.disk.free_bytes))])
    yield Metric(
        "disk_reserve_bytes", "Free bytes below which no recording runs.", [({}, float(status.disk.reserve_bytes))]
    )
    if status.disk.left_s is not None:
        yield Metric("disk_left_seconds", "Recording time left at the present rate.", [({}, status.disk.left_s)])
    yield Metric("unfinished_sessions", "Sessions that recovery would finish.", [({}, float(len(status.unfinished)))])
    waiting = sum(job.state in ("waiting", "running") for job in status.jobs) + status.jobs_waiting
    yield Metric("jobs", "Jobs that wait or run.", [({}, float(waiting))])
    counts = {level: sum(one.severity == level for one in status.problems) for level in ("error", "warning")}
    texts = [({"severity": level}, float(count)) for level, count in counts.items()]
    yield Metric("problems", "What needs the operator.", texts)


def _of_session(session: SessionStatus | None, status: Status) -> Iterator[Metric]:
    if session is None or status.state != "recording":
        return
    facts = {
        "session_seconds": ("Length of the session so far.", session.elapsed_s),
        "session_bytes": ("Bytes recorded.", session.bytes),
        "session_lost_samples": ("Samples lost in the session.", session.lost_samples),
        "session_gaps": ("Gaps in the session.", session.gaps),
        "session_labels": ("Labels in the session.", session.n_labels),
        "session_unsynced_seconds": ("What a power cut would take now.", session.unsynced_s),
        "session_backlog_seconds": ("How far the arrays are behind the journal.", session.backlog_s),
        "session_segment": ("Place in its chain, 0 where it is in none.", session.segment),
    }
    for name, (text, value) in facts.items():
        yield Metric(name, text, [({}, float(value))])


def _of_streams(streams: Iterable[StreamStatus]) -> Iterator[Metric]:
    known = [one for one in streams if one.state != "seen"]
    live = [({"stream": one.name, "state": one.state}, float(one.state in ("live", "slow"))) for one in known]
    yield Metric("stream_live", "Whether samples of a stream come.", live)
    facts: dict[str, tuple[str, Callable[[StreamStatus], float | None]]] = {
        "stream_recording": ("Whether a stream is recorded now.", lambda one: float(one.recording)),
        "stream_nominal_hz": ("Its declared rate.", lambda one: one.fs),
        "stream_measured_hz": ("Its measured rate.", lambda one: one.measured_fs),
        "stream_age_seconds": ("Time since its last sample.", lambda one: one.age_s),
        "stream_samples": ("Its samples, of the session while it is recorded.", lambda one: float(one.n_samples)),
        "stream_lost_samples": ("Its lost samples.", lambda one: float(one.lost_samples)),
        "stream_clock_offset_seconds": ("Its clock against the recorder's.", lambda one: one.clock_offset),
    }
    for name, (text, value_of) in facts.items():
        samples = [({"stream": one.name}, float(value)) for one in known if (value := value_of(one)) is not None]
        if samples:
            yield Metric(name, text, samples)
