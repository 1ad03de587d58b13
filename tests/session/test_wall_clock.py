"""The wall clock set while a session is recorded: told by how much, and dates count back from the time after it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from myogestic_tui.clock import local_clock
from myogestic_tui.session import Session, open_session_store, pack_session, verify_session
from myogestic_tui.session.export.common import utc_at
from myogestic_tui.session.format import wall_clock
from myogestic_tui.session.format.meta import Anchor
from tests.session.folders import recorded
from tests.session.known import STREAMS

TRUE = datetime(2026, 5, 17, 12, 0, tzinfo=UTC)


def recorded_over(steps: list[datetime], base: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
    """A session whose recorder's wall clock is set from the one time to the other, and continues from each."""
    began = local_clock()
    monkeypatch.setattr(wall_clock, "wall_now", lambda: steps[0] + timedelta(seconds=local_clock() - began))
    session = recorded(base, [(STREAMS[0], 1000, 100)])
    monkeypatch.setattr(wall_clock, "wall_now", lambda: steps[1] + timedelta(seconds=local_clock() - began))
    session.finish()
    return session


@pytest.mark.parametrize(
    ("before", "words"),
    [
        (datetime(1970, 1, 1, 0, 0, 30, tzinfo=UTC), "forward by 56.4 years"),
        (TRUE - timedelta(hours=3), "forward by 3.0 hours"),
        (TRUE + timedelta(seconds=90), "back by 90.0 s"),
    ],
)
def test_a_clock_that_was_set_is_told_and_dates_are_those_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: datetime, words: str
):
    session = recorded_over([before, TRUE], tmp_path, monkeypatch)
    name = session.path.name
    archive = pack_session(session.path)
    assert archive.name.startswith(name)
    outcome = verify_session(archive)
    assert outcome.ok
    assert any(words in finding.text for finding in outcome.findings)
    with open_session_store(archive) as reader:
        assert any(words in one.text and one.kind == "observation" for one in reader.findings)
        start = reader.meta.anchors[0].lsl
        assert abs((datetime.fromisoformat(reader.summary().created) - TRUE).total_seconds()) < 60
        at = utc_at(reader, start)
        assert at is not None
        assert abs((at - TRUE).total_seconds()) < 60
        assert abs(datetime.fromisoformat(reader.meta.anchors[0].utc) - before) < timedelta(seconds=60)


def test_a_clock_that_was_not_set_is_not_told(tmp_path: Path):
    session = recorded(tmp_path, [(STREAMS[0], 1000, 100)])
    created = session._meta.created
    session.finish()
    with open_session_store(session.path) as reader:
        assert reader.findings == []
        assert reader.meta.created == created


@pytest.mark.parametrize("utc", ["", "yesterday", "2026-05-17T12:00:00"])
def test_anchors_of_another_recorder_tell_no_step(utc: str):
    assert wall_clock.step_of([Anchor(utc, 0.0), Anchor("2026-05-17T12:00:00+00:00", 1.0)]) == 0.0
