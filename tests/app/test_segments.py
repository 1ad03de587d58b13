"""A recording without an end: sessions that follow each other, without a sample lost or doubled, proven by hashes."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from myogestic_tui import App, Stream, StreamInfo
from myogestic_tui.cli import main
from myogestic_tui.clock import local_clock
from myogestic_tui.errors import ConfigError, DiskError, NotAllowedError, SessionDamagedError
from myogestic_tui.session import Session, open_session_store, unfinished_sessions, verify_session
from myogestic_tui.session.library.chain import chain_members, chain_of, link_findings
from myogestic_tui.session.library.join_chain import join_chain
from myogestic_tui.session.packing.interrupted_work import clean_up
from tests.sending import RampSource, ramp, wait_for
from tests.stream.scripted import ScriptedSource, chunk


@contextmanager
def running(folder: Path, *streams: Stream) -> Iterator[App]:
    app = App("chain", sessions_dir=folder)
    app.ctx.class_names = ["Rest", "Fist"]
    app.streams(*streams)
    app.open()
    for stream in streams:
        stream.poll_s = 0.02
        wait_for(lambda stream=stream: stream.info is not None)
    try:
        yield app
    finally:
        app.shut()


def change(app: App, first: Session) -> None:
    """Wait for the change of session, and let no further one follow."""
    wait_for(lambda: app.ctx.session is not first)
    app.parts.recorder.segments._ended.set()


def concatenation(paths: list[Path], name: str) -> tuple[np.ndarray, np.ndarray]:
    data, stamps = [], []
    for path in paths:
        with open_session_store(path) as session:
            data.append(session.stores[name][:])
            stamps.append(session.ts_stores[name][:])
    return np.concatenate(data), np.concatenate(stamps)


def instants(paths: list[Path]) -> list[tuple[float, ...]]:
    found = []
    for path in paths:
        with open_session_store(path) as session:
            found.append(tuple(anchor.lsl for anchor in session.meta.anchors))
    return found


class Chain(NamedTuple):
    paths: list[Path]
    sources: dict[str, RampSource]
    labels: list[tuple[float, int]]


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Chain:
    """A chain of five sessions of two streams, labelled across its changes."""
    folder = tmp_path_factory.mktemp("chain")
    sources = {"emg": RampSource(4, 1000.0), "slow": RampSource(2, 50.0, "float64")}
    times = []
    with running(folder, *(Stream(name, source=source) for name, source in sources.items())) as app:
        app.start_recording(segment_s=1.0)
        this = app.status().session.id
        for k in range(5):
            begun = app.started_at
            for class_index in (0, 1, k % 2):
                at = local_clock()
                label = app.add_label(class_index, source="protocol")
                assert at <= label.timestamp <= local_clock()
                times.append((label.timestamp, class_index))
            if k < 4:
                wait_for(lambda begun=begun: app.started_at != begun)
        assert app.status().session.id == this
        assert app.stop_recording(wanted=this)
    return Chain(chain_of(folder), sources, times)


def test_the_sessions_of_a_chain_together_have_every_sample_once(chain: Chain):
    paths, sources = chain.paths, chain.sources
    assert len(paths) >= 5
    for name, source in sources.items():
        data, stamps = concatenation(paths, name)
        first = round((stamps[0] - source.start) * source.info.fs)
        expected = ramp(first, len(data), source.info.n_channels, source.info.dtype)
        np.testing.assert_array_equal(data, expected)


def test_all_streams_are_cut_at_one_instant_where_the_next_session_begins(chain: Chain):
    paths = chain.paths
    ends = instants(paths)
    for (_, stop), (start, _) in pairwise(ends):
        assert stop == start
    for path, (start, stop) in zip(paths, ends, strict=True):
        with open_session_store(path) as session:
            for name in session.streams:
                stamps = session.ts_stores[name][:]
                assert start - 1e-6 <= stamps[0]
                assert stamps[-1] <= stop + 1e-6
                assert session.summary().streams[name].gaps == 0
    assert all(stop - start > 1.0 - 1e-6 for start, stop in ends[:-1])


def test_each_is_packed_whole_and_has_the_hash_of_the_one_before(chain: Chain):
    paths = chain.paths
    members = chain_members(paths[1])
    assert [member.path for member in members] == paths
    assert all(path.name.endswith(".session.zip") and verify_session(path).ok for path in paths)
    assert [member.link.segment for member in members] == list(range(1, len(paths) + 1))
    assert all(member.link.before_sha256 for member in members[1:])
    assert not any(link_findings(members).values())


def test_every_label_lies_in_the_session_of_its_time_and_the_next_begins_with_the_class_that_holds(chain: Chain):
    paths, times = chain.paths, chain.labels
    own = []
    for path, (start, stop) in zip(paths, instants(paths), strict=True):
        with open_session_store(path) as session:
            track = session.label_track
        if path != paths[0]:
            assert (track[0].timestamp, track[0].source) == (start, "segment")
            assert track[0].class_index == own[-1].class_index
        assert all(start <= label.timestamp <= stop for label in track)
        own += [label for label in track if label.source != "segment"]
    assert [(label.timestamp, label.class_index) for label in own] == times


def test_a_key_that_is_heard_after_the_change_goes_where_it_was_pressed(tmp_path: Path):
    with running(tmp_path, Stream("emg", source=RampSource())) as app:
        app.start_recording(segment_s=1.0)
        first = app.ctx.session
        app.add_label(0)
        finish, app.parts.recorder.segments._finish = app.parts.recorder.segments._finish, lambda *_: None
        change(app, first)
        start = app.started_at
        app.add_label(1, start - 0.2)
        second = app.ctx.session
        assert [(label.class_index, label.timestamp == start - 0.2) for label in first.label_track][-1] == (1, True)
        assert [(label.class_index, label.timestamp) for label in second.label_track] == [(1, start)]
        finish(first, second)
        app.add_label(0, start - 0.1)  # its session is finished by now
        assert (second.label_track[0].class_index, second.label_track[0].timestamp) == (0, start - 0.1)


def test_undo_does_not_reach_into_the_session_before(tmp_path: Path):
    with running(tmp_path, Stream("emg", source=RampSource())) as app:
        app.start_recording(segment_s=1.0)
        first = app.ctx.session
        app.add_label(1)
        change(app, first)
        with pytest.raises(NotAllowedError, match="session before"):
            app.undo_label()
        assert app.ctx.current_label == 1
        app.add_label(0)
        assert app.undo_label().class_index == 0
        assert app.ctx.current_label == 1


@pytest.mark.parametrize("usable", [True, False], ids=["good stamps", "stamps that tell nothing"])
def test_a_chunk_that_lies_across_the_change_is_cut_in_two(tmp_path: Path, usable: bool):
    source = ScriptedSource(StreamInfo(2, 200.0))
    with running(tmp_path, Stream("emg", source=source)) as app:
        app.start_recording(segment_s=1.0)
        start, first = app.started_at, app.ctx.session

        def give(number: int, count: int) -> None:
            data, _ = chunk(number, count, source.info, 0.0)
            source.give((data, (start if usable else 7e7) + np.arange(number, number + count) / 200.0))

        give(0, 100)
        wait_for(lambda: local_clock() > start + 1.05)
        give(100, 250)  # 0.5 s to 1.75 s
        change(app, first)
        assert app.stop_recording()
    data, _ = concatenation(chain_of(tmp_path), "emg")
    np.testing.assert_array_equal(data[:, 0] // 10, np.arange(len(data)))
    assert len(data) == 350 or not usable
    with open_session_store(chain_of(tmp_path)[0]) as session:
        cut = round((session.meta.anchors[1].lsl - start) * 200)
        late = session.meta.anchors[1].lsl > start + 1.0 + 1e-6  # the machine was busy, and the chunk came before
        assert not usable or late or session.n_samples("emg") == min(cut + 1, 350)


def test_a_stream_that_is_lost_over_a_change_is_in_both_sessions_with_the_reason(tmp_path: Path):
    source, steady = RampSource(), RampSource()
    with running(tmp_path, Stream("emg", source=source), Stream("steady", source=steady)) as app:
        app.start_recording(segment_s=2.5)
        first = app.ctx.session
        wait_for(lambda: first.snapshot().n_samples.get("emg", 0) > 300)
        source.available.clear()
        app.ctx.streams["emg"].source.read = lambda: (_ for _ in ()).throw(OSError("unplugged"))
        change(app, first)
        del app.ctx.streams["emg"].source.read
        source.available.set()
        second = app.ctx.session
        wait_for(lambda: second.snapshot().n_samples.get("emg", 0) > 100)
        app.stop_recording()
    one, two = (session.meta.streams["emg"] for session in (first, second))
    assert [(gap.kind, gap.reason) for gap in one.gaps] == [("tail", "source was lost")]
    assert [(gap.kind, gap.reason) for gap in two.gaps] == [("head", "source was lost")]


def test_where_no_next_session_can_be_made_the_present_one_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with running(tmp_path, Stream("emg", source=RampSource())) as app:

        def refuse(*_: object) -> None:
            raise DiskError("no room")

        monkeypatch.setattr(app.parts.recorder.segments, "_make", refuse)
        app.start_recording(segment_s=1.0)
        session = app.ctx.session
        wait_for(lambda: "no room" in app.status().message)
        n = session.snapshot().n_samples["emg"]
        wait_for(lambda: session.snapshot().n_samples["emg"] > n)
        assert app.stop_recording()
    (path,) = chain_of(tmp_path)
    with open_session_store(path) as reader:
        assert any("no room" in event.text for event in reader.meta.events)


def test_what_is_missing_or_exchanged_in_a_chain_is_damage(chain: Chain, tmp_path: Path):
    paths = chain.paths
    copies = []
    for path in paths[:4]:
        copies.append(tmp_path / path.name)
        copies[-1].write_bytes(path.read_bytes())

    def texts() -> list[str]:
        found = link_findings(chain_members(copies[-1]))
        return [finding.text for findings in found.values() for finding in findings if finding.kind == "damage"]

    assert len(texts()) == (1 if len(paths) > 4 else 0)  # what follows the fourth is not here
    kept = copies[1].read_bytes()
    copies[1].unlink()
    assert any("segment 2 of the chain is not here" in text for text in texts())
    copies[1].write_bytes(kept)
    copies[0].unlink()
    assert any("begins with segment 2" in text for text in texts())


def test_a_chain_joined_is_one_session_without_an_edge_and_with_the_labels_as_they_were_given(
    chain: Chain, tmp_path: Path
):
    joined = join_chain(chain.paths[2], tmp_path)
    assert verify_session(joined).ok
    assert [finding.text for finding in verify_session(joined).findings] == []
    with open_session_store(joined) as session:
        for name in chain.sources:
            data, stamps = concatenation(chain.paths, name)
            np.testing.assert_array_equal(session.stores[name][:], data)
            np.testing.assert_array_equal(session.ts_stores[name][:], stamps)
            measured = session.summary().streams[name]
            assert (measured.gaps, measured.head_s, measured.tail_s, measured.basis) == (0, 0.0, 0.0, "uncompared")
            arrivals = session.stream(name).arrival
            assert arrivals.rows(arrivals.n_rows - 1, arrivals.n_rows)[0, 0] == len(data)
        assert [(label.timestamp, label.class_index) for label in session.label_track] == chain.labels
        ends = instants(chain.paths)
        assert [anchor.lsl for anchor in session.meta.anchors] == [ends[0][0], ends[-1][1]]
        assert session.meta.extra["joined"] == [member.folder_name for member in chain_members(chain.paths[0])]
        assert "chain" not in session.meta.extra
    (tmp_path / "broken.session.zip").touch()
    with pytest.raises(SessionDamagedError, match="broken"):
        join_chain(tmp_path / "broken.session.zip", tmp_path)
    with pytest.raises(ConfigError, match="belongs to no chain"):
        join_chain(joined, tmp_path)


def test_half_of_a_join_that_was_killed_is_no_recording(chain: Chain, tmp_path: Path):
    code = (
        "import os, pathlib, signal, sys\n"
        "from myogestic_tui.session.library import join_chain\n"
        "join_chain._set_time = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        "join_chain.join_chain(pathlib.Path(sys.argv[1]), sys.argv[2])\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(chain.paths[0]), str(tmp_path)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert list(tmp_path.rglob("emg.zarr")), "it had begun"
    assert not unfinished_sessions(tmp_path)
    joined = join_chain(chain.paths[0], tmp_path)
    assert joined.parent == tmp_path
    clean_up(tmp_path)
    assert not list(tmp_path.rglob("emg.zarr"))
    assert verify_session(joined).ok


def test_a_chain_that_lacks_a_session_is_not_joined(chain: Chain, tmp_path: Path):
    for path in (chain.paths[0], chain.paths[2]):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    with pytest.raises(SessionDamagedError, match="segment 2 of the chain is not here"):
        join_chain(tmp_path, tmp_path / "out")
    assert not list(tmp_path.glob("out/*.zip"))


def command(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    return int(ended.value.code or 0), capsys.readouterr().out


def test_verify_takes_the_whole_chain_from_any_of_its_sessions(
    chain: Chain, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    code, out = command(capsys, "verify", "--chain", str(chain.paths[3]))
    assert (code, out.count("verified ok")) == (0, len(chain.paths))
    for path in chain.paths:
        (tmp_path / path.name).write_bytes(path.read_bytes())
    with running(tmp_path / "other", Stream("emg", source=RampSource())) as app:
        other = app.start_recording()
        app.stop_recording()
    code, _ = command(capsys, "verify", "--chain", str(other.path))
    assert code == 2
    (tmp_path / chain.paths[1].name).unlink()
    code, out = command(capsys, "verify", "--chain", str(tmp_path))
    assert code == 1
    assert "segment 2 of the chain is not here" in out


def test_info_says_which_segment_a_session_is(chain: Chain, capsys: pytest.CaptureFixture[str]):
    _, out = command(capsys, "info", str(chain.paths[1]))
    assert "segment 2 of chain" in out
    assert f"continues    {chain_members(chain.paths[0])[0].folder_name}" in out
