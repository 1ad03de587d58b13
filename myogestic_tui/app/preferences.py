"""What is remembered between runs: take sheet and ticks of a sessions folder; of the user, folders and the view."""

from __future__ import annotations

import contextlib
import logging
import os
from pathlib import Path

import msgspec
import platformdirs

from ..errors import SessionError
from ..grid_layout import GridLayout  # noqa: TC001  (msgspec resolves annotations at run time)
from ..msgspec_types import prepared
from ..session.format.create_file import new_file, write_all
from ..session.format.regular_files import read_regular
from ..session.format.trash_slots import make_folder
from .interface import TakeStatus

_log = logging.getLogger(__name__)

_FILE = "remembered.json"
_MOST_PLACES = 50
_UNREADABLE = (OSError, SessionError, ValueError, RecursionError, msgspec.MsgspecError)


class StreamMVC(msgspec.Struct, frozen=True, kw_only=True):
    """Maximum voluntary contraction of each channel of a stream (RMS, in its unit), and the session that it is from."""

    values: tuple[float, ...]
    session: str = ""


class PickedStream(msgspec.Struct, frozen=True, kw_only=True):
    """An outlet that the operator chose: what it is found by again."""

    name: str
    type: str = ""
    source_id: str = ""
    hostname: str = ""
    uid: str = ""
    """What tells it from others that are alike, as long as it runs."""


class Remembered(msgspec.Struct, kw_only=True):
    """What one sessions folder remembers."""

    take: TakeStatus = msgspec.field(default_factory=TakeStatus)
    ticks: dict[str, bool] = msgspec.field(default_factory=dict)
    """By stream name: whether it is recorded."""
    picked: dict[str, PickedStream] = msgspec.field(default_factory=dict)
    """By stream name: those connected by hand, and not forgotten since."""
    chosen: dict[str, PickedStream] = msgspec.field(default_factory=dict)
    """By stream name: which outlet it is, where several are what the configuration asks for."""
    montage: dict[str, tuple[GridLayout, ...]] = msgspec.field(default_factory=dict)
    """By stream name: where the operator said that its electrodes are."""
    mvc: dict[str, StreamMVC] = msgspec.field(default_factory=dict)
    """By source_id, or by stream name where there is none."""


class Preferences:
    """What a sessions folder remembers: loaded once, and written where it changes.

    Parameters
    ----------
    sessions_dir
        The folder; a missing or unreadable file remembers nothing.
    """

    def __init__(self, sessions_dir: Path) -> None:
        self._path = sessions_dir / ".myogestic" / _FILE
        try:
            self.kept = msgspec.json.decode(read_regular(self._path), type=prepared(Remembered))
        except _UNREADABLE:
            self.kept = Remembered()

    def save(self) -> None:
        """Replace the file; a folder that cannot be written remembers nothing, and recording says so itself."""
        with contextlib.suppress(ValueError, OverflowError):
            _replace(self._path, msgspec.json.encode(self.kept))


def places() -> list[Path]:
    """Folders that were recorded into and still exist, newest first."""
    try:
        paths = msgspec.json.decode(read_regular(_places_file()), type=list[str])
    except _UNREADABLE:
        return []
    return [Path(path) for path in paths if _is_folder(path)]


def remember_place(sessions_dir: Path) -> None:
    """Put a folder first among the places."""
    with contextlib.suppress(OSError, RuntimeError, ValueError):
        here = sessions_dir.resolve()
        if (known := places()) and known[0] == here:
            return
        newest = [str(here), *(str(path) for path in known if path != here)]
        _replace(_places_file(), msgspec.json.encode(newest[:_MOST_PLACES]))


def view_mode() -> str:
    """The way in which this user looked at signals last; empty where that is not known."""
    try:
        return msgspec.json.decode(read_regular(_view_file()), type=str)
    except _UNREADABLE:
        return ""


def remember_view_mode(mode: str) -> None:
    """Keep how this user looks at signals."""
    with contextlib.suppress(RuntimeError):
        _replace(_view_file(), msgspec.json.encode(mode))


def trouble(sessions_dir: Path) -> list[str]:
    """Why nothing can be remembered, a sentence each: of the sessions folder, or of the user. Recording continues."""
    files = (sessions_dir / ".myogestic" / _FILE, "take sheet and choice of streams"), (_places_file(), "other folders")
    return [
        f"{what} are not remembered: {folder} cannot be written"
        for path, what in files
        for folder in [_nearest(path.parent)]
        if not os.access(folder, os.W_OK) or os.statvfs(folder).f_flag & os.ST_RDONLY
    ]


def _nearest(folder: Path) -> Path:
    return next((one for one in (folder, *folder.parents) if one.is_dir()), folder)


def _is_folder(path: str) -> bool:
    try:
        return os.path.isdir(path)
    except (OSError, ValueError):
        return False


def _places_file() -> Path:
    return Path(platformdirs.user_state_dir("myogestic_tui")) / "places.json"


def _view_file() -> Path:
    return Path(platformdirs.user_state_dir("myogestic_tui")) / "view.json"


def _replace(path: Path, content: bytes) -> None:
    """Replace a file; where the disk refuses, all is as it was, and nobody is kept from what matters more."""
    partial = path.with_suffix(f".{os.getpid()}.partial")
    try:
        make_folder(path.parent)
        write_all(new_file(partial), partial, content)
        partial.replace(path)
    except OSError as error:
        _log.warning("%s cannot be written: %s", path, error.strerror or error)
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
