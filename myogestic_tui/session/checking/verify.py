"""Verifying: what is wrong with a session, said so that a person understands it. Nothing is ever written.

``quick`` looks at the directory, the manifest, the metadata, the shapes and which chunks are there. ``full`` reads
every byte, decodes every chunk and looks at every value. Memory stays bounded whatever a hostile file claims, and
``zarrs`` is not used.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ...errors import DiskError, SessionDamagedError, SessionError
from ...process_limits import is_file_limit
from ..archive.archive import Archive
from ..archive.manifest import FORMAT, ManifestReader
from ..archive.summary_comment import decode_comment
from ..archive.tree import FolderTree, canonical_order
from ..format.findings import Finding, damage, observation
from ..format.layout import MANIFEST, check_usable, is_session_folder
from ..format.summary import Verified
from .content_check import ContentCheck
from .zip_check import Checked, SealCheck, is_sealed

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Generator, Iterator

    from ..archive.tree import Tree
    from ..format.progress import Progress

    Report = Callable[[Finding], None]

Level = Literal["quick", "full"]

MAX_FINDINGS = 1000
"""Findings that are listed; what comes after is counted."""


class Verification(Verified, frozen=True, kw_only=True):
    """The outcome. ``ok``: no finding is damage. Times in findings are seconds from the stream's first sample."""

    sha256: str = ""
    """Of the whole file, for one of our archives after a full verification: what ``sha256sum`` prints."""


def verify_session(
    path: str | os.PathLike[str], level: Level = "full", progress: Progress | None = None
) -> Verification:
    """Look for damage in a session folder or archive.

    Parameters
    ----------
    path
        A session folder, a ``.session.zip``, or a plain zip of a session folder.
    level
        ``"quick"`` or ``"full"``.
    progress
        Called with the bytes looked at, and the bytes in all.

    Raises
    ------
    FileNotFoundError
        There is nothing at `path`.
    SessionError
        It is neither a folder nor a file.
    DiskError
        This process may open no more files.
    """
    findings = _Findings()
    digest = ""
    try:
        tree = open_tree(Path(path))
        digest = _check(tree, level, findings.add, progress or _ignore)
    except (DiskError, SessionDamagedError) as error:
        if is_file_limit(error):
            raise
        findings.add(damage(str(error)))
    return Verification(level=level, ok=findings.n_damage == 0, findings=findings.all(), sha256=digest)


def open_tree(path: Path) -> Tree:
    """The files of a session folder or archive.

    Raises
    ------
    FileNotFoundError
        There is nothing at `path`.
    SessionError
        It is neither a folder nor a file, or cannot be read as what it is.
    """
    if path.is_dir() and is_session_folder(path):
        return FolderTree(path)
    check_usable(path)
    if path.exists() and not path.is_file():
        raise SessionError(f"{path} is neither a session folder nor an archive")
    return Archive(path)


class _Findings:
    """Collects findings, each once, up to a limit; damage comes first."""

    def __init__(self) -> None:
        self.n_damage = 0
        self._kept: dict[str, Finding] = {}
        self._dropped = 0

    def add(self, finding: Finding) -> None:
        if finding.text in self._kept:
            return
        self.n_damage += finding.kind == "damage"
        if len(self._kept) < MAX_FINDINGS:
            self._kept[finding.text] = finding
        else:
            self._dropped += 1

    def all(self) -> list[Finding]:
        listed = sorted(self._kept.values(), key=lambda finding: finding.kind != "damage")
        if self._dropped:
            kind = damage if self.n_damage else observation
            listed.append(kind(f"… and {self._dropped} more findings"))
        return listed


def _ignore(done: int, total: int) -> None:
    pass


def _check(tree: Tree, level: Level, report: Report, progress: Progress) -> str:
    content = ContentCheck(tree, report)
    seal = SealCheck(tree) if isinstance(tree, Archive) and is_sealed(tree) else None
    try:
        _check_manifest(tree, content, report)
        if level == "quick":
            _check_names(tree, content)
        else:
            with closing(one_ahead(seal.members() if seal else _files(tree))) as files:
                _check_files(tree, files, content, report, progress)
        content.finish()
    finally:
        tree.close()
    return seal.sha256 if seal and level == "full" else ""


