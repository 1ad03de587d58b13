"""Sessions behind a URL that ``fsspec`` understands (``sftp://``, ``s3://``, ``https://``, …): extra ``[remote]``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, cast

from ...errors import ConfigError, DiskError, SessionError
from ...extras import needed
from ..archive.archive import Archive
from ..archive.zip_index import Index
from ..format.layout import ARCHIVE_SUFFIX, JOURNAL
from .session_files import ArchiveMembers
from .view_archive import archived_view

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .session_view import SessionView


def is_url(path: str | os.PathLike[str]) -> bool:
    """True for text such as ``sftp://host/sessions/a.session.zip``."""
    return "://" in os.fspath(path)


def view_url(url: str) -> tuple[SessionView, str]:
    """What is behind a URL, an archive or a finished folder, and its state. Every chunk is one request.

    Raises
    ------
    ConfigError
        ``fsspec`` is not installed, or what it needs for this kind of URL.
    SessionError
        There is no session, or it cannot be read, or it is a folder that is not finished.
    """
    fs, place = filesystem(url)
    path = cast("Path", UrlPath(url))
    if not _asked(url, fs.exists, place):
        raise SessionError(f"{url} is not there")
    if not _asked(url, fs.isdir, place):
        archive = UrlArchive(url, fs, place)
        return archived_view(path, archive, ArchiveMembers(archive)), "packed"
    folder = cast("Archive", UrlFolder(url, fs, place))
    if any(key.startswith(f"{JOURNAL}/") for key in folder.names()):
        raise SessionError(f"{url} is not finished; recover and pack it where it is")
    view = archived_view(path, folder, ArchiveMembers(folder))
    return view, view.meta.state or "finished"


def list_url(url: str) -> list[str]:
    """URLs of the archives in a folder behind a URL, by name.

    Raises
    ------
    ConfigError, SessionError
        As `view_url`.
    """
    fs, place = filesystem(url)
    names = _asked(url, fs.ls, place, detail=False)
    return sorted(fs.unstrip_protocol(name) for name in names if name.endswith(ARCHIVE_SUFFIX))


def fetch_url(url: str, folder: str) -> str:
    """Copy what is behind a URL into a folder of this machine; the copy's path. Errors as `view_url`."""
    fs, place = filesystem(url)
    target = os.path.join(folder, place.rstrip("/").rpartition("/")[2])
    _asked(url, fs.get, place, target, recursive=_asked(url, fs.isdir, place))
    return target


class UrlArchive(Archive):
    """An archive behind a URL; see `Archive`."""

    concurrent = False  # not every library that reaches a URL minds its threads

    def __init__(self, url: str, fs: Any, place: str) -> None:
        self._url, self._fs, self._place = url, fs, place
        self._fd = -1
        self.path = cast("Path", UrlPath(url))
        self.file_size = int(_asked(url, fs.size, place))
        self._index = Index(self.pread, self.file_size, self.path.name)

    def pread(self, size: int, offset: int) -> bytes:
        """Up to `size` bytes from byte `offset`; DiskError where they cannot be had."""
        end = min(offset + size, self.file_size)
        return bytes(_asked(self._url, self._fs.cat_file, self._place, start=offset, end=end)) if end > offset else b""


class UrlFolder:
    """A session folder behind a URL, read like an archive."""

    def __init__(self, url: str, fs: Any, place: str) -> None:
        self._url, self._fs, self._place = url, fs, place.rstrip("/")
        found = _asked(url, fs.find, self._place)
        self._keys = {name.removeprefix(f"{self._place}/"): name for name in found}

    def __contains__(self, key: str) -> bool:
        return key in self._keys

    def names(self) -> Iterator[str]:
        """The files' keys."""
        return iter(self._keys)

    def read(self, key: str) -> bytes:
        """Content of a file; KeyError where there is none, DiskError where it cannot be had."""
        return bytes(_asked(self._url, self._fs.cat_file, self._keys[key]))

    def close(self) -> None:
        """Nothing is held open."""


class UrlPath:
    """A URL where a path is expected: it has a name, and opens the session again."""

    def __init__(self, url: str) -> None:
        self._url = url

    def __str__(self) -> str:
        return self._url

    def __fspath__(self) -> str:
        return self._url

    @property
    def name(self) -> str:
        """What follows the last slash."""
        return self._url.rstrip("/").rpartition("/")[2]

    def is_file(self) -> bool:
        """Never: it is on no disk of this machine."""
        return False


def filesystem(url: str) -> tuple[Any, str]:
    """What ``fsspec`` reaches a URL through, and the place there; ConfigError where a library for it is missing."""
    fsspec = needed("fsspec", "remote", "a URL")
    try:
        found: tuple[Any, str] = fsspec.core.url_to_fs(url)
    except (ImportError, ValueError) as error:
        raise ConfigError(f"{url}: {error}") from error
    return found


def _asked(url: str, call: Any, *arguments: Any, **options: Any) -> Any:
    """Ask the other side; whatever it raises (every backend has exceptions of its own) becomes a `DiskError`."""
    try:
        return call(*arguments, **options)
    except Exception as error:
        raise DiskError(f"{url} cannot be read: {error!r}") from error
