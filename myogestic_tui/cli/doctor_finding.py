"""One finding of `doctor`."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

State = Literal["ok", "warning", "bad"]
GLYPHS: dict[State, str] = {"ok": "●", "warning": "▲", "bad": "✗"}


class Check(Struct, frozen=True, omit_defaults=True):
    """One finding. ``bad`` means that recording would not work."""

    subject: str
    state: State
    text: str
    fix: str = ""
