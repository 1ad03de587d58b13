"""Windows by number: the same in any order and process, pickled or forked, each once over all workers."""

from __future__ import annotations

import os
import pickle
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import pytest
from scipy import signal

from myogestic_tui.errors import ConfigError, NotFiniteError
from myogestic_tui.session import WindowsDataset, causal_filter, open_session_store, windows
from myogestic_tui.session.format import arrays
from tests.windows.making import emg_of, make_session
from tests.windows.test_options import recorded

SOS = causal_filter(signal.butter(2, 20, "highpass", fs=1000.0, output="sos"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    base = tmp_path_factory.mktemp("set")
    for seed in range(2):
        make_session(base, more=False, seed=seed, gap=(2.6, 0.3))
    return base


def some_of(dataset_and_numbers):
    dataset, numbers = dataset_and_numbers
    return os.getpid(), [(window.tobytes(), index) for window, index in map(dataset.__getitem__, numbers)]


@pytest.mark.parametrize(
    "how", [{}, {"filter": SOS}, {"filter": SOS, "resample": 500.0, "channels": ["E3", "E1"]}], ids=len
)
def test_they_are_those_of_windows_in_any_order(folder, how):
    W, dataset = windows(folder, "emg", 0.2, 0.1, **how), WindowsDataset(folder, "emg", 0.2, 0.1, **how)
    assert (len(dataset), dataset.class_names, dataset.fs) == (len(W), W.class_names, W.fs)
    assert dataset.channel_names == W.channel_names
    assert dataset.meta.tolist() == W.meta.tolist()
    assert dataset.groups.tolist() == W.groups().tolist()
    for number in np.random.default_rng(1).permutation(len(W)).tolist():
        window, index = dataset[number]
        np.testing.assert_array_equal(window, W.X[number])
        assert index == W.y[number] == dataset.y[number]
        assert window.flags.c_contiguous
    with pytest.raises(IndexError):
        dataset[len(dataset)]
    assert [index for _, index in dataset] == W.y.tolist()
    dataset.close()


def test_a_seed_shuffles_them_the_same_way_again(folder):
    plain, first, again, other = (
        WindowsDataset(folder, "emg", 0.2, 0.1, shuffle_seed=seed) for seed in (None, 0, 0, 1)
    )
    assert first.meta.tolist() == again.meta.tolist() != other.meta.tolist()
    assert sorted(first.meta.tolist()) == sorted(plain.meta.tolist())
    place = plain.meta.tolist().index(first.meta[5].item())
    np.testing.assert_array_equal(first[5][0], plain[place][0])


def test_in_order_every_chunk_is_decoded_once(folder, monkeypatch):
    dataset, decoded = WindowsDataset(folder, "emg", 0.2, 0.01), []
    decode = arrays.decode_chunk

    def watched(spec, data, *, where):
        decoded.append((where, bytes(data[-8:])))
        return decode(spec, data, where=where)

    monkeypatch.setattr(arrays, "decode_chunk", watched)
    for _ in dataset:
        pass
    assert len(decoded) == len(set(decoded)) >= 2 * 7


def test_shards_are_everything_once(folder):
    dataset = WindowsDataset(folder, "emg", 0.2, 0.1)
    whole = [window.tobytes() for window, _ in dataset]
    shards = [[window.tobytes() for window, _ in dataset.shard(number, 3)] for number in range(3)]
    assert [*shards[0], *shards[1], *shards[2]] == whole
    assert max(map(len, shards)) - min(map(len, shards)) <= 1


@pytest.mark.parametrize("method", ["spawn", "fork"])
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_workers_of_any_kind_read_the_same(folder, method):
    dataset = WindowsDataset(folder, "emg", 0.2, 0.1, filter=SOS)
    here = some_of((dataset, range(20)))[1]  # its files are open now
    with ProcessPoolExecutor(1, mp_context=get_context(method)) as pool:
        pid, there = pool.submit(some_of, (dataset, range(20))).result(timeout=120)
    assert pid != os.getpid()
    assert there == here
    assert len(pickle.dumps(dataset)) < 300 * len(dataset)


def test_a_session_can_be_pickled(folder):
    path = next(folder.glob("*.zip"))
    with open_session_store(path) as session, pickle.loads(pickle.dumps(session)) as again:
        assert again.path == session.path
        np.testing.assert_array_equal(again.stores["emg"][:], session.stores["emg"][:])


@pytest.mark.parametrize(("number", "count"), [(-1, 2), (2, 2), (0, 0), ("a", 2), (0, 1.5)])
def test_a_shard_of_no_worker_is_refused(folder, number, count):
    dataset = WindowsDataset(folder, "emg", 0.2, 0.1)
    with pytest.raises(ConfigError, match=r"number is|count is"):
        next(dataset.shard(number, count))


@pytest.mark.parametrize("seed", [-1, 1.5, "x", True])
def test_a_seed_is_a_whole_number(folder, seed):
    with pytest.raises(ConfigError, match="shuffle_seed is"):
        WindowsDataset(folder, "emg", 0.2, 0.1, shuffle_seed=seed)


@pytest.mark.parametrize("number", [slice(0, 3), None, 1.5, "a"])
def test_windows_are_asked_for_one_by_one(folder, number):
    with pytest.raises(TypeError, match="integer"):
        WindowsDataset(folder, "emg", 0.2, 0.1)[number]


def test_values_that_are_no_numbers_are_an_error_unless_left_out(tmp_path):
    data = emg_of(2000)
    data[1234, 2] = np.nan
    path = recorded(tmp_path, data, [(0.0, 0)])
    dataset = WindowsDataset(path, "emg", 0.2, 0.1)
    assert np.isfinite(dataset[0][0]).all()
    with pytest.raises(NotFiniteError, match=r"1\.20 s after its label"):
        dataset[12]
    kept = WindowsDataset(path, "emg", 0.2, 0.1, on_nan="drop")
    assert len(kept) == len(dataset) - 2
    assert np.isfinite([window.sum() for window, _ in kept]).all()
    assert np.isnan(WindowsDataset(path, "emg", 0.2, 0.1, on_nan="keep")[12][0]).sum() == 1


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_pytorch_goes_through_it_both_ways(folder, method):
    torch = pytest.importorskip("torch", reason="torch is not installed")
    dataset = WindowsDataset(folder, "emg", 0.2, 0.1, shuffle_seed=0)
    expected = sorted(window.tobytes() for window, _ in dataset)
    for one in (dataset, dataset.iterable()):
        loader = torch.utils.data.DataLoader(one, batch_size=16, num_workers=2, multiprocessing_context=method)
        got = [window.numpy().tobytes() for X, _ in loader for window in X]
        assert sorted(got) == expected


def test_without_pytorch_there_is_no_iterable_one(folder):
    try:
        import torch  # noqa: F401
    except ModuleNotFoundError:
        with pytest.raises(ConfigError, match="pip install torch"):
            WindowsDataset(folder, "emg", 0.2, 0.1).iterable()
