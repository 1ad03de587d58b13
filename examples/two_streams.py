"""Record an EMG and a kinematics stream together, then read them back on one clock.

myogestic-tui generate --name EMG &
python examples/two_streams.py [seconds]
"""

import sys
import threading

import numpy as np

from myogestic_tui import App, Stream
from myogestic_tui.session import iter_aligned_windows, open_session_store
from myogestic_tui.sources import LSLSource

seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 5.0

app = App("Two streams")
app.streams(
    Stream("emg", source=LSLSource("EMG"), required=True),
    Stream("hand", source=LSLSource("vhi_control"), required=True),
)


def capture(app):
    def run():
        while any(stream.info is None for stream in app.ctx.streams.values()) and not app.stopping.wait(0.1):
            pass
        try:
            with app.recording("sessions"):
                app.stopping.wait(seconds)
        finally:
            app.stop()

    threading.Thread(target=run).start()


app.before_run_hooks.append(capture)
app.run(mode="headless")

path = app.ctx.session.path
with open_session_store(path) as session:
    for name in session.streams:
        stamps = session.timestamps(name, clock="corrected")
        print(f"{name}: {session.stores[name].shape}, {stamps[-1] - stamps[0]:.3f} s")

windows = list(iter_aligned_windows([path], "emg", ["hand"], win_seconds=0.2, hop_seconds=0.1))
targets = np.array([aligned["hand"] for _, aligned, _ in windows])
print(f"{len(windows)} windows {windows[0][0].shape}, targets {targets.shape}")
