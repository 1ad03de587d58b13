"""Salvaging: everything of a damaged session that still decodes, in a new session next to it.

What is lost is listed (``salvage`` in ``meta.json``, and a gap with its reason in each stream), never filled. The
original goes to the trash only after the new session has been packed, read back from the disk and verified in full.
"""

from __future__ import annotations

import hashlib
import os
import re
from contextlib import nullcontext, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import msgspec
from msgspec import Struct, field

from ...errors import DiskError, MyoGesticError, SessionDamagedError
from ...msgspec_types import prepared
from ..archive.archive import Archive
from ..archive.summary_comment import decode_comment
from ..archive.tree import FolderTree, list_files
from ..checking.verify import verify_session
from ..format.consolidated import consolidate
from ..format.finalize import conclusion
from ..format.layout import (
    ARCHIVE_SUFFIX,
    DERIVED,
    JOURNAL,
    LABELS,
    MANIFEST,
    META,
    UNPAIRED,
    array_name,
    free_path,
    is_storable,
    printable,
    stems_among,
)
from ..format.lock import lock_session
from ..format.meta import LabelEvent, Meta, StreamMeta, decode_labels, decode_meta
from ..format.progress import Ticker
from ..format.zarr_format import write_bytes
from ..packing.pack import source_of, write_archive
from ..packing.work_folder import SALVAGING, work_folder
from ..reading.archive_of import archives_named
from ..reading.session_files import size_of
from ..recovery.recover import recover_session
from ..recovery.trash import trash_session
from .damaged_session import Wreck, next_page, read_some
from .salvage_stream import Hole, StreamSalvage

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..format.progress import Progress
    from .salvage_arrays import Broken

T = TypeVar("T")

MAX_OTHER = 64 << 20
"""Bytes of a file that is none of a session's: larger ones stay in the original, which goes to the trash."""

_NOT_PLAIN = re.compile(r"[^A-Za-z0-9._/-]")

MAX_LEFT = 16 << 20
"""Bytes of a damaged ``meta.json`` or ``labels.json`` that are tried to be read all the same."""


class Loss(Struct, kw_only=True):
    """Metadata of a salvaged session: ``salvage`` in its ``meta.json``."""

    source: str
    """File name of the original."""
    at: str
    """ISO 8601, UTC."""
    fingerprint: str = ""
    """Of the original, as it was then: another one of that name is not the same."""
    holes: list[Hole] = field(default_factory=list)
    doubtful: list[str] = field(default_factory=list)
    """What was taken from a file whose checksum differs, or could not be saved at all."""
    unpaired: list[str] = field(default_factory=list)
    """Chunks of samples or time stamps whose partner is lost, kept in ``unpaired/``."""


def salvage_session(path: str | os.PathLike[str], progress: Progress | None = None) -> Path:
    """Save all that decodes of a damaged session; returns the new archive, or `path` where nothing is damaged.

    Parameters
    ----------
    path
        A session folder or archive, also one that was cut off.
    progress
        Called with the bytes done and the bytes in all, roughly.

    Raises
    ------
    FileNotFoundError
        There is nothing at `path`.
    SessionLockedError
        Somebody else records, packs or salvages it.
    SessionDamagedError
        Nothing in it can be read, or what was saved does not verify; the original stays.
    DiskError
        The disk is full, or refused; the original stays.
    """
    path = Path(path).absolute()
    if path.is_dir():
        recover_session(path, leave_unusable=True)
    if verify_session(path).ok:
        return path
    try:
        with lock_session(path, purpose="salvaging") if path.is_dir() else nullcontext():
            archive = _saved_before(path) or _save(path, progress)
            trash_session(path, own_lock=True)
            return archive
    except OSError as error:
        raise DiskError(f"cannot salvage {path.name}: {error.strerror or error}; it stays as it is") from error


def last_loss(path: str | os.PathLike[str]) -> Loss | None:
    """What the salvage that a session comes from could not save; None for a session that was never salvaged."""
    from ..reading.reader import open_session_store

    with open_session_store(path) as session:
        return _last_loss(session.meta)


def _last_loss(meta: Meta) -> Loss | None:
    losses = meta.extra.get("salvage")
    with suppress(msgspec.ValidationError):
        return msgspec.convert(losses, prepared(list[Loss]))[-1] if losses else None
    return None


def _fingerprint(path: Path) -> str:
    """Of an archive all bytes that can be read, of a folder the names, sizes and times of its files."""
    found = hashlib.sha256()
    if path.is_file():
        with open(path, "rb") as file:
            at, size = 0, os.fstat(file.fileno()).st_size
            while at < size:
                block = read_some(file.fileno(), 1 << 20, at)
                found.update(block)
                at = at + len(block) if block else next_page(at)
        return found.hexdigest()
    for file_ in list_files(path):
        found.update(f"{file_.key} {file_.size} {(path / file_.key).stat().st_mtime_ns}\n".encode("utf-8", "replace"))
    return found.hexdigest()


def _arrays_of(stem: str) -> set[str]:
    return {array_name(stem, derived) for derived in ("", *DERIVED)}


def _stem(path: Path) -> str:
    return path.name.removesuffix(ARCHIVE_SUFFIX).removesuffix(".zip") + "_salvaged"


