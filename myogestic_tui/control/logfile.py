"""The recorder's log file: everything the process prints goes there, liblsl's own words included."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import sys
from pathlib import Path

import platformdirs

KEPT = 3
MOST_BYTES = 2 << 20
"""Of one file; then it is rotated, and `KEPT` older ones stay."""

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def log_path(sessions_dir: Path) -> Path:
    """Where the recorder of a sessions folder logs: a file under the user's state folder."""
    folder = sessions_dir.resolve()
    digest = hashlib.blake2s(os.fsencode(folder), digest_size=4).hexdigest()
    name = "".join(letter if letter.isalnum() else "-" for letter in folder.name) or "root"
    return Path(platformdirs.user_state_dir("myogestic_tui")) / "log" / f"{name}-{digest}.log"


def tail(path: Path, lines: int = 10) -> str:
    """The last lines of a log, for an error message; empty where there is none."""
    try:
        with path.open("rb") as log:
            log.seek(max(0, path.stat().st_size - 8192))
            return "\n".join(log.read().decode("utf-8", "replace").splitlines()[-lines:])
    except OSError:
        return ""


def log_to_stderr() -> None:
    """Log to standard error; where that is systemd's journal, with the priority of each line."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JournalFormatter() if _is_journal(sys.stderr.fileno()) else logging.Formatter(FORMAT))
    logging.basicConfig(level=logging.INFO, handlers=[handler])


class JournalFormatter(logging.Formatter):
    """Lines as ``sd-daemon(3)`` has them: ``<4>`` before a warning; the journal has the time."""

    def __init__(self) -> None:
        super().__init__("%(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """Each line of the record, with its priority before it."""
        priority = 3 if record.levelno >= logging.ERROR else 4 if record.levelno >= logging.WARNING else 6
        return "\n".join(f"<{priority}>{line}" for line in super().format(record).splitlines())


def _is_journal(descriptor: int) -> bool:
    """Whether a descriptor leads to the journal, as ``$JOURNAL_STREAM`` (device:inode) says."""
    with contextlib.suppress(OSError):
        status = os.fstat(descriptor)
        return os.environ.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"
    return False


class LogFile(logging.Handler):
    """Standard output and error of this process in a file that is rotated under its feet.

    A rename alone would leave both descriptors on the old file, so each rotation points them at the new one.
    """

    def __init__(self, path: Path, most_bytes: int = MOST_BYTES) -> None:
        super().__init__()
        self.path = path
        self._most_bytes = most_bytes
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._open()
        self.setFormatter(logging.Formatter(FORMAT))

    def _open(self) -> None:
        """Point both descriptors at the file; raises `OSError` where it cannot be written."""
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        for standard in (1, 2):
            os.dup2(descriptor, standard)
        os.close(descriptor)

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        try:
            os.write(2, (self.format(record) + "\n").encode("utf-8", "replace"))
        except Exception:
            self.handleError(record)

    def rotate_if_long(self) -> None:
        """Begin a new file where this one has grown too long; called now and then, since liblsl writes past us."""
        with contextlib.suppress(OSError):  # a full disk: the log continues where it is
            if os.fstat(2).st_size < self._most_bytes:
                return
            sys.stdout.flush()
            for number in range(KEPT, 0, -1):
                older = self.path.with_suffix(f".{number}.log")
                newer = self.path.with_suffix(f".{number - 1}.log") if number > 1 else self.path
                if newer.exists():
                    newer.replace(older)
            self._open()
