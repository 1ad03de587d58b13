"""Limits that a shell or a service sets on a process, and what this program needs."""

from __future__ import annotations

import errno
import resource

from .errors import ProcessLimitError

NEEDED_BYTES = 1_500_000_000
"""Address space for a recorder of a few streams: its threads and liblsl's reserve far more than they use.

With less, threads fail to start in the middle of the work: liblsl aborts, or finds no stream.
"""

NEEDED_FILES = 64
"""Open files for a recorder of a few streams: their journals, and liblsl's sockets. With less, streams seem dead."""

_MOST_FILES = 1024
"""More is not asked for: select() of any library fails beyond."""


def check_limits() -> None:
    """Let this process open as many files as it may, and refuse to begin where that, or its memory, is too little.

    Raises
    ------
    ProcessLimitError
        ``ulimit -v`` (or ``LimitAS=`` of systemd) is below `NEEDED_BYTES`, or ``ulimit -n`` (``LimitNOFILE=``) below
        `NEEDED_FILES`.
    """
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit != resource.RLIM_INFINITY and limit < NEEDED_BYTES:
        raise ProcessLimitError(
            f"this process may reserve {limit / 1e6:.0f} MB of address space, and recording needs "
            f"{NEEDED_BYTES / 1e6:.0f} MB: lift the limit (`ulimit -v unlimited`, or LimitAS= of the service)"
        )
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = min(hard, _MOST_FILES) if hard != resource.RLIM_INFINITY else _MOST_FILES
    if most > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    if max(soft, most) < NEEDED_FILES:
        raise ProcessLimitError(
            f"this process may open {max(soft, most)} files, and recording needs {NEEDED_FILES}: "
            "lift the limit (`ulimit -n 1024`, or LimitNOFILE= of the service)"
        )


def is_file_limit(error: BaseException | None) -> bool:
    """Whether an error, or what it was raised from, is the limit of open files, and not the disk."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE):
            return True
        error = error.__cause__
    return False
