"""How glibc holds memory, for a process that runs for days with threads that come and go."""

from __future__ import annotations

import contextlib
from ctypes import CDLL
from functools import cache

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
_KEPT_BYTES = 4 << 20


@cache
def return_large_blocks() -> None:
    """Let glibc return large blocks to the system when they are freed.

    It raises the size from which it does so to that of the largest block ever freed; the 12 MB buffer of each inlet
    that was closed after a loss would then stay in some thread's arena, and a recorder with a bad link grow for hours.
    Smaller ones are kept: a stream's samples pass through several a second, and each page that is returned costs a
    fault when it is wanted again.
    """
    _set(_M_MMAP_THRESHOLD, _KEPT_BYTES)
    _set(_M_TRIM_THRESHOLD, 2 * _KEPT_BYTES)


@cache
def use_one_arena() -> None:
    """Let all threads share one arena; for a process of one's own, before its threads start.

    By default each thread gets its own, and what one freed no other can use: a recorder's threads, and the new ones of
    each connection, would hold some 5 MB between them that nobody needs.
    """
    _set(_M_ARENA_MAX, 1)


def _set(option: int, value: int) -> None:
    with contextlib.suppress(AttributeError, OSError, TypeError):  # no glibc
        CDLL(None).mallopt(option, value)
