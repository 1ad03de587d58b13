"""Streams a FIF file with mne-lsl's own player until standard input closes; arguments: file, name, source_id."""

import sys

from mne_lsl.player import PlayerLSL

path, name, source_id = sys.argv[1:]
player = PlayerLSL(path, chunk_size=25, name=name, source_id=source_id).start()
print("playing", flush=True)
sys.stdin.read()
player.stop()
