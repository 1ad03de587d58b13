"""Labels of an open session set right by keys: shown at once, written by one job, undone until then."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from myogestic_tui import StreamInfo
from myogestic_tui.app import interface as r
from myogestic_tui.session import open_session_store, start_job
from myogestic_tui.session.library.catalog import Catalog
from tests.after.planted import Planted
from tests.tui.scripted import ScriptedRecorder, idle


@pytest.fixture
def archive(tmp_path):
    planted = Planted(tmp_path / "sessions", 20.0)
    samples = np.random.default_rng(1).standard_normal((10_000, 4)).astype(np.float32)
    planted.stream("emg", StreamInfo(4, 500.0, type="EMG"), samples)
    planted.labels((5.0 * place, place % 2) for place in range(4))
    return planted.finish(packed=True)


def opened(stage, archive):
    recorder = ScriptedRecorder(idle(sessions_dir=str(archive.parent)))
    return stage(recorder, screen="sessions", list_sessions=lambda folder: Catalog(archive.parent).entries())


async def test_trials_are_marked_relabelled_and_moved_and_written_by_one_job(stage, archive):
    async with opened(stage, archive) as it:
        await it.until(lambda: "1 of 1" in it.text)
        await it.press("enter")
        await it.until(lambda: "RMS of all channels" in it.text)
        await it.press("up")
        assert "trial 4 of 4  Fist  15.000 to 20.000 s" in it.text
        await it.press("m", "up", "3", "right", "right", "right", "left")
        assert "trial 3 of 4  Pinch  10.100 to 15.000 s" in it.text
        assert "6 to write" in it.text
        await it.press("u")
        assert "10.150 to 15.000 s" in it.text
        await it.press("down")
        assert "trial 4 of 4  Fist  15.000 to 20.000 s  bad" in it.text
        assert not it.recorder.of(r.StartJob)
        await it.press("enter")
        assert "write 5 changes of the labels?" in it.text
        await it.press("enter")
        job = it.recorder.wait_for(r.StartJob)
        assert (job.kind, job.paths) == ("labels", (str(archive),))
    done = start_job(job.kind, archive, job.options).wait(60)
    assert done["path"] == str(archive)
    with open_session_store(archive) as session:
        start = session.meta.anchors[0].lsl
        now = [(round(one.timestamp - start, 6), one.class_index, one.bad) for one in session.label_track]
        assert now == [(0, 0, False), (5, 1, False), (10.15, 2, False), (15, 1, True)]
        assert len(session.label_edits[0].what) == 3


async def test_changes_are_dropped_and_what_cannot_be_is_refused(stage, archive):
    async with opened(stage, archive) as it:
        await it.until(lambda: "1 of 1" in it.text)
        await it.press("enter")
        await it.until(lambda: "RMS of all channels" in it.text)
        await it.press("up", "4")
        assert "no class 3" in it.text
        await it.press("up", "up", "up", "up", "left")
        assert "trial 1 of 4  Rest  -0.050 to 5.000 s" in it.text
        await it.press("escape", "d")
        assert "trial 1 of 4" not in it.text
        await it.press("up", "m", "m", "u", "u", "u")
        assert "no change of the labels waits" in it.text
        await it.press("escape", "escape")
        assert "SUBJECT" in it.text
        assert not it.recorder.of(r.StartJob)


async def test_without_a_trial_the_keys_view_channels_and_time(stage, archive):
    async with opened(stage, archive) as it:
        await it.until(lambda: "1 of 1" in it.text)
        await it.press("enter")
        await it.until(lambda: "RMS of all channels" in it.text)
        await it.press("down")
        await it.until(lambda: "channel 1 " in it.text)
        await it.press("tab")
        await it.until(lambda: "channel 2 " in it.text)
        await it.press("shift+tab", "shift+tab")
        await it.until(lambda: "RMS of all channels" in it.text)


async def test_the_job_refuses_changes_that_are_none(archive):
    before = archive.read_bytes()
    for changes in ("[", '[{"type":"Nonsense"}]', msgspec.json.encode([{"type": "MarkBad", "trial": 99}]).decode()):
        with pytest.raises(Exception, match=r"trial|type|truncated|Invalid"):
            start_job("labels", archive, {"changes": changes}).wait(60)
    assert archive.read_bytes() == before
