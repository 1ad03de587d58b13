"""What ends a recording is named for what it is, with the file."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path

import pytest

from myogestic_tui.errors import DiskError
from myogestic_tui.session.format import zarr_format
from tests.session.folders import recorded
from tests.session.known import STREAMS


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.EMFILE, "too many files are open"),
        (errno.EIO, "failed to read or write"),
        (errno.ENOSPC, "the disk refused a write"),
    ],
)
def test_a_checkpoint_that_fails_says_why_and_of_which_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, words: str
):
    session = recorded(tmp_path, [(STREAMS[0], 1000, 100)])

    def refuse(folder: Path, key: str, data: bytes) -> None:
        raise OSError(number, os.strerror(number), str(folder / key))

    monkeypatch.setattr(zarr_format, "place", refuse)
    with pytest.raises(DiskError, match=rf"{words}.*emg\.zarr"):
        session.flush()
    monkeypatch.undo()
    with suppress(DiskError):  # it has ended with what was safe, or does so now
        session.finish()
