"""Chunks that do not shrink cost no time to compress; every one reads back bit-exact, whatever its level."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import zarr

from myogestic_tui import StreamInfo
from myogestic_tui.session import Session
from myogestic_tui.session.format.zarr_format import ArraySpec, encode_chunk
from myogestic_tui.session.recording.compression_level import FAST_LEVEL, TRIED_EVERY

INFO = StreamInfo(8, 1000.0)
RNG = np.random.default_rng(5)


def noise(seconds: int) -> np.ndarray:
    return RNG.standard_normal((seconds * 1000, 8)).astype(np.float32)


def steps(seconds: int) -> np.ndarray:
    """As from an ADC: far fewer values than bits."""
    return np.round(noise(seconds) * 20.0)


def record(folder: Path, samples: np.ndarray) -> Path:
    with_times = np.arange(len(samples)) / INFO.fs
    session = Session(folder)
    session.init_stream("emg", INFO)
    for first in range(0, len(samples), 1000):
        session.append("emg", samples[first : first + 1000], with_times[first : first + 1000])
    session.finish()
    return session.path


def sizes(session: Path) -> list[int]:
    chunks = session / "emg.zarr" / "c"
    return [(chunks / str(number) / "0").stat().st_size for number in range(len(list(chunks.iterdir())))]


@pytest.mark.parametrize("samples", [noise(40), steps(40), np.concatenate((noise(20), steps(40), noise(20)))])
def test_samples_read_back_bit_exact_whatever_level_their_chunks_are_of(tmp_path: Path, samples: np.ndarray):
    session = record(tmp_path, samples)
    stored = zarr.open_array(session / "emg.zarr", mode="r")
    np.testing.assert_array_equal(stored[:].view(np.uint32), samples.view(np.uint32))


def test_noise_is_tried_now_and_then_and_stored_as_it_is_between(tmp_path: Path):
    samples = noise(2 * TRIED_EVERY + 2)
    found = sizes(record(tmp_path, samples))
    raw = 1000 * 8 * 4
    assert [number for number, size in enumerate(found) if size < raw] == [0, TRIED_EVERY, 2 * TRIED_EVERY]
    assert max(found) < raw + 100


def test_samples_that_shrink_are_always_compressed_and_a_change_of_the_signal_is_noticed(tmp_path: Path):
    found = sizes(record(tmp_path, np.concatenate((noise(4), steps(TRIED_EVERY + 4)))))
    spec, worth = ArraySpec.data(INFO), 0.7 * 1000 * 8 * 4
    assert all(size < worth for size in found[TRIED_EVERY:])
    assert len(encode_chunk(spec, steps(1))) < len(encode_chunk(spec, steps(1), FAST_LEVEL))
