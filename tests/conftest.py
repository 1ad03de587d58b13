"""What every test shares: an environment, state, run-time and sessions folders of its own."""

from __future__ import annotations

import os
import signal
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests import leftovers

STRANGE = ("PYTHON", "LC_", "XDG_", "LSL", "ZARR_", "DASK_", "MNE_", "MYOGESTIC", "SSH_")
"""What begins so is set on some machines only, and changes what Python or a library does."""
settings.register_profile(
    "same draws", derandomize=True, database=None, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("same draws")

OOM_SCORE = Path("/proc/self/oom_score_adj")
TERMINAL = {"COLORFGBG", "COLORTERM", "COLUMNS", "LANGUAGE", "LINES", "NO_COLOR", "STY", "TMUX"}


def pytest_configure(config: pytest.Config) -> None:
    """Begin the run, or a worker's part of it, in the environment of a plain login."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs have it ignored, and children
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    if not hasattr(config, "workerinput"):
        for name in list(os.environ):
            if name in TERMINAL or name.startswith(STRANGE):
                del os.environ[name]
        os.environ.update(LANG="C.UTF-8", TERM="xterm-256color")
        os.umask(0o022)
    leftovers.pytest_configure(config)


@pytest.fixture(scope="session", autouse=True)
def private_user_folders() -> Iterator[Path]:
    """Point the user's home and XDG folders into a temporary one, for this process and its children."""
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory(prefix="mt-") as folder:
        names = {"HOME": "home", "XDG_STATE_HOME": "state", "XDG_RUNTIME_DIR": "run", "XDG_CONFIG_HOME": "config"}
        for name, leaf in names.items():
            path = Path(folder, leaf)
            path.mkdir(mode=0o700)
            patch.setenv(name, str(path))
        yield Path(folder)


@pytest.fixture(autouse=True)
def private_memory(private_user_folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test is told of sessions folders that an earlier one recorded into."""
    monkeypatch.setenv("XDG_STATE_HOME", tempfile.mkdtemp(prefix="state-", dir=private_user_folders))


@pytest.fixture(autouse=True)
def same_priority() -> Iterator[None]:
    """A command that is run within this process makes it expendable, and the programs that later tests start."""
    before = OOM_SCORE.read_text()
    yield
    if OOM_SCORE.read_text() != before:
        OOM_SCORE.write_text(before)


@pytest.fixture
def unique() -> str:
    """A stream name that no other test, and nobody else on this machine, uses."""
    return f"t{uuid.uuid4().hex[:10]}"
