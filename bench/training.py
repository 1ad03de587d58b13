"""What windows cost against `numpy.load` of the same samples, and what more processes bring.

    python bench/training.py [--megabytes 256] [--runs 5] [--dask] [--torch]

64 channels of float32 at 2048 Hz, 200 ms every 100 ms, packed sessions in the page cache. Every run measures each way
once, in turn and in the other order next time, in one process; ratios are of processor time (``cpu``) and of time
(``wall``) within a run, and the median of all runs counts.
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
from collections.abc import Callable
from pathlib import Path
from statistics import median

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


def by_dask(paths: list[Path], n_runs: int) -> dict[str, float]:
    """Gathered by two workers, against one process here."""
    import distributed

    from myogestic_tui.session.window_sets import windows_on_cluster

    def gathered(these: list[Path]) -> int:
        return windows_on_cluster(these, "emg", WIN_S, HOP_S).X.nbytes

    options = {"host": "127.0.0.1", "dashboard_address": None, "threads_per_worker": 1}
    with distributed.LocalCluster(n_workers=2, **options) as cluster, distributed.Client(cluster) as client:
        client.wait_for_workers(2)
        gathered(paths[:1])
        runs = in_turn({"here": lambda: gather(paths), "there": lambda: gathered(paths)}, n_runs)
    return {f"{name}_s": round(median(run[name] for run in runs), 2) for name in ("here", "there")} | {
        "ratio": round(median(run["there"] / run["here"] for run in runs), 2)
    }


def by_torch(paths: list[Path], n_runs: int) -> dict[str, float]:
    """Seconds of an epoch with no, one and two workers that have been started: in order, shuffled, and iterable."""
    from torch.utils.data import DataLoader

    from myogestic_tui.session import WindowsDataset

    ordered, shuffled = (WindowsDataset(paths, "emg", WIN_S, HOP_S, shuffle_seed=seed) for seed in (None, 0))
    found: dict[str, float] = {"windows": len(ordered)}
    for name, one in (("ordered", ordered), ("shuffled", shuffled), ("iterable", ordered.iterable())):
        loaders = {n: DataLoader(one, batch_size=64, num_workers=n, persistent_workers=n > 0) for n in (0, 1, 2)}
        epochs = {str(n): lambda loader=loader: sum(1 for _ in loader) for n, loader in loaders.items()}
        in_turn(epochs, 1)  # starts the workers, and opens the sessions
        runs = in_turn(epochs, n_runs)
        found |= {f"{name}_{n}_s": round(median(run[n] for run in runs), 2) for n in epochs}
        found |= {
            f"{name}_two_against_{other}": round(median(run[n] / run["2"] for run in runs), 2)
            for n, other in (("0", "this_process"), ("1", "one"))
        }
    return found


def in_turn(ways: dict[str, Callable[[], object]], n_runs: int) -> list[dict[str, float]]:
    """Seconds of each way, of every run; every other run goes through them from the last to the first."""
    runs: list[dict[str, float]] = []
    for number in range(n_runs):
        runs.append({})
        for name in sorted(ways, reverse=bool(number % 2)):
            start = time.perf_counter()
            ways[name]()
            runs[-1][name] = time.perf_counter() - start
    return runs


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
        runs = [
            {name: timed(*ways[name]) for name in (ways if number % 2 else reversed(ways))}
            for number in range(arguments.runs)
        ]
        wall, cpu = ({name: median(run[name][k] for run in runs) for name in ways} for k in (0, 1))
        result: dict[str, object] = {"samples_mb": runs[0]["npy"][2] / 1e6, "window_mb": runs[0]["arrays"][2] / 1e6}
        result["stored_mb"] = sum(path.stat().st_size for path in paths) / 1e6
        result["wall_s"] = {name: round(seconds, 3) for name, seconds in wall.items()}
        result["cpu_s"] = {name: round(seconds, 3) for name, seconds in cpu.items()}
        for way in ("iterators", "arrays"):
            for k, kind in enumerate(("wall", "cpu")):
                result[f"{way}_{kind}_against"] = {
                    name: round(median(run[way][k] / run[name][k] for run in runs), 2)
                    for name in ("npy", "npy_windows", "npz")
                }
        if arguments.dask:
            result["dask"] = by_dask(paths, arguments.runs)
        if arguments.torch:
            result["torch"] = by_torch(paths, arguments.runs)
        result["load"] = os.getloadavg()
        print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
