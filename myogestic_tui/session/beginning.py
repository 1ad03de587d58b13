"""What a session says of itself from its first moment on."""

from __future__ import annotations

import platform
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from ..errors import ConfigError
from .conclude import anchor_now
from .events import SessionRecord
from .meta import SCHEMA_VERSION, Meta, RecorderMeta

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def first_meta(app_name: str, class_names: Sequence[str] | None, fields: Mapping[str, Any] | None) -> Meta:
    """``meta.json`` of a session that starts now; ConfigError where ``fields`` are no plain values."""
    from .. import __version__

    recorder = RecorderMeta(__version__, platform.node(), platform.platform())
    created = datetime.now().astimezone().isoformat(timespec="seconds")
    meta = Meta(schema_version=SCHEMA_VERSION, state="recording", app_name=app_name, created=created, recorder=recorder)
    meta.class_names = list(class_names or ())
    meta.anchors = [anchor_now()]
    further = dict(fields or {})
    extra = further.pop("extra", None) or {}
    SessionRecord(meta).set_fields(plain_json({**further, **extra}))
    return meta


def plain_json(fields: dict[str, Any]) -> dict[str, Any]:
    """Fields as ``meta.json`` can hold them, numbers and paths of any kind included; ConfigError where it cannot."""
    try:
        plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(fields, enc_hook=_plain_object))
    except (TypeError, ValueError) as error:
        raise ConfigError(f"fields of a session must be plain values: {error}") from error
    return plain


def _plain_object(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else str(value)
