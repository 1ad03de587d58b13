"""Where electrodes are: what the configuration tells, or the operator, which is remembered for the folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..config import Config
    from ..grid_layout import GridLayout
    from ..stream import Stream
    from .preferences import Preferences


class Montages:
    """The montage of each stream, by its name in the session.

    Parameters
    ----------
    config
        Has ``[[montage]]``.
    preferences
        Keep what the operator told instead.
    """

    def __init__(self, config: Config, preferences: Preferences) -> None:
        self._config = config
        self._preferences = preferences

    def apply(self, stream: Stream) -> None:
        """Give a stream that was just made its montage, where there is one."""
        kept = self._preferences.kept.montage
        layouts = kept[stream.name] if stream.name in kept else self._config.layouts(stream.name)
        if layouts:
            stream.set_montage(layouts)

    def set(self, stream: Stream, layouts: Iterable[GridLayout] | None) -> None:
        """Set the montage of a stream and remember it; None is what the configuration tells again.

        Raises
        ------
        NotAllowedError
            It is being recorded.
        ConfigError
            It does not fit the stream.
        """
        wanted = self._config.layouts(stream.name) if layouts is None else tuple(layouts)
        stream.set_montage(wanted)
        kept = {name: one for name, one in self._preferences.kept.montage.items() if name != stream.name}
        self._preferences.kept.montage = kept if layouts is None else {**kept, stream.name: wanted}
        self._preferences.save()

    def without_stream(self, names: Iterable[str]) -> list[str]:
        """Names in a configuration without ``[[streams]]`` that no stream has; one with them was checked when read."""
        if self._config.streams:
            return []
        there = set(names)
        return list(dict.fromkeys(one.stream for one in self._config.montage if one.stream not in there))
