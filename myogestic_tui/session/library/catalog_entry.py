"""One session of a list: its metadata, and what was done with it since."""

from __future__ import annotations

from pathlib import Path, PurePath

from msgspec import Struct

from ..format.layout import ARCHIVE_SUFFIX
from ..format.summary import Summary  # noqa: TC001 (msgspec needs the type)


class Copy(Struct, frozen=True):
    """A copy that was read back and compared."""

    where: str
    at: str
    """ISO 8601 with UTC offset."""
    digest: str
    """SHA-256 of the archive."""

    @property
    def place(self) -> str:
        """The destination in a word: the folder's name, or a URL's host."""
        scheme, url, rest = self.where.partition("://")
        if url:
            return rest.split("/")[0].rpartition("@")[2] or scheme
        return PurePath(self.where).parent.name or self.where


class Entry(Struct, frozen=True, kw_only=True):
    """One session of the list."""

    summary: Summary
    problem: str = ""
    """Why it cannot be read; empty where it can."""
    verified_at: str = ""
    """When `summary.verified` was found, ISO 8601; empty where it was not verified as it is now."""
    digest: str = ""
    """SHA-256 of the archive that was verified."""
    copies: tuple[Copy, ...] = ()

    @property
    def path(self) -> Path:
        """Where it is."""
        return Path(self.summary.path)

    @property
    def state(self) -> str:
        """The summary's state, or what a verification found since: ``verified`` (every byte of it) or ``damaged``."""
        summary = self.summary
        if summary.state != "packed" or not summary.verified:
            return summary.state
        if not summary.verified.ok:
            return "damaged"
        return "verified" if summary.verified.level == "full" else summary.state

    @property
    def title(self) -> str:
        """Its name, else what was recorded of whom, else its file's name."""
        one = self.summary
        take = "" if one.take is None else f"{one.take:02d}"
        if one.subject or one.task:
            return one.name or " ".join(filter(None, (one.subject, one.task, take)))
        return one.name or (f"take {take} of {self._stem}" if take else self._stem)

    @property
    def started(self) -> str:
        """What the order by start goes by: when it was made, or its file's name where it does not say."""
        return self.summary.created or self._stem.replace("_", "T", 1)

    @property
    def _stem(self) -> str:
        return PurePath(self.summary.path).name.removesuffix(ARCHIVE_SUFFIX)

    @property
    def quality(self) -> str:
        """The verdict of a report on the session as it is now; empty where there is none."""
        return self.summary.quality or ""

    @property
    def copied_to(self) -> str:
        """The last copy's folder or host in a word (``usb``); empty where there is no copy."""
        return self.copies[-1].place if self.copies else ""

    def holds(self, words: str) -> bool:
        """Whether every word stands in its path, date, state, take sheet, streams, classes or verdict; see `search`."""
        from .search import Search

        return Search(words).holds(self)

    @property
    def words(self) -> str:
        """What `holds` looks in."""
        one = self.summary
        fields = (
            one.path,
            one.name,
            one.subject,
            one.task,
            self.state,
            one.created,
            self.copied_to,
            one.link,
            self.quality,
        )
        sheet = [str(part) for item in (one.fields or {}).items() for part in item]
        return " ".join((*fields, *sheet, *one.streams, *one.labels)).casefold()
