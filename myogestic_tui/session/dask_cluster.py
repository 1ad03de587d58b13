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
from .format.summary import Summary, Verified
from .reading.remote_sessions import fetch_url, is_url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from .export import Exported

    _Call = tuple[str, tuple[Any, ...]]

Result = TypeVar("Result")

CONNECT_S = 10.0
"""How long a scheduler may take to answer."""


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
    return _results(cluster_client(address), function, [(path, arguments) for path in paths])


def _results(
    cluster: Any, function: Callable[..., Result], calls: Sequence[_Call]
) -> Iterator[tuple[str, Result | MyoGesticError]]:
    with cluster as client:
        futures = [client.submit(guarded, function, path, *arguments, pure=False) for path, arguments in calls]
        for (path, _), future in zip(calls, futures, strict=True):
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
    return _each_call(address, function, [(path, arguments) for path in paths])


def _each_call(
    address: str | None, function: Callable[..., Result], calls: Sequence[_Call]
) -> Iterator[tuple[str, Result | MyoGesticError]]:
    if address is not None:
        return _results(cluster_client(address), function, calls)
    return ((path, guarded(function, path, *arguments)) for path, arguments in calls)


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


def export_each(
    address: str | None,
    paths: Sequence[str],
    to: str,
    destination: str,
    streams: Sequence[str] | None = None,
    *,
    overwrite: bool = False,
    **options: Any,
) -> Iterator[tuple[str, Exported | MyoGesticError]]:
    """`export.export_session` for many sessions, on a cluster or here; results in the order of the paths.

    Where files would go is looked at before anything is written: no session takes the place of another one, and what
    is there already is not replaced unless ``overwrite`` says so. In a BIDS dataset sessions that would meet, for want
    of a subject, task or take of their own, become runs in their order; two subjects never become one.

    Parameters
    ----------
    address
        The scheduler's, or None.
    paths
        Sessions, by absolute path or URL.
    to, destination, streams, overwrite, options
        As for `export_session`; the destination must be one that every worker reaches.
    """
    plans = _planned(paths, to, destination, streams, overwrite, options)
    calls = [(path, (to, destination, streams, plan)) for path, plan in plans if not isinstance(plan, MyoGesticError)]
    done = _each_call(address, _export_one, calls)
    for path, plan in plans:
        yield path, plan if isinstance(plan, MyoGesticError) else next(done)[1]


def _planned(
    paths: Sequence[str],
    to: str,
    destination: str,
    streams: Sequence[str] | None,
    overwrite: bool,
    options: dict[str, Any],
) -> list[tuple[str, dict[str, Any] | MyoGesticError]]:
    """For each session the options to export it with, or why it is not going to be."""
    taken: dict[Path, str] = {}
    subjects: dict[Path, str] = {}
    return [
        (path, guarded(_plan_one, path, to, destination, streams, overwrite, options, taken, subjects))
        for path in dict.fromkeys(paths)
    ]


def _plan_one(
    path: str,
    to: str,
    destination: str,
    streams: Sequence[str] | None,
    overwrite: bool,
    options: dict[str, Any],
    taken: dict[Path, str],
    subjects: dict[Path, str],
) -> dict[str, Any]:
    from .export import planned_files
    from .export.common import check_free
    from .reading.reader import open_session_store

    with open_session_store(path) as session:
        files = planned_files(session, to, destination, streams, **options)
        if to == "bids" and not options.get("subject"):
            _check_subject(files[0].parents[1], session.meta.subject, subjects)
        run = 0
        while to == "bids" and any(file in taken for file in files):
            run += 1
            options = {**options, "run": run}
            files = planned_files(session, to, destination, streams, **options)
    other = next((taken[file] for file in files if file in taken), "")
    if other:
        raise ConfigError(f"it would go to where {os.path.basename(other)} goes; name a folder instead of a file")
    check_free(files, overwrite)
    taken.update(dict.fromkeys(files, path))
    return options


def _check_subject(folder: Path, subject: str, subjects: dict[Path, str]) -> None:
    """Two subjects whose names differ by what BIDS does not hold are not made one."""
    other = subjects.setdefault(folder, subject)
    if other != subject:
        raise ConfigError(
            f"its subject {subject!r} would be {folder.name} as {other!r} is: BIDS has letters and digits only; "
            "give each a label of its own by --subject"
        )


def _export_one(
    path: str, to: str, destination: str, streams: Sequence[str] | None, options: dict[str, Any]
) -> Exported:
    """Replaces what is there: a task that is done again, as its worker was lost, meets what it had written before."""
    from .export import export_session
    from .reading.reader import open_session_store

    with open_session_store(path) as session:
        return export_session(session, to, destination, streams, overwrite=True, **options)


def guarded(function: Callable[..., Result], path: str, *arguments: Any) -> Result | MyoGesticError:
    """The function's result, or what this package raised instead of it."""
    try:
        return function(path, *arguments)
    except MyoGesticError as error:
        return error
