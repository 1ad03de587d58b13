"""What a folder of thousands of sessions costs: listing it, and every key of a search or an order.

    python bench/catalog.py [--sessions 5000] [--folder DIR]

The sessions are small and of all states: packed, salvaged and empty archives, some of them verified, damaged ones, and
folders that are unfinished or not packed. "Cold": neither a catalog nor a file in memory; "read again": no catalog,
but the files are in memory. Every listing is in a process of its own.
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
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
from msgspec.structs import replace

from myogestic_tui.info import StreamInfo
from myogestic_tui.session import Session, salvage_session, verify_session
from myogestic_tui.session.archive import zip_format as zb
from myogestic_tui.session.archive.summary_comment import comment_bytes, decode_comment
from myogestic_tui.session.archive.zip_index import find_end
from myogestic_tui.session.format.layout import ARCHIVE_SUFFIX, STATE_FOLDER
from myogestic_tui.session.library.catalog import CATALOG, Catalog
from myogestic_tui.tui.session_selection import SessionList
from myogestic_tui.widgets.session_table import COLUMNS, Order

FOLDERS, DAMAGED, VERIFIED = 0.01, 0.05, 0.1
"""Shares of the sessions that are no archives, cannot be read, and were verified."""

TYPED = "p07 fist 2026-0"
BUDGET = {"warm_s": 1.0, "cold_s": 10.0, "key_ms": 50.0}


# ---------------------------------------------------------------- the sessions


def recorded(folder: Path, seconds: float) -> Session:
    """A session of two streams and three classes, still open."""
    session = Session(folder, class_names=["Rest", "Fist", "Pinch"], reserve_bytes=0)
    for name, n_channels, fs in (("emg", 8, 1000.0), ("vhi_control", 9, 60.0)):
        session.init_stream(name, StreamInfo(n_channels, fs))
        n = int(seconds * fs)
        session.append(name, np.ones((n, n_channels), np.float32), 100.0 + np.arange(n) / fs)
    for number in range(12):
        session.add_label(number % 3, 100.0 + number * seconds / 12)
    return session


def archives(folder: Path) -> list[bytes]:
    """Templates: packed, without a sample, and salvaged."""
    plain, empty = recorded(folder / "plain", 1.0).pack_to_zip(), recorded(folder / "empty", 0.0).pack_to_zip()
    spoilt = bytearray(plain.read_bytes())
    spoilt[len(spoilt) // 2] ^= 0xFF
    damaged = folder / "damaged" / plain.name
    damaged.parent.mkdir()
    damaged.write_bytes(spoilt)
    saved = salvage_session(damaged)
    return [path.read_bytes() for path in (plain, plain, plain, empty, saved)]


def told_apart(archive: bytes, number: int) -> bytes:
    """The archive with another subject, task, take and start in its comment."""
    at = find_end(archive)
    summary = decode_comment(archive[at + zb.END.size :])
    assert summary is not None
    comment = comment_bytes(
        replace(
            summary,
            name=f"long term {number}" if number % 7 == 0 else "",
            subject=f"P{number % 40:02d}",
            task=("gestures", "force", "drift")[number % 3],
            take=number % 9,
            created=f"2026-{number % 12 + 1:02d}-{number % 28 + 1:02d}T14:23:05+02:00",
            duration_s=summary.duration_s * (1 + number % 100),
        )
    )
    return archive[: at + zb.END.size - 2] + len(comment).to_bytes(2, "little") + comment


def stamps() -> Iterator[str]:
    number = 0
    while True:
        yield f"20{number // 28 // 12 // 24 % 100:02d}-{number // 28 % 12 + 1:02d}-{number % 28 + 1:02d}_" + (
            f"{number // 28 // 12 % 24:02d}-23-05"
        )
        number += 1


def generate(folder: Path, templates: Path, count: int) -> None:
    """Fill ``folder`` with ``count`` sessions."""
    names, kinds = stamps(), archives(templates)
    unfinished = recorded(templates / "unfinished", 1.0)
    unfinished.flush()
    whole = recorded(templates / "finished", 1.0)
    whole.finish()
    n_folders, n_damaged = int(count * FOLDERS), int(count * DAMAGED)
    for number in range(n_folders):
        shutil.copytree((unfinished if number % 2 else whole).path, folder / next(names))
    unfinished.finish()
    for number in range(count - n_folders):
        path = folder / f"{next(names)}{ARCHIVE_SUFFIX}"
        data = told_apart(kinds[number % len(kinds)], number)
        if number < n_damaged:
            data = (data[: len(data) // 2], b"no zip at all", b"")[number % 3]
        path.write_bytes(data)


def verify_some(folder: Path, templates: Path, count: int) -> None:
    """Have some remembered as verified; every tenth of them as damaged."""
    catalog, outcome = Catalog(folder), verify_session(next(templates.glob(f"plain/*{ARCHIVE_SUFFIX}")))
    packed = [entry.path for entry in catalog.entries() if entry.summary.state == "packed"]
    for number, path in enumerate(packed[:count]):
        catalog.remember_verified(path, replace(outcome, ok=number % 10 > 0))


def forget(folder: Path) -> None:
    """Drop every file from the page cache."""
    os.sync()
    for path in folder.rglob("*"):
        if path.is_file():
            fd = os.open(path, os.O_RDONLY)
            os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(fd)


# ---------------------------------------------------------------- what is measured


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def listing(folder: Path) -> dict[str, object]:
    """One listing, in this process."""
    told: list[int] = []
    base, start, cpu = peak_mb(), time.perf_counter(), time.process_time()
    entries = Catalog(folder).entries(lambda done, _: told.append(done))
    return {
        "seconds": round(time.perf_counter() - start, 3),
        "cpu_s": round(time.process_time() - cpu, 3),
        "grown_mb": round(peak_mb() - base, 1),
        "peak_mb": round(peak_mb(), 1),
        "told_progress": len(told),
        "states": dict(Counter(entry.state for entry in entries)),
    }


def apart(folder: Path) -> dict[str, object]:
    command = [sys.executable, __file__, "--list", str(folder)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def keys(folder: Path) -> dict[str, object]:
    """What the Sessions screen does for a key, through its own table; and its next look at the folder."""
    catalog = Catalog(folder)
    table = SessionList(None)
    table.known = catalog.entries()
    table._texts = {entry.summary.path: entry.words for entry in table.known}

    def ms(work: Callable[[], object]) -> float:
        """The best of three: what else the machine does is left out."""
        times = []
        for _ in range(3):
            start = time.perf_counter()
            work()
            times.append(time.perf_counter() - start)
        return round(1e3 * min(times), 1)

    typed = {words: ms(partial(table.find, words)) for words in (TYPED[:n] for n in range(1, len(TYPED) + 1))}
    table.find("")
    orders = {name: max(ms(partial(table.order_by, Order(name, way))) for way in (True, False)) for name in COLUMNS}
    slowest = max([*typed.values(), *orders.values()])
    return {"typed_ms": typed, "order_ms": orders, "slowest_ms": slowest, "look_again_ms": ms(catalog.entries)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=5000)
    parser.add_argument("--folder", type=Path, help="where the sessions go, for a while")
    parser.add_argument("--list", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.list is not None:
        print(json.dumps(listing(given.list)))
        return
    with tempfile.TemporaryDirectory(dir=given.folder) as temporary:
        folder = Path(temporary) / "sessions"
        folder.mkdir()
        generate(folder, Path(temporary) / "templates", given.sessions)
        forget(folder)
        result: dict[str, object] = {"bench": "catalog", "sessions": given.sessions, "cold": apart(folder)}
        (folder / STATE_FOLDER / CATALOG).unlink()
        result["read_again"] = apart(folder)
        verify_some(folder, Path(temporary) / "templates", int(given.sessions * VERIFIED))
        result["warm"] = min((apart(folder) for _ in range(3)), key=lambda one: float(str(one["seconds"])))
        result["catalog_mb"] = round((folder / STATE_FOLDER / CATALOG).stat().st_size / 1e6, 2)
        result["keys"] = keys(folder)
    print(json.dumps({**result, "budget": BUDGET, "load": os.getloadavg()}, indent=2))


if __name__ == "__main__":
    main()
