"""Records the known streams, some thousand samples a second, until its standard input ends; prints its folder first."""

from __future__ import annotations

import json
import select
import sys

from myogestic_tui.session import Session
from myogestic_tui.session.recording import checkpoint
from tests.session.known import STREAMS


def main() -> None:
    checkpoint.CHECKPOINT_SECONDS = 0.01
    session = Session(sys.argv[1], reserve_bytes=0)
    counts = [0] * len(STREAMS)
    for stream in STREAMS:
        session.init_stream(stream.name, stream.info)
    print(session.path, flush=True)
    rounds = 0
    while not select.select([sys.stdin], [], [], 0.004)[0]:
        rounds += 1
        for number, (stream, n) in enumerate(zip(STREAMS, (23, 5, rounds % 10 == 0), strict=True)):
            start = counts[number]
            session.append(stream.name, stream.data(start, start + n), stream.stamps(start, start + n))
            counts[number] = start + n
        if rounds % 50 == 0:
            session.add_label(0)
            session.flush()
    session.finish()
    print(json.dumps(counts))


if __name__ == "__main__":
    main()
