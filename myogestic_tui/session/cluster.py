"""Work on many sessions by a dask cluster that is there already (extra ``[dask]``)."""

from __future__ import annotations

import os
import re
import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from msgspec.structs import replace

from ..errors import ConfigError, MyoGesticError, SessionError
from ..extras import needed
from .format.layout import ARCHIVE_SUFFIX
from .format.summary import Summary, Verified
from .reading.remote import fetch_url, is_url, list_url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from .export import Exported
    from .format.progress import Progress

Result = TypeVar("Result")

CONNECT_S = 10.0
"""How long a scheduler may take to answer."""


def find_sessions(paths: Iterable[str | os.PathLike[str]]) -> list[str]:
    """Sessions by absolute path or URL: each path itself, or, where it is a folder of sessions, those in it.

    Raises
    ------
    SessionError
        A folder or URL holds none.
    """
    found: list[str] = []
    for path in paths:
        these = _sessions_at(os.fspath(path))
        if not these:
            raise SessionError(f"{path} holds no session")
        found += these
    return found


def on_cluster(
    address: str, function: Callable[..., Result], paths: Sequence[str], *arguments: Any
) -> Iterator[tuple[str, Result | MyoGesticError]]:
    """Call ``function(path, *arguments)`` for each path on a dask cluster; results in the order of the paths.

    What this package raises for one session is yielded in place of its result. A session whose worker is lost is done
    again by another.

    Parameters
    ----------
    address
        The scheduler's, such as ``tcp://10.0.0.5:8786``.
    function
        One that workers can import; it must not mind being called twice for a session.

    Raises
    ------
    ConfigError
        ``distributed`` is not installed, or no scheduler answers: raised by the call.
    """
    return _results(cluster_client(address), function, paths, arguments)


def _results(
    cluster: Any, function: Callable[..., Result], paths: Sequence[str], arguments: tuple[Any, ...]
) -> Iterator[tuple[str, Result | MyoGesticError]]:
    with cluster as client:
        futures = [client.submit(guarded, function, path, *arguments, pure=False) for path in paths]
        for path, future in zip(paths, futures, strict=True):
            yield path, future.result()


def cluster_client(address: str) -> Any:
    """A `distributed.Client` of the scheduler at ``address``, to be used as a context manager.

    Raises
    ------
    ConfigError
        ``distributed`` is not installed, or no scheduler answers.
    """
    distributed = needed("distributed", "dask", "a dask cluster")
    if not re.search(r":\d+$|^inproc:", address):
        raise ConfigError(f"{address!r} is no address of a dask scheduler; give one such as tcp://10.0.0.5:8786")
    try:
        return distributed.Client(address, set_as_default=False, timeout=CONNECT_S)
    except (OSError, TimeoutError, ValueError) as error:
        raise ConfigError(f"no dask scheduler answers at {address}: {error}") from error


def on_each(
    address: str | None, function: Callable[..., Result], paths: Sequence[str], *arguments: Any
) -> Iterator[tuple[str, Result | MyoGesticError]]:
    """As `on_cluster`; without an address one after the other in this process."""
    if address is not None:
        return on_cluster(address, function, paths, *arguments)
    return ((path, guarded(function, path, *arguments)) for path in paths)


def verify_one(path: str, level: str = "full") -> Summary:
    """The summary of a session with the outcome of its verification, for `on_each`; a URL is fetched first."""
    from .checking.verify import verify_session
    from .reading.reader import open_session_store

    with _at_hand(path) as here:
        outcome = verify_session(here, "quick" if level == "quick" else "full")
        verified = Verified(level=outcome.level, ok=outcome.ok, findings=list(outcome.findings))
        try:
            with open_session_store(here) as session:
                return replace(session.summary(), path=path, verified=verified)
        except SessionError:
            return Summary(path=path, state="damaged", verified=verified)


@contextmanager
def _at_hand(path: str) -> Iterator[str]:
    """The path itself; of a URL, that of a copy that goes away afterwards."""
    if not is_url(path):
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="myogestic_tui-") as folder:
        yield fetch_url(path, folder)


def export_one(
    path: str,
    to: str,
    destination: str,
    streams: Sequence[str] | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Exported:
    """`export.export_session`, for `on_each`; ``destination`` must be one that every worker reaches."""
    from .export import export_session
    from .reading.reader import open_session_store

    with open_session_store(path) as session:
        return export_session(session, to, destination, streams, overwrite=overwrite, progress=progress)


def guarded(function: Callable[..., Result], path: str, *arguments: Any) -> Result | MyoGesticError:
    """The function's result, or what this package raised instead of it."""
    try:
        return function(path, *arguments)
    except MyoGesticError as error:
        return error


def _sessions_at(path: str) -> list[str]:
    if is_url(path):
        return [path] if path.endswith(ARCHIVE_SUFFIX) else list_url(path)
    from .reading.states import sessions_at

    return [everywhere(session) for session in sessions_at(path)]


def everywhere(path: str | os.PathLike[str]) -> str:
    """A path that does not depend on the working directory, which workers have of their own."""
    text = os.fspath(path)
    return text if is_url(text) else os.path.abspath(text)
