"""A real SFTP server on the loopback that serves one folder."""

from __future__ import annotations

import os
import socket
import threading
from pathlib import Path
from typing import Any

import paramiko

PASSWORD = "secret"


class _Login(paramiko.ServerInterface):
    def check_auth_password(self, username: str, password: str) -> int:
        return paramiko.AUTH_SUCCESSFUL if password == PASSWORD else paramiko.AUTH_FAILED

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return paramiko.OPEN_SUCCEEDED


class _Handle(paramiko.SFTPHandle):
    def stat(self) -> Any:
        return paramiko.SFTPAttributes.from_stat(os.fstat(self.readfile.fileno()))


class _Files(paramiko.SFTPServerInterface):
    """Answers for the folder; what fails fails with the errno it has."""

    root = Path()

    def _on(self, action: Any) -> Any:
        try:
            return action()
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno)

    def _at(self, path: str) -> Path:
        return self.root / path.lstrip("/")

    def _done(self, action: Any) -> Any:
        return self._on(lambda: [action(), paramiko.SFTP_OK][1])

    def stat(self, path: str) -> Any:
        return self._on(lambda: paramiko.SFTPAttributes.from_stat(os.stat(self._at(path))))

    lstat = stat

    def list_folder(self, path: str) -> Any:
        return self._on(
            lambda: [
                paramiko.SFTPAttributes.from_stat(entry.stat(), entry.name) for entry in os.scandir(self._at(path))
            ]
        )

    def open(self, path: str, flags: int, attr: Any) -> Any:
        def opened() -> _Handle:
            handle = _Handle(flags)
            fd = os.open(self._at(path), flags | os.O_CREAT if flags & os.O_WRONLY else flags, 0o644)
            mode = "ab" if flags & os.O_APPEND else "wb" if flags & os.O_WRONLY else "rb"
            handle.readfile = handle.writefile = os.fdopen(fd, mode)
            return handle

        return self._on(opened)

    def mkdir(self, path: str, attr: Any) -> Any:
        return self._done(lambda: self._at(path).mkdir())

    def remove(self, path: str) -> Any:
        return self._done(lambda: self._at(path).unlink())

    def rename(self, old: str, new: str) -> Any:
        return self._done(lambda: self._at(old).rename(self._at(new)))

    posix_rename = rename


class SftpServer:
    """Serves ``root`` under `url` until it is closed."""

    def __init__(self, root: Path) -> None:
        self._files = type("Files", (_Files,), {"root": root})
        self._key = paramiko.ECDSAKey.generate()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._transports: list[paramiko.Transport] = []
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, name="sftp", daemon=True)
        self._thread.start()

    def url(self, password: str = PASSWORD) -> str:
        """Of the folder."""
        return f"sftp://me:{password}@127.0.0.1:{self.port}"

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            transport = paramiko.Transport(connection)
            transport.add_server_key(self._key)
            transport.set_subsystem_handler("sftp", paramiko.SFTPServer, self._files)
            transport.start_server(server=_Login())
            self._transports.append(transport)

    def close(self) -> None:
        """End it, and every connection."""
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for transport in self._transports:
            transport.close()
        self._thread.join(10)
