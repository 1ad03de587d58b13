"""Which sessions are meant, and in which order: words, and comparisons of any field of the take sheet.

A word is found anywhere. ``FIELD:TEXT`` looks for a text in one field, ``FIELD=TEXT`` for the whole of it, and
``FIELD<TEXT`` and ``FIELD>TEXT`` (or ``<=``, ``>=``) compare, numbers as numbers. A field is one of `BUILT_IN`, or one
of the take sheet. What has a blank in it stands in quotes.
"""

from __future__ import annotations

import math
import operator
import re
import shlex
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from .catalog_entry import Entry

Value = str | int | float

BUILT_IN: dict[str, Callable[[Entry], Value]] = {
    "state": lambda one: one.state,
    "subject": lambda one: one.summary.subject,
    "task": lambda one: one.summary.task,
    "take": lambda one: "" if one.summary.take is None else one.summary.take,
    "start": lambda one: one.started,
    "length": lambda one: one.summary.duration_s,
    "size": lambda one: one.summary.bytes,
    "streams": lambda one: " ".join(one.summary.streams),
    "labels": lambda one: sum(one.summary.labels.values()),
    "quality": lambda one: one.quality,
    "edited": lambda one: one.summary.labels_edited,
    "copy": lambda one: one.copied_to,
    "name": lambda one: one.title,
}
"""What each session has; lengths in seconds, sizes in bytes, labels by their number."""

_WORD = re.compile(r"(?P<field>[^\W\d][\w .-]*?)(?P<how><=|>=|:|=|<|>)(?P<text>.*)", re.DOTALL)
_COMPARE = {"<": operator.lt, ">": operator.gt, "<=": operator.le, ">=": operator.ge}


def value_of(one: Entry, field: str) -> Value | None:
    """What a session has in a field, letter case ignored; None where it has no such field."""
    name = field.casefold()
    if name in BUILT_IN:
        return BUILT_IN[name](one)
    return next((value for key, value in (one.summary.fields or {}).items() if key.casefold() == name), None)


def sheet_fields(entries: Iterable[Entry]) -> list[str]:
    """The further fields of the take sheet that some of the sessions have, in the order of their letters."""
    found: dict[str, str] = {}
    for one in entries:
        for key in one.summary.fields or {}:
            if key.casefold() not in BUILT_IN:
                found.setdefault(key.casefold(), key)
    return [found[key] for key in sorted(found)]


class _Condition(NamedTuple):
    word: str
    field: str = ""
    how: str = ""
    text: str = ""

    def holds(self, one: Entry, words: str) -> bool:
        value = value_of(one, self.field) if self.how else None
        if value is None:
            return self.word in words  # no such field: a time of day, or a path, may hold such marks too
        if self.how == ":":
            return self.text in str(value).casefold()
        number = _number(self.text)
        if isinstance(value, int | float) and number is not None:
            return number == value if self.how == "=" else bool(_COMPARE[self.how](value, number))
        said = str(value).casefold()
        if self.how == "=":
            return said == self.text
        other = _number(said)
        if other is not None and number is not None:
            return bool(_COMPARE[self.how](other, number))
        return bool(said) and bool(_COMPARE[self.how](said, self.text))


class Search:
    """Conditions that a session has to meet, all of them.

    Parameters
    ----------
    words
        Separated by blanks.
    """

    def __init__(self, words: str) -> None:
        self._conditions = [_condition(word) for word in _words(words.casefold())]

    def holds(self, one: Entry, words: str | None = None) -> bool:
        """Whether a session meets them; ``words`` is its `Entry.words`, where that is known already."""
        text = one.words if words is None else words
        return all(condition.holds(one, text) for condition in self._conditions)


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:  # a quote that is not closed, or not yet
        return text.split()


def _condition(word: str) -> _Condition:
    parts = _WORD.fullmatch(word)
    return _Condition(word) if parts is None else _Condition(word, parts["field"], parts["how"], parts["text"])


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def in_order(entries: Sequence[Entry], field: str, *, descending: bool = False) -> list[Entry]:
    """Sessions by a field, numbers before text, those without it last; equal ones newest first."""
    newest = sorted(entries, key=lambda one: one.started, reverse=True)
    valued = [one for one in newest if value_of(one, field) not in (None, "")]
    valued.sort(key=lambda one: _order(value_of(one, field)), reverse=descending)
    return [*valued, *(one for one in newest if value_of(one, field) in (None, ""))]


def _order(value: Value | None) -> tuple[bool, float, str]:
    number = value if isinstance(value, int | float) else _number(str(value))
    if isinstance(number, int | float) and math.isfinite(number):
        return False, float(number), ""
    return True, 0.0, str(value).casefold()
