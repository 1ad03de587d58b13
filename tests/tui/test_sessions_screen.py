"""The Sessions screen: lists, finds, orders, shows what is known, and sends jobs."""

from __future__ import annotations

import pytest

from myogestic_tui.app import interface as r
from myogestic_tui.session.format.summary import StreamSummary, Summary, Verified
from myogestic_tui.session.library.catalog_entry import Copy, Entry
from tests.tui.scripted import REPLACE, ScriptedRecorder, idle

STREAMS = {"emg": StreamSummary(n_samples=786_432, n_channels=64, fs=2048.0, dtype="float32", measured_fs=2048.1)}


def entry(i: int, state: str, **more) -> Entry:
    full = Verified(level="full", ok=True)
    verified = {"verified": full} if state == "verified" else {}
    summary = Summary(
        path=f"sessions/2026-05-17_14-0{i}-00.session.zip", state="packed" if verified else state,
        subject="P07", task="mvc" if i == 2 else "grasp", take=i, created=f"2026-05-17T14:0{i}:00+02:00",
        duration_s=384.0 - i, bytes=212_000_000 + i, streams=STREAMS, labels={"Rest": 24, "Fist": 6}, **verified,
    )  # fmt: skip
    return Entry(summary=summary, **more)


def entries(_folder):
    seen = {"verified_at": "2026-05-17T14:34:00+02:00", "digest": "9f3c77a1" + "0" * 56}
    copied = {"copies": (Copy("/media/usb/x.session.zip", "2026-05-17T15:00:00+02:00", "9f"),)}
    return [entry(0, "packed"), entry(1, "unfinished"), entry(2, "damaged"), entry(3, "verified", **seen, **copied)]


def job(number: int, state: str = "running", **more) -> r.JobStatus:
    path = "sessions/2026-05-17_14-00-00.session.zip"
    return r.JobStatus(id=number, kind="verify", path=path, state=state, **more)


async def test_sessions_lists_finds_orders_verifies_and_mends(stage):
    async with stage(screen="sessions", list_sessions=entries) as it:
        await it.until(lambda: "4 of 4" in it.text)
        chosen = next(row for row in it.rows() if "◆ verified" in row)
        assert " ".join(chosen.split()) == "◆ verified P07 grasp 03 05-17 14:03 0:06:21 212 MB 30 usb"
        assert it.viewer.front.table.chosen == "sessions/2026-05-17_14-03-00.session.zip"
        assert "full verify ok 05-17 14:34   sha256 9f3c 77a1 …" in it.text
        assert "64 ch f32" in it.text
        await it.press("o", "o")
        assert "order: oldest first" in it.text
        assert "START▴" in it.text
        await it.press("right")
        assert "longest first" in it.text
        assert "LENGTH▾" in it.text
        await it.press("enter", "/")
        await it.press(*"unfin mvc", "backspace", "backspace", "backspace")
        assert "1 of 4" in it.text
        assert "⏎ keep" in it.text
        await it.press("enter", "f")
        started = it.recorder.wait_for(r.StartJob)
        assert (started.kind, started.paths) == ("recover", ("sessions/2026-05-17_14-01-00.session.zip",))
        await it.press("escape", "v", "k")
        await it.until(lambda: len(it.recorder.of(r.StartJob)) == 2)
        assert it.recorder.of(r.StartJob)[-1].kind == "quick-verify"


async def test_jobs_take_all_that_are_marked(stage):
    async with stage(screen="sessions", list_sessions=entries) as it:
        await it.until(lambda: "4 of 4" in it.text)
        await it.press("m", "down", "m")
        assert "2 selected" in it.text
        marked = ("sessions/2026-05-17_14-03-00.session.zip", "sessions/2026-05-17_14-01-00.session.zip")
        await it.press("w", "c")
        assert "csv to folder 2 sessions" in it.text
        await it.press("enter")
        started = it.recorder.wait_for(r.StartJob)
        assert (started.kind, started.paths, started.options["format"]) == ("export", marked, "csv")
        await it.press("d")
        assert "move 2 sessions to the trash?" in it.text
        await it.press("escape", "escape")
        assert "selected" not in it.text
        assert it.recorder.of(r.TrashSession) == []


async def test_where_no_session_is_chosen_each_key_about_one_says_so(stage):
    async with stage(screen="sessions", list_sessions=lambda _: []) as it:
        await it.until(lambda: "No session here yet" in it.text)
        for key in ("enter", "t", "n", "v", "f", "c", "w", "y", "d"):
            it.viewer.reported = ("", False, 0.0)
            await it.press(key)
            assert "no session is chosen" in it.rows()[-2], key


async def test_a_session_without_subject_and_task_is_called_by_its_take_and_file(stage):
    nameless = entry(3, "packed")
    nameless = Entry(summary=REPLACE(nameless.summary, subject="", task="", name=""))
    async with stage(screen="sessions", list_sessions=lambda _: [nameless]) as it:
        await it.until(lambda: "1 of 1" in it.text)
        assert "── take 03 of 2026-05-17_14-03-00   packed ─" in it.text
        await it.press("d")
        assert "move take 03 of 2026-05-17_14-03-00 to the trash?" in it.text


async def test_sessions_trash_and_restore(stage):
    async with stage(screen="sessions", list_sessions=entries) as it:
        await it.until(lambda: "4 of 4" in it.text)
        await it.press("d")
        assert "move P07 grasp 03 to the trash?" in it.text
        assert not it.recorder.of(r.TrashSession)
        await it.press("enter")
        path = it.recorder.wait_for(r.TrashSession).path
        await it.press("u")
        await it.until(lambda: len(it.recorder.of(r.TrashSession)) == 2)
        assert it.recorder.wait_for(r.TrashSession) == r.TrashSession(path=path, restore=True, actor=it.viewer.actor)


async def test_a_job_is_shown_in_the_list_with_speed_and_time_left_and_cancelled_by_two_keys(stage):
    going = job(1, fraction=0.62, bytes_per_s=118e6, left_s=3.0), job(2, "waiting")
    recorder = ScriptedRecorder(REPLACE(idle(), jobs=going))
    async with stage(recorder, screen="sessions", list_sessions=entries) as it:
        await it.until(lambda: "4 of 4" in it.text)
        assert "▷ verify 62%" in it.text
        assert "62 %  118 MB/s  00:03 left  +1" in it.text
        await it.press("escape", "enter")
        assert it.recorder.wait_for(r.CancelJob).id == 1


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (160, 50)])
async def test_it_stands_at_every_size(stage, size):
    async with stage(screen="sessions", list_sessions=entries, size=size) as it:
        await it.until(lambda: "4 of 4" in it.text)
        heading = next(row for row in it.rows() if "SUBJECT" in row)
        assert " ".join(heading.split()).startswith("STATE SUBJECT TASK TAKE START▾ LENGTH SIZE LABELS COPY")
        beside = "P07 grasp 03   full verify ok" in it.rows()[3]
        assert beside == (size[0] >= 150)


async def test_the_key_of_sessions_leads_back_from_the_open_session_to_the_list(stage):
    async with stage(screen="sessions", list_sessions=entries) as it:
        await it.until(lambda: "4 of 4" in it.text)
        await it.press("enter")
        await it.until(lambda: len(it.viewer.screen_stack) == 2)
        await it.press("b")
        await it.until(lambda: len(it.viewer.screen_stack) == 1)
        assert "4 of 4" in it.text
