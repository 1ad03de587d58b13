"""The sessions of a chain, and whether each is the one that followed: at the same instant, with the right hash."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ...errors import ConfigError, MyoGesticError
from ..archive.recorded_digest import recorded_digest
from ..format.chain import ChainLink, chain_link
from ..format.findings import Finding, damage, observation
from ..format.layout import META
from ..format.meta import CONTINUED_BY, Meta
from ..reading.archive_of import packed_folder_name
from ..reading.reader import open_session_store
from ..reading.session_states import sessions_at

if TYPE_CHECKING:
    import os

_SAME_INSTANT_S = 1e-6


class Member(NamedTuple):
    """One session of a chain."""

    path: Path
    link: ChainLink
    meta: Meta
    folder_name: str
    """What its folder was called; its archive may be called otherwise."""


def chain_of(path: str | os.PathLike[str]) -> list[Path]:
    """All sessions of a chain that lie in one folder, in order; of a session of none, itself alone.

    Parameters
    ----------
    path
        Any session of it, folder or archive; or a folder that holds sessions of one chain only.

    Raises
    ------
    ConfigError
        The folder holds sessions of several chains, or of none.
    SessionError
        There is no session, or it cannot be read.
    """
    members = chain_members(Path(path))
    return [member.path for member in members] or [Path(path)]


def chain_members(path: Path) -> list[Member]:
    """As `chain_of`, with what their metadata say; none where the session belongs to no chain."""
    one = _read_member(path) if path.is_file() or (path / META).exists() else None
    if one is None and path.is_dir() and not (path / META).exists():
        return _only_chain(path)
    if one is None:
        return []
    return _ordered(member for member in _members_in(path.absolute().parent) if member.link.id == one.link.id)


def _only_chain(folder: Path) -> list[Member]:
    members = _members_in(folder)
    ids = sorted({member.link.id for member in members})
    if len(ids) != 1:
        listed = "".join(f"\n  {one}: {next(m.path.name for m in members if m.link.id == one)}, …" for one in ids)
        raise ConfigError(f"{folder} holds {len(ids) or 'no'} chains; name a session of one{listed}")
    return _ordered(members)


def _members_in(folder: Path) -> list[Member]:
    return [member for path in sessions_at(str(folder)) if (member := _member(path)) is not None]


def _ordered(members: object) -> list[Member]:
    return sorted(members, key=lambda member: (member.link.segment, member.path.name))  # type: ignore[call-overload,no-any-return]


def _member(path: Path) -> Member | None:
    try:
        return _read_member(path)
    except MyoGesticError:
        return None


def _read_member(path: Path) -> Member | None:
    with open_session_store(path) as session:
        meta = session.meta
    link = chain_link(meta)
    return None if link is None else Member(path, link, meta, packed_folder_name(path) or path.name)


def link_findings(members: list[Member]) -> dict[Path, list[Finding]]:
    """What is wrong between the sessions of a chain, by the later of the two; ``members`` in order."""
    found: dict[Path, list[Finding]] = {member.path: [] for member in members}
    first, last = members[0], members[-1]
    if first.link.segment != 1:
        text = (
            f"the chain begins with segment {first.link.segment}; {first.link.before} and what was before are not here"
        )
        found[first.path].append(damage(text, member=META))
    for before, after in pairwise(members):
        found[after.path] += _between(before, after)
    if (further := str(last.meta.extra.get(CONTINUED_BY, ""))) and last.meta.state == "finished":
        found[last.path].append(damage(f"{further}, which follows in the chain, is not here", member=META))
    return found


def _between(before: Member, after: Member) -> list[Finding]:
    if after.link.segment == before.link.segment:
        return [damage(f"{before.path.name} is segment {before.link.segment} of the chain, too", member=META)]
    if after.link.segment != before.link.segment + 1:
        missing = f"segment {before.link.segment + 1}"
        text = (
            f"{missing} of the chain is not here"
            if after.link.segment == before.link.segment + 2
            else (f"{missing} to {after.link.segment - 1} of the chain are not here")
        )
        return [damage(text, member=META)]
    found = []
    if after.link.before != before.folder_name:
        found.append(damage(f"it follows {after.link.before}, and {before.folder_name} is here instead", member=META))
    if not after.link.before_sha256:
        text = f"the hash of {before.path.name} is not in it: that was not finished yet, or this is not packed"
        found.append(observation(text, member=META))
    elif after.link.before_sha256 != recorded_digest(before.path):
        text = f"what {before.path.name} has recorded is not what was recorded before this session: its hash differs"
        found.append(damage(text, member=META))
    return found + _instants(before, after)


def _instants(before: Member, after: Member) -> list[Finding]:
    if len(before.meta.anchors) < 2 or not after.meta.anchors:
        return []
    seconds = after.meta.anchors[0].lsl - before.meta.anchors[-1].lsl
    if abs(seconds) <= _SAME_INSTANT_S:
        return []
    kind = observation if before.meta.state == "recovered" else damage
    return [kind(f"it begins {seconds:+.3f} s after {before.path.name} ended; a chain has no pause", member=META)]
