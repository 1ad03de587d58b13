"""What a job can do to a session, by name. Each kind is a function that a child process imports when it runs it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec.structs import replace

from ...errors import ConfigError
from ...msgspec_types import prepared

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..checking.verify import Level, Verification
    from .job_process import Control


class Kind(NamedTuple):
    """One kind of job.

    Attributes
    ----------
    target
        ``module:function``, relative to ``myogestic_tui``; the module is imported by the child alone. It is called with
        the path, the options (text by name) and the `Control`, whose ``progress`` it passes on, and returns what JSON
        can hold.
    outlives_parent
        Whether it continues when the recorder that started it dies: it makes something.
    beside
        Whether it runs beside other jobs: it takes its own time, and hardly any of the disk's.
    """

    target: str
    outlives_parent: bool = True
    beside: bool = False


KINDS: dict[str, Kind] = {
    "pack": Kind("session.library.job_kinds:pack"),
    "verify": Kind("session.library.job_kinds:verify", outlives_parent=False),
    "quick-verify": Kind("session.library.job_kinds:quick_verify", outlives_parent=False),
    "recover": Kind("session.library.job_kinds:recover"),
    "salvage": Kind("session.library.job_kinds:salvage"),
    "link": Kind("session.library.job_kinds:link"),
    "labels": Kind("session.library.job_kinds:labels"),
    "edit": Kind("session.library.job_kinds:edit"),
    "copy": Kind("session.library.job_kinds:copy"),
    "export": Kind("session.library.job_kinds:export"),
    "report": Kind("analysis.report_job:report", outlives_parent=False),
    "replay": Kind("sources.replay_job:replay", outlives_parent=False, beside=True),
    "empty-trash": Kind("session.library.job_kinds:empty_trash"),
}


def pack(path: Path, options: Mapping[str, str], control: Control) -> dict[str, str]:
    """See `pack.pack_session`; option ``keep_free``: bytes of disk space that are not to be used."""
    from ..packing.pack import pack_session

    keep_free = int(options.get("keep_free", "0"))
    archive = pack_session(path, control.progress, keep_free=keep_free)
    return {"path": str(archive), "damage": "; ".join(_damage_packed(archive)[:1])}


def _damage_packed(archive: Path) -> list[str]:
    """What a quick look finds damaged in an archive, a sentence each: packing keeps what there is, as it is."""
    from ..checking.verify import verify_session

    outcome = verify_session(archive, "quick")
    if not outcome.ok:
        _remembered(archive, outcome)
    return [finding.text for finding in outcome.findings if finding.kind == "damage"]


def verify(path: Path, options: Mapping[str, str], control: Control) -> Any:
    """See `verify.verify_session`; with ``findings=all`` the caller keeps the outcome, and gets every finding."""
    return _verified(path, "full", options, control)


def quick_verify(path: Path, options: Mapping[str, str], control: Control) -> Any:
    """As `verify`, quick."""
    return _verified(path, "quick", options, control)


def _verified(path: Path, level: Level, options: Mapping[str, str], control: Control) -> Verification:
    from ..checking.verify import verify_session

    outcome = verify_session(path, level, control.progress)
    return outcome if options.get("findings") == "all" else _remembered(path, outcome)


def _remembered(path: Path, outcome: Verification) -> Verification:
    """The outcome, kept in the catalog with the digest of the archive that it is about; its first findings only."""
    from .catalog import Catalog, first_findings

    Catalog(path.parent).remember_verified(path, outcome)
    return replace(outcome, findings=first_findings(outcome))


def recover(path: Path, options: Mapping[str, str], control: Control) -> dict[str, str]:  # noqa: ARG001
    """See `recover.recover_session`."""
    from ..reading.reader import damage_in
    from ..recovery.recover import recover_session

    folder = recover_session(path)
    return {"path": str(folder), "damage": "; ".join(damage_in(folder)[:1])}


def salvage(path: Path, options: Mapping[str, str], control: Control) -> dict[str, str]:  # noqa: ARG001
    """See `salvage.salvage_session`."""
    from ..salvaging.salvage import salvage_session

    return {"path": str(salvage_session(path, control.progress))}


def edit(path: Path, options: Mapping[str, str], control: Control) -> dict[str, str]:
    """See `edit.edit_session`; the options are the changes."""
    from .edit import edit_session

    return {"path": str(edit_session(path, options, control.progress))}


def labels(path: Path, options: Mapping[str, str], control: Control) -> dict[str, str]:
    """See `edit_labels.edit_labels`; options ``changes``: as JSON, ``who``."""
    import msgspec

    from .edit_labels import edit_labels
    from .label_changes import Change

    changes = msgspec.json.decode(options.get("changes", "[]"), type=prepared(list[Change]))
    done = edit_labels(path, changes, who=options.get("who", ""), progress=control.progress)
    return {"path": str(done.path), "what": "; ".join(done.what) or "nothing"}


def link(path: Path, options: Mapping[str, str], control: Control) -> Any:
    """See `link_sessions.link_sessions`; options ``later``: its path, ``estimate`` and ``beginnings``: as JSON."""
    import msgspec

    from .link_sessions import Beginning, Estimate, link_sessions

    estimate = msgspec.json.decode(options["estimate"], type=prepared(Estimate))
    given = options.get("beginnings")
    beginnings = None if given is None else msgspec.json.decode(given, type=prepared(dict[str, Beginning]))
    found = link_sessions(path, Path(options["later"]), estimate, beginnings, control.progress)
    return {"path": str(path), "text": found.text, "seconds": found.seconds, "both": beginnings is None}


def copy(path: Path, options: Mapping[str, str], control: Control) -> dict[str, str]:
    """See `copy.copy_session`; option ``to``: the destination."""
    from .copy import copy_session

    return {"path": copy_session(path, _to(options, "copy"), control.progress)}


def export(path: Path, options: Mapping[str, str], control: Control) -> dict[str, str]:
    """See `export.export_session`; options ``to``: the folder, ``format``: a name of `export.FORMATS` (``xdf``)."""
    from ..export import export_session
    from ..reading.reader import open_session_store

    folder = Path(_to(options, "export"))
    folder.mkdir(parents=True, exist_ok=True)
    with open_session_store(path) as session:
        export_session(session, options.get("format", "xdf"), folder, progress=control.progress)
    return {"path": str(folder)}


def empty_trash(path: Path, options: Mapping[str, str], control: Control) -> dict[str, int]:  # noqa: ARG001
    """See `trash.empty_trash`; the path is the sessions folder."""
    from ..recovery.trash import empty_trash

    return {"bytes": empty_trash(path)}


def _to(options: Mapping[str, str], kind: str) -> str:
    to = options.get("to", "").strip()
    if not to:
        raise ConfigError(f"{kind} to where? give a folder")
    return to
