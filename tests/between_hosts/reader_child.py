"""A source that is read in a process of its own, as a worker would; ends when its standard input closes.

Argument: a JSON object with the parameters of LSLSource. Each line of standard input is a JSON object: ``{}`` asks how
it is, ``{"until": {...}, "patience": s}`` waits first, ``{"reconnect": uid}`` chooses an outlet, ``{"release": true}``
asks for what is held back, ``{"data": true}`` asks for the first channel of all that was read.
"""

import json
import sys
import threading
import time

from myogestic_tui.errors import StreamNotFoundError
from myogestic_tui.sources import LSLSource

source = LSLSource(**json.loads(sys.argv[1]))
questions: list[dict] = []
ended = threading.Event()


def listen() -> None:
    for line in sys.stdin:
        questions.append(json.loads(line))
    ended.set()


def how() -> dict:
    condition = source.condition()
    seen = source.seen
    return {
        "state": condition.state,
        "message": condition.message,
        "count": len(rows),
        "offsets": offsets,
        "uid": seen.uid if seen is not None else "",
    }


def holds(condition: dict) -> bool:
    now = how()
    return (
        now["state"] == condition.get("state", now["state"])
        and condition.get("message", "") in now["message"]
        and now["count"] >= condition.get("count", 0)
        and now["offsets"] >= condition.get("offsets", 0)
        and now["uid"] == condition.get("uid", now["uid"])
    )


threading.Thread(target=listen, daemon=True).start()
rows: list = []
offsets = 0
connected = False
until: dict | None = None
deadline = 0.0
while not ended.wait(0.01):
    if not connected:
        try:
            source.connect()
            connected = True
        except StreamNotFoundError:
            pass
    rows.extend(source.read()[0][:, 0].tolist())
    offsets += len(source.take_clock_estimates())
    if until is None and questions:
        question = questions.pop(0)
        if "reconnect" in question:
            source.reconnect(question["reconnect"])
        if question.get("release"):
            source.release()
        until, deadline = question.get("until", {}), time.monotonic() + question.get("patience", 0.0)
        with_data = question.get("data", False)
    if until is not None and (holds(until) or time.monotonic() > deadline):
        print(json.dumps({**how(), "held": holds(until), "data": rows if with_data else []}), flush=True)
        until = None
source.disconnect()
