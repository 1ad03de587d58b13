"""The Sessions screen: lists, finds, orders, and sends jobs."""

from __future__ import annotations

from myogestic_tui.app import recorder as r
from myogestic_tui.session.summary import StreamSummary, Summary


def summaries(_folder):
    streams = {"emg": StreamSummary(n_samples=786_432, n_channels=64, fs=2048.0, dtype="float32", measured_fs=2048.1)}
    return [
        Summary(
            path=f"sessions/2026-05-17_14-0{i}-00.session.zip", state=state, name=f"P0{i}",
            created=f"2026-05-17T14:0{i}:00+02:00", duration_s=384.0, bytes=212_000_000, streams=streams,
            labels={"Rest": 24, "Fist": 6},
        )
        for i, state in enumerate(["packed", "unfinished", "damaged", "verified"])
    ]  # fmt: skip


async def test_sessions_lists_finds_orders_verifies_and_mends(stage):
    async with stage(screen="sessions", list_sessions=summaries) as it:
        await it.until(lambda: "4 of 4" in it.text)
        assert "▸ ◆ verified" in it.text
        assert "64 ch f32" in it.text
        await it.press("o")
        assert "oldest first" in it.text
        await it.press("/")
        await it.press(*"P01", "enter")
        assert "1 of 4" in it.text
        await it.press("f")
        job = it.recorder.wait_for(r.StartJob)
        assert (job.kind, job.paths) == ("recover", ("sessions/2026-05-17_14-01-00.session.zip",))
        await it.press("v", "k")
        await it.until(lambda: len(it.recorder.of(r.StartJob)) == 2)
        assert "verify" in it.recorder.of(r.StartJob)[-1].kind


async def test_sessions_trash_and_restore(stage):
    async with stage(screen="sessions", list_sessions=summaries) as it:
        await it.until(lambda: "4 of 4" in it.text)
        await it.press("d")
        path = it.recorder.wait_for(r.TrashSession).path
        await it.press("u")
        await it.until(lambda: len(it.recorder.of(r.TrashSession)) == 2)
        assert it.recorder.wait_for(r.TrashSession) == r.TrashSession(path=path, restore=True, actor=it.viewer.actor)
