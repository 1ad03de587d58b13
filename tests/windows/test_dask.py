"""Windows on a dask cluster are those of one process, also when a worker is killed midway."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest

from myogestic_tui.errors import ConfigError, SessionError, UnknownStreamError
from myogestic_tui.session import cluster as cluster_module
from myogestic_tui.session import iter_labeled_windows, labeled_windows, many
from myogestic_tui.session.cluster import export_one, find_sessions, on_cluster, verify_one
from myogestic_tui.session.many import session_array, windows_arrays, windows_bag
from tests.windows.making import emg_of, make_session


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder of three sessions."""
    base = tmp_path_factory.mktemp("many")
    for seed in range(3):
        make_session(base, more=False, seed=seed)
    return base


def same(got, expected):
    for (window, ts, cls), (window_2, ts_2, cls_2) in zip(got, expected, strict=True):
        np.testing.assert_array_equal(window, window_2)
        np.testing.assert_array_equal(ts, ts_2)
        assert cls == cls_2


def test_collections_equal_the_plain_functions(folder, monkeypatch):
    import dask

    paths = find_sessions([folder])
    assert len(paths) == 3
    monkeypatch.setattr(many, "TASK_SECONDS", 1.7)  # several pieces in a span
    with dask.config.set(scheduler="sync"):
        bag = windows_bag(paths, "emg", 0.2, 0.1, classes={-1, 0, 1})
        assert bag.npartitions > 6
        same(bag.compute(), list(iter_labeled_windows(paths, "emg", 0.2, 0.1, classes={-1, 0, 1})))
        X, y, groups = windows_arrays([*paths, paths[0]], "emg", 0.2, 0.1)
        expected = labeled_windows([*paths, paths[0]], "emg", 0.2, 0.1)
        assert X.shape == expected[0].shape
        np.testing.assert_array_equal(X.compute(), expected[0])
        np.testing.assert_array_equal(y, expected[1])
        np.testing.assert_array_equal(groups, expected[2])
        whole = session_array(paths[0], "emg")
        assert len(whole.chunks[0]) == 4
        np.testing.assert_array_equal(whole.compute(), emg_of(8000, seed=0))
        assert windows_bag(paths, "emg", 0.2, 0.1, classes={9}).compute() == []


def test_bad_arguments_and_sessions_are_told_at_once(folder, tmp_path, caplog):
    import dask

    paths = find_sessions([folder])
    broken = tmp_path / "2020-01-01_00-00-00.session.zip"
    broken.write_bytes(b"nothing")
    with dask.config.set(scheduler="sync"):
        with pytest.raises(ConfigError, match="hop_seconds"):
            windows_bag(paths, "emg", 0.2, 0)
        with pytest.raises(UnknownStreamError, match="EEG"):
            windows_bag(paths, "EEG", 0.2, 0.1)
        with pytest.raises(SessionError, match=broken.name):
            windows_arrays([*paths, broken], "emg", 0.2, 0.1, strict=True)
        same(
            windows_bag([broken, *paths], "emg", 0.2, 0.1).compute(),
            list(iter_labeled_windows(paths, "emg", 0.2, 0.1)),
        )
    assert broken.name in caplog.text
    (tmp_path / "empty").mkdir()
    with pytest.raises(SessionError, match="no session"):
        find_sessions([tmp_path / "empty"])


def held(part, gate):
    """Say who works on a partition, and wait for the gate to open."""
    Path(gate, f"{os.getpid()}").touch()
    deadline = time.monotonic() + 60
    while not Path(gate, "open").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    return list(part)


@pytest.fixture(scope="module")
def cluster():
    """Two workers on the loopback, each a process of its own that is replaced when it dies."""
    import distributed

    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address=None, memory_limit=0
    ) as found:
        yield found


@pytest.mark.filterwarnings("default")  # whatever asyncio and tornado say while a worker dies under them
def test_a_worker_killed_midway_costs_nothing_but_time(folder, tmp_path, cluster):
    import distributed

    paths = find_sessions([folder])
    with distributed.Client(cluster) as client:
        client.wait_for_workers(2, timeout=60)
        bag = windows_bag(paths, "emg", 0.2, 0.1).map_partitions(held, str(tmp_path))
        future = client.compute(bag)
        deadline = time.monotonic() + 60
        while len(pids := list(tmp_path.iterdir())) < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert len(pids) == 2
        os.kill(int(pids[0].name), signal.SIGKILL)
        (tmp_path / "open").touch()
        got = future.result(timeout=120)
        assert len(list(tmp_path.iterdir())) >= 3
    same(got, list(iter_labeled_windows(paths, "emg", 0.2, 0.1)))


@pytest.mark.filterwarnings("default")
def test_sessions_are_verified_and_exported_by_the_cluster(folder, tmp_path, cluster, monkeypatch):
    paths = find_sessions([folder])
    broken = tmp_path / "2020-01-01_00-00-00.session.zip"
    broken.write_bytes(b"nothing")
    address = cluster.scheduler_address
    results = list(on_cluster(address, verify_one, [*paths, str(broken)], "quick"))
    assert [path for path, _ in results] == [*paths, str(broken)]
    assert [outcome.verified.ok for _, outcome in results] == [True, True, True, False]
    exported = list(on_cluster(address, export_one, [*paths, str(broken)], "npz", str(tmp_path)))
    assert sum(len(outcome.paths) for _, outcome in exported[:3]) == 3
    assert isinstance(exported[3][1], SessionError)
    with np.load(exported[1][1].paths[0]) as arrays:
        np.testing.assert_array_equal(arrays["emg"], emg_of(8000, seed=1))
    monkeypatch.setattr(cluster_module, "CONNECT_S", 0.5)
    with pytest.raises(ConfigError, match="no dask scheduler"):
        on_cluster("tcp://127.0.0.1:1", verify_one, paths)
    with pytest.raises(ConfigError, match="such as tcp"):
        on_cluster("nonsense", verify_one, paths)
