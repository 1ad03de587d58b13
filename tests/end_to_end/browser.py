"""A headless Chromium, driven by its DevTools protocol."""

from __future__ import annotations

import asyncio
import base64
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import aiohttp

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
PATIENCE = 90.0


class Browser:
    """One page; use it as an asynchronous context manager. ``shown`` is what came over its websockets."""

    def __init__(self, size: str = "1200,800") -> None:
        self._size = size
        self.shown = bytearray()
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._count = 0

    async def __aenter__(self) -> Browser:
        self._folder = tempfile.mkdtemp(prefix="browser-")
        switches = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]
        folders = ["--remote-debugging-port=0", f"--user-data-dir={self._folder}", f"--window-size={self._size}"]
        self._process = subprocess.Popen(
            [str(CHROMIUM), *switches, *folders, "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={"HOME": self._folder, "PATH": "/usr/bin:/bin"},
        )
        self._http = aiohttp.ClientSession()
        page = await self._page()
        self._socket = await self._http.ws_connect(page["webSocketDebuggerUrl"], max_msg_size=0)
        self._reader = asyncio.create_task(self._read())
        for domain in ("Page", "Network"):
            await self.do(f"{domain}.enable")
        return self

    async def _page(self) -> dict[str, Any]:
        port_file = Path(self._folder, "DevToolsActivePort")
        async with asyncio.timeout(PATIENCE):
            while not (port_file.exists() and port_file.read_text().count("\n")):
                await asyncio.sleep(0.05)
            port = port_file.read_text().split()[0]
            while True:
                async with self._http.get(f"http://127.0.0.1:{port}/json") as answer:
                    pages = [one for one in await answer.json() if one["type"] == "page"]
                if pages:
                    return dict(pages[0])
                await asyncio.sleep(0.05)

    async def _read(self) -> None:
        async for message in self._socket:
            told = message.json()
            if "id" in told:
                self._answers.pop(told["id"]).set_result(told.get("result"))
            elif told["method"] == "Network.webSocketFrameReceived":
                frame = told["params"]["response"]
                binary = frame["opcode"] == 2
                self.shown += base64.b64decode(frame["payloadData"]) if binary else frame["payloadData"].encode()

    async def do(self, method: str, **params: Any) -> Any:
        """A command of the protocol, and its result."""
        self._count += 1
        answer = self._answers[self._count] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": self._count, "method": method, "params": params})
        return await asyncio.wait_for(answer, PATIENCE)

    async def until(self, text: bytes) -> None:
        """Wait until the page was sent a text."""
        async with asyncio.timeout(PATIENCE):
            while text not in self.shown:
                await asyncio.sleep(0.05)

    async def focus(self) -> None:
        """The keyboard belongs to the page's terminal."""
        await self.do("Page.bringToFront")
        await self.do("Runtime.evaluate", expression="document.querySelector('textarea').focus()")

    async def press(self, key: str) -> None:
        """A key on the keyboard."""
        await self.do("Input.dispatchKeyEvent", type="keyDown", key=key, text=key)
        await self.do("Input.dispatchKeyEvent", type="keyUp", key=key)

    async def picture(self) -> bytes:
        """The page as PNG."""
        return base64.b64decode((await self.do("Page.captureScreenshot", format="png"))["data"])

    async def __aexit__(self, *_: object) -> None:
        self._reader.cancel()
        await self._socket.close()
        await self._http.close()
        self._process.terminate()
        self._process.wait(PATIENCE)
        shutil.rmtree(self._folder, ignore_errors=True)
