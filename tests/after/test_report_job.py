"""After a stop the session is packed, then judged, and the verdict stands beside it."""

from __future__ import annotations

import msgspec
import pytest

from myogestic_tui.app import App
from myogestic_tui.config import Config, QualityConfig
from myogestic_tui.session import start_job
from myogestic_tui.session.library.catalog import Catalog
from tests.sending import wait_for


def judged(app: App) -> list[str]:
    wait_for(lambda: any(job.kind == "report" and job.state == "done" for job in app.parts.jobs.statuses()))
    return [job.kind for job in app.parts.jobs.statuses()]


def test_a_packed_session_is_judged_and_the_verdict_kept(trials) -> None:
    folder = trials(n_trials=4)
    app = App("judge", sessions_dir=folder.parent)
    app.parts.start(discover=False, publish=False, lean=False)
    try:
        assert judged(app) == ["pack", "report"]
        assert app.parts.message.text.endswith(": ok")
    finally:
        app.shut()
    [entry] = Catalog(folder.parent).entries()
    assert (entry.state, entry.quality) == ("packed", "ok")


@pytest.mark.parametrize(("limits", "n_trials"), [({"after_stop": False}, 4), ({}, 1)])
def test_what_is_not_to_be_judged_is_packed_alone(trials, limits, n_trials) -> None:
    folder = trials(n_trials=n_trials)
    app = App("judge", sessions_dir=folder.parent, config=Config(quality=QualityConfig(**limits)))
    app.parts.start(discover=False, publish=False, lean=False)
    try:
        wait_for(lambda: any(job.state == "done" for job in app.parts.jobs.statuses()))
        assert [job.kind for job in app.parts.jobs.statuses()] == ["pack"]
    finally:
        app.shut()


def test_the_job_tells_the_first_thing_to_check(trials) -> None:
    archive = trials(n_trials=4, packed=True)
    limits = msgspec.json.encode(QualityConfig(min_snr_db=40)).decode()
    found = start_job("report", archive, {"quality": limits}).wait(120)
    assert found["verdict"] == "check: 4 channels"
    assert found["first"].startswith("emg channel 1: active is")
