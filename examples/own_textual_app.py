"""A whole Textual app of one's own around the recorder's widgets.

myogestic-tui generate --name EMG &
python examples/own_textual_app.py
"""

from typing import ClassVar

from textual.app import App as TextualApp
from textual.widgets import Footer, Header

from myogestic_tui import App, Stream
from myogestic_tui.clock import local_clock
from myogestic_tui.sources import LSLSource
from myogestic_tui.widgets import RecordingControls, SignalView, StreamStatusView

recorder = App("Inside a Textual app")
recorder.streams(Stream("emg", source=LSLSource("EMG")))
recorder.ctx.class_names = ["Rest", "Fist"]


class Lab(TextualApp):
    TITLE = "Lab"
    BINDINGS: ClassVar = [("f", "fist", "Fist now"), ("q", "quit", "Leave")]

    def compose(self):
        yield Header()
        yield RecordingControls(recorder, on_record=self.start, on_stop=recorder.stop_recording)
        yield SignalView(recorder, "emg")
        yield StreamStatusView(recorder)
        yield Footer()

    def start(self):
        recorder.start_recording("experiments/lab")
        recorder.ctx.session.add_label(0, local_clock())

    def action_fist(self):
        recorder.add_label(1, local_clock())


recorder.open()
try:
    Lab().run()
finally:
    recorder.shut()
