"""What a session knows of time beside raw stamps and clock offsets goes through XDF and comes back."""

from __future__ import annotations

import numpy as np
import pytest

from myogestic_tui.session import open_session_store, verify_session
from myogestic_tui.session.export import export_xdf
from myogestic_tui.session.format.json_files import replace_file
from myogestic_tui.session.format.meta import decode_meta, encode_meta
from myogestic_tui.session.format.time_records import GapRecord
from myogestic_tui.session.import_xdf import import_xdf
from tests.session.as_recorded import CASES, recorded


def there_and_back(path, folder):
    """The session as an import of its own export."""
    with open_session_store(path) as session:
        (file,) = export_xdf(session, folder / "out.xdf").paths
    return import_xdf(file, folder / "imported")


@pytest.fixture(params=CASES)
def session(request, tmp_path):
    stamp, keep = CASES[request.param]
    with open_session_store(recorded(tmp_path, stamp, keep=keep)[0]) as session:
        yield session


def test_gaps_and_leaps_that_only_arrivals_prove_come_back(session, tmp_path):
    before = session.timeline("emg")
    path = there_and_back(session.path, tmp_path)
    with open_session_store(path) as copy:
        after = copy.timeline("emg")
        assert [(gap.index, gap.kind, gap.samples) for gap in after.gaps] == [
            (gap.index, gap.kind, gap.samples) for gap in before.gaps
        ]
        np.testing.assert_allclose(copy.timestamps("emg"), session.timestamps("emg"), atol=1e-6)
        if before.basis in ("lsl", "uncompared"):
            assert after.leaps == before.leaps
            arrivals = [one.stream("emg").arrival for one in (session, copy)]
            np.testing.assert_array_equal(*[rows.rows(0, rows.n_rows) for rows in arrivals])
        assert after.error_s == before.error_s
        assert copy.meta.anchors == session.meta.anchors
        assert copy.duration_s == session.duration_s
        said = copy.summary().streams["emg"].remarks
        assert (copy.measured("emg").time.basis, copy.measured("emg").gaps) == (
            after.basis,
            session.measured("emg").gaps,
        )
    verified = verify_session(path, "full")
    assert verified.ok
    assert [finding.text.removeprefix("emg: ") for finding in verified.findings] == said


@pytest.mark.parametrize("case", ["wall", "standing"])
def test_times_by_arrival_stay_times_by_arrival(case, tmp_path):
    stamp, keep = CASES[case]
    with open_session_store(there_and_back(recorded(tmp_path, stamp, keep=keep)[0], tmp_path)) as copy:
        summary = copy.summary().streams["emg"]
        assert (summary.basis, summary.error_s) == ("arrival", 0.2 if case == "wall" else 0.25)
        assert any("time by arrival" in text for text in summary.remarks)
        again = there_and_back(copy.path, tmp_path / "again")
        with open_session_store(again) as third:
            assert third.summary().streams["emg"].remarks == summary.remarks


def test_pyxdf_reads_the_same_as_without(session, tmp_path):
    import pyxdf

    (file,) = export_xdf(session, tmp_path / "out.xdf").paths
    streams, _ = pyxdf.load_xdf(str(file), synchronize_clocks=False, dejitter_timestamps=False)
    (emg,) = [stream for stream in streams if stream["info"]["name"] == ["emg"]]
    assert len(emg["time_stamps"]) == session.n_samples("emg")
    rows = np.array(emg["footer"]["info"]["arrivals"][0].split(), np.float64).reshape(-1, 2)
    np.testing.assert_array_equal(rows, session.stream("emg").arrival.rows(0, len(rows)))


def test_an_arrival_record_that_cannot_be_used_is_reported_and_left_out(tmp_path):
    path, *_ = recorded(tmp_path, CASES["leap"][0])
    with open_session_store(path) as session:
        (file,) = export_xdf(session, tmp_path / "out.xdf").paths
    content = file.read_bytes()
    file.write_bytes(content.replace(b"<arrivals>0 ", b"<arrivals>x "))
    imported = import_xdf(file, tmp_path / "imported")
    with open_session_store(imported) as copy:
        assert copy.stream("emg").arrival is None
        assert any("arrival record" in finding.text for finding in copy.findings), copy.findings


def test_a_reason_and_a_late_join_come_back(tmp_path):
    path, *_ = recorded(tmp_path, CASES["tail"][0], keep=CASES["tail"][1])
    meta = decode_meta((path / "meta.json").read_bytes())
    meta.streams["emg"].gaps = [GapRecord(4000, 14.0, "source was lost", "tail")]
    meta.streams["emg"].joined_at = meta.anchors[0].lsl + 1.0
    replace_file(path / "meta.json", encode_meta(meta))
    with open_session_store(there_and_back(path, tmp_path)) as copy:
        assert any("(source was lost)" in text for text in copy.summary().streams["emg"].remarks)
        assert copy.measured("emg").joined_at == meta.streams["emg"].joined_at
