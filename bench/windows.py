"""Labelled windows of 200 ms every 100 ms, against a plain sequential read of the same samples.

    python bench/windows.py [--gigabytes 0.5 2 4] [--one 4] [--folder DIR]

64 channels of float32 at 2048 Hz. ``samples_gb_per_s`` counts decoded samples, each once; ``window_gb_per_s`` and
``in_memory_gb_per_s`` count the bytes of the windows that are handed out, in which every sample stands twice; the
latter from samples that are decoded and in memory. "Cold" drops the files from the page cache first (`posix_fadvise`).
Every figure is taken in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

N_CHANNELS, FS, SESSION_GB = 64, 2048, 0.5
WIN_S, HOP_S = 0.2, 0.1


def record(folder: Path, n_bytes: float, seed: int) -> Path:
    from myogestic_tui.info import StreamInfo
    from myogestic_tui.session import Session

    session = Session(folder, class_names=["Rest", "Fist"])
    session.init_stream("emg", StreamInfo(N_CHANNELS, FS))
    rng = np.random.default_rng(seed)
    block = (rng.standard_normal((FS * 8, N_CHANNELS)) * 50).astype("float32")
    block = np.round(block * 4) / 4  # as an ADC of 0.25 µV gives them
    n = int(n_bytes / block.nbytes)
    for k in range(n):
        session.append("emg", block, 1000.0 + np.arange(k * len(block), (k + 1) * len(block)) / FS)
    for k in range(int(n * 8 / 5)):
        session.add_label(k % 2, 1000.0 + 5.0 * k)
    session.finish()
    return session.pack_to_zip()


def forget(paths: list[Path]) -> None:
    os.sync()
    for path in paths:
        fd = os.open(path, os.O_RDONLY)
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(fd)


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def read_windows(paths: list[str]) -> dict[str, float]:
    from myogestic_tui.session import iter_labeled_windows

    next(iter_labeled_windows(paths[:1], "emg", WIN_S, HOP_S))
    base, count, n_bytes, start, cpu = peak_mb(), 0, 0, time.perf_counter(), time.process_time()
    for window, _, _ in iter_labeled_windows(paths, "emg", WIN_S, HOP_S):
        assert window.flags.c_contiguous
        count += 1
        n_bytes += window.nbytes
    seconds = time.perf_counter() - start
    return {
        "seconds": seconds,
        "cpu": time.process_time() - cpu,
        "windows": count,
        "window_bytes": n_bytes,
        "grown_mb": peak_mb() - base,
        "peak_mb": peak_mb(),
    }


def read_blocks(paths: list[str]) -> dict[str, float]:
    """The plain read: 4 s blocks through the session's own rows."""
    from myogestic_tui.session import open_session_store

    total, start, cpu = 0, time.perf_counter(), time.process_time()
    for path in paths:
        with open_session_store(path) as session:
            data = session.stream("emg").data
            for at in range(0, data.n_rows, 4 * FS):
                total += data.rows(at, min(at + 4 * FS, data.n_rows)).nbytes
    return {
        "seconds": time.perf_counter() - start,
        "cpu": time.process_time() - cpu,
        "bytes": total,
        "peak_mb": peak_mb(),
    }


def read_zarr(paths: list[str]) -> dict[str, float]:
    """The same through `zarr.Array`."""
    from myogestic_tui.session import open_session_store

    total, start, cpu = 0, time.perf_counter(), time.process_time()
    for path in paths:
        with open_session_store(path) as session:
            data = session.stores["emg"]
            for at in range(0, data.shape[0], 4 * FS):
                total += data[at : at + 4 * FS].nbytes
    return {
        "seconds": time.perf_counter() - start,
        "cpu": time.process_time() - cpu,
        "bytes": total,
        "peak_mb": peak_mb(),
    }


def in_memory(_: list[str]) -> dict[str, float]:
    """Decoded data in memory: what the cutting itself costs."""
    from myogestic_tui.clock import timeline_of
    from myogestic_tui.info import StreamInfo
    from myogestic_tui.session.format.arrays import ListedArray
    from myogestic_tui.session.format.zarr_format import ArraySpec
    from myogestic_tui.session.signal.gapless_runs import find_runs
    from myogestic_tui.session.signal.streamdata import StreamData
    from myogestic_tui.session.signal.window_bounds import cut_windows

    info, n = StreamInfo(N_CHANNELS, FS), FS * 1000
    data = np.random.default_rng(0).standard_normal((n, N_CHANNELS), dtype="float32")
    raw = np.arange(n) / FS
    stamps, timeline = ListedArray(ArraySpec.timestamps(info), raw), timeline_of(raw, FS)
    stream = StreamData("emg", info, ListedArray(ArraySpec.data(info), data), stamps, lambda: timeline)
    best = {}
    for _ in range(3):
        start, n_bytes, count = time.perf_counter(), 0, 0
        for _, window, _ in cut_windows(stream, find_runs(stream), round(WIN_S * FS), round(HOP_S * FS), print):
            n_bytes += window.nbytes
            count += 1
        seconds = time.perf_counter() - start
        if not best or seconds < best["seconds"]:
            best = {"seconds": seconds, "windows": count, "window_bytes": n_bytes, "bytes": data.nbytes}
    return best


