"""Feed a recorded stream through the same path as a live one.

python examples/replay.py sessions/2026-05-17_14-23-05.session.zip [stream]
"""

import sys
import threading

import numpy as np

from myogestic_tui import App, Stream
from myogestic_tui.sources.replay_source import ReplaySource

path, name = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "emg"

app = App("Replay")
app.streams(Stream(name, source=ReplaySource(path, name, speed=1.0, loop=True), window_seconds=0.2))


def watch(app):
    def run():
        stream, shown = app.ctx.streams[name], 0
        while shown < 10 and not app.stopping.wait(0.2):
            window, _ = stream.get_window()  # (n_channels, n_samples), the newest 0.2 s
            if window.size:
                shown += 1
                rms = np.sqrt(np.mean(np.square(window, dtype=np.float64), axis=1))
                print(f"strongest channel {int(rms.argmax()) + 1}: {rms.max():.1f}")
        app.stop()

    threading.Thread(target=run).start()


app.before_run_hooks.append(watch)
raise SystemExit(app.run(mode="headless"))
