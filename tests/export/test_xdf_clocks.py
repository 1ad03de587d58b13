"""A stream of an XDF file whose clock was never compared is not taken for one that was."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from myogestic_tui.errors import ClockError
from myogestic_tui.session import labeled_windows, open_session_store, verify_session
from myogestic_tui.session.export import export_session, export_xdf
from myogestic_tui.session.export.common import session_end
from myogestic_tui.session.import_xdf import import_xdf

START, FS, N = 5000.0, 100.0, 3000


def chunk(tag, content):
    return b"\x04" + struct.pack("<IH", len(content) + 2, tag) + content


def stream(number, name, host, *, ahead=0.0, offset=None, first=0, last=N, fs=FS, texts=None):
    """The chunks of one stream as LabRecorder writes them; ``ahead``: how far its clock is, ``offset``: as compared."""
    kind = "string" if texts else "float32"
    header = (
        f'<?xml version="1.0"?><info><name>{name}</name><type>EEG</type><channel_count>1</channel_count>'
        f"<nominal_srate>{fs:g}</nominal_srate><channel_format>{kind}</channel_format><source_id>{name}</source_id>"
        f"<hostname>{host}</hostname><desc/></info>"
    )
    times = START + (np.arange(first, last) / FS if not texts else np.array([at for at, _ in texts])) + ahead
    parts = [chunk(2, struct.pack("<I", number) + header.encode())]
    if offset is not None:
        for at in np.arange(START, START + 30.0, 5.0):
            parts.append(chunk(4, struct.pack("<Idd", number, at - offset, offset)))
    values = [text.encode() for _, text in texts or []]
    rows = [struct.pack("<Bdf", 8, at, 0.5) for at in times.tolist()] if not texts else []
    rows += [struct.pack("<BdBB", 8, at, 1, len(value)) + value for at, value in zip(times, values, strict=False)]
    parts.append(chunk(3, struct.pack("<IBI", number, 4, len(times)) + b"".join(rows)))
    ends = f"<first_timestamp>{times[0]}</first_timestamp><last_timestamp>{times[-1]}</last_timestamp>"
    footer = f'<?xml version="1.0"?><info>{ends}<sample_count>{len(times)}</sample_count></info>'
    return b"".join([*parts, chunk(6, struct.pack("<I", number) + footer.encode())])


@pytest.fixture
def imported(tmp_path):
    def of(*streams, **how):
        path = tmp_path / "labrecorder.xdf"
        header = chunk(1, b'<?xml version="1.0"?><info><version>1.0</version></info>')
        path.write_bytes(b"XDF:" + header + b"".join(streams))
        return import_xdf(path, tmp_path / "sessions", **how)

    return of


def told(path, name):
    """Basis, error and sentences about one stream, which every surface must agree on."""
    with open_session_store(path) as session:
        one, found = session.summary().streams[name], session.timeline(name)
        assert (one.basis, one.error_s or np.inf) == (found.basis, found.error_s)
        exported = export_session(session, "npz", path.parent / f"{name}.npz", overwrite=True).remarks
    verified = verify_session(path)
    assert [text.text for text in verified.findings if text.stream == name] == [
        f"{name}: {text}" for text in one.remarks
    ]
    assert {f"{name}: {text}" for text in one.remarks} <= set(exported)
    return one.basis, one.error_s, one.remarks


LABELS = [(2.0, "Rest"), (12.0, "Fist"), (25.0, "end")]


@pytest.mark.parametrize("ahead", [5.0, -200.0, 80_000.0, 1.79e9])
@pytest.mark.parametrize("offset", [1e-5, -7000.0])
def test_a_stream_that_was_not_compared_beside_one_that_was(imported, tmp_path, ahead, offset):
    eeg = stream(1, "eeg", "amp-pc", ahead=-offset, offset=offset)
    marks = stream(3, "marks", "amp-pc", ahead=-offset, offset=offset, fs=0, texts=LABELS)
    path = imported(eeg, stream(2, "imu", "stim-pc", ahead=ahead), marks, label_stream="marks")
    basis, error, remarks = told(path, "imu")
    assert (basis, error) == ("none", None)
    how = "nothing tells how its time stamps lie to the recorder's clock: they cannot be aligned with labels"
    assert remarks == [f"no clock comparison with stim-pc: {how}"]
    assert told(path, "eeg")[0] == "lsl"
    assert told(path, "eeg")[2] == []
    with pytest.raises(ClockError, match="imu"):
        labeled_windows(path, "imu", 0.2, 0.2)
    assert len(labeled_windows(path, "eeg", 0.2, 0.2)[0]) > 80
    with open_session_store(path) as session:
        end = session.stream_data("eeg").times(N - 1, N)[0]
        assert session_end(session) == max(end, session.label_track[-1].timestamp)  # not by stamps that tell nothing
        (file,) = export_xdf(session, tmp_path / "again.xdf").paths
    assert told(import_xdf(file, tmp_path / "again"), "imu") == (basis, error, remarks)


def test_stamps_that_begin_and_end_with_the_others_count_as_far_as_that_tells(imported):
    path = imported(stream(1, "eeg", "amp-pc", offset=1e-5), stream(2, "imu", "stim-pc", ahead=0.3))
    assert told(path, "imu") == (
        "uncompared",
        0.5,
        ["no clock comparison with stim-pc: its time stamps are taken as they are, ±0.5 s"],
    )


@pytest.mark.parametrize("host", ["amp-pc", "AMP-PC"])
def test_a_stream_of_the_recorders_own_computer_needs_no_comparison(imported, host):
    path = imported(stream(1, "eeg", "amp-pc", offset=-1e-5), stream(2, "imu", host, first=900, last=1500))
    assert told(path, "imu") == ("uncompared", 0.01, [])


def test_but_stamps_that_lie_nowhere_near_are_not_its_clock(imported):
    path = imported(stream(1, "eeg", "amp-pc", offset=-1e-5), stream(2, "imu", "amp-pc", ahead=1.79e9))
    assert told(path, "imu")[0] == "none"


@pytest.mark.parametrize("hosts", [("", ""), ("amp-pc", "amp-pc"), ("amp-pc", "")])
def test_a_file_without_any_comparison_is_one_clock_where_it_is_not_of_two_computers(imported, hosts):
    path = imported(*(stream(n, f"s{n}", host, first=n * 100) for n, host in enumerate(hosts, 1)))
    assert told(path, "s1") == told(path, "s2") == ("uncompared", 0.01, [])


@pytest.mark.parametrize(("ahead", "basis"), [(5.0, "none"), (0.2, "uncompared")])
def test_two_computers_that_were_never_compared(imported, ahead, basis):
    streams = [stream(n, f"s{n}", "amp-pc") for n in (1, 2)]
    path = imported(*streams, stream(3, "imu", "stim-pc", ahead=ahead))
    assert told(path, "s1") == ("uncompared", 0.01, [])
    assert told(path, "imu")[0] == basis
    assert told(path, "imu")[2][0].startswith("no clock comparison with stim-pc")


def test_labels_from_a_clock_that_was_not_compared_are_reported(imported):
    marks = stream(2, "marks", "stim-pc", ahead=5.0, fs=0, texts=LABELS)
    path = imported(stream(1, "eeg", "amp-pc", offset=1e-5), marks, label_stream="marks")
    with open_session_store(path) as session:
        (told,) = session.findings
        assert told.text.startswith("marks: labels were taken from it, whose clock was never compared")
