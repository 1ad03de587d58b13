"""What a stream says of itself is kept verbatim, and read without guessing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from myogestic_tui.info import StreamInfo
from myogestic_tui.sources import LSLSource, Outlet
from myogestic_tui.sources.liblsl import InfoHandle, liblsl
from myogestic_tui.sources.stream_header import differences, read_header
from tests.sources.helpers import Reader

FULL = StreamInfo(
    n_channels=2,
    fs=2048.0,
    channel_names=("flexor <ü> & co", "extensor"),
    units=("microvolts", "millivolts"),
    channel_types=("EMG", "EMG"),
    type="EMG",
    source_id="amp-4711",
    manufacturer="Maker & Sons",
)


def test_an_opened_inlet_knows_everything_the_outlet_said(unique: str) -> None:
    with Outlet(unique, replace(FULL, source_id=unique)) as outlet, Reader(LSLSource(unique)) as reader:
        info = reader.info
        assert info.uid == outlet.uid
    assert replace(info, desc_xml="", hostname="", uid="") == replace(FULL, source_id=unique)
    assert info.hostname
    assert info.desc_xml.startswith("<?xml")
    assert "<manufacturer>Maker &amp; Sons</manufacturer>" in info.desc_xml
    assert f"<uid>{info.uid}</uid>" in info.desc_xml


def described(n_channels: int, *channels: dict[str, str]) -> StreamInfo:
    """The header of a stream that describes these channels, whatever its count."""
    library = liblsl()
    handle = InfoHandle(library.lsl_create_streaminfo(b"x", b"EMG", n_channels, 100.0, 1, b"id"))
    parent = library.lsl_append_child(library.lsl_get_desc(handle.pointer), b"channels")
    for channel in channels:
        node = library.lsl_append_child(parent, b"channel")
        for field, value in channel.items():
            library.lsl_append_child_value(node, field.encode(), value.encode())
    return read_header(handle)


def test_a_stream_without_a_description_has_no_labels() -> None:
    info = described(3)
    assert (info.channel_names, info.units, info.channel_types) == (None, None, None)
    assert info.names == ("ch1", "ch2", "ch3")


def test_a_partial_description_is_filled_not_dropped() -> None:
    info = described(3, {"label": "left"}, {"unit": "volts"})
    assert info.channel_names == ("left", "ch2", "ch3")
    assert info.units == ("", "volts", "")
    assert info.channel_types is None


def test_a_description_of_too_many_channels_is_cut() -> None:
    assert described(1, {"label": "a"}, {"label": "b"}).channel_names == ("a",)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"fs": 2000.0}, "2000 Hz instead of 2048 Hz"),
        ({"dtype": "int16"}, "int16 instead of float32"),
        ({"units": ("volts", "millivolts")}, "units: channel 1 is 'volts' instead of 'microvolts'"),
        ({"units": None}, "units are gone"),
        ({"channel_names": ("extensor", "flexor <ü> & co")}, "channel names: channel 1 is 'extensor'"),
    ],
)
def test_a_changed_layout_is_told_in_words(change: dict, words: str) -> None:
    (found,) = differences(FULL, replace(FULL, **change))
    assert words in found


def test_another_count_is_a_change_of_its_own() -> None:
    other = StreamInfo(n_channels=3, fs=2048.0)
    assert differences(FULL, other) == ["3 channels instead of 2"]


def test_what_identifies_an_outlet_is_no_change_of_layout() -> None:
    again = replace(FULL, uid="other", hostname="elsewhere", desc_xml="<info/>", manufacturer="new firmware")
    assert differences(FULL, again) == []
