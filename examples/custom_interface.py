"""An interface of one's own: a button that starts a trial in its own folder, with its first label stamped at once.

myogestic-tui generate --name EMG &
python examples/custom_interface.py
"""

from myogestic_tui import App, Stream
from myogestic_tui.clock import local_clock
from myogestic_tui.sources import LSLSource
from myogestic_tui.widgets import button, signal_view, stream_status, text

app = App("Trials")
app.streams(Stream("emg", source=LSLSource("EMG")))
app.ctx.class_names = ["Rest", "Fist"]


def start_trial():
    app.start_recording(base_path="experiments/trial5")
    app.ctx.session.add_label(class_index=0, timestamp=local_clock())


@app.ui
def ui(ctx):
    """Composed again whenever ``ctx.state`` changes."""
    if ctx.state == "idle":
        button(ctx, "Start trial", on_press=start_trial)
        stream_status(ctx)
    elif ctx.state == "recording":
        text(ctx, lambda: f"Recording: {app.ctx.session.path}")
        button(ctx, "Fist", on_press=lambda: app.add_label(1))
        button(ctx, "Stop trial", on_press=app.stop_recording)
        signal_view(ctx, "emg")


raise SystemExit(app.run())
