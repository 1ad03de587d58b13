"""Zarr v3 arrays as this recorder lays them out: chunks span all channels, all are stored, zstd checks itself.

``write_empty_chunks`` on and zstd with its checksum, for creating and for opening: without the first a muted second is
not stored and reads back like a lost one; without the second most flipped bits in a chunk decode to wrong values.

The recorder encodes chunks with `encode_chunk` and places the files itself, because plain zarr publishes a new shape
before the chunks exist; `RecordingStore` keeps the `zarr.Array` that users hold from doing so.

``zarrs``, where installed, reads through any store whose type is called ``LocalStore``, straight from the file system.
All stores of this package are named otherwise: what they hold back, overlay or check must not be gone round.
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from msgspec import Struct, field

from ...errors import SessionDamagedError
from ...info import MOST_BYTES, STRING_DTYPE, StreamInfo
from .create_file import place, write_all
from .json_files import Int64, as_type, decode_json
from .layout import ZARR_JSON
from .vlen_utf8 import decode_vlen_utf8, encode_vlen_utf8
from .zstd_frame import compress, decoded_bound, decompress

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

ZSTD_LEVEL = 1
"""On EMG as int16 level 1 takes a sixth of the time of zarr's default level 0 (= 3), for files 2 % larger; as float32
with all its bits 0.7 of the time, 4 % larger; as float32 of whole ADC steps half the time, a third larger.

Chunks of one array may be of different levels: a decoder does not need to know. ``zarr.json`` names this one.
"""

LEAST_SAVING = 0.1
"""Below this share of its bytes a chunk is not worth `ZSTD_LEVEL`: raw it is decoded five times as fast."""

RAW_LEVEL = -100_000
"""A frame of raw blocks (but for silence), with its checksum, at the speed of a copy: for samples that are recorded.

