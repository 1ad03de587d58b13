"""What packing, verifying and opening cost, against copying and hashing the same files. Prints JSON.

    python bench/pack.py                              # an hour of 64 channels: 2 GB of disk, a few minutes
    python bench/pack.py --minutes 5 --folder /mnt/sd/bench

A session of synthetic EMG as float32 (``--signal steps``: as whole steps of an ADC; ``noise``: what does not shrink) is
laid out as the recorder leaves it, and then

copy
    ``cp -r`` of its folder, then ``sha256sum`` of every file of the copy; once as they are (the copy is then in memory
    only), and once with the copy synced and its pages dropped, so that what is hashed is what the disk holds: that is
    what packing promises.
pack
    `pack_session`: written, synced, dropped, read back and compared, the folder deleted.
verify
    `verify_session` in full, from the disk and from memory, against the limit: ``sha256sum`` of the archive and
    ``zstd -t`` of its frames, from memory (and with OpenSSL's SHA-256 in place of that of coreutils, which may be
    several times slower); and two processes with an archive each, as ``verify --jobs 2`` runs them, against the limit
    run twice at once. The median of five rounds in turns counts.
open
    `open_session_store`, and the memory that the directory of the archive takes.

All of them begin with the files out of the page cache, and with them in it.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from myogestic_tui.info import StreamInfo
from myogestic_tui.session import Session, open_session_store, pack_session, read_archive_summary, verify_session
from myogestic_tui.session.archive.archive import Archive
from myogestic_tui.session.reading.session_files import size_of
from myogestic_tui.sources.synthetic_emg import EMGSignal

FS = 2048.0
ADC_STEP_UV = 0.195
ROUNDS_OF_VERIFY = 5
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"


def samples(kind: str, n_channels: int) -> np.ndarray:
    """Ten seconds, ``(n_samples, n_channels)`` float32 in microvolts."""
    if kind == "noise":
        rng = np.random.default_rng(0)
        return (rng.standard_normal((int(10 * FS), n_channels)) * 50).astype(np.float32)
    signal = EMGSignal(n_channels, FS, seed=1)
    signal.set_gesture(1)
    emg = signal.take(int(10 * FS))
    return emg if kind == "emg" else (np.round(emg / ADC_STEP_UV) * ADC_STEP_UV).astype(np.float32)


def record(base: Path, n_channels: int, minutes: float, kind: str = "emg") -> Path:
    """A finished session folder."""
    session = Session(base, class_names=["Rest", "Fist"], reserve_bytes=0)
    session.init_stream("emg", StreamInfo(n_channels, FS))
    block = samples(kind, n_channels)
    for number in range(int(minutes * 6)):
        session.append("emg", block, number * 10.0 + np.arange(len(block)) / FS)
        if number % 6 == 5:
            session.flush()
    session.finish()
    return session.path


def drop_from_memory(path: Path) -> None:
    """Take all files below a path out of the page cache."""
    os.sync()
    for file in [path] if path.is_file() else [one for one in path.rglob("*") if one.is_file()]:
        fd = os.open(file, os.O_RDONLY)
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(fd)


def read_into_memory(path: Path) -> None:
    for file in [path] if path.is_file() else [one for one in path.rglob("*") if one.is_file()]:
        file.read_bytes()


class Cost(NamedTuple):
    """Seconds by the clock, and of processor time with all threads and children."""

    wall: float
    cpu: float


def cpu_seconds() -> float:
    usages = (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def timed(work: Callable[[], object]) -> Cost:
    start, before = time.perf_counter(), cpu_seconds()
    work()
    return Cost(time.perf_counter() - start, cpu_seconds() - before)


def median(costs: list[Cost]) -> Cost:
    return Cost(statistics.median(cost.wall for cost in costs), statistics.median(cost.cpu for cost in costs))


def copy_and_hash(folder: Path, copy: Path, *, durable: bool) -> Cost:
    """What it takes:  ``cp -r`` and ``sha256sum`` of the copy."""

    def work() -> None:
        subprocess.run(["cp", "-r", folder, copy], check=True)
        if durable:
            subprocess.run(["sync", "-f", copy], check=True)
            drop_from_memory(copy)
        hashing = "find . -type f -print0 | xargs -0 sha256sum > /dev/null"
        subprocess.run(["sh", "-c", hashing], cwd=copy, check=True)

    seconds = timed(work)
    shutil.rmtree(copy)
    os.sync()
    return seconds


def pack(folder: Path, spare: Path, prepare: Callable[[Path], None]) -> tuple[Cost, Path]:
    """What it takes to pack a hard-linked twin of the folder (packing deletes what it packs), and the archive."""
    shutil.copytree(folder, spare / folder.name, copy_function=os.link)
    prepare(folder)
    packed: list[Path] = []
    seconds = timed(lambda: packed.append(pack_session(spare / folder.name)))
    return seconds, packed[0]


def compare(folder: Path, base: Path, rounds: int) -> tuple[dict[str, object], Path]:
    """Packing against copying and hashing, in turns; the medians, and an archive."""
    figures: dict[str, object] = {}
    archive = Path()
    for name, prepare in (("cold", drop_from_memory), ("warm", read_into_memory)):
        taken: dict[str, list[Cost]] = {"cp_sha256": [], "cp_sync_sha256": [], "pack": []}
        for _ in range(rounds):
            for key, durable in (("cp_sha256", False), ("cp_sync_sha256", True)):
                prepare(folder)
                taken[key].append(copy_and_hash(folder, base / "copy", durable=durable))
            if archive.is_file():
                archive.unlink()
            os.sync()
            seconds, archive = pack(folder, base / "spare", prepare)
            taken["pack"].append(seconds)
        costs = {key: median(values) for key, values in taken.items()}
        figures[name] = {
            **{f"{key}_s": round(cost.wall, 2) for key, cost in costs.items()},
            **{f"{key}_cpu_s": round(cost.cpu, 2) for key, cost in costs.items()},
            "speed_against_cp_sha256": round(costs["cp_sha256"].wall / costs["pack"].wall, 2),
            "speed_against_cp_sync_sha256": round(costs["cp_sync_sha256"].wall / costs["pack"].wall, 2),
        }
    return figures, archive


def verifying(archive: Path) -> dict[str, object]:
    gigabytes = archive.stat().st_size / 1e9
    drop_from_memory(archive)
    cold = timed(lambda: verify_session(archive))
    quick = timed(lambda: verify_session(archive, "quick"))
    outcome = verify_session(archive)
    assert outcome.ok, outcome.findings
    with tempfile.TemporaryDirectory(dir=archive.parent) as folder:
        frames = frames_of(archive, Path(folder))
        rounds = [round_of_verify(archive, frames) for _ in range(ROUNDS_OF_VERIFY)]
    warm, twice, sha256sum, openssl, zstd, limit_twice = map(median, zip(*rounds, strict=True))
    return {
        "full_cold_s_per_gb": round(cold.wall / gigabytes, 2),
        "full_warm_s_per_gb": round(warm.wall / gigabytes, 2),
        "full_cpu_s_per_gb": round(warm.cpu / gigabytes, 2),
        "quick_s": round(quick.wall, 3),
        "limit_s_per_gb": {
            name: round(cost.wall / gigabytes, 2)
            for name, cost in (("sha256sum", sha256sum), ("openssl_sha256", openssl), ("zstd_t", zstd))
        },
        "against_sha256sum_and_zstd_t": round(warm.wall / (sha256sum.wall + zstd.wall), 2),
        "cpu_against_sha256sum_and_zstd_t": round(warm.cpu / (sha256sum.cpu + zstd.cpu), 2),
        "against_openssl_and_zstd_t": round(warm.wall / (openssl.wall + zstd.wall), 2),
        "two_at_once_against_two_limits_at_once": round(twice.wall / limit_twice.wall, 2),
        "two_at_once_speed_against_one": round(2 * warm.wall / twice.wall, 2),
    }


def frames_of(archive: Path, folder: Path) -> Path:
    """All zstd frames of an archive behind one another."""
    frames = folder / "frames.zst"
    with Archive(archive) as index, frames.open("wb") as file:
        for name in index.names():
            data = index.read(name)
            file.write(data if data[:4] == ZSTD_MAGIC else b"")
    return frames


def round_of_verify(archive: Path, frames: Path) -> tuple[Cost, ...]:
    """Verifying, two verifying at once, and what reading every byte costs at least: SHA-256, and one pass of zstd."""

    def openssl() -> None:
        with archive.open("rb") as file:
            hashlib.file_digest(file, "sha256")

    both = f"sha256sum '{archive}' > /dev/null && zstd -tq '{frames}'"
    return (
        timed(lambda: verify_session(archive)),
        two_at_once(archive),
        timed(lambda: subprocess.run(["sha256sum", archive], check=True, capture_output=True)),
        timed(openssl),
        timed(lambda: subprocess.run(["zstd", "-tq", frames], check=True)),
        timed(lambda: subprocess.run(["sh", "-ec", f"({both}) & first=$!; {both}; wait $first"], check=True)),
    )


def two_at_once(archive: Path) -> Cost:
    """Two processes that verify the archive at the same time, once both have started."""
    code = f"""
