"""What makes sessions fit together: the same stream in each, and classes matched by name.

Sessions that would be mixed wrongly are refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...errors import OtherClassesError, OtherStreamError
from ...info import VOLTS
from ..signal.gapless_runs import UNLABELLED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...info import StreamInfo
    from .recipe import Recipe
    from .session_facts import Facts

_CHOOSE = "; channels=[names] (--channels) takes those that all have"
_CURES = {
    "source_id": "; any_source=True (--any-source) takes both",
    "channel count": _CHOOSE,
    "channels": _CHOOSE,
    "rate": "; resample=HZ (--resample) brings all to one rate",
    "units": "; cut them apart: values of one would be taken for values of the other",
}


def check_same_streams(sessions: Sequence[Facts], *, any_source: bool) -> None:
    """Raise OtherStreamError where equal names hide another sensor, device or montage.

    What a session does not tell of a stream does not count, such as names of channels that merely number them.
    """
    known: dict[tuple[str, str], tuple[str, Any]] = {}
    for session in sessions:
        for name, info in session.streams.items():
            for what, value in _identity(info, any_source).items():
                first, before = known.setdefault((name, what), (session.name, value))
                if before != value and _as_volts(before) != _as_volts(value):
                    raise OtherStreamError(
                        f"{name} is another stream in {session.name} than in {first}: its "
                        f"{_difference(what, value, before)}{_CURES.get(what, '')}"
                    )


def _identity(info: StreamInfo, any_source: bool) -> dict[str, Any]:
    """What makes a stream the same, as far as it is known; the count before what there is one of for each channel."""
    told = {
        "type": info.type,
        "channel count": info.n_channels,
        "channels": () if info.names == tuple(f"ch{i + 1}" for i in range(info.n_channels)) else info.names,
        "units": info.units if info.units and any(info.units) else (),
        "rate": info.fs,
        "dtype": info.dtype,
        "source_id": "" if any_source else info.source_id,
    }
    return {what: value for what, value in told.items() if value not in ("", ())}


def _as_volts(value: Any) -> Any:
    """Units with one name for each voltage: ``uV`` is ``microvolts``."""
    return tuple(VOLTS.get(unit.strip().lower(), unit) for unit in value) if isinstance(value, tuple) else value


def _difference(what: str, value: Any, before: Any) -> str:
    """``units is mV, not microvolts``; where not all channels have the same, the first that differs."""
    if not isinstance(value, tuple):
        return f"{what} is {_shown(what, value)}, not {_shown(what, before)}"
    if what != "channels" and len({*value}) == len({*before}) == 1:
        return f"{what} is {value[0]}, not {before[0]}"
    pairs = zip(_as_volts(value), _as_volts(before), strict=True)
    at = next(place for place, (one, other) in enumerate(pairs) if one != other)
    which = f"channel {at + 1}" if what == "channels" else f"{what} of channel {at + 1}"
    return f"{which} is {value[at]}, not {before[at]}"


def _shown(what: str, value: Any) -> str:
    return f"{value:g} Hz" if what == "rate" else repr(value) if isinstance(value, str) else str(value)


def channel_numbers(session: str, recipe: Recipe, info: StreamInfo) -> tuple[int, ...]:
    """Where the channels that were chosen stand in a stream; OtherStreamError where it has one not, or twice."""
    found = []
    for channel in recipe.channels or ():
        if isinstance(channel, str) and info.names.count(channel) == 1:
            found.append(info.names.index(channel))
        elif not isinstance(channel, str) and channel < info.n_channels:
            found.append(channel)
        else:
            how = "two channels" if info.names.count(str(channel)) > 1 else "no channel"
            raise OtherStreamError(
                f"{recipe.stream} has {how} {channel!r} in {session}; its {info.n_channels} are {', '.join(info.names)}"
            )
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Classes:
    """Classes of sessions that are taken together: one index for each name.

    Attributes
    ----------
    names
        By class index.
    maps
        For each session the class index of each of its own; empty where they are the same.
    """

    names: tuple[str, ...]
    maps: tuple[tuple[int, ...], ...]

    @classmethod
    def of(cls, sessions: Sequence[Facts], first: Sequence[str] = ()) -> Classes:
        """Match classes by name: those of ``first``, then those of the sessions in their order.

        Raises
        ------
        OtherClassesError
            Sessions name their classes differently, and one has labels of a class without a name.
        """
        lists = {session.class_names for session in sessions}
        if len(lists) <= 1 and not first:
            return cls(next(iter(lists), ()), ((),) * len(sessions))
        names = tuple(dict.fromkeys([*first, *(name for session in sessions for name in session.class_names)]))
        for session in sessions:
            nameless = sorted(index for index in session.classes if index >= len(session.class_names))
            if nameless:
                raise OtherClassesError(
                    f"{session.name} has labels of class {nameless[0]}, which has no name there: it cannot be matched "
                    f"with {', '.join(names)}; cut that session by itself"
                )
        return cls(names, tuple(tuple(names.index(name) for name in session.class_names) for session in sessions))


def own_classes(mapped: tuple[int, ...], wanted: frozenset[int] | None) -> frozenset[int] | None:
    """Which of a session's own classes are ``wanted``, where its class indices are ``mapped``; None for all."""
    if wanted is None or not mapped:
        return wanted
    return frozenset(own for own, index in enumerate(mapped) if index in wanted) | (wanted & {UNLABELLED})