Packing compresses them. At 64 channels of 2048 Hz that takes 0.3 % of a core from the recorder's 1.7 %.
"""

MAX_CHUNK = MOST_BYTES
"""Bytes of a decoded chunk beyond which a session is refused: 256 channels of float64 at 100 kHz take 200 MB."""

MAX_CHUNKS = 1_000_000
"""Chunks of an array beyond which a session is refused: 11 days of seconds, as many files as an archive may have."""

MAX_TEXTS = 2**20
"""Values of a chunk of text beyond which a session is refused: each takes some 60 bytes more than it is long."""

MAX_TEXT_CHUNK = 64 * 2**20
"""Bytes of a decoded chunk of text beyond which it is refused."""

_NUMERIC = frozenset(
    {"bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32", "float64"}
)


@dataclass(frozen=True, slots=True)
class ArraySpec:
    """Layout of one array: ``(n_rows, *row_shape)`` in ``dtype``, ``chunk_length`` rows per chunk."""

    dtype: str
    """A NumPy name, or ``"string"``."""
    row_shape: tuple[int, ...]
    chunk_length: int

    @classmethod
    def data(cls, info: StreamInfo) -> ArraySpec:
        """Samples of a stream, ``(n_samples, n_channels)``."""
        return cls(info.dtype, (info.n_channels,), info.chunk_length)

    @classmethod
    def timestamps(cls, info: StreamInfo) -> ArraySpec:
        """Its raw time stamps in seconds, ``(n_samples,)``."""
        return cls("float64", (), info.chunk_length)

    @classmethod
    def clock(cls) -> ArraySpec:
        """Clock estimates, ``(k, 4)``: collected_at, offset, uncertainty, remote time, all in seconds."""
        return cls("float64", (4,), 1024)

    @classmethod
    def arrival(cls) -> ArraySpec:
        """Arrival record, ``(k, 2)``: samples read so far, and the recorder's clock then, in seconds."""
        return cls("float64", (2,), 256)

    @classmethod
    def overview(cls, info: StreamInfo) -> ArraySpec:
        """Least, greatest and RMS value of each chunk of samples, ``(n_chunks, n_channels, 3)``."""
        return cls("float32", (info.n_channels, 3), 64)

    @property
    def is_string(self) -> bool:
        """True for text."""
        return self.dtype == STRING_DTYPE

    @property
    def np_dtype(self) -> np.dtype[Any]:
        """Dtype of a decoded chunk, little-endian; object for text."""
        return np.dtype(object) if self.is_string else np.dtype(self.dtype).newbyteorder("<")

    @property
    def chunk_shape(self) -> tuple[int, ...]:
        """Shape of a chunk."""
        return (self.chunk_length, *self.row_shape)

    @property
    def chunk_nbytes(self) -> int:
        """Bytes of a decoded chunk of numbers."""
        return math.prod(self.chunk_shape) * self.np_dtype.itemsize

    def n_chunks(self, n_rows: int) -> int:
        """Chunks that ``n_rows`` take."""
        return -(-n_rows // self.chunk_length)

    def chunk_key(self, number: int) -> str:
        """Where chunk ``number`` lies within the array's folder."""
        return f"c/{number}" + "/0" * len(self.row_shape)


_DIMENSIONS = {
    "_timestamps": ("{}_sample",),
    "_clock": ("{}_estimate", "clock_column"),
    "_overview": ("{}_second", "{}_channel", "overview_column"),
    "_arrival": ("{}_read", "arrival_column"),
}
"""What the dimensions of a derived array are called, by what stands behind the stem; ``{}`` is the stem."""


def group_json() -> bytes:
    """``zarr.json`` of a session's folder: a group, so that zarr and xarray open all arrays at once."""
    document = {"attributes": {}, "zarr_format": 3, "node_type": "group"}
    return msgspec.json.format(msgspec.json.encode(document), indent=2)


def dimension_names(name: str, spec: ArraySpec) -> tuple[str, ...]:
    """Names of the dimensions of the array ``name`` (``emg_clock.zarr``): what has one name has one length."""
    stem = name.removesuffix(".zarr")
    for derived, names in _DIMENSIONS.items():
        if stem.endswith(derived) and len(names) == 1 + len(spec.row_shape):
            return tuple(one.format(stem.removesuffix(derived)) for one in names)
    return tuple(f"{stem}_{axis}" for axis in ("sample", "channel", "column")[: 1 + len(spec.row_shape)])


def array_json(spec: ArraySpec, n_rows: int, name: str = "") -> bytes:
    """``zarr.json`` of an array with ``n_rows`` rows, as zarr itself writes it; dimensions have names where it has."""
    serializer: dict[str, Any] = {"name": "bytes", "configuration": {"endian": "little"}}
    if spec.dtype in ("int8", "uint8", "bool"):
        serializer = {"name": "bytes"}
    if spec.is_string:
        serializer = {"name": "vlen-utf8", "configuration": {}}
    fill = "" if spec.is_string else 0.0 if spec.dtype.startswith("float") else 0
    document = {
        "shape": (n_rows, *spec.row_shape),
        "data_type": spec.dtype,
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": spec.chunk_shape}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "fill_value": fill,
        "codecs": [serializer, {"name": "zstd", "configuration": {"level": ZSTD_LEVEL, "checksum": True}}],
        "attributes": {},
        **({"dimension_names": dimension_names(name, spec)} if name else {}),
        "zarr_format": 3,
        "node_type": "array",
        "storage_transformers": [],
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=2)


class _Settings(Struct, frozen=True):
    """``configuration`` of a codec, a chunk grid or a key encoding, as far as it matters here."""

    chunk_shape: list[Int64] = []
    separator: str = "/"
    endian: str = "little"


class _Named(Struct, frozen=True):
    """A codec, a chunk grid or a key encoding."""

    name: str
    configuration: _Settings = _Settings()


class _ArrayJson(Struct, frozen=True):
    """``zarr.json`` of an array, as far as it matters here."""

    zarr_format: Int64
    node_type: str
    shape: list[Int64]
    data_type: str
    chunk_grid: _Named
    chunk_key_encoding: _Named
    codecs: list[_Named] = field(default_factory=list)


def parse_array_json(data: bytes, *, where: str) -> tuple[ArraySpec, int]:
    """Layout and row count from ``zarr.json``, of any recorder whose chunks span all channels.

    Raises
    ------
    SessionDamagedError
        It is broken, claims impossible sizes, or uses a layout or codec that no recorder of this format writes.
    """
    said = as_type(decode_json(data, where=where), _ArrayJson, where=where)
    shape, dtype, chunks = said.shape, said.data_type, said.chunk_grid.configuration.chunk_shape
    keys, codecs = said.chunk_key_encoding, [codec.name for codec in said.codecs]
    serializer = "vlen-utf8" if dtype == STRING_DTYPE else "bytes"
    if (
        (said.zarr_format, said.node_type, keys.name, keys.configuration.separator) != (3, "array", "default", "/")
        or codecs != [serializer, "zstd"]
        or said.codecs[0].configuration.endian != "little"
        or dtype not in _NUMERIC | {STRING_DTYPE}
    ):
        raise SessionDamagedError(f"{where}: {dtype} with codecs {codecs} is no array that this format has")
    if not 1 <= len(shape) <= 3 or len(chunks) != len(shape) or chunks[1:] != shape[1:] or min(shape[0], *chunks) < 0:
        raise SessionDamagedError(f"{where}: shape {shape} in chunks of {chunks} is none that this format has")
    if 0 in chunks:
        raise SessionDamagedError(f"{where}: shape {shape} in chunks of {chunks} is none that this format has")
    spec = ArraySpec(dtype, tuple(shape[1:]), chunks[0])
    too_large = spec.chunk_nbytes > MAX_CHUNK or (spec.is_string and math.prod(spec.chunk_shape) > MAX_TEXTS)
    if too_large or spec.n_chunks(shape[0]) > MAX_CHUNKS:
        raise SessionDamagedError(f"{where}: shape {shape} in chunks of {chunks} is larger than any recording")
    return spec, shape[0]


def encode_chunk(spec: ArraySpec, rows: NDArray[Any], level: int = ZSTD_LEVEL) -> bytes:
    """One chunk from its ``(k, *row_shape)`` rows, as zarr would store it; below ``chunk_length`` it is filled up."""
    if len(rows) < spec.chunk_length:
        full: NDArray[Any] = np.full(spec.chunk_shape, "" if spec.is_string else 0, spec.np_dtype)
        full[: len(rows)] = rows
        rows = full
    raw = encode_vlen_utf8(rows.ravel()) if spec.is_string else np.ascontiguousarray(rows, spec.np_dtype).data
    return compress(raw, level)


def decode_chunk(spec: ArraySpec, data: bytes, *, where: str) -> NDArray[Any]:
    """Decode one chunk; without zarr, and never through ``zarrs``.

    Returns
    -------
    rows
        ``(chunk_length, *row_shape)``; the last chunk of an array is filled up.

    Raises
    ------
    SessionDamagedError
        It does not decode, its checksum differs, or it is not as large as a chunk is.
    """
    check_declared_size(spec, data, where=where)
    try:
        raw = decompress(data)
        if not spec.is_string:
            return np.frombuffer(raw, spec.np_dtype).reshape(spec.chunk_shape)
        return decode_vlen_utf8(raw, math.prod(spec.chunk_shape)).reshape(spec.chunk_shape)
    except (RuntimeError, ValueError, MemoryError, UnicodeDecodeError, IndexError) as error:
        raise SessionDamagedError(f"{where} does not decode: {error}") from error


def check_declared_size(spec: ArraySpec, data: bytes, *, where: str) -> None:
    """Refuse a chunk that claims another size than a chunk of ``spec`` has, before any decoder allocates it.

    Raises
    ------
    SessionDamagedError
        It is no zstd frame, or the claim is wrong.
    """
    declared = decoded_bound(data)
    if declared is None:
        raise SessionDamagedError(f"{where} is not one zstd frame")
    # Where a frame does not declare its size, what is known is a bound that is up to one block too large.
    most = MAX_TEXT_CHUNK if spec.is_string else spec.chunk_nbytes + 128 * 1024
    if declared > most:
        raise SessionDamagedError(f"{where} claims to decode to {declared} bytes")


def create_array(folder: Path, name: str, spec: ArraySpec) -> None:
    """Make the array ``name`` (``emg.zarr``) without rows in ``folder``, atomically, not yet synced.

    Raises
    ------
    OSError
        The disk refused.
    """
    place(folder, f"{name}/{ZARR_JSON}", array_json(spec, 0, name))


def write_chunk(folder: Path, name: str, spec: ArraySpec, number: int, data: bytes) -> None:
    """Put an encoded chunk in its place, atomically, not yet synced unless it replaces one.

    What is in a chunk that grows may stand nowhere else any more: a power cut must leave the old one or the new one.

    Raises
    ------
    OSError
        The disk refused; an older state of the chunk is untouched.
    """
    place(folder, f"{name}/{spec.chunk_key(number)}", data)


def write_bytes(path: Path, data: bytes, *, sync: bool = False) -> None:
    """Write a whole file, synced or not yet; nothing of it stays where the disk refuses."""
    write_all(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666), path, data, sync=sync)
