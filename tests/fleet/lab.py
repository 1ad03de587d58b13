"""Boxes with a recorder each, reached through real ssh servers, and the commands of `fleet` on them."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import asyncssh

PATIENCE = 180.0
COMMAND = (sys.executable, "-P", "-m", "myogestic_tui")
_SERVER = Path(__file__).with_name("ssh_server.py")


class LabBox:
    """One box: a folder, `serve` in it, an ssh server. ``host`` None: on this machine."""

    def __init__(self, name: str, folder: Path, keys: Path, config: str, host: Any = None) -> None:
        self.name, self.folder, self._host = name, folder, host
        folder.mkdir()
        (folder / "myogestic.toml").write_text(config)
        self._log = (folder / "serve.log").open("w")
        self.restart()
        self.server, self.port = self._serve(keys)

    def _serve(self, keys: Path) -> tuple[subprocess.Popen[str], int]:
        """Its ssh server, and the port of that."""
        enter = list(self._host.enter) if self._host is not None else []
        told = {"host_key": str(keys / "host"), "authorized_keys": str(keys / "id.pub"), "enter": enter}
        server = subprocess.Popen(
            [sys.executable, _SERVER, json.dumps(told)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert server.stdout is not None
        return server, int(server.stdout.readline())

    def _start(self, *words: object, **options: Any) -> subprocess.Popen[str]:
        if self._host is not None:
            return self._host.start(*words, **options)
        return subprocess.Popen(list(map(str, words)), text=True, **options)

    def cut(self) -> None:
        """Nothing of its ssh server answers any more, though its connections stay."""
        self.server.send_signal(signal.SIGSTOP)

    def mend(self) -> None:
        self.server.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """Its recorder is killed."""
        self.recorder.kill()
        self.recorder.wait(PATIENCE)

    def restart(self) -> None:
        """A recorder runs here (again)."""
        self.recorder = self._start(*COMMAND, "serve", cwd=self.folder, stdin=subprocess.DEVNULL, stderr=self._log)

    def wait_packed(self) -> None:
        """Until no session is in pieces any more."""
        end = time.monotonic() + PATIENCE
        while any(one.is_dir() and not one.name.startswith(".") for one in (self.folder / "sessions").iterdir()):
            assert time.monotonic() < end, list((self.folder / "sessions").iterdir())
            time.sleep(0.1)

    def status(self) -> dict[str, Any]:
        enter = self._host.enter if self._host is not None else ()
        done = subprocess.run(
            [*enter, *COMMAND, "ctl", "status", "--json"], cwd=self.folder, capture_output=True, text=True, check=False
        )
        return json.loads(done.stdout) if done.returncode == 0 else {}

    def close(self) -> None:
        self.mend()
        for process in (self.recorder, self.server):
            if process.poll() is None:
                process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(PATIENCE)
            if process.poll() is None:
                process.kill()
                process.wait(PATIENCE)
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()
        self._log.close()


class Lab:
    """The operator's folder, with `fleet.toml`, and the boxes."""

    def __init__(self, folder: Path, *, kind: type[LabBox] = LabBox, user: str = "op") -> None:
        self.folder, self.keys = folder / "operator", folder / "keys"
        self._kind, self._user = kind, user
        self.folder.mkdir()
        self.keys.mkdir()
        self.boxes: dict[str, LabBox] = {}
        home = Path(os.environ["HOME"], ".ssh")
        home.mkdir(mode=0o700, exist_ok=True)
        self._known = home / "known_hosts"
        self._host_key = asyncssh.generate_private_key("ssh-ed25519")
        key = asyncssh.generate_private_key("ssh-ed25519")
        self._host_key.write_private_key(str(self.keys / "host"))
        key.write_private_key(str(home / "id_ed25519"))
        key.write_public_key(str(self.keys / "id.pub"))
        self._known.write_text("")

    def add(self, name: str, config: str, host: Any = None) -> LabBox:
        box = self._kind(name, self.folder.parent / name, self.keys, config, host)
        self.boxes[name] = box
        public = self._host_key.export_public_key().decode().strip()
        with self._known.open("a") as known:
            known.write(f"[127.0.0.1]:{box.port} {public}\n")
        self.write()
        return box

    def write(self, **changes: Any) -> None:
        """Write `fleet.toml`."""
        command = " ".join(COMMAND)
        lines = []
        for name, box in self.boxes.items():
            row = {"name": name, "host": "127.0.0.1", "user": self._user, "port": box.port, "folder": str(box.folder)}
            lines.append("[[boxes]]")
            lines += [f"{key} = {json.dumps(value)}" for key, value in {**row, "command": command, **changes}.items()]
        (self.folder / "fleet.toml").write_text("\n".join(lines) + "\n")

    def fleet(self, *words: object, code: int | None = 0) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [*COMMAND, "fleet", *map(str, words)],
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=2 * PATIENCE,
            check=False,
        )
        assert code in (None, done.returncode), f"{done.returncode}: {done.stderr[-2000:]} {done.stdout[-2000:]}"
        return done

    def facts(self, *words: object, code: int | None = 0) -> Any:
        return json.loads(self.fleet(*words, "--json", code=code).stdout)

    def until_ready(self, *names: str) -> None:
        """Wait until the recorder of each box has its stream."""
        end = time.monotonic() + PATIENCE
        for name in names or self.boxes:
            while not any(row["state"] == "live" for row in self.boxes[name].status().get("streams", {}).values()):
                assert time.monotonic() < end, (self.boxes[name].folder / "serve.log").read_text()

    def close(self) -> None:
        for box in self.boxes.values():
            box.close()
