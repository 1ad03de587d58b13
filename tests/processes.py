"""What tests ask of processes: of those that they started, and of their own."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import psutil


def has_ended(pid: int) -> bool:
    """True once a process is gone, or waits to be reaped."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def open_files(folder: Path) -> list[str]:
    """The files at or below a path that this process holds open; what other tests left open is none of it."""
    found = []
    for fd in os.listdir("/proc/self/fd"):
        with suppress(FileNotFoundError):  # the one of this list, and those of other threads
            found.append(os.readlink(f"/proc/self/fd/{fd}"))
    return [path for path in found if Path(path).is_relative_to(folder)]


def run_alone(work: Callable[..., Any], *arguments: object) -> Any:
    """What a function of a test's module returns in a process where nothing else takes memory, files or threads."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(work, *arguments).result()
