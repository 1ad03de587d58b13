"""One hash of what a session has recorded, the same of its folder and of its archive, whatever is edited later."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import msgspec

from ...errors import SessionDamagedError
from ..format.chain import chain_link
from ..format.layout import MANIFEST, META
from ..format.meta import decode_meta
from .archive import Archive
from .manifest import ManifestReader
from .raw_chunks import RawChunks
from .tree import FolderTree

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .tree import Tree

_ARRAYS = ".zarr/"


def recorded_digest(path: Path) -> str:
    """SHA-256 over the session's place in its chain, and names and SHA-256 of all files of its arrays, in order.

    Samples, time stamps, clock offsets and arrivals are in it; labels, notes and names are not, for they may be
    edited. Of an archive the manifest is read, which `verify_session` holds against the bytes; of a folder each file
    counts as what packing makes of it (`raw_chunks`).

    Raises
    ------
    SessionDamagedError
        It cannot be read, or is an archive without a manifest.
    DiskError
        The disk refused.
    """
    tree: Tree = FolderTree(path) if path.is_dir() else Archive(path)
    try:
        link = chain_link(decode_meta(tree.read(META)))
        digest = hashlib.sha256(
            b"" if link is None else msgspec.json.encode((link.id, link.segment, link.before_sha256))
        )
        for name, sha256 in sorted(_hashes(tree)):
            digest.update(f"\n{name} {sha256}".encode())
    finally:
        tree.close()
    return digest.hexdigest()


def _hashes(tree: Tree) -> Iterator[tuple[str, str]]:
    if isinstance(tree, FolderTree):
        chunks = RawChunks(tree.read)
        for name in tree.names():
            if _ARRAYS in name:
                yield name, hashlib.sha256(chunks.packed(name, tree.read(name))).hexdigest()
        return
    if MANIFEST not in tree:
        raise SessionDamagedError(f"{tree.path.name} has no {MANIFEST}; verify it")
    for line in ManifestReader(tree.blocks(MANIFEST)).lines():
        if _ARRAYS in line.name:
            yield line.name, line.sha256
