"""Types that msgspec decodes into, each prepared by one thread.

msgspec learns a struct's fields when the struct is first decoded, and marks it as known before it is through: a second
thread that decodes it meanwhile ends the process with a segmentation fault (seen with msgspec 0.21).
"""

from __future__ import annotations

import threading
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

_lock = threading.Lock()
_prepared: set[Any] = set()


def prepared(kind: T) -> T:
    """The type itself, once msgspec knows it and all structs in it; whatever is decoded into goes through this."""
    if kind not in _prepared:
        with _lock:
            msgspec.json.Decoder(kind)
            _prepared.add(kind)
    return kind
