"""Limits that a shell or a service sets on a process, and what this program needs."""

from __future__ import annotations

import resource

from .errors import MemoryLimitError

NEEDED_BYTES = 1_500_000_000
"""Address space for a recorder of a few streams: its threads and liblsl's reserve far more than they use.

With less, threads fail to start in the middle of the work: liblsl aborts, or finds no stream.
"""


def check_memory_limit() -> None:
    """Refuse to begin where this process may not reserve enough memory.

    Raises
    ------
    MemoryLimitError
        ``ulimit -v`` (or ``LimitAS=`` of systemd) is below `NEEDED_BYTES`.
    """
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit != resource.RLIM_INFINITY and limit < NEEDED_BYTES:
        raise MemoryLimitError(
            f"this process may reserve {limit / 1e6:.0f} MB of address space, and recording needs "
            f"{NEEDED_BYTES / 1e6:.0f} MB: lift the limit (`ulimit -v unlimited`, or LimitAS= of the service)"
        )
