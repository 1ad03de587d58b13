"""A serial device as a source: frames of a sync byte 0xA5 and 8 int16 values, 250 a second.

pip install pyserial
python examples/serial_source.py /dev/ttyUSB0 [seconds]
"""

import struct
import sys
import threading

import numpy as np
import serial

from myogestic_tui import App, Stream, StreamInfo
from myogestic_tui.clock import local_clock

FRAME = struct.Struct("<B8h")
FS, SYNC = 250.0, 0xA5
port = sys.argv[1]
seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 10.0


class SerialSource:
    """A device that is pulled out raises in `read`: the stream is lost, and `connect` is tried until it is back."""

    def connect(self):
        self.serial = serial.Serial(port, 115200, timeout=0)
        self.waiting = b""
        return StreamInfo(8, FS, "int16", type="EMG")

    def read(self):
        self.waiting += self.serial.read(65536)
        rows = []
        while (start := self.waiting.find(SYNC)) >= 0 and len(self.waiting) >= start + FRAME.size:
            rows.append(FRAME.unpack_from(self.waiting, start)[1:])
            self.waiting = self.waiting[start + FRAME.size :]
        stamps = local_clock() - np.arange(len(rows))[::-1] / FS  # the last one has just arrived
        return np.array(rows, np.int16).reshape(-1, 8), stamps

    def disconnect(self):
        self.serial.close()


def capture(app):
    def run():
        try:
            with app.recording("sessions"):
                app.stopping.wait(seconds)
        finally:
            app.stop()

    threading.Thread(target=run).start()


app = App("Serial device")
app.streams(Stream("serial", source=SerialSource()))
app.before_run_hooks.append(capture)
app.run(mode="headless")
print(app.ctx.session.path)
