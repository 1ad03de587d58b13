"""Kill a recorder with SIGKILL at random instants, as often as wanted, and see that nothing is lost.

    python -m tests.session.kill_many --runs 1000 --seed 7

Each run forks a child that records as fast as it can, with checkpoints every few milliseconds; the child reports over
a pipe what `append` and `add_label` returned from. After the kill the session is recovered (itself killed a few
times), and must hold all that was reported, once and in order; then it is packed and verified fully.
"""

from __future__ import annotations

import argparse
import os
import random
import select
import signal
import struct
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from myogestic_tui.session import Session, open_session_store, recover_session, verify_session
from myogestic_tui.session.format.layout import is_session_folder
from myogestic_tui.session.packing.pack import pack_session
from myogestic_tui.session.recording import checkpoint
from tests.session.known import STREAMS

REPORT = struct.Struct("<BQ")
LABEL, NOTE = 200, 201


def record(base: Path, seed: int, fd: int) -> None:
    """Record until killed; report what is safe."""
    rng = random.Random(seed)
    checkpoint.CHECKPOINT_SECONDS = rng.choice([0.001, 0.002, 0.02, 4.0])
    checkpoint.SYNC_SECONDS = 0.05
    sizes = rng.choice([[1, 3, 8, 32], [1, 3, 32, 200, 1700]])
    flushes = rng.choice([0.0, 0.0, 0.02])
    session = Session(base, class_names=["Rest", "Fist"], reserve_bytes=0)
    counts = [0] * len(STREAMS)
    labels = 0
    for stream in STREAMS:
        session.init_stream(stream.name, stream.info)
    while True:
        number = rng.randrange(len(STREAMS))
        stream, start = STREAMS[number], counts[number]
        stop = start + rng.choice(sizes)
        session.append(stream.name, stream.data(start, stop), stream.stamps(start, stop))
        counts[number] = stop
        os.write(fd, REPORT.pack(number, stop))
        if rng.random() < 0.01:
            session.add_label(labels % 2, timestamp=float(labels))
            labels += 1
            os.write(fd, REPORT.pack(LABEL, labels))
        if rng.random() < 0.002:
            session.add_note(f"note at {labels}")
        if rng.random() < flushes:
            session.flush()


def in_child(work: Callable[[], None]) -> int:
    """Fork, do ``work``, leave without any clean-up."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            work()
            status = 0
        except Exception as error:
            print(f"child: {error!r}", file=sys.stderr, flush=True)
        finally:
            os._exit(status)
    return pid


def reported_until(fd: int, deadline: float) -> dict[int, int]:
    """What the child said, until ``deadline`` or for ever where that is 0."""
    data = b""
    while True:
        wait = max(0.0, deadline - time.monotonic()) if deadline else None
        if not select.select([fd], [], [], wait)[0]:
            break
        block = os.read(fd, 1 << 16)
        if not block:
            break
        data += block
    return dict(REPORT.iter_unpack(data[: len(data) // REPORT.size * REPORT.size]))


def one_run(base: Path, seed: int) -> str:
    """Record, kill, recover, check; a line of what happened."""
    rng = random.Random(seed)
    read, write = os.pipe()
    pid = in_child(lambda: record(base, seed, write))
    os.close(write)
    said = reported_until(read, time.monotonic() + rng.uniform(0.0, 0.4))
    os.kill(pid, signal.SIGKILL)
    said |= reported_until(read, 0.0)
    os.close(read)
    assert os.waitpid(pid, 0)[1] == signal.SIGKILL, "the child ended before it was killed"
    folders = [path for path in base.iterdir() if is_session_folder(path)]
    if not folders:
        assert not said, "samples were taken, and there is no session"
        return "killed before there was a session"
    kills = recover_under_fire(folders[0], rng)
    counts = check(folders[0], said)
    archive = pack_session(recover_session(folders[0]))
    verification = verify_session(archive)
    assert verification.ok, verification.findings
    check(archive, said)
    return f"{counts}, recovery killed {kills} times"


def recover_under_fire(folder: Path, rng: random.Random) -> int:
    """Recover in children that are killed sooner or later, until one comes through."""
    kills = 0
    while True:
        pid = in_child(lambda: print(end="") if recover_session(folder) else None)
        if kills < 3:
            time.sleep(rng.uniform(0.0, 0.06))
            os.kill(pid, signal.SIGKILL)
        status = os.waitpid(pid, 0)[1]
        if status == 0:
            return kills
        assert status == signal.SIGKILL, "recovery failed"
        kills += 1


def check(path: Path, said: dict[int, int]) -> list[int]:
    """The session holds at least what was reported, in order; how many samples of each stream."""
    with open_session_store(path) as reader:
        counts = []
        for number, stream in enumerate(STREAMS):
            if stream.name not in reader.streams:
                assert number not in said, f"{stream.name} is lost"
                continue
            counts.append(stream.assert_prefix(reader, at_least=said.get(number, 0)))
        labels = [(label.timestamp, label.class_index) for label in reader.label_track]
        assert labels == [(float(i), i % 2) for i in range(len(labels))]
        assert len(labels) >= said.get(LABEL, 0), "a label is lost"
        assert not [finding for finding in reader.findings if finding.kind == "damage"], reader.findings
        return counts


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=30)
    parser.add_argument("--seed", type=int, default=None)
    options = parser.parse_args()
    seed = random.SystemRandom().randrange(2**31) if options.seed is None else options.seed
    print(f"seed {seed}", flush=True)
    np.zeros((2, 2)) @ np.zeros((2, 2))
    for run in range(options.runs):
        with tempfile.TemporaryDirectory(prefix="mt-kill-") as base:
            print(f"run {run}, seed {seed + run}:", end=" ", flush=True)
            print(one_run(Path(base), seed + run), flush=True)


if __name__ == "__main__":
    main()
