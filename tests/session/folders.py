"""Session folders as a recorder leaves them when it is cut off, without killing anybody."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from myogestic_tui.session import Session
from tests.session.known import Known
from tests.windows.making import LONG_AGO


def cut_off(folder: Path, target: Path) -> Path:
    """What a power cut would leave of ``folder`` now: a copy, whose lock nobody holds."""
    return Path(shutil.copytree(folder, target))


def feed(session: Session, stream: Known, start: int, stop: int, step: int) -> None:
    """Append samples ``start`` to ``stop`` of ``stream`` in chunks of ``step``."""
    for at in range(start, stop, step):
        end = min(at + step, stop)
        session.append(stream.name, stream.data(at, end), stream.stamps(at, end), arrived=LONG_AGO)


def recorded(base: Path, streams: Iterable[tuple[Known, int, int]], **options: object) -> Session:
    """A session with ``(stream, samples, chunk)`` appended, not finished."""
    session = Session(base, reserve_bytes=0, **options)  # type: ignore[arg-type]
    for stream, n, step in streams:
        session.init_stream(stream.name, stream.info, began=LONG_AGO)
        feed(session, stream, 0, n, step)
    return session
