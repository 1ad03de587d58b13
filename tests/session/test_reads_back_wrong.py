"""A disk that gives back something else than it took: nothing of it gets into the arrays, and the journal stays."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from myogestic_tui.errors import DiskError
from myogestic_tui.info import StreamInfo
from myogestic_tui.session import open_session_store, recover_session, salvage_session, verify_session
from myogestic_tui.session.format.journal import segment_path
from tests.session.folders import recorded
from tests.session.known import STREAMS, Known

EMG = Known("emg", StreamInfo(2, 100.0, "int16"))
MARKS = STREAMS[2]
FRAMES, STEP = 10, 30


def flipped(frames: list[bytes]) -> list[bytes]:
    """A bit of the sixth frame's samples."""
    frame = bytearray(frames[5])
    frame[-1] ^= 1
    return [*frames[:5], bytes(frame), *frames[6:]]


def exchanged(frames: list[bytes]) -> list[bytes]:
    """The sixth frame stands where the fifth was, whole and with its own checksum."""
    return [*frames[:4], frames[5], *frames[5:]]


def again(frames: list[bytes]) -> list[bytes]:
    """The fourth frame stands where the sixth was: its samples are in the arrays already."""
    return [*frames[:5], frames[3], *frames[6:]]


def emptied(frames: list[bytes]) -> list[bytes]:
    """A block of zeros in the place of frames."""
    return [*frames[:5], bytes(len(frames[5])), *frames[6:]]


@pytest.mark.parametrize("fault", [flipped, exchanged, again, emptied])
@pytest.mark.parametrize("flushed", [False, True], ids=["at the end", "at a flush"])
def test_a_journal_that_reads_back_wrong_ends_the_session_with_what_is_true(
    tmp_path: Path, fault: Callable[[list[bytes]], list[bytes]], flushed: bool
):
    session = recorded(tmp_path, [(EMG, FRAMES * STEP, STEP)])
    path = segment_path(session.path, "emg", 1)
    data = path.read_bytes()
    size = len(data) // FRAMES
    changed = b"".join(fault([data[at : at + size] for at in range(0, len(data), size)]))
    assert len(changed) == len(data)
    path.write_bytes(changed)
    with pytest.raises(DiskError, match="the disk is failing"):
        session.flush() if flushed else session.finish()
    with pytest.raises(DiskError, match="the disk is failing"):
        session.finish()
    assert isinstance(session.error, DiskError)
    assert path.read_bytes().startswith(changed)
    assert not verify_session(session.path).ok
    with open_session_store(session.path) as reader:
        n = EMG.assert_prefix(reader)
        assert 4 * STEP <= n < FRAMES * STEP
        assert any("damaged" in finding.text for finding in reader.findings if finding.kind == "damage")
    recover_session(session.path)
    with open_session_store(session.path) as reader:
        assert EMG.assert_prefix(reader) == n
        assert any(finding.kind == "damage" for finding in reader.findings)


def test_text_that_reads_back_as_something_else_is_no_sample(tmp_path: Path):
    """A frame of numbers, whole and with its checksum, in a stream of text."""
    session = recorded(tmp_path, [(MARKS, 4, 1), (EMG, 4, 1)])
    path, other = (segment_path(session.path, name, 1) for name in ("marks", "emg"))
    path.write_bytes(other.read_bytes()[: path.stat().st_size])
    with pytest.raises(DiskError, match="the disk is failing"):
        session.finish()
    assert salvage_session(session.path).exists()


def test_a_last_frame_that_reads_back_as_an_earlier_one_is_noticed(tmp_path: Path):
    session = recorded(tmp_path, [(EMG, FRAMES * STEP, STEP)])
    path = segment_path(session.path, "emg", 1)
    data = path.read_bytes()
    size = len(data) // FRAMES
    path.write_bytes(data[:-size] + data[3 * size : 4 * size])
    with pytest.raises(DiskError, match="the disk is failing"):
        session.finish()
    assert path.exists()
    assert session.error is not None
