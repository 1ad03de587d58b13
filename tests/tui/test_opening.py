"""What stands on the terminal before Textual is there is what Textual then shows."""

from __future__ import annotations

import subprocess
import sys

import pytest
from scripted import ScriptedRecorder, idle, recording

from myogestic_tui.tui import ViewerOptions
from myogestic_tui.tui.opening import opening_rows
from myogestic_tui.widgets.spans import cut


@pytest.mark.parametrize("size", [(80, 24), (160, 50), (40, 10)])
@pytest.mark.parametrize("status", [idle, recording, lambda: idle(streams=())])
async def test_the_opening_is_the_first_frame_of_the_viewer(stage, status, size):
    recorder = ScriptedRecorder(status())
    async with stage(recorder, size=size) as it:
        rows = opening_rows(recorder.status(), ViewerOptions(glyphs="braille"), *size)
        texts = ["".join(span.text for span in cut(spans, size[0])) for spans in rows]
        assert [text.rstrip() for text in texts] == [text.rstrip() for text in it.rows()]


def test_the_opening_needs_neither_textual_nor_numpy_nor_lsl():
    modules = "sys, myogestic_tui.cli.screens, myogestic_tui.control.spawn, myogestic_tui.tui.opening"
    code = f"import {modules}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert not {"textual", "numpy", "mne_lsl", "zarr"} & set(loaded)
