"""LSL is set up by this program, silently, and with what the user's own file says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from myogestic_tui.errors import ConfigError
from myogestic_tui.sources import lsl_settings

OWN = """
; the lab's own settings
[lab]
KnownPeers = {amp-pc, glove-pi}
SessionID = room7
[ports]
BasePort = 17000
[log]
level = 6
"""


@pytest.fixture
def own_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "mine.cfg"
    path.write_text(OWN)
    monkeypatch.setenv("LSLAPICFG", str(path))
    return path


def merged(**wanted) -> lsl_settings.Settings:
    text = lsl_settings.content(wanted.get("known_peers", ()), wanted.get("session_id"), wanted.get("resolve_scope"))
    return lsl_settings.parse(text)


def test_the_users_file_is_kept_and_silenced(own_file: Path) -> None:
    found = merged()
    assert found["lab", "KnownPeers"] == "{amp-pc, glove-pi}"
    assert found["ports", "BasePort"] == "17000"
    assert found["log", "level"] == "-3"


def test_what_the_program_sets_goes_over_the_file(own_file: Path) -> None:
    found = merged(known_peers=("10.0.0.7", "pi"), session_id="room8", resolve_scope="link")
    assert found["lab", "KnownPeers"] == "{10.0.0.7, pi}"
    assert found["lab", "SessionID"] == "room8"
    assert found["multicast", "ResolveScope"] == "link"
    assert found["ports", "BasePort"] == "17000"


def test_a_log_file_keeps_the_level_that_the_user_chose(own_file: Path) -> None:
    own_file.write_text("[log]\nlevel = 4\nfile = /tmp/lsl.log\n")
    assert merged() == {("log", "level"): "4", ("log", "file"): "/tmp/lsl.log"}


def test_the_first_of_the_files_that_liblsl_looks_for_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LSLAPICFG", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home/lsl_api").mkdir(parents=True)
    (tmp_path / "home/lsl_api/lsl_api.cfg").write_text("[lab]\nSessionID = home\n")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert merged()["lab", "SessionID"] == "home"
    (tmp_path / "here/lsl_api.cfg").write_text("[lab]\nSessionID = here\n")
    assert merged()["lab", "SessionID"] == "here"
    monkeypatch.setenv("LSLAPICFG", str(tmp_path / "not-there.cfg"))
    assert merged()["lab", "SessionID"] == "here"


def test_a_broken_line_is_named(own_file: Path) -> None:
    own_file.write_text("[lab]\nSessionID = x\nwhat is this\n")
    with pytest.raises(ConfigError, match=r"mine.cfg, line 3: 'what is this'"):
        merged()


def test_no_value_breaks_out_of_its_line(own_file: Path) -> None:
    with pytest.raises(ConfigError, match="line break"):
        merged(session_id="x\n[log]\nlevel = 9")
    with pytest.raises(ConfigError, match="use one of machine"):
        merged(resolve_scope="everywhere")


CHATTY = """
import sys
from ctypes import c_char_p, c_double, c_int, c_void_p
from myogestic_tui.sources import liblsl as adapter
if sys.argv[1] == "as liblsl is":
    adapter._configured = ((), None, None)
library = adapter.liblsl()
info = adapter.InfoHandle(library.lsl_create_streaminfo(b"loud", b"EMG", 1, 100.0, 1, b""))
outlet = library.lsl_create_outlet(info.pointer, 0, 360)
inlet = library.lsl_create_inlet_ex(info.pointer, 360, 0, 1, 0)
library.lsl_destroy_inlet(inlet)
library.lsl_destroy_outlet(outlet)
"""


def stderr_of(mode: str, folder: Path, configuration: str) -> str:
    path = folder / "lsl.cfg"
    path.write_text(configuration)
    child = subprocess.run(
        [sys.executable, "-c", CHATTY, mode],
        env={**os.environ, "LSLAPICFG": str(path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return child.stderr


def test_liblsls_own_lines_never_reach_the_terminal(tmp_path: Path) -> None:
    loud = "[log]\nlevel = 6\n"
    assert "lsl" in stderr_of("as liblsl is", tmp_path, loud).lower(), "liblsl says nothing: this test proves nothing"
    assert stderr_of("configured", tmp_path, loud) == ""


def test_a_log_file_gets_them_instead(tmp_path: Path) -> None:
    log = tmp_path / "lsl.log"
    assert stderr_of("configured", tmp_path, f"[log]\nlevel = 6\nfile = {log}\n") == ""
    assert log.read_text()


TWICE = """
from myogestic_tui.errors import ConfigError
from myogestic_tui.sources import configure_lsl
configure_lsl(session_id="one")
configure_lsl()
configure_lsl(session_id="one")
try:
    configure_lsl(session_id="two")
except ConfigError as error:
    print(error)
"""


def test_settings_of_a_running_process_stay_as_they_are() -> None:
    child = subprocess.run([sys.executable, "-c", TWICE], capture_output=True, text=True, timeout=120, check=True)
    assert "restart the recorder" in child.stdout


def test_neither_mne_nor_its_second_is_imported() -> None:
    code = "from myogestic_tui.sources.discovery import discovery; discovery().close()"
    ask = "; import sys; print('mne' in sys.modules)"
    child = subprocess.run([sys.executable, "-c", code + ask], capture_output=True, text=True, timeout=120, check=True)
    assert child.stdout.strip() == "False"
