from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
import zarr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from myogestic_tui.info import NUMERIC_DTYPES, StreamInfo
from myogestic_tui.session import LabelEvent, Session, open_session_store, recover_session
from myogestic_tui.session.format.zarr_format import ArraySpec, array_json, decode_chunk, encode_chunk, parse_array_json
from myogestic_tui.session.format.zstd_frame import compress, decoded_bound
from tests.session.folders import cut_off

SLOW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])

TEXTS = st.text(st.characters(codec="utf-8"), max_size=12)


@st.composite
def streams(draw: st.DrawFn) -> tuple[StreamInfo, list[np.ndarray]]:
    """A layout, and chunks of any length of any values in it."""
    dtype = draw(st.sampled_from([*NUMERIC_DTYPES, "string"]))
    info = StreamInfo(draw(st.integers(1, 5)), draw(st.sampled_from([0.0, 0.5, 1.0, 7.0, 30.5])), dtype)
    lengths = draw(st.lists(st.integers(0, 40), max_size=6))
    if dtype == "string":
        cells = st.lists(TEXTS, min_size=info.n_channels, max_size=info.n_channels)
        rows = [[draw(cells) for _ in range(n % 6)] for n in lengths]
        return info, [np.array(chunk, object).reshape(-1, info.n_channels) for chunk in rows]
    seed = draw(st.integers(0, 2**32 - 1))
    return info, [random_values(dtype, (n, info.n_channels), seed + n) for n in lengths]


def random_values(dtype: str, shape: tuple[int, int], seed: int) -> np.ndarray:
    """Any bits at all, NaN and infinities among them."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    return np.frombuffer(np.random.default_rng(seed).bytes(size), dtype).reshape(shape)


def same_bits(left: np.ndarray, right: np.ndarray) -> None:
    assert left.shape == right.shape
    if left.dtype.kind in "OT" or right.dtype.kind in "OT":
        assert left.tolist() == right.tolist()
    else:
        assert left.dtype == right.dtype
        assert left.tobytes() == right.tobytes()


@SLOW
@given(streams(), st.lists(st.tuples(st.floats(-1e9, 1e9), st.integers(-1, 40)), max_size=6), st.data())
def test_what_goes_in_comes_out(stream: tuple[StreamInfo, list[np.ndarray]], labels, data: st.DataObject):
    info, chunks = stream
    rng = np.random.default_rng(1)
    stamps = [rng.normal(size=len(chunk)) for chunk in chunks]
    with tempfile.TemporaryDirectory() as base:
        session = Session(base, reserve_bytes=0)
        session.init_stream("s", info)
        for chunk, times in zip(chunks, stamps, strict=True):
            session.append("s", chunk, times)
            if data.draw(st.integers(0, 3)) == 0:
                session.flush()
        for at, index in labels:
            session.add_label(index, at)
        expected = np.concatenate([*chunks, np.empty((0, info.n_channels), info.np_dtype)])
        times = np.concatenate([*stamps, np.empty(0)])
        track = sorted(
            (LabelEvent(at, index, source="script") for at, index in labels), key=lambda label: label.timestamp
        )
        copy = cut_off(session.path, Path(base, "copy"))
        session.finish()
        for path in (lambda: copy, lambda: recover_session(copy), lambda: session.path):
            with open_session_store(path()) as reader:
                same_bits(reader.stream("s").data.rows(0, reader.n_samples("s")), expected)
                same_bits(reader.stores["s"][:], expected)
                same_bits(reader.ts_stores["s"][:], times)
                assert reader.label_track == track
                assert reader.stream_info("s").dtype == info.dtype


@settings(max_examples=40, deadline=None)
@given(streams())
def test_chunks_are_what_zarr_itself_writes_and_reads(stream: tuple[StreamInfo, list[np.ndarray]]):
    info, chunks = stream
    spec = ArraySpec.data(info)
    rows = np.concatenate([*chunks, np.empty((0, info.n_channels), info.np_dtype)])[: spec.chunk_length]
    data = encode_chunk(spec, rows)
    same_bits(decode_chunk(spec, data, where="chunk")[: len(rows)], rows)
    if not info.is_string:
        assert decoded_bound(data) == spec.chunk_nbytes
    with tempfile.TemporaryDirectory() as base:
        codec = zarr.codecs.ZstdCodec(level=1, checksum=True)
        array = zarr.create_array(
            Path(base, "a"), shape=(len(rows), info.n_channels), chunks=spec.chunk_shape, dtype=info.dtype,
            compressors=codec, config={"write_empty_chunks": True},
        )  # fmt: skip
        assert parse_array_json(Path(base, "a/zarr.json").read_bytes(), where="a") == (spec, len(rows))
        assert zarr.core.metadata.ArrayV3Metadata.from_dict(_json(array_json(spec, len(rows)))) == array.metadata
        if len(rows):
            array[:] = rows
            theirs = Path(base, "a", spec.chunk_key(0)).read_bytes()
            same_bits(decode_chunk(spec, theirs, where="chunk")[: len(rows)], rows)


def _json(data: bytes) -> dict:
    import json

    return json.loads(data)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60), st.booleans())
def test_a_frame_of_garbage_has_no_size_and_never_raises(data: bytes, frame: bool):
    decoded_bound(b"\x28\xb5\x2f\xfd" + data if frame else data)


@pytest.mark.parametrize("what", ["no size", "size"])
def test_a_frame_says_its_size_or_is_bounded(what: str):
    raw = bytes(300_000)
    if what == "size":
        assert decoded_bound(compress(raw, 1)) == len(raw)
        return
    # A hand-made frame without a size: magic, a descriptor, a window of 128 kB, three RLE blocks.
    blocks = b"".join(((100_000 << 3) | (1 << 1) | last).to_bytes(3, "little") + b"\0" for last in (0, 0, 1))
    assert decoded_bound(b"\x28\xb5\x2f\xfd" + bytes([0x00, 0x38]) + blocks) == 300_000
