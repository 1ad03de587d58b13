"""Other users of the same machine, for tests that run as root."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ONE, OTHER, GROUP = 61_001, 61_002, 61_000
"""Two users and the group that they share; the numbers need no names."""

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


def as_user(uid: int, work: Callable[[], object], *, gid: int = GROUP, umask: int = 0o002) -> str:
    """What comes of it where that user does it, in a process of its own; the type and text of what was raised."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.setgroups([])
            os.setgid(gid)
            os.setuid(uid)
            os.umask(umask)
            os.write(write, f"{work()}".encode())
        except BaseException as error:
            os.write(write, f"{type(error).__name__}: {error}".encode())
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read) as pipe:
        said = pipe.read()
    os.waitpid(pid, 0)
    return said


@contextmanager
def open_folder() -> Iterator[Path]:
    """A temporary folder that everybody can reach: pytest's own are private."""
    temporary = Path(tempfile.gettempdir())
    reachable = (
        one for one in (temporary, *temporary.parents) if all(p.stat().st_mode & 1 for p in (one, *one.parents))
    )
    with tempfile.TemporaryDirectory(dir=next(reachable), prefix="mt-shared-") as place:
        os.chmod(place, 0o755)
        yield Path(place)
