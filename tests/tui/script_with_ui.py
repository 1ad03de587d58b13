"""A script with a screen of its own, run in a pty by the tests: the how-to's custom interface, line by line."""

from myogestic_tui import App, Stream
from myogestic_tui.clock import local_clock
from myogestic_tui.sources import SyntheticSource
from myogestic_tui.widgets import button, recording_controls, signal_view, text

app = App("custom")
app.streams(Stream("emg", source=SyntheticSource(8, 500.0)))


def start():
    app.start_recording(base_path="experiments/trial5")
    app.ctx.session.add_label(class_index=0, timestamp=local_clock())


def broken():
    raise ValueError("this callback is broken")


@app.ui
def ui(ctx):
    if ctx.state == "idle":
        button(ctx, "Start trial", on_press=start)
    elif ctx.state == "recording":
        text(ctx, f"Recording: {app.ctx.session.path}")
        button(ctx, "Stop trial", on_press=app.stop_recording)
    button(ctx, "Broken", on_press=broken)
    recording_controls(ctx, ["Rest", "Fist"])
    yield signal_view(ctx, "emg")


raise SystemExit(app.run())