import sys
from myogestic_tui.session import verify_session
verify_session({str(archive)!r}, "quick")
print(flush=True)
sys.stdin.read()
assert verify_session({str(archive)!r}).ok
"""
    command = [sys.executable, "-c", code]
    both = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(2)]
    for one in both:
        assert one.stdout is not None
        one.stdout.readline()

    def work() -> None:
        for one in both:
            assert one.stdin is not None
            one.stdin.close()
        assert [one.wait() for one in both] == [0, 0]

    return timed(work)


def opening(archive: Path) -> dict[str, object]:
    open_session_store(archive).close()
    opened = [timed(lambda: open_session_store(archive).close()) for _ in range(15)]
    listed = [timed(lambda: read_archive_summary(archive)) for _ in range(15)]
    drop_from_memory(archive)
    cold = timed(lambda: open_session_store(archive).close())
    tracemalloc.start()
    with Archive(archive) as index:
        members, (held, peak) = len(index), tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return {
        "members": members,
        "open_ms": round(1e3 * median(opened).wall, 1),
        "open_cpu_ms": round(1e3 * median(opened).cpu, 1),
        "open_cold_ms": round(1e3 * cold.wall, 1),
        "summary_ms": round(1e3 * median(listed).wall, 3),
        "index_bytes_per_member": round(held / members),
        "index_peak_bytes_per_member": round(peak / members),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--channels", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--signal", choices=("emg", "steps", "noise"), default="emg")
    parser.add_argument("--folder", type=Path, default=Path.cwd(), help="on the disk to be measured")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-pack-", dir=options.folder) as temporary:
        base = Path(temporary)
        folder = record(base / "made", options.channels, options.minutes, options.signal)
        (base / "spare").mkdir()
        size = size_of(folder)
        figures, archive = compare(folder, base, options.rounds)
        result = {
            "channels": options.channels,
            "signal": options.signal,
            "minutes": options.minutes,
            "folder_gb": round(size / 1e9, 3),
            "archive_gb": round(archive.stat().st_size / 1e9, 3),
            "files": sum(path.is_file() for path in folder.rglob("*")),
            "pack": figures,
            "verify": verifying(archive),
            "open": opening(archive),
        }
    json.dump(result, sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    main()