JOBS = {"windows": read_windows, "blocks": read_blocks, "zarr": read_zarr, "memory": in_memory}


def apart(job: str, paths: list[Path]) -> dict[str, float]:
    """Run one job in a new process."""
    command = [sys.executable, __file__, "--job", job, *map(str, paths)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def cold_run(job: str, paths: list[Path]) -> dict[str, float]:
    forget(paths)
    return apart(job, paths)


def measure(paths: list[Path], gigabytes: float, n_runs: int) -> dict[str, object]:
    cold, cold_blocks = (
        min((cold_run(job, paths) for _ in range(2)), key=lambda run: run["seconds"]) for job in ("windows", "blocks")
    )
    runs = [(apart("windows", paths), apart("blocks", paths), apart("zarr", paths)) for _ in range(n_runs)]
    windows, blocks, plain = (min((run[i] for run in runs), key=lambda r: r["seconds"]) for i in range(3))
    return {
        "gigabytes": gigabytes,
        "sessions": len(paths),
        "windows": windows["windows"],
        "warm_s": round(windows["seconds"], 2),
        "warm_blocks_s": round(blocks["seconds"], 2),
        "warm_zarr_blocks_s": round(plain["seconds"], 2),
        "cpu_ratio_to_blocks": round(windows["cpu"] / blocks["cpu"], 3),
        "ratio_to_blocks": round(windows["seconds"] / blocks["seconds"], 3),
        "ratio_to_zarr_blocks": round(windows["seconds"] / plain["seconds"], 3),
        "cold_ratio_to_blocks": round(cold["seconds"] / cold_blocks["seconds"], 3),
        "cold_s": round(cold["seconds"], 2),
        "samples_gb_per_s": round(blocks["bytes"] / windows["seconds"] / 1e9, 3),
        "window_gb_per_s": round(windows["window_bytes"] / windows["seconds"] / 1e9, 3),
        "windows_per_s": round(windows["windows"] / windows["seconds"]),
        "grown_mb": round(windows["grown_mb"], 1),
        "peak_mb": round(windows["peak_mb"], 1),
    }


def count_windows(part) -> list[int]:
    return [len(list(part))]


def by_workers(paths: list[str], n_workers: int) -> float:
    """Seconds that a local cluster takes to plan and cut all windows of some sessions."""
    import distributed

    from myogestic_tui.session.window_sets import windows_bag

    with (
        distributed.LocalCluster(
            n_workers=n_workers, threads_per_worker=1, host="127.0.0.1", dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        client.wait_for_workers(n_workers)
        windows_bag(paths[:1], "emg", WIN_S, HOP_S).map_partitions(count_windows).compute()
        start = time.perf_counter()
        windows_bag(paths, "emg", WIN_S, HOP_S).map_partitions(count_windows).compute()
        return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gigabytes", type=float, nargs="+", default=[0.5, 2.0, 4.0])
    parser.add_argument("--one", type=float, default=4.0, help="gigabytes of one long session; 0 leaves it out")
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--runs", type=int, default=3, help="the best of so many warm runs counts")
    parser.add_argument("--dask", action="store_true", help="also on 1 and 2 dask workers")
    parser.add_argument("--job", choices=JOBS)
    parser.add_argument("paths", nargs="*")
    arguments = parser.parse_args()
    if arguments.job:
        print(json.dumps(JOBS[arguments.job](arguments.paths)))
        return
    memory = apart("memory", [])
    result: dict[str, object] = {
        "in_memory_gb_per_s": round(memory["window_bytes"] / memory["seconds"] / 1e9, 2),
        "in_memory_windows_per_s": round(memory["windows"] / memory["seconds"]),
    }
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        count = round(max(arguments.gigabytes) / SESSION_GB)
        first = record(Path(folder), SESSION_GB * 1e9, 0)
        paths = [first, *(Path(shutil.copy(first, first.with_name(f"{n}{first.name}"))) for n in range(1, count))]
        result["sizes"] = [
            measure(paths[: max(1, round(g / SESSION_GB))], g, arguments.runs) for g in arguments.gigabytes
        ]
        if arguments.dask:
            some = [str(path) for path in paths[:4]]
            result["dask_s"] = {n: round(by_workers(some, n), 2) for n in (1, 2)}
        if arguments.one:
            result["one_session"] = measure([record(Path(folder), arguments.one * 1e9, 99)], arguments.one, 1)
    result["load"] = os.getloadavg()
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
