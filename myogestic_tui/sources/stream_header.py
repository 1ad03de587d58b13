"""The XML header of a stream: read into a `StreamInfo`, and compared when a stream comes back.

Channel metadata follow the XDF conventions (github.com/sccn/xdf/wiki/Meta-Data): ``desc/channels/channel`` with
``label``, ``unit`` and ``type``, and ``desc/acquisition/manufacturer``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree

from ..info import StreamInfo

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
    desc = _description(xml)
    channels = desc.findall("channels/channel")
    labels = _column(channels, "label", n_channels)
    if labels is not None:
        labels = tuple(label or f"ch{index + 1}" for index, label in enumerate(labels))
    return StreamInfo(
        n_channels=n_channels,
        fs=handle.fs,
        dtype=handle.dtype,
        channel_names=labels,
        units=_column(channels, "unit", n_channels),
        channel_types=_column(channels, "type", n_channels),
        type=handle.text("type"),
        source_id=handle.text("source_id"),
        hostname=handle.text("hostname"),
        uid=handle.text("uid"),
        manufacturer=_text(desc, "manufacturer") or _text(desc, "acquisition/manufacturer"),
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


def _description(xml: str) -> ElementTree.Element:
    """The ``desc`` element; an empty one where there is none, or where the XML is not well-formed."""
    try:
        found = ElementTree.fromstring(xml).find("desc")
    except ElementTree.ParseError:
        found = None
    return ElementTree.Element("desc") if found is None else found


def _text(element: ElementTree.Element, path: str) -> str:
    return (element.findtext(path) or "").strip()


def _column(channels: list[ElementTree.Element], field: str, n_channels: int) -> tuple[str, ...] | None:
    """One entry per channel, empty where a stream describes only some of them; None where it describes none."""
    values = [_text(channel, field) for channel in channels[:n_channels]]
    if not any(values):
        return None
    return (*values, *[""] * (n_channels - len(values)))


def _first_change(what: str, before: tuple[str, ...] | None, after: tuple[str, ...] | None) -> str:
    if before is None or after is None:
        return f"{what} {'appeared' if before is None else 'are gone'}"
    index = next(index for index, pair in enumerate(zip(before, after, strict=True)) if pair[0] != pair[1])
    return f"{what}: channel {index + 1} is {after[index]!r} instead of {before[index]!r}"
