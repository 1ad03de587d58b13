"""What windows cost against `numpy.load` of the same samples, and what more processes bring.

    python bench/training.py [--megabytes 256] [--runs 5] [--dask] [--torch]

64 channels of float32 at 2048 Hz, 200 ms every 100 ms, packed sessions in the page cache. Every run measures each way
once, in turn, in one process; ratios are of processor time (``cpu``) and of time (``wall``), the least of all runs.
``npy``: the samples of each session from an uncompressed ``.npy``; ``npy_windows``: these, copied into windows;
``npz``: from ``numpy.savez_compressed``, as a compressed copy would be kept.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from windows import FS, HOP_S, WIN_S, record


def read_npy(files: list[Path]) -> int:
    return sum(np.load(file).nbytes for file in files)


def cut_npy(files: list[Path]) -> int:
    """The windows that a loader of one's own would cut, without labels, gaps or time."""
    n, hop, n_bytes = int(WIN_S * FS), int(HOP_S * FS), 0
    for file in files:
        data = np.load(file)
        for at in range(0, len(data) - n + 1, hop):
            n_bytes += np.ascontiguousarray(data[at : at + n].T).nbytes
    return n_bytes


def read_npz(files: list[Path]) -> int:
    return sum(np.load(file)["X"].nbytes for file in files)


def iterate(paths: list[Path]) -> int:
    from myogestic_tui.session import iter_labeled_windows

    return sum(window.nbytes for window, _, _ in iter_labeled_windows(paths, "emg", WIN_S, HOP_S))


def gather(paths: list[Path]) -> int:
    from myogestic_tui.session import windows

    return windows(paths, "emg", WIN_S, HOP_S).X.nbytes


def timed(way, what) -> tuple[float, float, int]:
    wall, cpu = time.perf_counter(), time.process_time()
    n_bytes = way(what)
    return time.perf_counter() - wall, time.process_time() - cpu, n_bytes


def by_dask(paths: list[Path]) -> dict[str, float]:
    """Gathered by two workers, against one process here."""
    import distributed

    from myogestic_tui.session.window_sets import windows_on_cluster

    options = {"host": "127.0.0.1", "dashboard_address": None, "threads_per_worker": 1}
    with distributed.LocalCluster(n_workers=2, **options) as cluster, distributed.Client(cluster) as client:
        client.wait_for_workers(2)
        windows_on_cluster(paths[:1], "emg", WIN_S, HOP_S)
        there = min(
            timed(lambda these: windows_on_cluster(these, "emg", WIN_S, HOP_S).X.nbytes, paths)[0] for _ in range(3)
        )
    here = min(timed(gather, paths)[0] for _ in range(3))
    return {"here_s": round(here, 2), "gathered_s": round(there, 2), "ratio": round(there / here, 2)}


def by_torch(paths: list[Path]) -> dict[str, float]:
    """Seconds of an epoch with no, one and two workers, map-style in order and iterable."""
    from torch.utils.data import DataLoader

    from myogestic_tui.session import WindowsDataset

    dataset = WindowsDataset(paths, "emg", WIN_S, HOP_S)
    found: dict[str, float] = {"windows": len(dataset)}
    for name, one in (("map", dataset), ("iterable", dataset.iterable())):
        for workers in (0, 1, 2):
            start = time.perf_counter()
            for _ in DataLoader(one, batch_size=64, num_workers=workers):
                pass
            found[f"{name}_{workers}"] = round(time.perf_counter() - start, 2)
        found[f"{name}_two_against_one"] = round(found[f"{name}_1"] / found[f"{name}_2"], 2)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=float, default=256.0)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--dask", action="store_true")
    parser.add_argument("--torch", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        paths = [record(Path(folder), arguments.megabytes * 1e6 / 4, seed) for seed in range(4)]
        plain, packed = [], []
        for number, path in enumerate(paths):
            from myogestic_tui.session import open_session_store

            with open_session_store(path) as session:
                data = session.get_continuous("emg")[0]
            plain.append(Path(folder) / f"{number}.npy")
            packed.append(Path(folder) / f"{number}.npz")
            np.save(plain[-1], data)
            np.savez_compressed(packed[-1], X=data)
        ways = {
            "npy": (read_npy, plain),
            "npy_windows": (cut_npy, plain),
            "npz": (read_npz, packed),
            "iterators": (iterate, paths),
            "arrays": (gather, paths),
        }
        runs = [{name: timed(*way) for name, way in ways.items()} for _ in range(arguments.runs)]
        wall, cpu = ({name: min(run[name][k] for run in runs) for name in ways} for k in (0, 1))
        result: dict[str, object] = {"samples_mb": runs[0]["npy"][2] / 1e6, "window_mb": runs[0]["arrays"][2] / 1e6}
        result["stored_mb"] = sum(path.stat().st_size for path in paths) / 1e6
        result["wall_s"] = {name: round(seconds, 3) for name, seconds in wall.items()}
        result["cpu_s"] = {name: round(seconds, 3) for name, seconds in cpu.items()}
        for way in ("iterators", "arrays"):
            result[f"{way}_cpu_against"] = {
                name: round(cpu[way] / cpu[name], 2) for name in ("npy", "npy_windows", "npz")
            }
        if arguments.dask:
            result["dask"] = by_dask(paths)
        if arguments.torch:
            result["torch"] = by_torch(paths)
        result["load"] = os.getloadavg()
        print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
