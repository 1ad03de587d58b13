"""The table of what each format keeps, held against the files: a word that nothing else has is looked for in them."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from myogestic_tui import ChannelGrid, StreamInfo
from myogestic_tui.clock import local_clock
from myogestic_tui.session import Session, open_session_store
from myogestic_tui.session.export import export_session
from tests.windows.making import EMG, fill

pytest.importorskip("pynwb", reason="pynwb is not installed")
pytest.importorskip("pyarrow", reason="pyarrow is not installed")

FORMATS = ("xdf", "fif", "edf", "bdf", "bids", "nwb", "csv", "npz", "parquet")
WORDS = {
    "subject": "SubjQ01",
    "task": "taskQ02",
    "name of the session": "nameQ03",
    "other fields of the take sheet": "fieldQ04",
    "names of classes": "classQ05",
    "names of channels": "chanQ06",
    "texts of markers": "textQ07",
    "notes": "noteQ08",
    "muscle and label of a grid": "muscleQ09",
    "`source_id` of a device": "ampQ10",
    "manufacturer": "makerQ11",
    "who labelled": "sourceQ12",
    "reason of a gap": "reasonQ13",
    "events of the recording": "eventQ14",
}
PAGE = Path(__file__).parents[2] / "docs" / "export.md"


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    fields = {"subject": "SubjQ01", "task": "taskQ02", "name": "nameQ03", "take": 4, "remark": "fieldQ04"}
    session, start = Session(tmp_path_factory.mktemp("kept"), class_names=["classQ05"], fields=fields), local_clock()
    emg = replace(
        EMG,
        channel_names=("chanQ06", "b", "c", "d"),
        source_id="ampQ10",
        manufacturer="makerQ11",
        channel_grids=(ChannelGrid("muscleQ09", ((0, 1), (2, 3)), "muscleQ09", "", 8.0),),
    )
    times = start + np.arange(4000) / 1000
    times[2000:] += 0.3
    fill(session, "emg", emg, np.random.default_rng(1).standard_normal((4000, 4)).astype("float32"), times)
    session.add_gap_reason("emg", 2000, "reasonQ13")
    markers = StreamInfo(1, 0.0, "string", type="Markers")
    fill(session, "markers", markers, np.array([["textQ07"]], object), np.array([start + 1.0]))
    session.add_label(0, start + 0.5, source="sourceQ12")
    session.add_label(-1, start + 1.5)
    session.add_note("noteQ08", start + 1.2)
    session.add_event("trial", "eventQ14")
    with open_session_store(session.pack_to_zip()) as reader:
        yield reader


def contents(folder: Path) -> bytes:
    """All files and their names; NumPy's texts have four bytes a letter."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    raw = b"\n".join([str(path.relative_to(folder)).encode() + path.read_bytes() for path in files])
    return raw + raw.replace(b"\0\0\0", b"")


def kept(session, to: str, folder: Path) -> dict[str, bool]:
    export_session(session, to, folder)
    found = contents(folder)
    return {what: word.encode() in found for what, word in WORDS.items()}


def test_the_table_is_what_the_exporters_do(session, tmp_path):
    found = {to: kept(session, to, tmp_path / to) for to in FORMATS}
    lines = [f"| {what} | {' | '.join('✓' if found[to][what] else '–' for to in FORMATS)} |" for what in WORDS]
    head = f"| in the files | {' | '.join(f'`{to}`' for to in FORMATS)} |"
    told = re.search(r"^\| in the files .*\n\|[-|]+\n((?:\|.*\n)+)", PAGE.read_text("utf-8"), re.MULTILINE)
    assert told is not None, "\n".join(lines)
    assert told[0].splitlines()[0] == head
    assert told[1].splitlines() == lines