def _saved_before(path: Path) -> Path | None:
    """The archive that a killed salvage of this very session has made already."""
    for candidate in archives_named(path.parent, _stem(path)):
        with suppress(MyoGesticError, OSError), Archive(candidate) as archive:
            loss = _last_loss(decode_meta(archive.read(META)))
            same = loss is not None and (loss.source, loss.fingerprint) == (path.name, _fingerprint(path))
            if same and verify_session(candidate).ok:
                return candidate
    return None


def _save(path: Path, progress: Progress | None) -> Path:
    size = size_of(path)
    ticker = Ticker(4 * size, progress)
    archive = free_path(path.with_name(_stem(path) + ARCHIVE_SUFFIX))
    with work_folder(path.parent, SALVAGING, _stem(path)) as folder:
        tree: Broken = FolderTree(path) if path.is_dir() else Wreck(path)
        try:
            _Salvage(tree, folder).run(ticker.tick)
        finally:
            tree.close()
        consolidate(folder)
        write_archive(archive, source_of(folder, archive.name.removesuffix(ARCHIVE_SUFFIX)), ticker.tick, _approve)
    return archive


def _approve(path: Path) -> None:
    outcome = verify_session(path)
    if not outcome.ok:
        raise SessionDamagedError(f"what was saved does not verify, so nothing was changed: {outcome.findings[0].text}")


class _Salvage:
    """Puts what is left of a session into a new folder."""

    def __init__(self, tree: Broken, folder: Path) -> None:
        self._tree = tree
        self._folder = folder
        at = datetime.now(UTC).isoformat(timespec="seconds")
        self._loss = Loss(source=tree.path.name, at=at, fingerprint=_fingerprint(tree.path))

    def run(self, tick: Callable[[int], None]) -> None:
        meta = self._meta()
        labels = self._labels()
        folders = {name.split("/", 1)[0] for name in self._tree.names() if ".zarr/" in name}
        streams: dict[str, StreamMeta] = {}
        unknown: set[str] = set()
        for stem in sorted({*meta.all_streams, *stems_among(folders)}):
            salvage = StreamSalvage(self._tree, stem, meta.all_streams.get(stem), self._folder)
            saved = salvage.run(tick)
            if saved is not None:
                streams[stem] = saved
            else:
                unknown |= _arrays_of(stem)
                self._loss.doubtful.append(f"{stem}: nothing says how its samples look; {UNPAIRED}/ has what is left")
            self._loss.holes += salvage.holes
            self._loss.unpaired += salvage.unpaired
            self._loss.doubtful += salvage.doubtful
        if not streams and not labels and not meta.created:
            raise SessionDamagedError(
                f"{self._tree.path.name}: nothing in it can be read; `myogestic-tui trash` puts it away"
            )
        self._copy_others({array for stem in streams for array in _arrays_of(stem)}, unknown)
        earlier = meta.extra.get("salvage")
        meta.extra["salvage"] = [*(earlier if isinstance(earlier, list) else []), msgspec.to_builtins(self._loss)]
        for name, data in conclusion(meta, labels, streams, "salvaged").items():
            write_bytes(self._folder / name, data)

    def _meta(self) -> Meta:
        meta = self._decoded(META, decode_meta)
        if meta is None:
            summary = decode_comment(self._tree.comment) if isinstance(self._tree, Wreck) else None
            meta = Meta(created=summary.created, name=summary.name) if summary else Meta()
        return meta

    def _labels(self) -> list[LabelEvent]:
        return self._decoded(LABELS, decode_labels) or []

    def _decoded(self, name: str, decode: Callable[[bytes], T]) -> T | None:
        """A JSON file; with a note where its checksum differs and it can be read all the same, or not at all."""
        try:
            return decode(self._tree.read(name, MAX_LEFT))
        except KeyError:
            self._loss.doubtful.append(f"{name} is missing")
            return None
        except MyoGesticError as error:
            reason = str(error)
        with suppress(KeyError, MyoGesticError):
            if isinstance(self._tree, Wreck):
                left = decode(self._tree.read_unchecked(name, MAX_LEFT))
                self._loss.doubtful.append(f"{name} was read although it is damaged; look it through ({reason})")
                return left
        self._loss.doubtful.append(f"{name} is lost ({reason})")
        return None

    def _copy_others(self, arrays: set[str], unknown: set[str]) -> None:
        """Whatever else is in the session, as it is; the arrays of streams that are none any more go to `UNPAIRED`."""
        for key in self._tree.names():
            top = key.split("/", 1)[0]
            if top in arrays or key in (META, LABELS, MANIFEST) or top == JOURNAL:
                continue
            readable = is_storable(key)
            name = key if readable else _NOT_PLAIN.sub("_", key)
            target = self._folder / UNPAIRED / name if top in unknown or not readable else self._folder / name
            try:
                data = self._tree.read(key, MAX_OTHER)
                target.parent.mkdir(parents=True, exist_ok=True)
                write_bytes(target if readable else free_path(target), data)
                if not readable:
                    self._loss.doubtful.append(
                        f"{printable(key)} is no name of a file; {UNPAIRED}/{name} has what it is"
                    )
            except (MyoGesticError, FileExistsError, NotADirectoryError, IsADirectoryError) as error:
                self._loss.doubtful.append(printable(f"{key} is lost ({error})"))
