"""The header of a stream: read into a `StreamInfo`, and compared when a stream comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..info import StreamInfo
from ..lsl_header import declared

if TYPE_CHECKING:
    from .liblsl import InfoHandle


def read_header(handle: InfoHandle) -> StreamInfo:
    """Everything that an opened inlet knows about its stream; the XML is kept verbatim in ``desc_xml``.

    Raises
    ------
    ConfigError
        The stream declares a layout that none can have.
    """
    xml, n_channels = handle.xml, handle.n_channels
    return StreamInfo(
        n_channels=n_channels,
        fs=handle.fs,
        dtype=handle.dtype,
        **declared(xml, n_channels)._asdict(),
        type=handle.text("type"),
        source_id=handle.text("source_id"),
        hostname=handle.text("hostname"),
        uid=handle.text("uid"),
        desc_xml=xml,
    )


def differences(before: StreamInfo, after: StreamInfo) -> list[str]:
    """What of the layout changed, in words; empty where the samples of both may stand in one array."""
    found = []
    if before.n_channels != after.n_channels:
        found.append(f"{after.n_channels} channels instead of {before.n_channels}")
    if before.dtype != after.dtype:
        found.append(f"{after.dtype} instead of {before.dtype}")
    if before.fs != after.fs:
        found.append(f"{after.fs:g} Hz instead of {before.fs:g} Hz")
    if before.n_channels == after.n_channels:
        for what in ("channel_names", "units"):
            if getattr(before, what) != getattr(after, what):
                found.append(_first_change(what.replace("_", " "), getattr(before, what), getattr(after, what)))
    return found


def _first_change(what: str, before: tuple[str, ...] | None, after: tuple[str, ...] | None) -> str:
    if before is None or after is None:
        return f"{what} {'appeared' if before is None else 'are gone'}"
    index = next(index for index, pair in enumerate(zip(before, after, strict=True)) if pair[0] != pair[1])
    return f"{what}: channel {index + 1} is {after[index]!r} instead of {before[index]!r}"
