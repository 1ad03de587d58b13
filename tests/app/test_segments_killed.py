"""A recorder that is killed while it changes sessions leaves a chain without a hole; so does a disk that fills up."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from myogestic_tui import App, Stream
from myogestic_tui.session import open_session_store, recover_session, unfinished_sessions, verify_session
from myogestic_tui.session.library.chain import chain_members, chain_of, link_findings
from myogestic_tui.session.library.join_chain import join_chain
from myogestic_tui.session.packing.pack import pack_session
from tests.app.segments_child import STEPS
from tests.sending import RampSource, ramp, wait_for


def whole(folder: Path, name: str, start: float, source: RampSource) -> int:
    """Check that a stream of a chain is a piece of the ramp, and say how many samples it has."""
    parts, stamps = [], []
    for path in chain_of(folder):
        with open_session_store(path) as session:
            if name in session.streams:
                parts.append(session.stores[name][:])
                stamps.append(session.ts_stores[name][:])
    data = np.concatenate(parts)
    times, info = np.concatenate(stamps), source.info
    first = round((times[0] - start) * info.fs)
    np.testing.assert_array_equal(data, ramp(first, len(data), info.n_channels, info.dtype))
    assert np.all(np.diff(times) > 0)
    return len(data)


def recover_all(folder: Path) -> None:
    for path in unfinished_sessions(folder):
        recover_session(path)
    for path in sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")):
        pack_session(path)


def killed_at(folder: Path, step: str) -> list[float]:
    """When the two sources of the child began to count."""
    child = [sys.executable, "-m", "tests.app.segments_child", str(folder), step]
    ran = subprocess.run(child, capture_output=True, text=True, timeout=180, check=False)
    assert ran.returncode == -signal.SIGKILL, ran.stderr
    return [float(word) for word in ran.stdout.split()]


def check_chain(folder: Path, starts: list[float]) -> None:
    recover_all(folder)
    members = chain_members(folder)
    assert len(members) >= 2
    found = [finding for findings in link_findings(members).values() for finding in findings]
    assert [finding.text for finding in found if finding.kind == "damage"] == []
    assert all(member.link.before_sha256 for member in members[1:])
    for name, start in zip(("emg", "other"), starts, strict=True):
        assert whole(folder, name, start, RampSource(3, 400.0)) > 100
    for path in chain_of(folder):
        assert verify_session(path).ok
    joined = join_chain(folder, folder / "joined")
    with open_session_store(joined) as session:
        assert session.summary().streams["emg"].gaps == 0


@pytest.mark.parametrize("step", ["one stream through", "finishing"])
def test_a_kill_within_a_change_leaves_a_chain_without_a_hole(step: str, tmp_path: Path):
    check_chain(tmp_path, killed_at(tmp_path, step))


@pytest.mark.slow
@pytest.mark.parametrize("step", sorted(STEPS.keys() - {"one stream through", "finishing"}))
def test_a_kill_at_every_other_step_of_a_change_does_so_too(step: str, tmp_path: Path):
    check_chain(tmp_path, killed_at(tmp_path, step))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
def test_a_kill_at_any_instant_about_a_change_does_so_too(seed: int, tmp_path: Path):
    check_chain(tmp_path, killed_at(tmp_path, str(1.5 + 2.0 * random.Random(seed).random())))


@pytest.mark.slow
def test_200_changes_under_load_lose_and_double_nothing(tmp_path: Path):
    burn = "import time\nuntil = time.monotonic() + 900\nwhile time.monotonic() < until: pass"
    burners = [subprocess.Popen([sys.executable, "-c", burn]) for _ in range(2)]
    app = App("chain", sessions_dir=tmp_path)
    emg, slow = RampSource(8, 2000.0), RampSource(2, 10.0)
    app.streams(Stream("emg", source=emg), Stream("slow", source=slow))
    app.open()
    try:
        wait_for(lambda: all(stream.info is not None for stream in app.ctx.streams.values()))
        app.start_recording(segment_s=1.0)
        wait_for(lambda: app.status().session.segment > 200, timeout=1800)
        app.stop_recording()
    finally:
        for burner in burners:
            burner.kill()
            burner.wait()
        app.shut()
    members = chain_members(tmp_path)
    assert len(members) > 200
    assert not any(link_findings(members).values())
    assert whole(tmp_path, "emg", emg.start, emg) > 200 * 2000
    whole(tmp_path, "slow", slow.start, slow)


@pytest.mark.slow
def test_a_disk_that_fills_up_ends_the_chain_and_takes_nothing_from_it(tmp_path: Path):
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", disk], capture_output=True).returncode:
        pytest.skip("mounting is not permitted here")
    try:
        app = App("chain", sessions_dir=disk)
        app.parts.disk._config = app.parts.recorder._disk_config = type(app.config.disk)(reserve_mb=4, reserve_s=0)
        source = RampSource(16, 20_000.0, "float64")
        app.streams(Stream("emg", source=source))
        app.open()
        try:
            wait_for(lambda: app.ctx.streams["emg"].info is not None)
            app.start_recording(segment_s=1.0)
            wait_for(lambda: app.ctx.state == "idle", timeout=300)
            assert app.status().stopped is not None
        finally:
            app.shut()
        n = whole(disk, "emg", source.start, source)
        left = [path for path in disk.iterdir() if path.is_dir() and not path.name.startswith(".")]
        assert n > 20_000
        subprocess.run(["mount", "-o", "remount,size=256m", disk], check=True)
        for path in sorted(left):
            pack_session(path)
        assert whole(disk, "emg", source.start, source) == n
        members = chain_members(disk)
        assert len(members) > 1
        assert not any(link_findings(members).values())
    finally:
        subprocess.run(["umount", "--lazy", disk], check=True)
