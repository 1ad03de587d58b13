"""A run of the tests ends with a look at what it left: processes, mounts, files. Anything of its own fails the run.

Every process of a run inherits its mark in the environment, and all that the run puts into temporary folders stands
in one of its own, so that other runs on this machine are neither counted nor disturbed. An outlet lives in a process:
where no process is left, no outlet is.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

MARK = "TESTS_OF_MYOGESTIC_TUI"
"""Variable that names the runs that a process belongs to: one within another has both."""
GRACE_SECONDS = 60.0
"""What was told to end may take so long."""


def pytest_configure(config: pytest.Config) -> None:
    """Watch over the run, where it begins; workers of pytest-xdist are part of it."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Leftovers(), "leftovers")


class Leftovers:
    """Sets the mark and the folders of a run, and looks at the end."""

    def __init__(self) -> None:
        self.run = uuid.uuid4().hex
        self.folder = Path(tempfile.mkdtemp(prefix="mt-")).resolve()
        self.files = self.folder / "tmp"
        self.files.mkdir()
        self.folder.chmod(0o755)  # as the system's own: tests become other users
        settings = {
            MARK: ":".join(filter(None, (os.environ.get(MARK), self.run))),
            "TMPDIR": str(self.files),
            "PYTEST_DEBUG_TEMPROOT": str(self.folder),
        }
        self._before = {name: os.environ.get(name) for name in settings}
        os.environ.update(settings)
        tempfile.tempdir = None

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Iterator[None]:
        """When all else has ended, name what is left, and fail."""
        yield
        mounts = self._mounts()
        left = [*self._processes(), *mounts, *(f"temporary file {path.name}" for path in sorted(self.files.iterdir()))]
        self._restore_environment()
        if left:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
            print("\n" + "\n".join(f"LEFT BEHIND: {one}" for one in left), flush=True)
        if session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            shutil.rmtree(self.folder, ignore_errors=True)
        else:
            print(f"\nthe folders of the tests are kept: {self.folder}", flush=True)

    def _restore_environment(self) -> None:
        for name, value in self._before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
        tempfile.tempdir = None

    def _processes(self) -> list[str]:
        until = time.monotonic() + GRACE_SECONDS
        while (left := [one for one in psutil.process_iter() if self._is_ours(one)]) and time.monotonic() < until:
            psutil.wait_procs(left, timeout=0.2)
        return [f"process {one.pid}: {_command(one)}" for one in left]

    def _is_ours(self, process: psutil.Process) -> bool:
        if process.pid == os.getpid():
            return False
        try:
            ours = self.run in process.environ().get(MARK, "") and process.status() != psutil.STATUS_ZOMBIE
            return ours and not (process.ppid() == os.getpid() and _serves_multiprocessing(process))
        except psutil.Error:  # of another user, or ended meanwhile
            return False

    def _mounts(self) -> list[str]:
        points = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
        return [f"mount {point}" for point in points if Path(point).is_relative_to(self.folder)]


def _serves_multiprocessing(process: psutil.Process) -> bool:
    """Whether it is one of the two helpers that Python starts once and that end with the process that started them."""
    return any(
        f"from multiprocessing.{name} import main" in _command(process) for name in ("resource_tracker", "forkserver")
    )


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline()) or process.name()
    except psutil.Error:
        return "ended since"
