"""Tells somebody: runs the programs of ``[on]`` when something happens, and those of ``[[commands]]``."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

import msgspec

from ..clock import local_clock
from ..errors import NotAllowedError, did_you_mean
from ..recording_config import FIELDS
from .command_runner import CommandRunner
from .streams import stream_state

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..config import Config
    from ..stream import Stream
    from .interface import DiskStatus, JobStatus, StopStatus
    from .operator_message import OperatorMessage
    from .recording import Recordings

_log = logging.getLogger(__name__)
LEAST_SECONDS = 60.0
"""Between two runs of a program for the same event of the same stream."""
_LOOK_SECONDS = 1.0
_SLOW_SECONDS = 5.0
"""A stream that is slow for so long is reported; a loss of a second makes it so, too."""
_STALL_SECONDS = 1.0


class Hooks:
    """The programs of the configuration.

    Parameters
    ----------
    config
        Its ``[on]`` and ``[[commands]]``.
    recordings
        What is recorded: a stream counts while it is.
    message
        Reports to the operator.
    """

    def __init__(self, config: Config, recordings: Recordings, message: OperatorMessage) -> None:
        self._programs = config.on.programs
        self._limit_s = config.on.time_limit_s
        self._commands = {one.name: one for one in config.commands}
        self._recordings = recordings
        self._message = message
        self._runner = CommandRunner(self._ended) if self._programs or self._commands else None
        self._due: dict[tuple[str, str], float] = {}
        self._lock = threading.Lock()
        self._slow_since: dict[str, float] = {}
        self._told: set[tuple[str, str]] = set()
        """What holds now and was reported, by event and stream."""
        self._looked_at = float("-inf")

    @property
    def commands(self) -> tuple[str, ...]:
        """Names of the programs of ``[[commands]]``."""
        return tuple(self._commands)

    def start(self) -> None:
        """Start the process that runs programs, where there are any."""
        if self._runner is not None:
            self._runner.start()

    def stop(self) -> None:
        """Let go of that process."""
        if self._runner is not None:
            self._runner.stop()

    # ---------------------------------------------------------------- what happens

    def look(self, streams: Iterable[Stream], disk: DiskStatus, stopped: StopStatus | None) -> None:
        """Once a second: which recorded streams are lost or slow, how the disk is, what ended."""
        now = local_clock()
        if not self._programs or now < self._looked_at + _LOOK_SECONDS:
            return
        self._looked_at = now
        path, why = ("", "") if stopped is None else (stopped.path, stopped.text)
        self._while(stopped is not None, "stopped", path=path, text=why)
        recording = self._recordings.running is not None
        for stream in streams:
            self._look_at(stream, now)
        low = recording and disk.free_bytes < 2 * disk.reserve_bytes
        self._while(low, "disk", seconds=disk.left_s, text=f"{disk.free_bytes / 1e6:.0f} MB free")

    def _look_at(self, stream: Stream, now: float) -> None:
        name, state = stream.name, stream_state(stream) if stream.recording else ""
        age = (stream.health().age_s or 0.0) if state == "lost" else 0.0
        self._while(state == "lost", "lost", stream=name, seconds=age, text=f"{name} lost")
        if state != "slow":
            self._slow_since.pop(name, None)
        slow_s = now - self._slow_since.setdefault(name, now) if state == "slow" else 0.0
        self._while(slow_s >= _SLOW_SECONDS, "slow", stream=name, seconds=slow_s, text=f"{name} is slow")
        writing = stream.writing_since
        stall_s = now - writing if writing is not None else 0.0
        text = f"the disk does not answer; samples of {name} wait"
        self._while(stall_s > _STALL_SECONDS, "disk", stream=name, seconds=stall_s, text=text)

    def _while(
        self,
        holds: bool,
        event: str,
        *,
        stream: str = "",
        seconds: float | None = None,
        path: str = "",
        text: str = "",
    ) -> None:
        """Tell once of something that lasts; within a minute of the last time, as soon as that is over."""
        key = event, stream
        if not holds:
            self._told.discard(key)
        elif key not in self._told and self.tell(event, stream=stream, seconds=seconds, path=path, text=text):
            self._told.add(key)

    def job_ended(self, job: JobStatus) -> None:
        """A background job is through."""
        result = msgspec.json.decode(job.result) if job.result else {}
        path = str(result.get("path", job.path))
        if job.kind == "pack" and job.state == "done":
            self.tell("packed", path=path)
        if job.kind == "pack" and job.state == "failed":
            self.tell("damaged", path=path, text=job.message)
        findings = [one["text"] for one in result.get("findings", []) if one.get("kind") == "damage"]
        if damage := result.get("damage") or "; ".join(findings[:3]):
            self.tell("damaged", path=path, text=str(damage))

    def tell(
        self, event: str, *, stream: str = "", seconds: float | None = None, path: str = "", text: str = ""
    ) -> bool:
        """Run the program of an event; False where it ran for it (and this stream) within the last minute.

        It never waits.
        """
        program, runner = self._programs.get(event), self._runner
        if program is None or runner is None:
            return True
        if not self._is_due(event, stream):
            return False
        counted = "" if seconds is None else f"{seconds:.1f}"
        values = dict(zip(FIELDS, (stream, counted, path, text, event), strict=True))
        try:
            runner.run(f"[on] {event}", filled(program, values), self._limit_s)
        except NotAllowedError as error:
            _log.warning("%s", error)
        return True

    def _is_due(self, event: str, stream: str) -> bool:
        now = local_clock()
        with self._lock:
            if now < self._due.get((event, stream), float("-inf")):
                return False
            self._due = {key: due for key, due in self._due.items() if due > now} | {
                (event, stream): now + LEAST_SECONDS
            }
            return True

    # ---------------------------------------------------------------- programs of one's own

    def run(self, name: str) -> None:
        """Run a program of ``[[commands]]``.

        Raises
        ------
        NotAllowedError
            There is none of that name, or it cannot be run now.
        """
        command, runner = self._commands.get(name), self._runner
        if command is None or runner is None:
            known = ", ".join(self._commands) or "none; [[commands]] of the configuration names them"
            raise NotAllowedError(f"no command {name!r}{did_you_mean(name, self._commands)}; there are: {known}")
        session = self._recordings.session
        values = {"path": "" if session is None else str(session.path)}
        runner.run(name, filled(command.arguments, values), command.time_limit_s)

    def _ended(self, name: str, outcome: str) -> None:
        own = name in self._commands
        if outcome:
            _log.warning("%s: %s", name, outcome)
        if outcome or own:
            self._message.set(f"{name}: {outcome or 'done'}")


def filled(arguments: Sequence[str], values: dict[str, str]) -> list[str]:
    """The arguments with ``{stream}`` and the like in their places: each stays one argument, whatever is in it."""
    return [_fill(argument, values) for argument in arguments]


def _fill(argument: str, values: dict[str, str]) -> str:
    """Every field once, from left to right: what a value says is no field."""
    done, rest = "", argument
    while "{" in rest:
        before, _, rest = rest.partition("{")
        name, brace, after = rest.partition("}")
        known = brace and name in values
        done += before + (values[name] if known else "{")
        rest = after if known else rest
    return done + rest
