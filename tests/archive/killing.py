"""SIGKILL at random instants of packing, recovering and salvaging, each followed by another start.

python tests/archive/killing.py --runs 200 [--seed 7]
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from myogestic_tui.session import (
    finish_interrupted,
    list_trash,
    pack_session,
    recover_session,
    salvage_session,
    unfinished_sessions,
    verify_session,
)

_server = multiprocessing.get_context("forkserver")
_server.set_forkserver_preload(["myogestic_tui.session.salvaging.salvage", "myogestic_tui.session.recovery.recover"])


def run_until_killed(work: Callable[[Path], object], path: Path, after_s: float) -> bool:
    """Do `work` in a child, killed after a time; True if it got to its end before."""
    child = _server.Process(target=work, args=(path,))
    child.start()
    child.join(after_s)
    child.kill()  # nothing, where it has just ended by itself
    child.join()
    finished = child.exitcode == 0
    child.close()
    return finished


def duration(work: Callable[[Path], object], original: Path, folder: Path) -> float:
    """How long `work` takes in a child that is not killed, in seconds."""
    path = copy(original, folder / "whole")
    start = time.monotonic()
    assert run_until_killed(work, path, 300.0)
    return time.monotonic() - start


def copy(original: Path, folder: Path) -> Path:
    """A copy of a session in a sessions folder of its own."""
    folder.mkdir(parents=True)
    copied = shutil.copytree if original.is_dir() else shutil.copy
    return Path(copied(original, folder / original.name))


def restart(sessions: Path) -> list[Path]:
    """What a recorder does at its start: recover, then finish packing. The archives that stand there then."""
    for folder in unfinished_sessions(sessions):
        recover_session(folder)
    finish_interrupted(sessions)
    return sorted(sessions.glob("*.session.zip"))


def leftovers(sessions: Path) -> list[str]:
    """Files that nobody needs: everything but archives and what is in the trash."""
    files = [path.relative_to(sessions) for path in sessions.rglob("*") if path.is_file()]
    return [str(file) for file in files if not file.name.endswith(".session.zip") and file.parts[1:2] != ("trash",)]


def kill_and_restart(
    work: Callable[[Path], object], original: Path, folder: Path, rng: random.Random, longest_s: float
) -> Path:
    """One run: `work` killed up to three times, then a start; the one archive that is there."""
    path = copy(original, folder)
    for _ in range(rng.randint(1, 3)):
        if not path.exists() or run_until_killed(work, path, rng.uniform(0.0, longest_s)):
            break
    archives = restart(folder)
    assert len(archives) == 1, [str(entry) for entry in folder.rglob("*")]
    assert leftovers(folder) == []
    outcome = verify_session(archives[0])
    assert outcome.ok, outcome.findings
    return archives[0]


def salvage_and_restart(damaged: Path, folder: Path, rng: random.Random, longest_s: float) -> Path:
    """One run: salvage killed, a start, salvage again; the archive, with the damaged original in the trash."""
    path = copy(damaged, folder)
    if not run_until_killed(salvage_session, path, rng.uniform(0.0, longest_s)) and path.exists():
        finish_interrupted(folder)
        assert path.exists()
        salvage_session(path)
    finish_interrupted(folder)
    [archive] = folder.glob("*.session.zip")
    assert verify_session(archive).ok
    assert leftovers(folder) == []
    assert [trashed.path.name for trashed in list_trash(folder)] == [damaged.name]
    return archive


def main() -> int:
    from tests.archive.sessions import assert_holds, cut_off_folder, finished_folder, flip

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    options = parser.parse_args()
    print("seed", options.seed, flush=True)
    rng = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as temporary:
        base = Path(temporary)
        finished, cut_off = finished_folder(base / "a"), cut_off_folder(base / "b")
        damaged = pack_session(copy(finished, base / "c"))
        flip(damaged, "emg.zarr/c/3/0")
        for name, work, original in (("pack", pack_session, finished), ("recover", recover_session, cut_off)):
            longest = 1.1 * duration(work, original, base / name)
            for run in range(options.runs):
                assert_holds(kill_and_restart(work, original, base / f"{name}{run}", rng, longest))
                shutil.rmtree(base / f"{name}{run}")
        longest = 1.1 * duration(salvage_session, damaged, base / "salvage")
        for run in range(options.runs):
            salvage_and_restart(damaged, base / f"salvage{run}", rng, longest)
            shutil.rmtree(base / f"salvage{run}")
    print("nothing was lost, nothing was left over")
    return 0


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))
    sys.exit(main())
