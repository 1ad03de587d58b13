"""Four lines to a recording app: a stream, a Record button, a Stop button, two gestures.

myogestic-tui generate --name EMG &
python examples/quick_start.py
"""

from myogestic_tui import App, Stream
from myogestic_tui.sources import LSLSource
from myogestic_tui.widgets import recording_controls

app = App("My recording")
app.streams(Stream("emg", source=LSLSource("EMG"), window_seconds=1.0))


@app.ui
def ui(ctx):
    recording_controls(ctx, ["Rest", "Fist"], on_record=app.start_recording, on_stop=app.stop_recording)


raise SystemExit(app.run())
