"""One box, reached over ssh: commands of its `myogestic-tui`, and files of its sessions folder."""

from __future__ import annotations

import asyncio
import json
import shlex
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import ControlError
from ..extras import needed

if TYPE_CHECKING:
    from pathlib import Path

    import asyncssh

    from .config import BoxConfig

CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 30.0
_ALIVE_EVERY, _ALIVE_MISSED = 2, 3
"""A box that has not answered so often, asked every so many seconds, is cut off."""
_ROUND_TRIPS = 8


class BoxError(ControlError):
    """A box cannot be reached, or its command failed; the message begins with its name."""


class Answer(NamedTuple):
    """What a command on a box came to; ``facts`` is what it printed as JSON, None where that is none."""

    code: int
    facts: Any
    words: str

    @property
    def ok(self) -> bool:
        """Whether it did what it should."""
        return self.code == 0


class ClockReading(NamedTuple):
    """How far a box's clock is ahead of this computer's, and how far wrong that may be, in seconds."""

    offset_s: float
    error_s: float


class Box:
    """A connection to one box; use it as an asynchronous context manager.

    Raises
    ------
    BoxError
        It cannot be reached, or refuses to let us in.
    ConfigError
        asyncssh is not installed.
    """

    def __init__(self, config: BoxConfig) -> None:
        self.config, self.name = config, config.name
        self._ssh: Any = needed("asyncssh", "fleet", "`fleet`")
        self._connection: asyncssh.SSHClientConnection | None = None

    async def __aenter__(self) -> Box:
        options: dict[str, Any] = {"keepalive_interval": _ALIVE_EVERY, "keepalive_count_max": _ALIVE_MISSED}
        if self.config.user is not None:
            options["username"] = self.config.user
        if self.config.port is not None:
            options["port"] = self.config.port
        try:
            self._connection = await asyncio.wait_for(
                self._ssh.connect(self.config.host, connect_timeout=CONNECT_SECONDS, **options), CONNECT_SECONDS + 1.0
            )
        except (OSError, TimeoutError, ValueError, self._ssh.Error) as error:  # ValueError: a key or ~/.ssh/config
            raise self._unreachable(error) from error
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._connection is not None:
            self._connection.close()
            try:
                await asyncio.wait_for(self._connection.wait_closed(), 2.0)
            except (OSError, TimeoutError, self._ssh.Error):
                self._connection.abort()

    def _unreachable(self, error: Exception) -> BoxError:
        reason = getattr(error, "strerror", None) or str(error) or "no answer"
        return BoxError(f"{self.name}: {self.config.host} cannot be reached over ssh: {reason}")

    # ---------------------------------------------------------------- commands

    def _line(self, words: tuple[str, ...]) -> str:
        command = shlex.join([*shlex.split(self.config.command), *words])
        return f"cd {shlex.quote(self.config.folder)} && exec {command}"

    async def start(self, *words: str) -> asyncssh.SSHClientProcess[str]:
        """Start ``myogestic-tui`` on the box with these words, with pipes; its folder is the working directory."""
        assert self._connection is not None
        try:
            process: asyncssh.SSHClientProcess[str] = await self._connection.create_process(self._line(words))
        except (OSError, self._ssh.Error) as error:
            raise self._unreachable(error) from error
        return process

    async def run(self, *words: str, timeout: float = ANSWER_SECONDS) -> Answer:
        """Run it to its end.

        Raises
        ------
        BoxError
            The box was cut off, or the command takes longer than ``timeout`` seconds.
        """
        process = await self.start(*words)
        try:
            out, err = await asyncio.wait_for(process.communicate(), timeout)
        except TimeoutError:
            process.terminate()
            raise BoxError(f"{self.name}: no answer to `{' '.join(words)}` within {timeout:.0f} s") from None
        except (OSError, self._ssh.Error) as error:
            raise self._unreachable(error) from error
        if process.returncode is None:
            raise BoxError(f"{self.name}: was cut off; whether `{' '.join(words)}` was done is not known")
        return Answer(process.returncode, _facts(str(out or "")), _last_line(str(err or "")) or str(out or "").strip())

    async def line(self, process: asyncssh.SSHClientProcess[str], timeout: float) -> Any:
        """The next line of JSON that a command prints; None where it ended.

        Raises
        ------
        BoxError
            None came within ``timeout`` seconds, or the box was cut off.
        """
        try:
            text = await asyncio.wait_for(process.stdout.readline(), timeout)
        except TimeoutError:
            raise BoxError(f"{self.name}: no answer within {timeout:.0f} s") from None
        except (OSError, self._ssh.Error) as error:
            raise self._unreachable(error) from error
        return _facts(text) if text.strip() else None

    async def clock(self) -> ClockReading:
        """Compare the clocks by the shortest of several round trips.

        Raises
        ------
        BoxError
            The box did not answer.
        """
        process, best = await self.start("ctl", "clock"), ClockReading(0.0, float("inf"))
        for _ in range(_ROUND_TRIPS):
            sent = time.monotonic()
            try:
                process.stdin.write("\n")
                text = await asyncio.wait_for(process.stdout.readline(), ANSWER_SECONDS)
                there, back = float(text), time.monotonic()
            except (ValueError, OSError, TimeoutError, self._ssh.Error) as error:
                raise BoxError(f"{self.name}: does not tell its clock: {error}") from error
            if (back - sent) / 2 < best.error_s:
                best = ClockReading(there - (sent + back) / 2, (back - sent) / 2)
        process.stdin.write_eof()
        process.close()
        return best

    # ---------------------------------------------------------------- files

    async def fetch(self, path: str, target: Path) -> None:
        """Copy a file of the box to ``target``; a relative path counts from the box's folder.

        Raises
        ------
        BoxError
            It cannot be copied whole.
        """
        assert self._connection is not None
        where = path if path.startswith("/") else f"{self.config.folder.rstrip('/')}/{path}"
        try:
            async with self._connection.start_sftp_client() as files:
                await files.get(where, str(target))
        except (OSError, self._ssh.Error) as error:
            raise BoxError(f"{self.name}: {path} cannot be copied: {error}") from error


def _facts(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1].removeprefix("myogestic-tui: ") if lines else ""
