"""Windows on a dask cluster are those of one process, also when a worker is killed midway."""

from __future__ import annotations

import os
import signal
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from myogestic_tui.errors import ConfigError, OtherStreamError, SessionDamagedError, SessionError, UnknownStreamError
from myogestic_tui.info import StreamInfo
from myogestic_tui.session import Session, iter_labeled_windows, labeled_windows, window_sets
from myogestic_tui.session import dask_cluster as cluster_module
from myogestic_tui.session.archive.archive import Archive
from myogestic_tui.session.dask_cluster import export_each, on_cluster, verify_one
from myogestic_tui.session.reading.find_sessions import find_sessions
from myogestic_tui.session.window_sets import gathered_windows, session_array, windows_arrays, windows_bag
from tests.windows.making import START, emg_of, make_session


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
    monkeypatch.setattr(window_sets, "TASK_SECONDS", 1.7)  # several pieces in a span
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
    deadline = time.monotonic() + 120
    while not Path(gate, "open").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    return list(part)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """Two workers on the loopback, each a process of its own that is replaced when it dies, however long that takes."""
    import dask
    import distributed

    place = str(tmp_path_factory.mktemp("dask"))
    options = {"host": "127.0.0.1", "dashboard_address": None, "memory_limit": 0, "local_directory": place}
    patient = {"distributed.deploy.lost-worker-timeout": "1h", "distributed.comm.timeouts.connect": "300s"}
    with pytest.MonkeyPatch.context() as patch, dask.config.set(patient):
        patch.setenv("TMPDIR", place)
        patch.setattr(tempfile, "tempdir", place)
        with distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, **options) as found:
            yield found


@pytest.mark.filterwarnings("default")  # whatever asyncio and tornado say while a worker dies under them
def test_a_worker_killed_midway_costs_nothing_but_time(folder, tmp_path, cluster):
    import distributed

    paths = find_sessions([folder])
    with distributed.Client(cluster) as client:
        client.wait_for_workers(2, timeout=240)
        bag = windows_bag(paths, "emg", 0.2, 0.1).map_partitions(held, str(tmp_path))
        future = client.compute(bag)
        deadline = time.monotonic() + 120
        while len(pids := list(tmp_path.iterdir())) < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert len(pids) == 2
        os.kill(int(pids[0].name), signal.SIGKILL)
        (tmp_path / "open").touch()
        got = future.result(timeout=300)
        assert len(list(tmp_path.iterdir())) >= 3
    same(got, list(iter_labeled_windows(paths, "emg", 0.2, 0.1)))


@pytest.mark.parametrize("to", ["csv", "fif", "bids"])
@pytest.mark.filterwarnings("default")
def test_an_export_whose_worker_is_killed_is_whole(folder, tmp_path, cluster, to):
    import distributed

    paths, out = find_sessions([folder]), tmp_path / "out"
    with distributed.Client(cluster) as client:
        client.wait_for_workers(2, timeout=240)
    here = dict(export_each(None, paths, to, str(tmp_path / "here")))  # before another worker is started beside it
    results = export_each(cluster.scheduler_address, paths, to, str(out))
    killer = threading.Thread(target=kill_when_there, args=(out, cluster))
    killer.start()
    done = list(results)
    killer.join()
    assert [type(outcome).__name__ for _, outcome in done] == ["Exported"] * 3
    files = {str(file) for _, outcome in done for file in outcome.paths}
    for path, outcome in here.items():
        assert not isinstance(outcome, Exception), outcome
        for file, again in zip(outcome.paths, dict(done)[path].paths, strict=True):
            assert again.stat().st_size == file.stat().st_size
    assert len(files) >= 3


def kill_when_there(out, cluster):
    """Kill a worker as soon as there is a file."""
    deadline = time.monotonic() + 120
    while not any(path.is_file() for path in out.rglob("*")) and time.monotonic() < deadline:
        time.sleep(0.002)
    worker = next(iter(cluster.workers.values()))
    if worker.pid:
        os.kill(worker.pid, signal.SIGKILL)


