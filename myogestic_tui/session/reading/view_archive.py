"""What a ``.session.zip`` holds; see `view`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...errors import SessionDamagedError
from ..archive.archive import Archive
from ..format.arrays import StoredArray
from ..format.findings import Finding, damage
from ..format.label_edits import drop_unfinished
from ..format.layout import LABELS, META, array_name, stems_among
from ..format.meta import Meta, StreamMeta, decode_labels, decode_meta
from ..format.zarr_format import ArraySpec
from .session_files import ArchiveMembers
from .session_view import SessionView, StreamView, declared_info, inferred_info

if TYPE_CHECKING:
    from pathlib import Path


def view_archive(path: Path) -> SessionView:
    """Look at a ``.session.zip``.

    Raises
    ------
    SessionError
        It is none, or too damaged to be read; the message names the member.
    """
    archive = Archive(path)
    try:
        members = ArchiveMembers(archive)
        return archived_view(path, archive, members)
    except BaseException:
        archive.close()
        raise


def archived_view(path: Path, archive: Archive, members: ArchiveMembers) -> SessionView:
    """What an open archive holds, which the view's `close` closes; errors as `view_archive`."""
    findings: list[Finding] = []
    meta_bytes, label_bytes = members.read(META), members.read(LABELS)
    if meta_bytes is None:
        findings.append(damage(f"{META} is missing; what it says is taken from the arrays", member=META))
    meta = decode_meta(meta_bytes) if meta_bytes is not None else Meta()
    labels = decode_labels(label_bytes) if label_bytes is not None else []
    view = SessionView(path, members, meta, labels, findings=findings, archive=archive)
    view.label_history = drop_unfinished(meta, label_bytes)
    view.strict = meta.schema_version is not None
    folders = {key.partition("/")[0] for key in archive.names() if key.endswith("/zarr.json")}
    for stem in sorted({*stems_among(folders), *meta.all_streams}):
        view.streams[stem] = _archived_stream(view, stem, folders)
    return view


def _archived_stream(view: SessionView, stem: str, folders: set[str]) -> StreamView:
    def stored(derived: str) -> StoredArray | None:
        name = array_name(stem, derived)
        return StoredArray(view.members, name, strict=view.strict) if name in folders else None

    data, stamps = stored(""), stored("_timestamps")
    if data is None or stamps is None:
        missing = array_name(stem, "" if data is None else "_timestamps")
        raise SessionDamagedError(f"{view.path.name}: {missing} is missing")
    declared = view.meta.all_streams.get(stem)
    info = declared_info(declared) or inferred_info(data, stamps)
    is_time = stamps.spec.row_shape == () and not stamps.spec.is_string
    if info is None or data.spec.row_shape != (info.n_channels,) or not is_time:
        raise SessionDamagedError(f"{view.path.name}: the arrays of {stem} do not fit what {META} says of it")
    if data.n_rows != stamps.n_rows:
        n = min(data.n_rows, stamps.n_rows)
        text = f"{stem}: {data.n_rows} samples and {stamps.n_rows} time stamps; the first {n} of both count"
        view.findings.append(damage(text, stream=stem))
        data.n_rows = data.n_stored = stamps.n_rows = stamps.n_stored = n
    meta = declared or StreamMeta.of(info, name=stem)
    clock = _fitting(view, stem, stored("_clock"), ArraySpec.clock())
    overview = None if info.is_string else _fitting(view, stem, stored("_overview"), ArraySpec.overview(info))
    return StreamView(stem, info, meta, data, stamps, clock, overview, _arrivals(view, stem, stored("_arrival")))


def _fitting(view: SessionView, stem: str, stored: StoredArray | None, spec: ArraySpec) -> StoredArray | None:
    """An array beside the samples; None, with a finding, where it is laid out as nothing that is known."""
    if stored is None or (stored.spec.dtype, stored.spec.row_shape) == (spec.dtype, spec.row_shape):
        return stored
    text = f"{stem}: {stored.name} is laid out as {stored.spec}, which does not fit the stream"
    view.findings.append(damage(text, stream=stem, member=stored.name))
    return None


def _arrivals(view: SessionView, stem: str, stored: StoredArray | None) -> StoredArray | None:
    """An arrival record; None where the array of that name is something else, such as an older session's stream."""
    is_one = stored is not None and (stored.spec.dtype, stored.spec.row_shape) == ("float64", (2,))
    return stored if is_one and f"{stem}_arrival" not in view.meta.all_streams else None
