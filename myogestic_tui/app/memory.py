"""What is remembered between runs: the take sheet and ticks of a sessions folder, and the folders recorded into."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import platformdirs

from .recorder import TakeStatus

_FILE = "remembered.json"
_MOST_PLACES = 50


class StreamMVC(msgspec.Struct, frozen=True, kw_only=True):
    """Maximum voluntary contraction of each channel of a stream (RMS, in its unit), and the session that it is from."""

    values: tuple[float, ...]
    session: str = ""


class PickedStream(msgspec.Struct, frozen=True, kw_only=True):
    """A stream of the network that was connected by hand: what it is found by again."""

    name: str
    type: str = ""
    source_id: str = ""
    hostname: str = ""


class Remembered(msgspec.Struct, kw_only=True):
    """What one sessions folder remembers."""

    take: TakeStatus = msgspec.field(default_factory=TakeStatus)
    ticks: dict[str, bool] = msgspec.field(default_factory=dict)
    """By stream name: whether it is recorded."""
    picked: dict[str, PickedStream] = msgspec.field(default_factory=dict)
    """By stream name: those connected by hand, and not forgotten since."""
    mvc: dict[str, StreamMVC] = msgspec.field(default_factory=dict)
    """By source_id, or by stream name where there is none."""


def load(sessions_dir: Path) -> Remembered:
    """What the folder remembers; a missing or unreadable file remembers nothing."""
    try:
        return msgspec.json.decode((sessions_dir / ".myogestic" / _FILE).read_bytes(), type=Remembered)
    except (OSError, msgspec.DecodeError):
        return Remembered()


def save(sessions_dir: Path, remembered: Remembered) -> None:
    """Replace the folder's file; a folder that cannot be written remembers nothing, and recording says so itself."""
    _replace(sessions_dir / ".myogestic" / _FILE, msgspec.json.encode(remembered))


def places() -> list[Path]:
    """Folders that were recorded into and still exist, newest first."""
    try:
        paths = msgspec.json.decode(_places_file().read_bytes(), type=list[str])
    except (OSError, msgspec.DecodeError):
        return []
    return [Path(path) for path in paths if Path(path).is_dir()]


def remember_place(sessions_dir: Path) -> None:
    """Put a folder first among the places."""
    here = sessions_dir.resolve()
    if (known := places()) and known[0] == here:
        return
    newest = [str(here), *(str(path) for path in known if path != here)]
    _replace(_places_file(), msgspec.json.encode(newest[:_MOST_PLACES]))


def _places_file() -> Path:
    return Path(platformdirs.user_state_dir("myogestic_tui")) / "places.json"


def _replace(path: Path, content: bytes) -> None:
    partial = path.with_suffix(f".{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(content)
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)
