"""Sessions by path, folder, pattern or URL."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from glob import glob, has_magic
from os import PathLike, fspath
from os.path import abspath, exists, isdir
from typing import TYPE_CHECKING

from ...errors import ConfigError, SessionError
from ..format.layout import ARCHIVE_SUFFIX
from .remote_sessions import is_url, list_url
from .session_states import sessions_at

if TYPE_CHECKING:
    Paths = Iterable[str | PathLike[str]] | str | PathLike[str]

_log = logging.getLogger(__name__)


def find_sessions(paths: Paths) -> list[str]:
    """Sessions by absolute path or URL, each once.

    Parameters
    ----------
    paths
        Sessions, folders of sessions, patterns such as ``"sessions/P0*"``, URLs of either; one alone will do.

    Raises
    ------
    ConfigError
        None is given, or something that is no path.
    SessionError
        A folder, pattern or URL holds none.
    """
    given = [paths] if isinstance(paths, str | PathLike) else list(paths) if isinstance(paths, Iterable) else None
    if given is None or not all(isinstance(path, str | PathLike) for path in given):
        raise ConfigError(f"paths is {paths!r}; give paths of sessions, or of folders that hold some")
    if not given:
        raise ConfigError("no session given; give paths of sessions, or of folders that hold some")
    found: list[str] = []
    for path in given:
        these = [everywhere(session) for session in _sessions_at(fspath(path))]
        if not these:
            raise SessionError(f"{path} holds no session")
        found += these
    once = list(dict.fromkeys(found))
    if len(once) < len(found):
        _log.warning("%d sessions are given twice; each is used once", len(found) - len(once))
    return once


def everywhere(path: str | PathLike[str]) -> str:
    """A path that does not depend on the working directory, which workers have of their own."""
    text = fspath(path)
    return text if is_url(text) else abspath(text)


def _sessions_at(path: str) -> Iterable[str | PathLike[str]]:
    if is_url(path):
        return [path] if path.endswith(ARCHIVE_SUFFIX) else list_url(path) or [path]
    if exists(path) or not has_magic(path):
        return sessions_at(path)
    # A pattern may match anything: what is no session is passed over.
    matching = [one for one in sorted(glob(path, recursive=True)) if one.endswith(ARCHIVE_SUFFIX) or isdir(one)]
    return [session for one in matching for session in sessions_at(one)]
