"""The take sheet, and which take numbers a subject and a task have already in the sessions folder."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from ..errors import MyoGesticError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .interface import TakeStatus
    from .preferences import Preferences

_log = logging.getLogger(__name__)
_SCAN_SECONDS = 2.0
"""How long a start waits for the first scan of a large folder."""

Whose = tuple[str, str]
"""Subject and task."""


class Takes:
    """Keeps the take sheet for a sessions folder; the number on it is one that no session there has yet.

    Parameters
    ----------
    sessions_dir
        The folder; sessions in its trash count, since they can be restored.
    preferences
        Keep the sheet.
    """

    def __init__(self, sessions_dir: Path, preferences: Preferences) -> None:
        self._sessions_dir = sessions_dir
        self._preferences = preferences
        self._used: dict[Whose, set[int]] = {}
        self._own: dict[Whose, set[int]] = {}
        self._meant: int | None = None
        self._recording = False
        self._marks: object = None
        self._scanned = threading.Event()
        self._scanning: threading.Thread | None = None

    @property
    def sheet(self) -> TakeStatus:
        """What the next recording is of; setting it remembers it for the folder."""
        return self._preferences.kept.take

    @sheet.setter
    def sheet(self, take: TakeStatus) -> None:
        self._preferences.kept.take = take
        self._preferences.save()

    def fill_in(self, given: dict[str, Any]) -> None:
        """Change fields of the sheet; another subject or task begins at its own next number unless one is given."""
        before, sheet = _whose(self.sheet), replace(self.sheet, **given)
        self._meant = given.get("take", self._meant if _whose(sheet) == before else None)
        if "take" not in given and _whose(sheet) != before:
            sheet = replace(sheet, take=self.next_free(sheet))
        self.sheet = sheet

    def next_free(self, sheet: TakeStatus) -> int:
        """One more than the highest number that the sheet's subject and task have."""
        return max(self._numbers(_whose(sheet)), default=0) + 1

    def exists(self, sheet: TakeStatus | None = None) -> bool:
        """Whether a session of that subject and task has the sheet's number already."""
        sheet = sheet or self.sheet
        return sheet.take in self._numbers(_whose(sheet))

    def _numbers(self, whose: Whose) -> set[int]:
        return self._used.get(whose, set()) | self._own.get(whose, set())

    # ---------------------------------------------------------------- a recording

    def fields(self, name: str | None) -> dict[str, Any]:
        """Fields of the session that begins now; its number counts as used from then on."""
        take = self.sheet
        self._recording = True
        self._own.setdefault(_whose(take), set()).add(take.take)
        fields: dict[str, Any] = {key: value for key, value in take.fields.items() if value}
        fields["take"] = take.take
        if take.subject or take.task:
            fields |= {"subject": take.subject, "task": take.task}
        wanted = name or take.name or "_".join(part for part in (take.subject, take.task) if part)
        if wanted and not name and (take.subject or take.task):
            wanted = f"{wanted}_{take.take:02d}"
        return {**fields, "name": wanted} if wanted else fields

    def count(self) -> None:
        """The next recording has the next number, and no name of its own; all else on the sheet sticks."""
        self._meant, self._recording = None, False
        self.sheet = replace(self.sheet, take=self.next_free(self.sheet), name="")

    def not_used(self, number: int) -> None:
        """No session came of the recording that had taken a number."""
        self._recording = False
        self._own.get(_whose(self.sheet), set()).discard(number)

    def settle(self) -> None:
        """Before a recording: wait for a first scan of the folder, and step over a number that is used."""
        self.scan()
        self._scanned.wait(_SCAN_SECONDS)
        self._step_over()

    def _step_over(self) -> None:
        if self.exists() and self._meant != self.sheet.take:
            self.sheet = replace(self.sheet, take=self.next_free(self.sheet))

    # ---------------------------------------------------------------- what is in the folder

    def scan(self) -> None:
        """Read the folder, in the background, where it has changed since the last time. Not while recording."""
        marks = [_mark(self._sessions_dir), _mark(self._trash)]
        if marks == self._marks or (self._scanning is not None and self._scanning.is_alive()):
            return
        self._marks = marks
        self._scanning = threading.Thread(target=self._scan, name="take-numbers", daemon=True)
        self._scanning.start()

    @property
    def _trash(self) -> Path:
        from ..session.format.layout import STATE_FOLDER, TRASH

        return self._sessions_dir / STATE_FOLDER / TRASH

    def _scan(self) -> None:
        used: dict[Whose, set[int]] = {}
        try:
            for whose, number in self._found():
                used.setdefault(whose, set()).add(number)
            self._used = used
            if not self._recording:
                self._step_over()
        except (MyoGesticError, OSError, ValueError) as error:
            _log.warning("take numbers of %s: %s", self._sessions_dir, error)
        finally:
            self._scanned.set()

    def _found(self) -> Iterator[tuple[Whose, int]]:
        from ..session.library.catalog import Catalog, read_entry
        from ..session.recovery.trash import list_trash

        entries = Catalog(self._sessions_dir).entries()
        entries += [read_entry(trashed.path) for trashed in list_trash(self._sessions_dir)]
        for entry in entries:
            one = entry.summary
            if one.take is not None:
                yield (one.subject, one.task), one.take

    def close(self) -> None:
        """Wait for the scan that is under way."""
        if self._scanning is not None:
            self._scanning.join(_SCAN_SECONDS)


def _whose(sheet: TakeStatus) -> Whose:
    return sheet.subject, sheet.task


def _mark(folder: Path) -> int:
    try:
        return folder.stat().st_mtime_ns
    except OSError:
        return 0
