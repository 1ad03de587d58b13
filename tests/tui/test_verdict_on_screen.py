"""The verdict of a report stands beside the session: on Sessions, and beside the last take on Record."""

from __future__ import annotations

from msgspec.structs import replace

from myogestic_tui.app import interface as r
from tests.tui.scripted import ScriptedRecorder, idle
from tests.tui.test_sessions_screen import entry


def judged(_folder):
    found = []
    for i, (state, quality) in enumerate((("packed", "check: 3 channels"), ("verified", "ok"), ("packed", ""))):
        one = entry(i, state)
        found.append(replace(one, summary=replace(one.summary, quality=quality, fields={"hand": "left"})))
    return found


async def test_sessions_marks_and_orders_by_the_verdict(stage):
    async with stage(screen="sessions", list_sessions=judged) as it:
        await it.until(lambda: "3 of 3" in it.text)
        assert "◇ packed !" in it.text
        assert "◆ verified ✓" in it.text
        await it.press("/", *"quality:check", "enter")
        assert "1 of 3" in it.text
        assert "report  check: 3 channels" in it.text
        await it.press("escape", "o")
        orders = []
        while len(orders) < 6:
            await it.press("left")
            orders.append(it.text.partition("order: ")[2].split("  ")[0].strip())
        assert any("by quality" in one for one in orders)
        assert any("by hand" in one for one in orders)


async def test_record_tells_the_verdict_of_the_last_take(stage):
    path = "sessions/2026-05-17_14-23-05.session.zip"
    session = r.SessionStatus(path=path, bytes=29_000_000)
    done = r.JobStatus(id=7, kind="report", path=path, state="done", result='{"verdict": "check: 3 channels"}')
    async with stage(ScriptedRecorder(idle(session=session, jobs=(done,))), screen="record") as it:
        row = next(row for row in it.rows() if "last: 2026-05-17_14-23-05" in row)
        assert "check: 3 channels" in row
    async with stage(ScriptedRecorder(idle(session=session)), screen="record") as it:
        assert "check" not in it.text
