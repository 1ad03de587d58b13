"""A cued protocol from a script: shuffled cues, each stamped at its true start.

myogestic-tui generate --name EMG &
python examples/cued_protocol.py [seconds of each cue]
"""

import sys
import threading

from myogestic_tui import App
from myogestic_tui.app.interface import StartProtocol
from myogestic_tui.config import parse_config

seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 3.0

config = parse_config(f"""
[[streams]]
name = "EMG"
as = "emg"

[[gestures]]
name = "Rest"
[[gestures]]
name = "Fist"
[[gestures]]
name = "Pinch"

[[protocols]]
name = "grasp"
steps = [{{ gesture = "Fist", seconds = {seconds} }}, {{ gesture = "Pinch", seconds = {seconds} }}]
repeats = 3
shuffle = true
seed = 7
lead_in = 1
""")


def conduct(app):
    def run():
        while app.ctx.streams["emg"].info is None and not app.stopping.wait(0.1):
            pass
        reply = app.execute(StartProtocol(name="grasp", actor="script"))
        print(reply.message)
        while reply.ok and app.status().protocol.state not in ("done", "aborted") and not app.stopping.wait(0.1):
            pass
        app.stop_recording()
        app.stop()

    threading.Thread(target=run).start()


app = App("Cued protocol", config=config)
app.before_run_hooks.append(conduct)
code = app.run(mode="headless")
print(app.ctx.session.path, app.status().session.n_labels, "labels")
raise SystemExit(code)
