"""A small file system for the tests of full disks."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

TMPFS_BYTES = 16 << 20


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 16 MB of its own."""
    where = tmp_path / "small"
    where.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={TMPFS_BYTES}", "tmpfs", where], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("mounting is not permitted here; see the tests with RLIMIT_FSIZE")
    yield where
    subprocess.run(["umount", "--lazy", where], check=True)
