"""What ends a recording is named for what it is, with the file."""

from __future__ import annotations

import errno
import os
import resource
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from myogestic_tui.errors import DiskError
from myogestic_tui.session import (
    open_session_store,
    pack_session,
    recover_session,
    salvage_session,
    trash_session,
    verify_session,
)
from myogestic_tui.session.format import zarr_format
from tests.session.folders import feed, recorded
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


@contextmanager
def no_file_left_to_open() -> Iterator[None]:
    """No file can be opened, also not in place of one that is closed meanwhile, by another thread or as garbage."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize("do", [pack_session, recover_session, trash_session, salvage_session, verify_session])
def test_a_session_that_cannot_be_looked_into_for_want_of_files_is_not_called_none(
    tmp_path: Path, do: Callable[[Path], object]
):
    session = recorded(tmp_path, [(STREAMS[1], 300, 100)])
    session.finish()
    with no_file_left_to_open(), pytest.raises(DiskError, match="Too many open files"):
        do(session.path)
    with open_session_store(session.path) as reader:
        STREAMS[1].assert_prefix(reader, at_least=300)


def test_files_that_run_out_in_the_middle_of_a_verification_are_no_damage(tmp_path: Path):
    session = recorded(tmp_path, [(STREAMS[0], 4000, 100)])
    session.finish()
    with ExitStack() as limit:
        entered = []

        def run_out(*_: int) -> None:
            if not entered:
                entered.append(limit.enter_context(no_file_left_to_open()))

        with pytest.raises(DiskError, match="Too many open files"):
            verify_session(session.path, progress=run_out)
        assert entered
    assert verify_session(session.path).ok


def test_samples_that_cannot_be_read_for_want_of_files_are_not_called_damaged(tmp_path: Path):
    session = recorded(tmp_path, [(STREAMS[0], 4000, 100)])
    session.finish()
    with open_session_store(session.path) as reader:
        array = reader.stores[STREAMS[0].name]
        with pytest.raises(DiskError, match="Too many open files"), no_file_left_to_open():
            array[:]
        STREAMS[0].assert_prefix(reader, at_least=4000)


@pytest.mark.parametrize("when", ["while recording", "before the stop"])
def test_a_session_that_finds_no_file_left_to_open_loses_nothing(tmp_path: Path, when: str):
    session = recorded(tmp_path, [(STREAMS[0], 1700, 100)])
    n = 1700
    with no_file_left_to_open():
        if when == "while recording":
            feed(session, STREAMS[0], 1700, 1800, 100)
            n = 1800
        with pytest.raises(DiskError, match="too many files are open"):
            session.flush() if when == "while recording" else session.finish()
        assert session.error is not None
    with suppress(DiskError):
        session.finish()
    recover_session(session.path)
    with open_session_store(session.path) as reader:
        assert STREAMS[0].assert_prefix(reader) == n
    assert verify_session(session.path).ok
