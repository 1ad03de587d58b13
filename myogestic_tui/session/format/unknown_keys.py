"""What other programs keep inside ``meta.json``, at any depth: set aside when it is read, put back when it is written.

The top level and each stream keep theirs in ``extra``; here are the levels below, whose entries are found again by what
they are about: a note by its time and text, a gap by its sample.
"""

from __future__ import annotations

from typing import Any, NamedTuple


class Level(NamedTuple):
    """One kind of object in the file."""

    known: frozenset[str]
    """Its fields that are ours."""
    inner: dict[str, Level]
    """Objects, lists of objects, or (`each`) objects by name within it."""
    about: tuple[str, ...] = ()
    """Fields that tell the entries of a list apart; none: their places do."""
    each: bool = False
    """The object's own keys are names, and each value is of this level."""


class _Anything(frozenset[str]):
    """All keys: those of a level that keeps its unknown ones by itself."""

    def __contains__(self, _: object) -> bool:
        return True


ANYTHING = _Anything()


class Strays(NamedTuple):
    """The unknown keys of one object, and of those within it."""

    here: dict[str, Any]
    inner: dict[str, Any]


def set_aside(raw: Any, level: Level) -> Any:
    """All unknown keys of parsed JSON; None where there are none."""
    if level.each:
        one = level._replace(each=False)
        named = raw.items() if isinstance(raw, dict) else ()
        return {name: found for name, value in named if (found := set_aside(value, one))} or None
    if isinstance(raw, list):
        return [(_about(item, place, level), found) for place, item in enumerate(raw) if (found := _of(item, level))]
    return _of(raw, level)


def _of(raw: Any, level: Level) -> Strays | None:
    if not isinstance(raw, dict):
        return None
    here = {key: value for key, value in raw.items() if key not in level.known}
    inner = {key: found for key, one in level.inner.items() if (found := set_aside(raw.get(key), one))}
    return Strays(here, inner) if here or inner else None


def put_back(plain: Any, strays: Any, level: Level) -> None:
    """Enter what was set aside where its object still is."""
    if not strays:
        return
    if level.each:
        for name, found in strays.items():
            put_back(plain.get(name), found, level._replace(each=False))
    elif isinstance(strays, Strays):
        if isinstance(plain, dict):
            plain.update(strays.here)
            for key, found in strays.inner.items():
                put_back(plain.get(key), found, level.inner[key])
    elif isinstance(plain, list):
        _put_back_in_list(plain, strays, level)


def _put_back_in_list(plain: list[Any], strays: list[tuple[Any, Strays]], level: Level) -> None:
    places: dict[Any, list[int]] = {}
    for place, item in enumerate(plain):
        places.setdefault(_about(item, place, level), []).append(place)
    for about, found in strays:
        if there := places.get(about):
            put_back(plain[there.pop(0)], found, level)


def _about(item: Any, place: int, level: Level) -> Any:
    if not level.about or not isinstance(item, dict):
        return place
    return tuple(str(value) if isinstance(value := item.get(key) or 0, list | dict) else value for key in level.about)
