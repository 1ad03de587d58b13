"""Record without screens: Rest and Fist in turn, then stop, pack and end.

myogestic-tui generate --name EMG &
python examples/headless.py [seconds of each gesture]
"""

import sys
import threading

from myogestic_tui import App, Stream
from myogestic_tui.sources import LSLSource

seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 5.0

app = App("Headless example")
app.streams(Stream("emg", source=LSLSource("EMG"), window_seconds=1.0))
app.ctx.class_names = ["Rest", "Fist"]


def capture(app):
    def run():
        while app.ctx.streams["emg"].info is None and not app.stopping.wait(0.1):
            pass
        try:
            with app.recording("sessions") as session:
                for class_index in (0, 1, 0, 1, 0):
                    session.add_label(class_index)
                    if app.stopping.wait(seconds):
                        break
        finally:
            app.stop()  # also where the recording cannot start, or ends early

    threading.Thread(target=run).start()


app.before_run_hooks.append(capture)
code = app.run(mode="headless")
print(app.ctx.session.path if app.ctx.session else app.ctx.status_message)
raise SystemExit(code)
