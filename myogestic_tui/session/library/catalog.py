"""A fast index of a sessions folder: the metadata of each session, cached by path, size and time of change.

The cache is `.myogestic/catalog.sqlite`. It holds nothing that the sessions themselves do not tell, but for what was
done with them (verified when, copied where), and that is void once the file has changed. It may be deleted at any time,
two processes may write it at once, and where it cannot be written the listing just takes longer.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from ...errors import MyoGesticError
from ...msgspec_types import prepared
from ..format.layout import JOURNAL, META, STATE_FOLDER, check_usable, is_storable, printable
from ..format.summary import Summary, Verified
from ..format.trash_slots import make_folder
from ..reading.archive_summary import read_archive_summary
from ..reading.session_states import folder_state, list_sessions
from .catalog_entry import Copy, Entry

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Iterator

    from ..checking.verify import Verification
    from ..format.findings import Finding

CATALOG = "catalog.sqlite"
_VERSION = 1
_BUSY_SECONDS = 2.0
_AMEND_SECONDS = 30.0
"""A listing can do without the cache; what was proved or copied is worth waiting for it."""
MOST_FINDINGS = 50
"""Of a verification so many are kept."""
_TICK_NS = 1_000_000_000
"""A file that changed so recently may change again without its time telling."""
_SELECT = "SELECT name, size, mtime_ns, entry FROM sessions"
_INSERT = """
INSERT INTO sessions VALUES (?, ?, ?, ?) ON CONFLICT (name) DO UPDATE
SET size = excluded.size, mtime_ns = excluded.mtime_ns, entry = excluded.entry
WHERE size != excluded.size OR mtime_ns != excluded.mtime_ns
"""
"""What another process knows of the same file, such as its verification, stays."""
_Row = tuple[int, int, bytes]
"""Size, time of change, and encoded entry of a session."""
_SCHEMA = """
CREATE TABLE IF NOT EXISTS sessions (
    name TEXT PRIMARY KEY, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, entry BLOB NOT NULL
) WITHOUT ROWID
"""


class Catalog:
    """The sessions of one folder.

    Parameters
    ----------
    sessions_dir
        The folder; it may be missing or empty.
    """

    def __init__(self, sessions_dir: str | os.PathLike[str]) -> None:
        self.sessions_dir = Path(sessions_dir)
        self._file = self.sessions_dir / STATE_FOLDER / CATALOG
        self._rows: tuple[tuple[int, int] | None, dict[str, _Row]] = (None, {})
        self._decoded: dict[str, tuple[_Row, Entry]] = {}
        self._folders: dict[str, tuple[object, Entry]] = {}

    def entries(self, progress: Callable[[int, int], None] | None = None) -> list[Entry]:
        """Every session, newest first; what has not changed comes from the cache, as the same object as last time.

        Parameters
        ----------
        progress
            Called now and then with how many are read, and how many there are.
        """
        paths = list_sessions(self.sessions_dir)
        cached = self._all_rows()
        found: list[Entry] = []
        fresh: list[tuple[str, int, int, bytes]] = []
        for number, path in enumerate(paths):
            mark = _mark(path)
            if mark is None:
                continue
            row = cached.get(path.name)
            entry = self._known(path, row) if row is not None and row[:2] == mark else None
            if entry is None and path.is_dir():
                entry = self._of_folder(path)
            elif entry is not None and path.is_file() and entry.summary.fields is None and not entry.problem:
                entry = self._with_fields(path, entry)
            elif entry is None:
                entry = read_entry(path)
                if is_storable(path.name):
                    fresh.append((path.name, *mark, msgspec.msgpack.encode(entry)))
            found.append(entry)
            if progress is not None and number % 50 == 0:
                progress(number, len(paths))
        gone = cached.keys() - {path.name for path in paths}
        self._store(fresh, gone)
        for name in gone:
            self._decoded.pop(name, None)
        return sorted(found, key=lambda entry: entry.path.name, reverse=True)

    def _known(self, path: Path, row: _Row) -> Entry | None:
        """The entry in a row of the cache; the one of last time where the row is the same."""
        before = self._decoded.get(path.name)
        if before is not None and before[0] == row:
            return before[1]
        entry = _decode(row[2])
        if entry is not None:
            entry = replace(entry, summary=replace(entry.summary, path=str(path)))
            self._decoded[path.name] = (row, entry)
        return entry

    def _with_fields(self, path: Path, entry: Entry) -> Entry:
        """What earlier versions listed, with the take-sheet fields that only the session itself tells."""
        whole = _fields_told(entry)
        self._amend(path, _fields_told)
        return whole

    def _of_folder(self, path: Path) -> Entry:
        """A folder is read again where somebody is at it, or it has changed since the last call."""
        state = folder_state(path)
        marks = (state, _mark(path), _mark(path / META), _mark(path / JOURNAL))
        before = self._folders.get(path.name)
        if before is not None and before[0] == marks and state not in ("recording", "packing"):
            return before[1]
        entry = read_entry(path)
        self._folders[path.name] = (marks, entry)
        return entry

    def remember_verified(self, path: Path, outcome: Verification) -> None:
        """Keep the outcome of a verification that has just ended, until the file changes.

        A full one that found nothing stands against a quick one that found nothing: it has proved more.
        """
        plain = Verified(level=outcome.level, ok=outcome.ok, findings=first_findings(outcome))
        at = datetime.now().astimezone().isoformat(timespec="seconds")

        def change(entry: Entry) -> Entry:
            if entry.state == "verified" and plain.ok and plain.level == "quick":
                return entry
            return replace(entry, summary=replace(entry.summary, verified=plain), verified_at=at, digest=outcome.sha256)

        self._amend(path, change)

    def remember_quality(self, path: Path, verdict: str) -> None:
        """Keep the verdict of a report, until the file changes."""
        self._amend(path, lambda entry: replace(entry, summary=replace(entry.summary, quality=verdict)))

    def remember_copy(self, path: Path, copy: Copy) -> None:
        """Keep where a session was copied to, until the file changes."""
        self._amend(path, lambda entry: replace(entry, copies=(*entry.copies, copy)))

    def _amend(self, path: Path, change: Callable[[Entry], Entry]) -> None:
        mark = _mark(path)
        if mark is None or not path.is_file() or not is_storable(path.name):
            return
        try:
            make_folder(self._file.parent)
            with self._connection(_AMEND_SECONDS) as connection:
                connection.execute("BEGIN IMMEDIATE")  # what another process remembers meanwhile is not lost
                row = connection.execute(f"{_SELECT} WHERE name = ?", (path.name,)).fetchone()
                entry = _decode(row[3]) if row is not None and row[1:3] == mark else None
                changed = msgspec.msgpack.encode(change(entry or read_entry(path)))
                connection.execute("INSERT OR REPLACE INTO sessions VALUES (?, ?, ?, ?)", (path.name, *mark, changed))
        except (sqlite3.Error, OSError):
            self._discard()

    # ---------------------------------------------------------------- the cache

    @contextlib.contextmanager
    def _connection(self, timeout: float = _BUSY_SECONDS) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(self._file, timeout=timeout)
        try:
            with connection:
                (version,) = connection.execute("PRAGMA user_version").fetchone()
                if version != _VERSION:
                    connection.execute("DROP TABLE IF EXISTS sessions")
                    connection.execute(f"PRAGMA user_version = {_VERSION}")
                connection.execute(_SCHEMA)
                yield connection
        finally:
            connection.close()

    def _all_rows(self) -> dict[str, _Row]:
        """Everything in the cache; read only where its file has changed."""
        mark = _mark(self._file)
        if mark is None or mark != self._rows[0]:
            rows = self._load()
            settled = rows is not None and mark is not None and time.time_ns() - mark[1] > _TICK_NS
            self._rows = (mark if settled else None, rows or {})
        return self._rows[1]

    def _load(self) -> dict[str, _Row] | None:
        """Everything in the cache; None where it cannot be read now."""
        if not self._file.exists():
            return {}
        try:
            with self._connection() as connection:
                rows = connection.execute(_SELECT).fetchall()
        except sqlite3.Error:
            self._discard()
            return None
        return {name: (size, mtime_ns, entry) for name, size, mtime_ns, entry in rows}

    def _store(self, rows: Iterable[tuple[str, int, int, bytes]], gone: Iterable[str] = ()) -> None:
        rows, gone = list(rows), list(gone)
        if not rows and not gone:
            return
        try:
            make_folder(self._file.parent)
            with self._connection() as connection:
                connection.executemany(_INSERT, rows)
                connection.executemany("DELETE FROM sessions WHERE name = ?", [(name,) for name in gone])
        except (sqlite3.Error, OSError):
            self._discard()

    def _discard(self) -> None:
        """A cache that cannot be used is rebuilt by the next call; one that is only busy stays."""
        try:
            with self._connection():
                pass
        except sqlite3.OperationalError:
            return
        except sqlite3.Error:
            with contextlib.suppress(OSError):
                self._file.unlink()


def first_findings(outcome: Verification) -> list[Finding]:
    """Damage before observations, and no more than are kept."""
    return sorted(outcome.findings, key=lambda finding: finding.kind != "damage")[:MOST_FINDINGS]


def _mark(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat() if path.exists() else path.lstat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns


def _decode(data: bytes) -> Entry | None:
    try:
        return msgspec.msgpack.decode(data, type=prepared(Entry))
    except msgspec.MsgspecError:
        return None


def read_entry(path: Path) -> Entry:
    """What a session says, or one row that says why it cannot be read, whatever that is."""
    try:
        if not path.is_dir():
            return _fields_told(Entry(summary=read_archive_summary(path)))
        return _read_folder(path)
    except (MyoGesticError, OSError) as error:
        return _unreadable(path, _why(path, error))
    except Exception as error:  # nothing that stands in a folder may keep the other sessions from being listed
        return _unreadable(path, f"cannot be read: {error!r}")


def _why(path: Path, error: Exception) -> str:
    try:
        check_usable(path)
    except MyoGesticError as odd:
        return str(odd)
    return str(error)


def _unreadable(path: Path, problem: str) -> Entry:
    mark = _mark(path)
    size = mark[0] if mark is not None else 0
    return Entry(summary=Summary(path=str(path), state="damaged", bytes=size), problem=printable(problem))


def _fields_told(entry: Entry) -> Entry:
    """The entry with the take-sheet fields; without any where the archive cannot be read now."""
    from ..reading.view_archive import view_archive

    if entry.summary.fields is not None:
        return entry
    fields: dict[str, str | int | float] = {}
    with contextlib.suppress(MyoGesticError, OSError), contextlib.closing(view_archive(entry.path)) as view:
        fields = view.meta.fields
    return replace(entry, summary=replace(entry.summary, fields=fields))


def _read_folder(path: Path) -> Entry:
    from ..reading.reader import open_session_store

    with open_session_store(path) as session:
        return Entry(summary=session.summary(), problem=" ".join(one.text for one in session.view.unusable[:1]))
