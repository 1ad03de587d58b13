"""The journal of events: written one by one while a session is recorded, and replayed into the state they made."""

from __future__ import annotations

import errno
import os
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

from ...errors import ConfigError, DiskError, SessionClosedError, SessionDamagedError
from ...msgspec_types import prepared
from .events import AnyEvent, ClockEstimated, GapExplained, SessionRecord
from .findings import Finding, damage, observation
from .journal import EVENT, EVENTS, Frame, FrameReader, frame_header
from .layout import JOURNAL
from .regular_files import open_regular

if TYPE_CHECKING:
    from pathlib import Path

MOST_TOLD = 24 * 2**20
"""Bytes of labels, notes and headers that a session takes, some 250,000 labels: as much as can be read again."""

_decoder: msgspec.json.Decoder[AnyEvent] = msgspec.json.Decoder(prepared(AnyEvent))


class EventLog:
    """The writing side of the events' journal; thread-safe.

    Parameters
    ----------
    folder
        The session's folder, whose ``journal`` folder exists.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / JOURNAL / EVENTS
        self._lock = threading.Lock()
        self._sync_lock = threading.Lock()
        self._closed: Exception | None = None
        self._fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o666)
        self._size = 0
        self._synced = 0
        self._count = 0
        self._told = 0

    def append(self, event: AnyEvent) -> None:
        """Write an event; a kill of this process does not lose it any more.

        Raises
        ------
        SessionClosedError
            The session is finished.
        DiskError
            The disk refused; what was written of the event is cut back.
        ConfigError
            The session has so many already that its metadata could not be read again, or it holds what no file can.
        """
        try:
            payload = msgspec.json.encode(event)
            _decoder.decode(payload)
        except (msgspec.MsgspecError, TypeError, ValueError, OverflowError, RecursionError) as error:
            raise ConfigError(f"a session cannot store this: {error}") from error
        told = 0 if isinstance(event, ClockEstimated | GapExplained) else len(payload)
        with self._lock:
            if self._closed is not None:
                raise type(self._closed)(*self._closed.args)
            if self._told + told > MOST_TOLD:
                raise ConfigError(
                    f"a session takes {MOST_TOLD >> 20} MB of labels, notes and headers; stop, and start another one"
                )
            frame = frame_header(EVENT, self._count, 1, payload) + payload
            try:
                if os.write(self._fd, frame) != len(frame):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            except OSError as error:
                raise self._cut_back(error) from error
            self._size += len(frame)
            self._count += 1
            self._told += told

    def _cut_back(self, error: OSError) -> DiskError:
        self._closed = DiskError(f"the disk refused to take an event of the session: {error.strerror}")
        # Where even this fails, the log is closed all the same, and recovery drops half a frame at its end.
        with suppress(OSError):
            os.ftruncate(self._fd, self._size)
        return self._closed

    @property
    def is_unsynced(self) -> bool:
        """Whether a power cut would take something of it."""
        return self._synced < self._size

    def sync(self) -> None:
        """Bring what waits to the disk, without keeping others from writing meanwhile.

        Raises
        ------
        DiskError
            The disk failed; the log takes nothing more.
        """
        with self._sync_lock:
            size = self._size
            if self._fd < 0 or self._synced >= size:
                return
            try:
                os.fdatasync(self._fd)
            except OSError as error:
                self._closed = DiskError(f"the disk failed to store an event of the session: {error.strerror}")
                raise self._closed from error
            self._synced = size

    def close(self, reason: Exception) -> None:
        """Refuse further events with ``reason``."""
        with self._lock:
            if self._closed is None:
                self._closed = reason

    def release(self) -> None:
        """Close the file; it stays on the disk."""
        self.close(SessionClosedError("the session is finished"))
        with self._sync_lock:
            if self._fd >= 0:
                os.close(self._fd)
            self._fd = -1


def replay(folder: Path, record: SessionRecord) -> tuple[bool, list[Finding]]:
    """Let all events of a folder's journal happen again in ``record``.

    Returns
    -------
    found
        False where there is no such journal.
    findings
        What of it is torn or damaged. Events behind damage count: each stands for itself.
    """
    try:
        fd = open_regular(folder / JOURNAL / EVENTS)
    except (FileNotFoundError, NotADirectoryError, SessionDamagedError):
        return False, []
    try:
        return True, _replay_frames(FrameReader(fd), record)
    finally:
        os.close(fd)


def _replay_frames(frames: FrameReader, record: SessionRecord) -> list[Finding]:
    findings = [_apply_frame(frame, record) for frame in frames]
    ending = frames.ending()
    if ending == "torn":
        findings.append(
            observation(f"{EVENTS}: the last event was being written when the recorder ended", member=EVENTS)
        )
    elif ending == "hole":
        text = f"{EVENTS}: events at byte {frames.end} were not on the disk yet when the power went; those behind count"
        findings.append(observation(text, member=EVENTS))
        findings += [_apply_frame(frame, record) for frame in frames.rest()]
    elif ending == "damaged":
        findings.append(damage(f"{EVENTS} is damaged at byte {frames.end}: a label or note may be lost", member=EVENTS))
        findings += [_apply_frame(frame, record) for frame in frames.rest()]
    return [finding for finding in findings if finding is not None]


def _apply_frame(frame: Frame, record: SessionRecord) -> Finding | None:
    try:
        record.apply(_decoder.decode(frame.payload))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ConfigError) as error:
        return damage(f"{EVENTS}: event {frame.first} is of a kind not known here: {error}", member=EVENTS)
    return None
