"""An outlet in a process of its own, so that a test can kill it. Ends when its standard input closes.

Argument: a JSON object with "name" and the fields of StreamInfo. Sends a ramp in real time: the first channel counts
samples from 0, the others add their index. For strings it sends one marker per line of standard input.
"""

import json
import sys
import threading
import time

import numpy as np

from myogestic_tui.info import StreamInfo
from myogestic_tui.sources import Outlet

options = json.loads(sys.argv[1])
outlet = Outlet(options.pop("name"), StreamInfo(**options))
info = outlet.info
end = threading.Event()


def follow_input() -> None:
    for line in sys.stdin:
        if info.is_string:
            outlet.push_text([[line.rstrip("\n")] * info.n_channels], [time.monotonic()])
    end.set()


threading.Thread(target=follow_input, daemon=True).start()
print(outlet.uid, flush=True)
start, sent = time.monotonic(), 0
while not end.wait(0.01):
    due = 0 if info.is_string else int((time.monotonic() - start) * info.fs)
    if due > sent:
        rows = np.arange(sent, due)
        data = (rows[:, None] + np.arange(info.n_channels)[None, :]).astype(info.dtype)
        outlet.push(data, start + rows / info.fs)
        sent = due
outlet.close()
