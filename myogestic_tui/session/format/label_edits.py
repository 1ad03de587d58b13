"""What was changed in the labels of a finished session: entries of ``edits`` in ``meta.json``, and which of them count.

``labels.json`` alone says what the labels are. An entry is written before it, with the digests of the file before and
after, so that a kill in between leaves an entry of an edit that did not happen, and everybody can tell.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct, field

from ...msgspec_types import prepared
from .layout import ORIGINAL_LABELS
from .meta import LabelEvent  # noqa: TC001  (msgspec resolves annotations at run time)

if TYPE_CHECKING:
    from .meta import Meta

EDITS = "edits"
"""Field of ``meta.json``: changes of metadata and of labels, oldest first."""


class LabelChange(Struct, frozen=True):
    """One label before and after; None where there was none, or is none any more."""

    old: LabelEvent | None
    new: LabelEvent | None


class LabelEdit(Struct, frozen=True, kw_only=True):
    """One edit of the labels, which may have changed several."""

    at: str
    """ISO 8601, UTC."""
    who: str = ""
    what: list[str] = field(default_factory=list)
    """Such as ``shift +0.250 s``, ``trial 7 Fist relabelled Pinch``."""
    changes: list[LabelChange] = field(default_factory=list)
    before: str
    """SHA-256 of ``labels.json`` before, and `after` it."""
    after: str

    def entry(self) -> dict[str, Any]:
        """As it stands in ``edits``."""
        return {"fields": ["labels"], **msgspec.to_builtins(self)}


class LabelHistory(Struct, frozen=True):
    """What the ``edits`` of a session tell of its labels."""

    edits: list[LabelEdit] = field(default_factory=list)
    """Those that made the labels what they are, oldest first."""
    unknown: bool = False
    """The labels are none that any of the edits left: another program changed them since."""

    @property
    def words(self) -> str:
        """One sentence for every surface; empty where nothing was edited."""
        if not self.edits:
            return ""
        last, n = self.edits[-1], len(self.edits)
        times = "once" if n == 1 else f"{n} times"
        who = f" by {last.who}" if last.who else ""
        since = "; another program has changed them since" if self.unknown else ""
        when = last.at.replace("T", " ")[:19]
        return f"labels were edited {times}, last {when} UTC{who}; {ORIGINAL_LABELS} has the first version{since}"


def digest(labels_json: bytes) -> str:
    """SHA-256 of the file, as entries of ``edits`` have it."""
    return sha256(labels_json).hexdigest()


def label_history(meta: Meta, labels_json: bytes | None) -> LabelHistory:
    """The edits of the labels that happened, told from one that a kill cut off by what ``labels.json`` is."""
    told = [edit for one in _entries(meta) if (edit := _label_edit(one)) is not None]
    if not told or labels_json is None:
        return LabelHistory(told)
    now = digest(labels_json)
    reached = max((place for place, edit in enumerate(told) if edit.after == now), default=None)
    if reached is not None:
        return LabelHistory(told[: reached + 1])
    return LabelHistory([]) if told[0].before == now else LabelHistory(told, unknown=True)


def drop_unfinished(meta: Meta, labels_json: bytes | None) -> LabelHistory:
    """Take out of ``edits`` what a kill kept from happening; returns what is left of the labels' edits."""
    history = label_history(meta, labels_json)
    n_left, kept = len(history.edits), []
    for one in _entries(meta):
        is_labels = _label_edit(one) is not None
        if not is_labels or n_left > 0:
            kept.append(one)
        n_left -= is_labels
    if EDITS in meta.extra and isinstance(meta.extra[EDITS], list) and len(kept) != len(meta.extra[EDITS]):
        meta.extra = {key: value for key, value in meta.extra.items() if key != EDITS or kept}
        if kept:
            meta.extra[EDITS] = kept
    return history


def _entries(meta: Meta) -> list[Any]:
    listed = meta.extra.get(EDITS)
    return listed if isinstance(listed, list) else []


def _label_edit(plain: Any) -> LabelEdit | None:
    if not isinstance(plain, dict) or "before" not in plain or "after" not in plain:
        return None
    try:
        return msgspec.convert(plain, prepared(LabelEdit), strict=False)
    except (msgspec.ValidationError, RecursionError):
        return None
