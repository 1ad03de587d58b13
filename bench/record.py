"""What recording costs, against the naive recorder and the floor, in one run on one machine. Prints JSON.

    python bench/record.py                       # everything, some minutes
    python bench/record.py --channels 64 --chunk 32 --folder /mnt/sd/bench

Three recorders take the same signal, unpaced, each in a process of its own whose CPU time is counted with all of its
threads and children:

naive
    Appends every chunk straight to two Zarr arrays, as zarr lays them out by default.
floor
    One raw `write` per chunk, and one ``array[k : k + fs] = chunk`` per second on a preallocated array. Once for the
    samples alone, once for the time stamps too.
session
    `Session.append`, checkpoints and syncs included.

Then, paced like a real stream: the latency of `append` and `add_label`, on an idle disk and beside a full
verification and a copy, and the bytes written per byte recorded.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

FS = 2048
NAIVE_SECONDS = 4
"""The naive recorder is slow, and its cost per second of signal is the same throughout."""


def emg(seconds: float, n_channels: int, seed: int = 0) -> np.ndarray:
    """Noise as float32 microvolts: as hard to compress as a real signal."""
    rng = np.random.default_rng(seed)
    return (rng.standard_normal((int(seconds * FS), n_channels)) * 50).astype(np.float32)


def cpu_seconds() -> float:
    """Of this process, all its threads and its children."""
    return sum(
        usage.ru_utime + usage.ru_stime
        for usage in (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    )


def written_bytes() -> int:
    """Bytes that this process has caused to be written to the disk."""
    with open("/proc/self/io") as file:
        return int(dict(line.split(": ") for line in file.read().splitlines())["write_bytes"])


def measure(work: Callable[[], float]) -> dict[str, float]:
    """CPU and wall time per second of signal; ``work`` returns how many seconds of signal it recorded."""
    cpu, wall, written = cpu_seconds(), time.perf_counter(), written_bytes()
    seconds = work()
    return {
        "cpu_ms_per_s": 1e3 * (cpu_seconds() - cpu) / seconds,
        "wall_ms_per_s": 1e3 * (time.perf_counter() - wall) / seconds,
        "written_bytes_per_s": (written_bytes() - written) / seconds,
    }


# ---------------------------------------------------------------- the three recorders


def naive(folder: Path, n_channels: int, chunk: int, _: float) -> float:
    import zarr

    signal, stamps = emg(NAIVE_SECONDS, n_channels), np.arange(NAIVE_SECONDS * FS) / FS
    data = zarr.create_array(folder / "emg.zarr", shape=(0, n_channels), chunks=(FS, n_channels), dtype="float32")
    times = zarr.create_array(folder / "emg_timestamps.zarr", shape=(0,), chunks=(FS,), dtype="float64")
    for at in range(0, len(signal), chunk):
        data.append(signal[at : at + chunk])
        times.append(stamps[at : at + chunk])
    return NAIVE_SECONDS


def floor(folder: Path, n_channels: int, chunk: int, seconds: float, *, with_stamps: bool = False) -> float:
    import zarr
    from zarr.codecs import ZstdCodec

    from myogestic_tui.session.format.zarr_format import ZSTD_LEVEL

    signal, n = emg(4, n_channels), int(seconds) * FS
    codec = ZstdCodec(level=ZSTD_LEVEL, checksum=True)
    arrays = [(folder / "emg.zarr", (n, n_channels), (FS, n_channels), "float32")]
    arrays += [(folder / "times.zarr", (n,), (FS,), "float64")] if with_stamps else []
    made = [
        zarr.create_array(path, shape=shape, chunks=chunks, dtype=dtype, compressors=codec)
        for path, shape, chunks, dtype in arrays
    ]
    stamps = np.arange(n) / FS
    fd = os.open(folder / "raw", os.O_WRONLY | os.O_CREAT)
    for at in range(0, n, FS):
        second = signal[at % len(signal) :][:FS]
        for first in range(0, FS, chunk):
            os.write(fd, second[first : first + chunk])
        made[0][at : at + FS] = second
        if with_stamps:
            made[1][at : at + FS] = stamps[at : at + FS]
    os.close(fd)
    return int(seconds)


def session(folder: Path, n_channels: int, chunk: int, seconds: float) -> float:
    recorder = open_session(folder, n_channels)
    signal, stamps = emg(4, n_channels), np.arange(int(seconds) * FS) / FS
    for at in range(0, int(seconds) * FS, FS):
        second = signal[at % len(signal) :][:FS]
        for first in range(0, FS, chunk):
            recorder.append("emg", second[first : first + chunk], stamps[at + first : at + first + chunk])
    recorder.finish(None)
    return int(seconds)


def open_session(folder: Path, n_channels: int, fs: float = FS):
    from myogestic_tui.info import StreamInfo
    from myogestic_tui.session import Session

    recorder = Session(folder, reserve_bytes=0)
    recorder.init_stream("emg", StreamInfo(n_channels, fs))
    return recorder


# ---------------------------------------------------------------- paced: latency, labels, bytes


def paced(folder: Path, n_channels: int, chunk: int, seconds: float, fs: float = FS) -> dict[str, Any]:
    """Record like a real stream, with a label every two seconds."""
    recorder = open_session(folder, n_channels, fs)
    signal = emg(4, n_channels)
    appends, labels = [], []
    before, start = written_bytes(), time.perf_counter()
    for number in range(int(seconds * fs / chunk)):
        while (wait := start + number * chunk / fs - time.perf_counter()) > 0:
            time.sleep(wait)
        first = number * chunk % (len(signal) - chunk)
        stamps = np.arange(number * chunk, (number + 1) * chunk) / fs
        at = time.perf_counter()
        recorder.append("emg", signal[first : first + chunk], stamps)
        appends.append(time.perf_counter() - at)
        if number % int(2 * fs / chunk + 1) == 0:
            at = time.perf_counter()
            recorder.add_label(number % 3)
            labels.append(time.perf_counter() - at)
    recorder.finish(None)
    recorded = recorder.snapshot().bytes
    found: dict[str, Any] = {"append_ms": percentiles(appends), "add_label_ms": percentiles(labels)}
    found["written_per_recorded"] = (written_bytes() - before) / recorded
    recorder.pack_to_zip()
    found["written_per_recorded_with_packing"] = (written_bytes() - before) / recorded
    return found


def percentiles(seconds: list[float]) -> dict[str, float]:
    ordered = np.sort(seconds) * 1e3
    found = {f"p{p}": float(np.percentile(ordered, p)) for p in (50, 99, 99.9)}
    return found | {"max": float(ordered[-1]), "n": len(ordered)}


def beside_jobs(folder: Path, n_channels: int, chunk: int, seconds: float) -> dict[str, Any]:
    """The same, while another process verifies an archive fully and a third copies it, over and over."""
    made = open_session(folder / "other", n_channels)
    signal, stamps = emg(4, n_channels), np.arange(4 * FS) / FS
    for round_ in range(60):
        made.append("emg", signal, stamps + 4 * round_)
    archive = made.pack_to_zip()
    verify = f"from myogestic_tui.session import verify_session\nwhile True: verify_session({str(archive)!r})"
    copy = f"while cp {archive} {folder}/copy && sync {folder}/copy; do :; done"
    jobs = [subprocess.Popen([sys.executable, "-c", verify]), subprocess.Popen(["sh", "-c", copy])]
    try:
        return paced(folder, n_channels, chunk, seconds)
    finally:
        for job in jobs:
            job.kill()
            job.wait()


# ---------------------------------------------------------------- putting it together


def floor_with_stamps(folder: Path, n_channels: int, chunk: int, seconds: float) -> float:
    return floor(folder, n_channels, chunk, seconds, with_stamps=True)


UNPACED = {"naive": naive, "floor": floor, "floor_with_stamps": floor_with_stamps, "session": session}
PACED = {"idle": paced, "beside_jobs": beside_jobs}


def run_one(name: str, folder: Path, n_channels: int, chunk: int, seconds: float) -> dict[str, Any]:
    """In this process: warm up, then measure."""
    if name in PACED:
        return PACED[name](folder, n_channels, chunk, seconds)
    if name == "small":
        return paced(folder, 9, 3, seconds, fs=60)
    (folder / "warm").mkdir()
    (folder / "measured").mkdir()
    UNPACED[name](folder / "warm", n_channels, chunk, 2)
    return measure(lambda: UNPACED[name](folder / "measured", n_channels, chunk, seconds))


def in_process(name: str, options: argparse.Namespace, n_channels: int, chunk: int, seconds: float, zarrs: bool):
    """Each measurement in a process of its own."""
    pipeline = "zarrs.ZarrsCodecPipeline" if zarrs else "zarr.core.codec_pipeline.BatchedCodecPipeline"
    with tempfile.TemporaryDirectory(prefix="bench-record-", dir=options.folder) as folder:
        arguments = ["--one", name, "--channels", str(n_channels), "--chunk", str(chunk), "--seconds", str(seconds)]
        done = subprocess.run(
            [sys.executable, __file__, *arguments, "--folder", folder],
            stdout=subprocess.PIPE,
            env={**os.environ, "ZARR_CODEC_PIPELINE__PATH": pipeline},
            check=True,
        )
    print(f"{name}: {n_channels} channels, chunks of {chunk}, zarrs {zarrs}", file=sys.stderr)
    return json.loads(done.stdout)


def unpaced(options: argparse.Namespace, n_channels: int, chunk: int, zarrs: bool) -> dict[str, Any]:
    found = {name: in_process(name, options, n_channels, chunk, options.seconds, zarrs) for name in UNPACED}
    cpu = {name: one["cpu_ms_per_s"] for name, one in found.items()}
    recorded = FS * (4 * n_channels + 8)
    return {
        "n_channels": n_channels,
        "chunk": chunk,
        "zarrs": zarrs,
        "cpu_ms_per_s": cpu,
        "naive_over_session": cpu["naive"] / cpu["session"],
        "session_over_floor": cpu["session"] / cpu["floor"],
        "session_over_floor_with_stamps": cpu["session"] / cpu["floor_with_stamps"],
        "written_per_recorded": found["session"]["written_bytes_per_s"] / recorded,
        "real_time_factor": 1e3 / found["session"]["wall_ms_per_s"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--channels", type=int, nargs="*", default=[8, 64, 256])
    parser.add_argument("--chunk", type=int, nargs="*", default=[16, 32, 256], help="samples per chunk")
    parser.add_argument("--seconds", type=float, default=60, help="of signal, unpaced")
    parser.add_argument("--paced-seconds", type=float, default=120, help="of recording in real time; 0 leaves it out")
    parser.add_argument("--folder", type=Path, default=Path("/var/tmp"), help="on the disk to be measured")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(run_one(options.one, options.folder, options.channels[0], options.chunk[0], options.seconds)))
        return
    pipelines = [False, True] if has_zarrs() else [False]
    result: dict[str, Any] = {"cpus": os.cpu_count(), "load": os.getloadavg(), "disk": disk_of(options.folder)}
    result["unpaced"] = [
        unpaced(options, n_channels, chunk, zarrs)
        for zarrs in pipelines
        for n_channels in options.channels
        for chunk in options.chunk
    ]
    if options.paced_seconds:
        for name in ("idle", "beside_jobs", "small"):
            result[name] = in_process(name, options, 64, 32, options.paced_seconds, pipelines[-1])
    print(json.dumps(result, indent=2))


def has_zarrs() -> bool:
    from importlib.util import find_spec

    return find_spec("zarrs") is not None


def disk_of(folder: Path) -> str:
    return subprocess.run(
        ["df", "--output=source,fstype", str(folder)], capture_output=True, text=True, check=True
    ).stdout.split("\n")[1]


if __name__ == "__main__":
    main()
