"""A real ssh server on loopback: each command runs in a shell, behind what enters the box. Prints its port."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from typing import Any

import asyncssh


async def relay(source: Any, target: Any) -> None:
    """Copy until the source ends; then the target of a child ends, too."""
    with contextlib.suppress(OSError, asyncssh.Error):
        while data := await source.read(1 << 16):
            target.write(data)
            await target.drain()
    if isinstance(target, asyncio.StreamWriter):
        target.close()


async def serve(host_key: str, authorized_keys: str, enter: list[str]) -> None:
    async def run(process: asyncssh.SSHServerProcess[Any]) -> None:
        pipe = asyncio.subprocess.PIPE
        child = await asyncio.create_subprocess_exec(
            *enter, "sh", "-c", process.command or "exit 1", stdin=pipe, stdout=pipe, stderr=pipe
        )
        words = asyncio.create_task(relay(process.stdin, child.stdin))
        with contextlib.suppress(OSError, asyncssh.Error):
            await asyncio.gather(relay(child.stdout, process.stdout), relay(child.stderr, process.stderr))
        process.exit(await child.wait())
        words.cancel()

    server = await asyncssh.listen(
        "127.0.0.1",
        0,
        server_host_keys=[host_key],
        authorized_client_keys=authorized_keys,
        process_factory=run,
        sftp_factory=True,
        encoding=None,
    )
    print(server.get_port(), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)  # ends with the test
    server.close()


asyncio.run(serve(**json.loads(sys.argv[1])))
