"""Names that are no text, and folders that lead round in a circle: one line that says so, and no traceback."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.session.folders import recorded
from tests.session.known import STREAMS


def run(*arguments: str | bytes, cwd: Path, close_stdout: bool = False) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "myogestic_tui", *arguments]
    strict = {**os.environ, "PYTHONIOENCODING": "utf-8:strict"}
    close = (lambda: os.close(1)) if close_stdout else None
    return subprocess.run(command, cwd=cwd, env=strict, capture_output=True, timeout=120, check=False, preexec_fn=close)


@pytest.mark.parametrize("folder", [b"caf\xe9", b"loop"])
@pytest.mark.parametrize("command", ["sessions", "recover", "doctor", "ctl status", "record X"])
def test_a_sessions_folder_that_cannot_be_one(tmp_path: Path, folder: bytes, command: str):
    (tmp_path / "loop").symlink_to("loop")
    done = run(*command.split(), "--sessions", folder, cwd=tmp_path)
    assert b"Traceback" not in done.stderr
    assert done.returncode in ((1, 2) if command == "doctor" else (2,)), done
    assert b"sessions folder" in done.stderr + done.stdout


def test_archives_with_names_that_are_no_text_are_verified_each(tmp_path: Path):
    archive = recorded(tmp_path, [(STREAMS[0], 600, 100)]).pack_to_zip()
    data = bytearray(archive.read_bytes())
    at = data.rindex(b"emg.zarr/c/0/0")
    data[at + 1] ^= 0x80
    flipped = tmp_path / "a.session.zip"
    flipped.write_bytes(data)
    odd = os.path.join(os.fsencode(tmp_path), b"caf\xe9.session.zip")
    shutil.copy(archive, odd)
    done = run("verify", os.fspath(flipped), odd, os.fspath(archive), cwd=tmp_path)
    assert b"Traceback" not in done.stderr
    assert done.returncode == 1
    assert archive.name.encode() in done.stdout
    assert b"caf\\xe9.session.zip" in done.stdout
    plain = run("verify", "--json", os.fspath(flipped), odd, os.fspath(archive), cwd=tmp_path)
    assert [one["verified"]["ok"] for one in json.loads(plain.stdout)] == [False, True, True], plain.stderr
    listed = run("sessions", "--sessions", os.fspath(tmp_path), "--json", cwd=tmp_path)
    assert len(json.loads(listed.stdout)) == 3


def test_a_closed_stdout_is_no_traceback(tmp_path: Path):
    for arguments in (("sessions",), ("sessions", "--json"), ("--help",)):
        done = run(*arguments, cwd=tmp_path, close_stdout=True)
        assert b"Traceback" not in done.stderr


ODD = {
    "fifo": os.mkfifo,
    "link": lambda path: os.symlink("nowhere", path),
    "loop": lambda path: os.symlink("x.session.zip", path),
}
WHYS = ("is no regular file; move it out of there", "is a link to", "Too many levels of symbolic links")


def test_what_is_called_an_archive_and_is_no_file_is_one_row_that_says_why(call, tmp_path: Path):
    sessions = tmp_path / "s"
    sessions.mkdir()
    ODD["fifo"](sessions / "fifo.session.zip")
    ODD["link"](sessions / "link.session.zip")
    ODD["loop"](sessions / "x.session.zip")
    listed = call("--sessions", sessions, "sessions", "--json")
    verified = call("--sessions", sessions, "verify", sessions, "--json")
    assert verified.code == 1
    for done in (listed, verified):
        rows = json.loads(done.out)
        names = sorted(Path(row["path"]).name for row in rows)
        assert names == ["fifo.session.zip", "link.session.zip", "x.session.zip"], done
        assert {row["state"] for row in rows} == {"damaged"}, done
    for row in json.loads(verified.out):
        (finding,) = row["verified"]["findings"]
        assert any(why in finding["text"] for why in WHYS)
    assert "salvage" not in call("--sessions", sessions, "sessions").out


@pytest.mark.parametrize("name", ODD)
def test_no_command_takes_it_for_an_archive_or_removes_it(name, call, tmp_path: Path):
    path = tmp_path / "x.session.zip"
    ODD[name](path)
    for command in ("info", "verify", "salvage", "recover", "pack", "trash", "export --to csv", "plot"):
        done = call(*command.split(), path)
        assert done.code in (1, 2)
        assert any(why in done.out + done.err for why in WHYS), done
    assert os.path.lexists(path)
