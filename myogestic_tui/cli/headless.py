"""A recording without screens: wait for the streams, record, label by the clock, stop, pack."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from msgspec.structs import replace

from ..app.interface import SetTake
from ..clock import local_clock
from ..errors import ConfigError, SessionError, StreamNotFoundError
from ..plural import count_of
from .choose_streams import describe
from .output import Progress, duration, rate, remark
from .writable import probe_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ..app import App
    from ..sources.discovery import Discovery
    from ..stream import Stream

_LOOK_SECONDS = 0.1
_SHOW_SECONDS = 0.2
_PROBLEMS_SECONDS = 1.0
_HAND_SECONDS = 5.0


@dataclass(frozen=True)
class Cues:
    """Gestures in turn, each for so many seconds, the whole so many times."""

    steps: tuple[tuple[str, float], ...]
    repeats: int = 1

    @classmethod
    def parse(cls, text: str, repeats: int = 1) -> Cues:
        """From ``"Rest:5,Fist:5"``.

        Raises
        ------
        ConfigError
            A part is not ``name:seconds``.
        """
        from ..app.protocol import parse_steps

        try:
            return cls(parse_steps(text), repeats)
        except ConfigError as error:
            raise ConfigError(f"--labels: {error}") from None

    @property
    def class_names(self) -> list[str]:
        """Every name once, in order of first use."""
        return list(dict.fromkeys(name for name, _ in self.steps))

    @property
    def seconds(self) -> float:
        """How long all of it takes."""
        return self.repeats * sum(length for _, length in self.steps)

    def schedule(self) -> Iterator[tuple[float, int]]:
        """Seconds from the start, and the class index that begins there."""
        at, names = 0.0, self.class_names
        for name, length in self.steps * self.repeats:
            yield at, names.index(name)
            at += length


@dataclass
class Capture:
    """One recording by an `App` without screens.

    Attributes
    ----------
    app
        Its streams are registered (or named by its configuration); `run` runs it.
    seconds
        Length of the recording; None: until the cues are through, or, without any, until interrupted.
    wait_s
        How long to wait for the streams to connect.
    sheet
        What is to be changed on the take sheet.
    everything
        Connect and record all that is on the network.
    segment_s
        Continue in another session after so many seconds; None: as the configuration says.
    """

    app: App
    cues: Cues | None = None
    seconds: float | None = None
    name: str | None = None
    sheet: SetTake = field(default_factory=SetTake)
    wait_s: float = 10.0
    everything: bool = False
    segment_s: float | None = None
    progress: Progress = field(default_factory=Progress)
    _error: Exception | None = None
    _told: set[tuple[str, str]] = field(default_factory=set)
    _look_due: float = 0.0

    def run(self) -> Path | None:
        """Record, and wait until the session is packed. None where the app was interrupted before it began.

        Meanwhile the screens and ``ctl`` can attach to it, as to any recorder.

        Raises
        ------
        DiskError
            The sessions folder cannot be written.
        StreamNotFoundError
            A stream that is needed is not there; the message lists what is.
        SessionLockedError
            Another recorder has the sessions folder.
        SessionError
            The recording did not start, ended early or could not be packed.
        """
        probe_folder(self.app.sessions_dir)
        conductor = threading.Thread(target=self._conduct, name="conductor")
        self.app.before_run_hooks.append(lambda _: conductor.start())
        code = self.app.run("headless")
        conductor.join()
        self.progress.clear()
        if self._error is not None:
            raise self._error
        if code:
            raise SessionError(self.app.ctx.status_message)
        return self.app.ctx.session.path if self.app.ctx.session is not None else None

    def _conduct(self) -> None:
        try:
            self._fill_in_sheet()
            self._await_streams()
            self._await_hands()
            if not self.app.stopping.is_set():
                self._record()
        except Exception as error:
            self._error = error  # raised by `run`, in the thread that can exit with it
        finally:
            self.app.stop()

    def _fill_in_sheet(self) -> None:
        """Before anything else: a take that is there already is not recorded once more."""
        sheet = self.sheet
        if sheet == SetTake():
            return
        self.app.parts.takes.settle()
        if sheet.fields:
            sheet = replace(sheet, fields={**self.app.take.fields, **sheet.fields})
        reply = self.app.execute(sheet)
        if reply.confirm or not reply.ok:
            raise ConfigError(reply.confirm or reply.message)

    # ---------------------------------------------------------------- streams

    def _await_streams(self) -> None:
        from ..sources.discovery import discovery

        network = discovery()
        if self.everything:
            self._take_all(network)
        deadline = local_clock() + self.wait_s
        while (waiting := self._unconnected()) and not self.app.stopping.wait(_LOOK_SECONDS):
            self.progress.show(f"waiting for {', '.join(stream.name for stream in waiting)}")
            if local_clock() > deadline:
                self._go_without(waiting, network)
                return

    def _await_hands(self) -> None:
        """Synthetic hands are to move from the first label on; one that never listens is recorded all the same."""
        deadline = local_clock() + _HAND_SECONDS
        while self.cues and self.app.parts.gestures.waiting and local_clock() < deadline:
            self.progress.show("waiting for the synthetic hand")
            if self.app.stopping.wait(_LOOK_SECONDS):
                return

    def _take_all(self, network: Discovery) -> None:
        from ..sources.discovery import is_offered

        self.progress.show("looking around")
        if not network.wait_for(is_offered, self.wait_s, settle=True):
            raise StreamNotFoundError(f"no stream on the network after {self.wait_s:g} s. {_ADVICE}")
        self.app.parts.streams.discover()
        while not self.app.parts.streams.discovering and not self.app.stopping.wait(_LOOK_SECONDS):
            pass
        self.app.parts.streams.connect_all()

    def _unconnected(self) -> list[Stream]:
        return [stream for stream in self.app.parts.streams.selected() if stream.info is None]

    def _go_without(self, waiting: list[Stream], network: Discovery) -> None:
        missing = [stream for stream in waiting if stream.required]
        if missing or len(waiting) == len(self.app.parts.streams.selected()):
            raise StreamNotFoundError(_not_there(missing or waiting, network))
        self.progress.clear()
        remark(f"starting without {', '.join(stream.name for stream in waiting)}; it joins if it appears")

    # ---------------------------------------------------------------- the recording

    def _record(self) -> None:
        events = list(self.cues.schedule()) if self.cues else []
        if self.cues:
            self.app.ctx.class_names = self.cues.class_names
            self.app.add_label(events.pop(0)[1], source="protocol")
        self.app.start_recording(name=self.name, since_connected=True, segment_s=self.segment_s)
        start, end = self.app.started_at, self._length()
        while self.app.ctx.state == "recording":
            now = local_clock() - start
            while events and events[0][0] <= min(now, end):
                at, class_index = events.pop(0)
                self.app.add_label(class_index, start + at, source="protocol")
            if now >= end:
                break
            self._tell_problems()
            self.progress.show(self._line(now))
            next_at = min([end, *(at for at, _ in events[:1])])
            if self.app.stopping.wait(min(_SHOW_SECONDS, max(0.0, next_at - now))):
                break
        self._finish()

    def _tell_problems(self) -> None:
        """Print what needs the operator, each once, whatever seconds it counts."""
        if (now := local_clock()) < self._look_due:
            return
        self._look_due = now + _PROBLEMS_SECONDS
        for problem in self.app.status().problems:
            kind = problem.subject, re.sub(r"[\d.]+", "#", problem.text)
            if problem.severity != "info" and kind not in self._told:
                self._told.add(kind)
                self.progress.clear()
                remark(f"{problem.severity}: {problem.subject}: {problem.text}")

    def _finish(self) -> None:
        if self.app.ctx.state != "recording":
            raise SessionError(self.app.ctx.status_message)
        self.app.stop_recording()
        self.progress.show("packing")

    def _length(self) -> float:
        limits = [self.seconds] if self.seconds is not None else []
        limits += [self.cues.seconds] if self.cues else []
        return min(limits, default=float("inf"))

    def _line(self, now: float) -> str:
        names, label = self.app.ctx.class_names, self.app.ctx.current_label
        parts = [f"REC {duration(now)}"]
        if label is not None and label < len(names):
            parts.append(names[label].upper())
        for stream in self.app.parts.streams.selected():
            health = stream.health()
            lost = f" {count_of(health.gaps, 'gap')}" if health.gaps else ""
            parts.append(f"{stream.name} {rate(health.measured_fs)} Hz {health.n_samples}{lost}")
        return "   ".join(parts)


def _not_there(streams: list[Stream], network: Discovery) -> str:
    """The sources' own words, and once what there is; ours until they had time to look."""
    from ..sources.selection import ON_THE_NETWORK

    own = f"no stream {', '.join(stream.name for stream in streams)}; on the network: {describe(network.offered())}"
    said = [stream.message.partition(ON_THE_NETWORK) for stream in streams if stream.message]
    there = next((mark + listed for _, mark, listed in said if mark), "")
    each = "; ".join(dict.fromkeys(one.removesuffix("; ") for one, _, _ in said))
    return f"{'; '.join(filter(None, (each, there))) or own}\n{_ADVICE}"


_ADVICE = "Give it longer with --wait, or ask `myogestic-tui doctor`."
