"""From TOML tables to structs: every error names the path of the value, and what is allowed instead."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from msgspec import Meta, Struct, ValidationError, convert
from msgspec.structs import fields

from .errors import ConfigError, did_you_mean
from .msgspec_types import prepared

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

S = TypeVar("S", bound=Struct)


class Section(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of everything that the file may hold."""


def read_text(file: Path, remedy: str) -> str:
    """The text of a TOML file; ConfigError, which ends with ``remedy``, where it cannot be read."""
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ConfigError(f"cannot read {file}: {reason}; {remedy}") from error


def parse_toml(text: str, source: str, read: Callable[[dict[str, Any]], S]) -> S:
    """What ``read`` makes of a TOML text; its `ConfigError` is raised with ``source`` and the line in front."""
    try:
        return read(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{source}: not valid TOML: {error}") from error
    except ConfigError as error:
        line = line_of(str(error).partition(":")[0], text)
        raise ConfigError(f"{source}:{line}: {error}" if line else f"{source}: {error}") from error


def read_table(cls: type[S], table: Any, where: str) -> S:
    """A struct from a TOML table; ``where`` is the table's path, for errors.

    Raises
    ------
    ConfigError
        A key is unknown or missing, or a value is not usable; the message begins with its path.
    """
    if not isinstance(table, dict):
        raise ConfigError(f"{where}: is {_toml_type(table)}; give a table")
    known = {item.encode_name: item for item in fields(cls)}
    hints = get_type_hints(cls, include_extras=True)
    for key in table:
        if key not in known:
            raise ConfigError(f"{_join(where, key)}: unknown key{did_you_mean(key, known)}; {allowed(known)}")
    for key, item in known.items():
        if item.required and key not in table:
            raise ConfigError(f"{_join(where, key)}: is missing")
    values = {known[key].name: _value(hints[known[key].name], value, _join(where, key)) for key, value in table.items()}
    try:
        return cls(**values)
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}" if where else str(error)) from None


def _value(hint: Any, value: Any, where: str) -> Any:
    bare = get_args(hint)[0] if get_origin(hint) is Annotated else hint
    if isinstance(bare, type) and issubclass(bare, Struct):
        return read_table(bare, value, where)
    item = get_args(bare)[0] if get_origin(bare) is tuple else None
    if isinstance(item, type) and issubclass(item, Struct) and isinstance(value, list):
        value = tuple(read_table(item, entry, f"{where}[{place}]") for place, entry in enumerate(value, 1))
    if get_origin(bare) is dict and isinstance(value, dict):
        return {key: _value(get_args(bare)[1], entry, _join(where, key)) for key, entry in value.items()}
    try:
        return convert(value, prepared(hint))
    except ValidationError as error:
        raise ConfigError(f"{where}: is {value!r}; {_explain(error, hint)}") from None


_WORDS = {
    "`str`": "text",
    "`float`": "a number",
    "`int`": "a whole number",
    "`bool`": "true or false",
    "`array`": "a list",
}


def _explain(error: ValidationError, hint: Any) -> str:
    """Say what msgspec found, in the words of the file."""
    parts = [hint, *get_args(hint)]
    if choices := [choice for part in parts if get_origin(part) is Literal for choice in get_args(part) if choice]:
        return allowed(choices)
    for part in parts:
        if isinstance(part, Meta) and part.description:
            return f"give {part.description}"
    said = re.sub(r" - at `.*`$", "", str(error)).replace("Expected", "expected")
    return re.sub(r"`\w+`", lambda word: _WORDS.get(word[0], word[0]), said)


def flatten(table: dict[str, Any], above: str = "") -> dict[str, Any]:
    """``live.pause = "p"`` is a table in a table for TOML, and one name for us."""
    flat: dict[str, Any] = {}
    for key, value in table.items():
        flat |= flatten(value, f"{above}{key}.") if isinstance(value, dict) else {f"{above}{key}": value}
    return flat


def _toml_type(value: Any) -> str:
    return {list: "an array", str: "a string", bool: "a boolean", dict: "a table"}.get(type(value), f"{value!r}")


LEAST_SECONDS = 1.0
_UNITS_S = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def seconds_of(text: str, what: str) -> float:
    """Seconds of ``"1h"``, ``"30m"``, ``"1.5h"``, ``"90s"`` or ``"90"``; at least `LEAST_SECONDS`.

    Raises
    ------
    ConfigError
        It is none, or too short.
    """
    number, unit = (text[:-1], text[-1]) if text[-1:] in _UNITS_S else (text, "s")
    try:
        seconds = float(number) * _UNITS_S[unit]
    except ValueError:
        raise ConfigError(f"{what}: is {text!r}; give a length such as 1h, 30m or 90s") from None
    if not LEAST_SECONDS <= seconds < float("inf"):
        raise ConfigError(f"{what}: is {text!r}; give {LEAST_SECONDS:g} s or more")
    return seconds


def _join(where: str, key: str) -> str:
    return f"{where}.{key}" if where else key


def allowed(names: Iterable[str]) -> str:
    """``allowed: a, b``."""
    return f"allowed: {', '.join(names) or 'none'}"


_HEADER = re.compile(r"\s*(\[\[?)\s*([^\[\]]+?)\s*\]")
_KEY = re.compile(r"\s*([\w-]+|\"[^\"]*\")\s*=")


def line_of(path: str, text: str) -> int | None:
    """The line where a path, or the nearest thing above it that has a line of its own, stands."""
    lines: dict[str, int] = {}
    counts: Counter[str] = Counter()
    table = ""
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            table = header[2]
            if header[1] == "[[":
                counts[table] += 1
                table = f"{table}[{counts[table]}]"
            lines.setdefault(table, number)
        elif key := _KEY.match(line):
            lines.setdefault(_join(table, key[1].strip('"')), number)
    while path and path not in lines:
        path = path.rpartition(".")[0] if not path.endswith("]") else path.rpartition("[")[0]
    return lines.get(path)
