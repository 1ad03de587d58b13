"""A stream of one's own on the network: used by the generator, by replay, and by tests."""

from __future__ import annotations

from ctypes import c_char_p, c_uint32
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ConfigError, SourceError, StreamError
from .liblsl import CODES, SUFFIXES, InfoHandle, liblsl

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from ..info import StreamInfo


NOT_OFFERED: set[str] = set()
"""Uids of outlets of this process that tell others of a recording, and are nothing to be recorded here."""


class Outlet:
    """An LSL outlet.

    Parameters
    ----------
    name
        Name of the stream.
    info
        Its layout; type, source_id, channel names, units, channel types and manufacturer are announced where given.
    buffer_seconds
        How long samples are kept for an inlet that does not take them.
    describe
        Further text elements of the header, by name.
    offered
        Whether this process lists it among what it can record.

    Raises
    ------
    StreamError
        liblsl refuses to open it.
    """

    def __init__(
        self,
        name: str,
        info: StreamInfo,
        *,
        buffer_seconds: int = 360,
        describe: Mapping[str, str] | None = None,
        offered: bool = True,
    ) -> None:
        self.name, self.info = name, info
        self._library = liblsl()
        handle = _make_header(name, info, describe or {})
        self._pointer = self._library.lsl_create_outlet(handle.pointer, 0, buffer_seconds)
        if not self._pointer:
            raise StreamError(f"the outlet {name!r} could not be opened; is a network interface up?")
        self.uid = InfoHandle(self._library.lsl_get_info(self._pointer)).text("uid")
        if not offered:
            NOT_OFFERED.add(self.uid)

    def push(self, data: NDArray[Any], timestamps: NDArray[np.float64]) -> None:
        """Send samples.

        Parameters
        ----------
        data
            ``(n_samples, n_channels)`` in the dtype of the stream.
        timestamps
            ``(n_samples,)`` seconds.

        Raises
        ------
        SourceError
            Shape or dtype is not that of the stream.
        """
        data, stamps = np.ascontiguousarray(data), np.ascontiguousarray(timestamps, np.float64)
        if data.dtype != self.info.np_dtype or data.shape != (len(stamps), self.info.n_channels):
            raise SourceError(
                f"{self.name}: {data.shape} {data.dtype} and {len(stamps)} time stamps; "
                f"the stream takes (n, {self.info.n_channels}) {self.info.dtype}"
            )
        if len(stamps):
            push = getattr(self._library, f"lsl_push_chunk_{SUFFIXES[self.info.dtype]}tnp")
            push(self._pointer, data.ctypes.data, data.size, stamps.ctypes.data, 1)

    def push_text(self, samples: Sequence[Sequence[str | bytes]], timestamps: Sequence[float]) -> None:
        """Send samples of a string stream; bytes go out as they are.

        Raises
        ------
        SourceError
            The stream is none of strings, or a sample has not one text per channel.
        """
        flat = [text.encode() if isinstance(text, str) else text for sample in samples for text in sample]
        ragged = any(len(sample) != self.info.n_channels for sample in samples)
        if not self.info.is_string or ragged or len(samples) != len(timestamps):
            raise SourceError(
                f"{self.name} takes {self.info.n_channels} {self.info.dtype} per sample, and a stamp for each"
            )
        if flat:
            texts, lengths = (c_char_p * len(flat))(*flat), (c_uint32 * len(flat))(*map(len, flat))
            stamps = np.asarray(timestamps, np.float64)
            self._library.lsl_push_chunk_buftnp(self._pointer, texts, lengths, len(flat), stamps.ctypes.data, 1)

    @property
    def has_consumers(self) -> bool:
        """True while an inlet is subscribed."""
        return bool(self._library.lsl_have_consumers(self._pointer))

    def wait_for_consumers(self, timeout: float) -> bool:
        """Wait until an inlet is subscribed; False if none came within ``timeout`` seconds."""
        return bool(self._library.lsl_wait_for_consumers(self._pointer, timeout))

    def close(self) -> None:
        """Take it off the network. May be called twice."""
        pointer, self._pointer = self._pointer, None
        if pointer:
            self._library.lsl_destroy_outlet(pointer)

    def __enter__(self) -> Outlet:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _make_header(name: str, info: StreamInfo, describe: Mapping[str, str]) -> InfoHandle:
    library = liblsl()
    if info.dtype not in CODES:
        raise ConfigError(f"{name}: LSL has no format {info.dtype!r}")
    text = [part.encode() for part in (name, info.type, info.source_id)]
    code = CODES[info.dtype]
    handle = InfoHandle(library.lsl_create_streaminfo(text[0], text[1], info.n_channels, info.fs, code, text[2]))
    desc = library.lsl_get_desc(handle.pointer)
    for element, value in describe.items():
        library.lsl_append_child_value(desc, element.encode(), value.encode())
    if info.manufacturer:
        library.lsl_append_child_value(desc, b"manufacturer", info.manufacturer.encode())
    if any((info.channel_names, info.units, info.channel_types)):
        channels = library.lsl_append_child(desc, b"channels")
        for described in _channels(info):
            channel = library.lsl_append_child(channels, b"channel")
            for field, value in described.items():
                library.lsl_append_child_value(channel, field.encode(), value.encode())
    return handle


def _channels(info: StreamInfo) -> Iterator[dict[str, str]]:
    """What the XDF conventions say of each channel."""
    columns = {"label": info.channel_names, "unit": info.units, "type": info.channel_types}
    for index in range(info.n_channels):
        yield {field: values[index] for field, values in columns.items() if values is not None}
