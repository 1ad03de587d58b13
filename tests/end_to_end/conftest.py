"""A folder to work in, whose recorder is ended with the test."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.sending import wait_for


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder to work in; the recorder that is started there is ended."""
    yield tmp_path
    end_recorder(tmp_path)


def end_recorder(folder: Path) -> None:
    """End the recorder of a folder where one runs; asked again and again, it does not wait for packing."""
    lock = folder / "sessions/.myogestic/recorder.lock"
    with suppress(OSError, ValueError):
        pid = json.loads(lock.read_bytes())["pid"]
        wait_for(lambda: _has_ended(pid))


def _has_ended(pid: int) -> bool:
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        return True
    return False
