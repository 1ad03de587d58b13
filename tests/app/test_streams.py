"""Streams that were picked on the network: known in full, and remembered."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from myogestic_tui import App
from myogestic_tui.app import interface as r
from myogestic_tui.info import StreamInfo
from myogestic_tui.sources import Outlet
from tests.sending import RampOutlet, wait_for


@contextmanager
def recorder(folder: Path) -> Iterator[App]:
    """A recorder that looks around on the network."""
    app = App("picked", sessions_dir=folder)
    app.open(discover=True)
    try:
        yield app
    finally:
        app.shut()


def rows(app: App, name: str) -> list[r.StreamStatus]:
    """The rows of that stream."""
    return [stream for stream in app.status().streams if stream.name == name]


def state(app: App, name: str) -> str:
    """That of the first row; empty where there is none at the moment."""
    return next((stream.state for stream in rows(app, name)), "")


def test_a_stream_that_was_connected_by_hand_comes_back_with_its_tick_until_it_is_forgotten(unique, tmp_path):
    with RampOutlet(unique):
        with recorder(tmp_path) as app:
            wait_for(lambda: rows(app, unique))
            assert app.execute(r.ConnectStream(key=rows(app, unique)[0].key)).ok
            wait_for(lambda: state(app, unique) == "live")
            key = rows(app, unique)[0].key
            described = app.execute(r.DescribeStream(key=key))
            assert f"<name>{unique}</name>" in described.text
            assert app.execute(r.TickStream(key=key, record=False)).ok
        with recorder(tmp_path) as again:
            assert [stream.record for stream in rows(again, unique)] == [False]
            wait_for(lambda: state(again, unique) == "live")
            assert again.execute(r.ForgetStream(key=key)).ok
            wait_for(lambda: state(again, unique) == "seen")
            assert not again.execute(r.DescribeStream(key=key)).ok
        with recorder(tmp_path) as third:
            wait_for(lambda: rows(third, unique))
            assert state(third, unique) == "seen"


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0)])
def test_streams_of_one_name_are_named_by_type_and_source_not_by_arrival(unique, tmp_path, order):
    kinds = [("GYRO", "a"), ("ACC", "b"), ("ACC", "c")]
    infos = [StreamInfo(3, 100.0, type=kind, source_id=f"{unique}-{source}") for kind, source in kinds]
    with ExitStack() as outlets, recorder(tmp_path) as app:
        for place in order:
            outlets.enter_context(Outlet(unique, infos[place]))
        wait_for(lambda: len(rows(app, unique)) == 3)
        assert app.execute(r.ConnectAll()).ok
        told = [f"{unique}_GYRO", f"{unique}_ACC", f"{unique}_ACC_2"]
        wait_for(lambda: all(state(app, name) not in ("", "wanted") for name in told))
        found = [app.parts.streams.streams[name].info for name in told]
        assert [one.source_id for one in found] == [one.source_id for one in infos]
