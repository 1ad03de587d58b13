"""What the XML header of an LSL stream says of its channels; the headers of XDF files are the same.

Channel metadata follow the XDF conventions (github.com/sccn/xdf/wiki/Meta-Data): ``desc/channels/channel`` with
``label`` (or ``name``), ``unit`` and ``type``, and ``desc/acquisition/manufacturer``.
"""

from __future__ import annotations

import codecs
from typing import NamedTuple
from xml.etree import ElementTree

MOST_XML = 16 << 20
"""Characters of a header beyond which it is not looked at."""


class Declared(NamedTuple):
    """What a header says; one entry per channel, or None where it says nothing of any."""

    channel_names: tuple[str, ...] | None = None
    units: tuple[str, ...] | None = None
    channel_types: tuple[str, ...] | None = None
    manufacturer: str = ""


def decode_text(raw: bytes) -> str:
    """Text of a stream: UTF-8, and Latin-1 for bytes that are none (a lone B5 is µ), as other readers take them."""
    return raw.decode("utf-8", _LATIN_1)


def parse_header(xml: str) -> ElementTree.Element | None:
    """The ``info`` element of a header; None where it is not well-formed, too large, or declares entities."""
    if not xml or len(xml) > MOST_XML or "<!DOCTYPE" in xml or "<!ENTITY" in xml:
        return None
    try:
        return ElementTree.fromstring(xml)
    except (ElementTree.ParseError, UnicodeEncodeError):
        return None


def declared(xml: str, n_channels: int) -> Declared:
    """What a header says of ``n_channels`` channels: entries of those that it leaves out are empty, names ``ch3``."""
    root = parse_header(xml)
    desc = None if root is None else root.find("desc")
    if desc is None:
        return Declared()
    channels = desc.findall("channels/channel")[:n_channels]
    names = _column([_text(channel, "label") or _text(channel, "name") for channel in channels], n_channels)
    return Declared(
        names and tuple(name or f"ch{index + 1}" for index, name in enumerate(names)),
        _column([_text(channel, "unit") for channel in channels], n_channels),
        _column([_text(channel, "type") for channel in channels], n_channels),
        _text(desc, "manufacturer") or _text(desc, "acquisition/manufacturer"),
    )


def _text(element: ElementTree.Element, path: str) -> str:
    return (element.findtext(path) or "").strip()


def _column(values: list[str], n_channels: int) -> tuple[str, ...] | None:
    return (*values, *[""] * (n_channels - len(values))) if any(values) else None


def _as_latin_1(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("latin-1"), error.end


_LATIN_1 = "myogestic_tui.latin_1"
codecs.register_error(_LATIN_1, _as_latin_1)
