"""Every single-byte flip, byte put before or behind, and cut of a small archive: is it found?

    python tests/archive/faults.py [--step 1]

All offsets take a few minutes; CI looks at every seventh. Prints each fault that verification misses, and each that
opening answers with anything but an error of this package.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from myogestic_tui.errors import MyoGesticError
from myogestic_tui.session import open_session_store, verify_session


def flips(data: bytes, step: int, first: int = 0) -> Iterator[tuple[str, bytes]]:
    """One bit of every `step`-th byte, from the byte `first` on."""
    for at in range(first, len(data), step):
        damaged = bytearray(data)
        damaged[at] ^= 1 << at % 8
        yield f"byte {at} flipped", bytes(damaged)


def additions(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Bytes before and behind."""
    for extra in (b"\0", b"PK\x03\x04", b"\n" * 22, data[-22:], data):
        yield f"{len(extra)} bytes before", extra + data
        yield f"{len(extra)} bytes behind", data + extra


def cuts(data: bytes, step: int = 64) -> Iterator[tuple[str, bytes]]:
    """The file cut at every `step`-th byte."""
    for length in range(0, len(data), step):
        yield f"cut to {length} bytes", data[:length]


def missed(faults: Iterable[tuple[str, bytes]], path: Path) -> list[str]:
    """Faults that a full verification takes for a whole archive."""
    found = []
    for name, data in faults:
        path.write_bytes(data)
        if verify_session(path).ok:
            found.append(name)
    return found


def surprises(faults: Iterable[tuple[str, bytes]], path: Path) -> list[str]:
    """Faults that reading answers with an exception that is none of this package."""
    found = []
    for name, data in faults:
        path.write_bytes(data)
        try:
            with open_session_store(path) as session:
                session.summary()
                for stream in session.streams:
                    session.stores[stream][:]
                    session.timestamps(stream)
        except MyoGesticError:
            pass
        except Exception as error:
            found.append(f"{name}: {error!r}")
    return found


def main() -> int:
    from myogestic_tui.session import pack_session
    from tests.archive.sessions import SMALL, finished_folder

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--step", type=int, default=1)
    step = parser.parse_args().step
    with tempfile.TemporaryDirectory() as folder:
        archive = pack_session(finished_folder(Path(folder), SMALL))
        data, path = archive.read_bytes(), Path(folder, "damaged.session.zip")
        print(f"{len(data)} bytes; every {step}. is flipped", flush=True)
        bad = missed([*additions(data), *cuts(data)], path) + missed(flips(data, step), path)
        bad += surprises([*additions(data), *cuts(data)], path) + surprises(flips(data, step), path)
    print("\n".join(bad) or "all found")
    return bool(bad)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))
    sys.exit(main())
