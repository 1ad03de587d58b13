"""Streams that were picked on the network: known in full, and remembered."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from myogestic_tui import App
from myogestic_tui.app import interface as r
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


def test_a_stream_that_was_connected_by_hand_comes_back_with_its_tick_until_it_is_forgotten(unique, tmp_path):
    with RampOutlet(unique):
        with recorder(tmp_path) as app:
            wait_for(lambda: rows(app, unique))
            assert app.execute(r.ConnectStream(key=rows(app, unique)[0].key)).ok
            wait_for(lambda: rows(app, unique)[0].state == "live")
            key = rows(app, unique)[0].key
            described = app.execute(r.DescribeStream(key=key))
            assert f"<name>{unique}</name>" in described.text
            assert app.execute(r.TickStream(key=key, record=False)).ok
        with recorder(tmp_path) as again:
            assert [stream.record for stream in rows(again, unique)] == [False]
            wait_for(lambda: rows(again, unique)[0].state == "live")
            assert again.execute(r.ForgetStream(key=key)).ok
            wait_for(lambda: rows(again, unique) and rows(again, unique)[0].state == "seen")
            assert not again.execute(r.DescribeStream(key=key)).ok
        with recorder(tmp_path) as third:
            wait_for(lambda: rows(third, unique))
            assert rows(third, unique)[0].state == "seen"
