"""The screens in a browser of this computer: they only show, unless told otherwise, and to nobody else's page."""

from __future__ import annotations

import asyncio
import contextlib
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from myogestic_tui.cli.web_server import MOST_PAGES, is_allowed
from myogestic_tui.control import attach
from tests.ports import free_port
from tests.sending import wait_for

from .browser import CHROMIUM, PATIENCE, Browser

COMMAND = (sys.executable, "-P", "-m", "myogestic_tui")
CONFIG = 'gestures = [{ name = "Rest" }, { name = "Fist" }, { name = "Pinch" }]\n'


class Web:
    """`web` on a folder whose recorder runs."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.process = subprocess.Popen(
            [*COMMAND, "web", "--port", str(self.port), *options],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stderr is not None
        assert "the screens are at" in self.process.stderr.readline()
        self.url = f"http://localhost:{self.port}/"

    def chosen(self) -> int | None:
        """The gesture that the next session begins with."""
        with attach(self.folder / "sessions", start=False, program="test") as client:
            return client.status().current_label

    def close(self) -> None:
        self.process.terminate()
        assert self.process.wait(PATIENCE) == 0
        assert self.process.stderr is not None
        self.process.stderr.close()


@pytest.fixture
def web(folder: Path, request: pytest.FixtureRequest) -> Iterator[Web]:
    (folder / "myogestic.toml").write_text(CONFIG)
    recorder = subprocess.Popen([*COMMAND, "serve"], cwd=folder, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: ctl(folder, "wait", "--state", "idle", "--timeout", "60") == 0, PATIENCE)
        web = Web(folder, *getattr(request, "param", ()))
        try:
            yield web
        finally:
            web.close()
    finally:
        recorder.terminate()
        recorder.wait(PATIENCE)


def ctl(folder: Path, *words: str) -> int:
    return subprocess.run([*COMMAND, "ctl", *words], cwd=folder, capture_output=True, check=False).returncode


async def shows(page: aiohttp.ClientWebSocketResponse, text: bytes) -> None:
    """Wait until a page was sent a text."""
    shown = bytearray()
    async with asyncio.timeout(PATIENCE):
        while text not in shown:
            message = await page.receive()
            assert message.type in (aiohttp.WSMsgType.BINARY, aiohttp.WSMsgType.TEXT), message
            shown += message.data if isinstance(message.data, bytes) else message.data.encode()


@pytest.mark.parametrize(
    "web",
    [pytest.param((), id="read-only"), pytest.param(("--control",), id="control", marks=pytest.mark.slow)],
    indirect=True,
)
async def test_keys_of_a_page_change_nothing_unless_control_is_given(web: Web, request: pytest.FixtureRequest) -> None:
    control = request.node.callspec.id == "control"
    async with aiohttp.ClientSession() as http:
        async with http.get(web.url) as answer:
            assert f"ws://localhost:{web.port}/ws" in await answer.text()
        for headers in (
            {"Host": "evil.example"},
            {"Origin": "http://evil.example"},
            {"Host": "localhost.evil.example"},
        ):
            async with http.get(web.url, headers=headers) as answer:
                assert answer.status == 403
            with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
                await http.ws_connect(f"{web.url}ws", headers=headers)
        async with http.ws_connect(f"{web.url}ws?width=80&height=24", headers={"Origin": web.url[:-1]}) as page:
            await shows(page, b"STREAMS")
            await page.send_json(["stdin", "r"])
            await shows(page, b"RECORD")
            await page.send_json(["stdin", "2"])
            await shows(page, b"the next session starts with Fist" if control else b"only show")
    assert web.chosen() == (1 if control else None)


@pytest.mark.slow
async def test_only_so_many_pages_are_open_at_a_time(web: Web) -> None:
    async with aiohttp.ClientSession() as http, contextlib.AsyncExitStack() as stack:
        for _ in range(MOST_PAGES):
            await stack.enter_async_context(http.ws_connect(f"{web.url}ws"))
        with pytest.raises(aiohttp.WSServerHandshakeError, match="503"):
            await http.ws_connect(f"{web.url}ws")


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
@pytest.mark.parametrize("web", [("--control",)], indirect=True)
async def test_a_browser_shows_the_screens_and_its_keys_reach_the_recorder(web: Web) -> None:
    async with Browser() as browser:
        await browser.do("Page.navigate", url=web.url)
        await browser.until(b"STREAMS")
        await browser.focus()
        await browser.press("r")
        await browser.until(b"RECORD")
        await browser.press("2")
        await browser.until(b"the next session starts with Fist")
        picture = await browser.picture()
    assert web.chosen() == 1
    assert struct.unpack(">II", picture[16:24])[0] >= 1000


def test_without_a_recorder_there_is_nothing_to_show(tmp_path: Path) -> None:
    done = subprocess.run([*COMMAND, "web"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert "no recorder" in done.stderr


@pytest.mark.parametrize(
    ("host", "origin", "allowed"),
    [
        ("localhost:8000", None, True),
        ("localhost:9000", "http://localhost:9000", True),
        ("127.0.0.1:8000", "http://127.0.0.1:8000", True),
        ("[::1]:8000", "http://[::1]:8000", True),
        ("localhost:8000", "http://localhost:8001", False),
        ("localhost:8000", "null", False),
        ("localhost:8000", "http://evil.example", False),
        ("evil.example:8000", "http://evil.example:8000", False),
        ("localhost.evil.example", None, False),
        ("", None, False),
    ],
)
def test_only_pages_of_this_computer_are_let_in(host: str, origin: str | None, allowed: bool) -> None:
    assert is_allowed(host, origin) is allowed
