"""textual-serve, as far as it may go: one computer's browsers, a few pages, and no page of somebody else's."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ..extras import needed

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp import web as aiohttp_web

MOST_PAGES = 4
"""Each open page is a viewer of its own, with its share of the processor."""
_LOOK_EVERY = 0.05
_HOSTS = ("localhost", "127.0.0.1", "::1")


def is_allowed(host: str, origin: str | None) -> bool:
    """Whether a request comes from a page of ours, asked for by a name of this computer.

    Parameters
    ----------
    host
        The ``Host`` that was asked for: of any port, since ``ssh -L`` may have another one.
    origin
        The page that asks; None where it is no page.
    """
    named = urlsplit(f"//{host}")
    if named.hostname not in _HOSTS:
        return False
    return origin is None or urlsplit(origin).netloc == host


def serve_screens(command: str, port: int, on_start: Callable[[str], None]) -> None:
    """Serve what ``command`` shows, until SIGINT or SIGTERM.

    Raises
    ------
    ConfigError
        textual-serve is not installed.
    OSError
        The port cannot be used.
    """
    library = needed("textual_serve.server", "web", "`web`")
    forbidden = needed("aiohttp.web", "web", "`web`")

    class Screens(library.Server):  # type: ignore[misc, name-defined]
        """The server of textual-serve, with its doors watched."""

        pages = 0

        def initialize_logging(self) -> None:
            """Leave this program's logs as they are."""

        async def on_startup(self, _: aiohttp_web.Application) -> None:
            self.announcing = asyncio.create_task(self._announce())

        async def _announce(self) -> None:
            """Say where the screens are once somebody can go there: this is called before the port is open."""
            while True:
                with contextlib.suppress(OSError):
                    _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                    writer.close()
                    return on_start(self.public_url)
                await asyncio.sleep(_LOOK_EVERY)

        async def handle_index(self, request: aiohttp_web.Request) -> Any:
            self._check(request)
            self.public_url = f"http://{request.host}"  # the browser's end of a tunnel may have another port
            return await super().handle_index(request)

        async def handle_websocket(self, request: aiohttp_web.Request) -> Any:
            self._check(request)
            if self.pages >= MOST_PAGES:
                raise forbidden.HTTPServiceUnavailable(text=f"{MOST_PAGES} pages are open already; close one")
            self.pages += 1
            try:
                return await super().handle_websocket(request)
            finally:
                self.pages -= 1

        def _check(self, request: aiohttp_web.Request) -> None:
            if not is_allowed(request.host, request.headers.get("Origin")):
                raise forbidden.HTTPForbidden(text="this page is for browsers of this computer, at localhost")

    Screens(command, host="127.0.0.1", port=port, title="myogestic-tui", public_url=f"http://localhost:{port}").serve()