def _check_files(
    tree: Tree, files: Iterator[Checked], content: ContentCheck, report: Report, progress: Progress
) -> None:
    total, done = sum(map(tree.size, tree.names())), 0
    for file in files:
        for finding in file.findings:
            report(finding)
        if file.problem:
            content.bad(file.key, file.problem)
        elif file.data is not None:
            content.feed(file.key, file.data)
        done += tree.size(file.key) if file.key in tree else 0
        progress(done, total)


def one_ahead(files: Iterator[Checked]) -> Generator[Checked]:
    """The same; each is read and hashed by a thread while the one before is decoded and looked at."""
    with ThreadPoolExecutor(1, "read") as thread:
        coming = thread.submit(next, files, None)
        while (file := coming.result()) is not None:
            coming = thread.submit(next, files, None)
            yield file


def _check_names(tree: Tree, content: ContentCheck) -> None:
    for key in tree.names():
        content.saw(key)
    if MANIFEST not in tree:
        return
    for line in ManifestReader(tree.blocks(MANIFEST)).lines():
        if line.name not in tree:
            content.bad(line.name, f"member {line.name} is missing")
        elif tree.size(line.name) != line.size:
            content.bad(line.name, f"member {line.name} has {tree.size(line.name)} bytes; {MANIFEST} says {line.size}")


def _check_manifest(tree: Tree, content: ContentCheck, report: Report) -> None:
    """What the manifest says of the whole; its lines are checked with the files."""
    if MANIFEST not in tree:
        if isinstance(tree, Archive) and decode_comment(tree.comment) is not None:
            report(damage(f"{MANIFEST} is missing, and the archive's summary says that it had one", member=MANIFEST))
        elif isinstance(tree, Archive):
            text = (
                f"no {MANIFEST}: another program packed this, so only the zip's own checksums (CRC-32) could be checked"
            )
            report(observation(text, member=MANIFEST))
        return
    head = ManifestReader(tree.blocks(MANIFEST)).head
    if head.format != FORMAT:
        report(damage(f"{MANIFEST} is of format {head.format}, which this program does not know", member=MANIFEST))
    for stem, count in head.streams.items():
        has = content.sample_counts.get(stem, 0)
        if has != count:
            report(damage(f"{stem}: {has} samples, where {MANIFEST} says {count}", stream=stem, member=MANIFEST))
    if isinstance(tree, Archive) and not is_sealed(tree):
        text = "another program has packed it again: members were checked, the headers of the zip could not be"
        report(observation(text, member=MANIFEST))
    if isinstance(tree, Archive) and is_sealed(tree) and sha256(tree.comment).hexdigest() != head.comment_sha256:
        report(damage("the summary in the archive's comment differs from its checksum", member=MANIFEST))


def _files(tree: Tree) -> Iterator[Checked]:
    """The files of a folder or a plain zip, each array's chunks in order, against a manifest where there is one."""
    listed: dict[str, str] = {}
    if MANIFEST in tree:
        listed = {line.name: line.sha256 for line in ManifestReader(tree.blocks(MANIFEST)).lines()}
    has_list = bool(listed)
    for key in sorted(tree.names(), key=canonical_order):
        wanted = listed.pop(key, "")
        if has_list and not wanted and key != MANIFEST:
            yield Checked(key, None, f"member {key} is not listed in {MANIFEST}")
            continue
        try:
            data = tree.read(key)
        except (DiskError, SessionDamagedError) as error:
            if is_file_limit(error):
                raise
            yield Checked(key, None, str(error))
            continue
        intact = not wanted or wanted == sha256(data).hexdigest()
        yield Checked(key, data, "" if intact else f"member {key} differs from its SHA-256 in {MANIFEST}")
    for key in listed:
        yield Checked(key, None, f"member {key} is missing")
