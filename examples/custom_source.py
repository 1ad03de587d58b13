"""A device without LSL as a source: packets over UDP, 16 float32 values each.

python examples/custom_source.py [seconds] [port]
"""

import socket
import sys
import threading

import numpy as np

from myogestic_tui import App, Stream, StreamInfo
from myogestic_tui.clock import local_clock

N_CHANNELS = 16
seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
port = int(sys.argv[2]) if len(sys.argv) > 2 else 5005


class UdpSource:
    """Three methods, all called from the stream's own thread."""

    def connect(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", port))
        self.socket.setblocking(False)
        return StreamInfo(N_CHANNELS, fs=100.0, type="EMG", units=("microvolts",) * N_CHANNELS)

    def read(self):
        rows, stamps = [], []
        while True:
            try:
                packet = self.socket.recv(4 * N_CHANNELS)
            except BlockingIOError:
                break
            rows.append(np.frombuffer(packet, "<f4"))
            stamps.append(local_clock())
        return np.array(rows, np.float32).reshape(-1, N_CHANNELS), np.array(stamps)

    def disconnect(self):
        self.socket.close()


def capture(app):
    def run():
        try:
            with app.recording("sessions"):
                app.stopping.wait(seconds)
        finally:
            app.stop()

    threading.Thread(target=run).start()


app = App("UDP device")
app.streams(Stream("udp", source=UdpSource()))
app.before_run_hooks.append(capture)
app.run(mode="headless")
print(app.ctx.session.path)
