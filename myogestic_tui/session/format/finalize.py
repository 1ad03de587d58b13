"""What a session gets at its end, be it stopped or recovered: its metadata in full, and no journal any more."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from ...clock import local_clock
from . import wall_clock
from .commit import Shape
from .create_file import set_aside
from .journal import SUFFIX
from .layout import JOURNAL, LABELS, META, PARTIAL, ZARR_JSON, array_name, remove_folder, sync_folder
from .meta import Anchor, LabelEvent, Meta, StreamMeta, encode_labels, encode_meta
from .zarr_format import ArraySpec, encode_chunk, group_json, write_chunk

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def anchor_at(lsl: float | None = None) -> Anchor:
    """An instant of the recorder's clock on both clocks, as they are related now; None is the present one."""
    now = local_clock()
    at = now if lsl is None else lsl
    return Anchor((wall_clock.wall_now() + timedelta(seconds=at - now)).isoformat(), at)


def conclusion(meta: Meta, labels: list[LabelEvent], streams: dict[str, StreamMeta], state: str) -> dict[str, bytes]:
    """Root group, ``labels.json`` and then ``meta.json`` of a session that is whole; ``meta`` is brought up to date.

    Parameters
    ----------
    meta
        What is known of the session.
    labels
        In time order.
    streams
        The streams as measured, by stem.
    state
        ``"finished"`` or ``"recovered"``.
    """
    meta.state = state
    meta.created = wall_clock.created_again(meta)
    meta.bad_trials = [position for position, label in enumerate(labels) if label.bad]
    meta.streams, meta.string_streams = {}, {}
    for stem, stream in streams.items():
        meta.add_stream(stem, stream)
    return {ZARR_JSON: group_json(), LABELS: encode_labels(labels), META: encode_meta(meta)}


def write_clock(folder: Path, stem: str, rows: Sequence[tuple[float, ...]], done: int) -> Shape:
    """Write a stream's clock estimates, from row ``done`` on; they count once the shape is committed.

    Raises
    ------
    OSError
        The disk refused.
    """
    spec = ArraySpec.clock()
    name = array_name(stem, "_clock")
    for number in range(done // spec.chunk_length, spec.n_chunks(len(rows))):
        first = number * spec.chunk_length
        chunk = np.array(rows[first : first + spec.chunk_length], "<f8")
        write_chunk(folder, name, spec, number, encode_chunk(spec, chunk))
    return Shape(name, spec, len(rows))


def drop_journal(folder: Path) -> None:
    """Remove the journal, whose content is committed by now; it is gone in one step, then taken apart.

    Raises
    ------
    OSError
        The disk refused.
    """
    aside = folder / (JOURNAL + PARTIAL)
    for name in (aside.name, JOURNAL):
        _leave_ours(folder, name)
    remove_folder(aside)
    try:
        os.rename(folder / JOURNAL, aside)
    except FileNotFoundError:
        return
    sync_folder(folder)
    remove_folder(aside)


def _leave_ours(folder: Path, name: str) -> None:
    """Set aside what stands in the place of a journal, or in a journal and is none of its files."""
    path = folder / name
    if os.path.lexists(path) and (path.is_symlink() or not path.is_dir()):
        set_aside(folder, name)
    for entry in list(os.scandir(path)) if path.is_dir() else ():
        if not (entry.name.endswith(SUFFIX) and entry.is_file(follow_symlinks=False)):
            set_aside(folder, f"{name}/{entry.name}")
