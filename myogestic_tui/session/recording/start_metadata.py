"""The metadata of a session from its first moment on."""

from __future__ import annotations

import math
import platform
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from ...clock.local import clock_id
from ...errors import ConfigError
from ...version import __version__
from ..format.events import SessionRecord
from ..format.finalize import anchor_at
from ..format.json_files import MAX_JSON_MEMORY, MOST_INT, memory_of_json
from ..format.meta import SCHEMA_VERSION, Meta, RecorderMeta

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_MOST_FIELDS = MAX_JSON_MEMORY // 16
"""What fields that are set at once may come to in memory, so that ``meta.json`` can be read again."""

_TEXTS = frozenset({"app_name", "name", "subject", "task"})


def first_meta(
    app_name: str,
    class_names: Sequence[str] | None,
    fields: Mapping[str, Any] | None,
    started_at: float | None = None,
) -> Meta:
    """``meta.json`` of a session that starts now, or at ``started_at``; ConfigError where ``fields`` are not plain."""
    recorder = RecorderMeta(__version__, platform.node(), platform.platform(), clock_id())
    start = anchor_at(started_at)
    created = datetime.fromisoformat(start.utc).astimezone().isoformat(timespec="seconds")
    meta = Meta(schema_version=SCHEMA_VERSION, state="recording", app_name=app_name, created=created, recorder=recorder)
    meta.anchors = [start]
    further = dict(fields or {})
    extra = further.pop("extra", None) or {}
    names = class_names if class_names is not None else further.get("class_names")
    SessionRecord(meta).set_fields(plain_fields({**further, **extra, "class_names": names}))
    return meta


def plain_fields(fields: dict[str, Any]) -> dict[str, Any]:
    """Fields as ``meta.json`` can hold them, numbers and paths of any kind included; ConfigError where it cannot.

    No class names are no change of them: once given they stick.
    """
    names = class_name_list(fields.get("class_names"))
    further = {key: value for key, value in fields.items() if key != "class_names"}
    try:
        values = msgspec.to_builtins(further, enc_hook=_plain_object, str_keys=True)
        encoded = msgspec.json.encode([values, names])
        plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(values))
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise ConfigError(f"fields of a session must be plain values: {error}") from error
    if memory_of_json(encoded) > _MOST_FIELDS:
        raise ConfigError("fields of a session are for words and numbers; put as much as that into a stream or a file")
    if b"\\u0000" in encoded:
        raise ConfigError("a field of the session has a NUL character in it; take it out")
    if (odd := _not_finite(values)) is not None:
        raise ConfigError(f"a field of the session is {odd}; give text, or a number that is finite")
    plain |= {key: "" if plain[key] is None else str(plain[key]) for key in _TEXTS & plain.keys()}
    check_take(plain.get("take"))
    return {**plain, "class_names": names} if names else plain


def check_take(take: object) -> None:
    """Refuse what is no take number that a file can hold: ConfigError."""
    if take is not None and (not isinstance(take, int) or isinstance(take, bool) or abs(take) > MOST_INT):
        raise ConfigError(f"take is {str(take)[:40]!r}; give its number")


def class_name_list(names: Iterable[object] | None) -> list[str]:
    """Class names as a list of text, numbers too; ConfigError for one text, which would become its letters."""
    if isinstance(names, str):
        raise ConfigError(f"class names are {names!r}; give a list of names")
    return [] if names is None else [str(name) for name in names]


def _not_finite(value: object) -> float | None:
    """A number that JSON has no word for, at any depth; None where all are finite."""
    if isinstance(value, float):
        return None if math.isfinite(value) else value
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    return next((odd for one in inner if (odd := _not_finite(one)) is not None), None)


def _plain_object(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else str(value)