def test_a_chunk_that_cannot_be_read_costs_the_windows_that_have_it(folder, tmp_path, caplog):
    import dask

    path = find_sessions([folder])[0]
    whole = list(iter_labeled_windows(path, "emg", 0.2, 0.1))
    broken = tmp_path / Path(path).name
    data = bytearray(Path(path).read_bytes())
    with Archive(Path(path)) as archive:
        member = archive.member("emg.zarr/c/2/0")
    data[member.offset + 200] ^= 1
    broken.write_bytes(data)
    kept = [one for one in whole if not touches(one[1], 2.0, 3.0)]
    assert 0 < len(kept) < len(whole)
    same(list(iter_labeled_windows(broken, "emg", 0.2, 0.1)), kept)
    assert caplog.text.count("windows left out") == 1
    with pytest.raises(SessionDamagedError, match="emg"):
        list(iter_labeled_windows(broken, "emg", 0.2, 0.1, strict=True))
    X, y, groups = labeled_windows(broken, "emg", 0.2, 0.1)
    assert len(X) == len(y) == len(groups) == len(kept)
    with dask.config.set(scheduler="sync"):
        same(windows_bag(broken, "emg", 0.2, 0.1).compute(), kept)
        for there, here in zip(gathered_windows(broken, "emg", 0.2, 0.1), (X, y, groups), strict=True):
            np.testing.assert_array_equal(there, here)
        with pytest.raises(SessionDamagedError):
            windows_arrays(broken, "emg", 0.2, 0.1)[0].compute()


def touches(ts, first, last):
    return ts[-1] >= START + first - 1e-4 and ts[0] < START + last - 1e-4


@pytest.mark.parametrize("hop_s", [0.05, 0.2, 0.45])
def test_what_a_worker_sends_holds_each_sample_once(folder, hop_s, monkeypatch):
    import dask

    paths = find_sessions([folder])
    sent = []
    cut = window_sets.cut_stretches

    def watched(*arguments):
        sent.append(cut(*arguments))
        return sent[-1]

    monkeypatch.setattr(window_sets, "cut_stretches", watched)
    monkeypatch.setattr(window_sets, "TASK_SECONDS", 3.0)
    with dask.config.set(scheduler="sync"):
        for there, here in zip(
            gathered_windows(paths, "emg", 0.2, hop_s), labeled_windows(paths, "emg", 0.2, hop_s), strict=True
        ):
            np.testing.assert_array_equal(there, here)
    windows_bytes = here_bytes(paths, hop_s)
    least = windows_bytes if hop_s >= 0.2 else windows_bytes * hop_s / 0.2
    assert len(sent) > len(paths)
    assert sum(part.nbytes for one in sent for part in one.samples) < 1.2 * least


def here_bytes(paths, hop_s):
    return sum(window.nbytes for window, _, _ in iter_labeled_windows(paths, "emg", 0.2, hop_s))


def test_no_window_is_an_empty_array_here_and_there(folder):
    paths = find_sessions([folder])
    X, y, groups = windows_arrays(paths, "emg", 99.0, 0.1)
    here = labeled_windows(paths, "emg", 99.0, 0.1)
    assert gathered_windows(paths, "emg", 99.0, 0.1)[0].shape == here[0].shape
    assert X.shape == here[0].shape
    assert len(y) == len(groups) == 0


@pytest.mark.filterwarnings("default")
def test_sessions_are_verified_and_exported_by_the_cluster(folder, tmp_path, cluster, monkeypatch):
    paths = find_sessions([folder])
    broken = tmp_path / "2020-01-01_00-00-00.session.zip"
    broken.write_bytes(b"nothing")
    address = cluster.scheduler_address
    results = list(on_cluster(address, verify_one, [*paths, str(broken)], "quick"))
    assert [path for path, _ in results] == [*paths, str(broken)]
    assert [outcome.verified.ok for _, outcome in results] == [True, True, True, False]
    exported = list(export_each(address, [*paths, str(broken)], "npz", str(tmp_path)))
    assert sum(len(outcome.paths) for _, outcome in exported[:3]) == 3
    assert isinstance(exported[3][1], SessionError)
    with np.load(exported[1][1].paths[0]) as arrays:
        np.testing.assert_array_equal(arrays["emg"], emg_of(8000, seed=1))
    monkeypatch.setattr(cluster_module, "CONNECT_S", 0.5)
    with pytest.raises(ConfigError, match="no dask scheduler"):
        on_cluster("tcp://127.0.0.1:1", verify_one, paths)
    with pytest.raises(ConfigError, match="such as tcp"):
        on_cluster("nonsense", verify_one, paths)


def test_sessions_of_another_shape_are_refused_though_they_have_no_window(tmp_path):
    import dask

    paths = [make_session(tmp_path / "a", more=False)]
    session = Session(tmp_path / "b", reserve_bytes=0)
    session.init_stream("emg", StreamInfo(2, 1000.0))
    paths.append(session.pack_to_zip())
    with dask.config.set(scheduler="sync"):
        for cut in (labeled_windows, windows_arrays, gathered_windows):
            with pytest.raises(OtherStreamError, match="channel count is 2, not 4"):
                cut(paths, "emg", 0.2, 0.1)
