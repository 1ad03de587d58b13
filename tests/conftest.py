"""What every test shares: state, run-time and sessions folders of its own, so that nothing is left behind."""

from __future__ import annotations

import os
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session", autouse=True)
def private_user_folders() -> Iterator[Path]:
    """Point the user's state, config and run-time folders into a temporary one, for this process and its children."""
    with tempfile.TemporaryDirectory(prefix="mt-", ignore_cleanup_errors=True) as folder:
        names = {"XDG_STATE_HOME": "state", "XDG_RUNTIME_DIR": "run", "XDG_CONFIG_HOME": "config"}
        before = {name: os.environ.get(name) for name in names}
        for name, leaf in names.items():
            path = Path(folder, leaf)
            path.mkdir(mode=0o700)
            os.environ[name] = str(path)
        yield Path(folder)
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@pytest.fixture(autouse=True)
def private_memory(private_user_folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test is told of sessions folders that an earlier one recorded into."""
    monkeypatch.setenv("XDG_STATE_HOME", tempfile.mkdtemp(prefix="state-", dir=private_user_folders))


@pytest.fixture
def unique() -> str:
    """A stream name that no other test, and nobody else on this machine, uses."""
    return f"t{uuid.uuid4().hex[:10]}"
