"""`fleet` over the ssh server that boxes really have: OpenSSH's, with its login shell and its sftp."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from myogestic_tui.session import open_session_store, verify_session
from tests.sending import RampOutlet, wait_for

from .lab import Lab, LabBox

_SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
_NEEDED = Path("/run/sshd")
"""Where a server of root lets its unprivileged child live."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(_SSHD is None, reason="no sshd is installed (openssh-server)"),
    pytest.mark.skipif(os.geteuid() == 0 and not _NEEDED.is_dir(), reason=f"sshd needs {_NEEDED}"),
]


class SshdBox(LabBox):
    def _serve(self, keys: Path) -> tuple[subprocess.Popen[str], int]:
        assert _SSHD is not None
        (keys / "host").chmod(0o600)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        options = {
            "ListenAddress": "127.0.0.1",
            "Port": port,
            "HostKey": keys / "host",
            "AuthorizedKeysFile": keys / "id.pub",
            "PidFile": "none",
            "UsePAM": "no",
            "StrictModes": "no",
            "PermitRootLogin": "prohibit-password",
            "Subsystem": "sftp internal-sftp",
        }
        file = self.folder / "sshd_config"
        file.write_text("".join(f"{key} {value}\n" for key, value in options.items()))
        server = subprocess.Popen([_SSHD, "-D", "-e", "-f", str(file)], stderr=self._log, text=True)

        def answers() -> bool:
            assert server.poll() is None, (self.folder / "serve.log").read_text()
            with socket.socket() as client:
                return client.connect_ex(("127.0.0.1", port)) == 0

        wait_for(answers)
        return server, port


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    lab = Lab(tmp_path, kind=SshdBox, user=getpass.getuser())
    yield lab
    lab.close()


def test_two_boxes_are_started_labelled_stopped_and_fetched_over_openssh(lab: Lab, unique: str, tmp_path: Path):
    config = 'gestures = [{{ name = "Rest" }}, {{ name = "Fist" }}]\n[[streams]]\nname = "{}"\n'
    with RampOutlet(f"{unique}-a"), RampOutlet(f"{unique}-b"):
        for name in "ab":
            lab.add(name, config.format(f"{unique}-{name}"))
        lab.until_ready()
        lab.fleet("take", "--subject", "P07")
        lab.fleet("start")
        lab.fleet("label", "Fist")
        lab.fleet("stop")
    lab.fleet("fetch", "home")
    archives = sorted((lab.folder / "home").glob("*.session.zip"))
    assert [one.name[0] for one in archives] == ["a", "b"]
    ids = set()
    for archive in archives:
        assert verify_session(archive).ok
        with open_session_store(archive) as session:
            ids.add(session.meta.extra["fleet_id"])
            assert session.meta.subject == "P07"
            assert [label.class_index for label in session.label_track] == [1]
    assert len(ids) == 1


def test_a_key_that_a_box_does_not_know_is_said(lab: Lab, unique: str):
    lab.add("a", "")
    (lab.keys / "id.pub").write_text("")
    said = lab.fleet("status", code=1)
    assert "a" in said.stdout + said.stderr
    assert "Permission denied" in said.stdout + said.stderr
