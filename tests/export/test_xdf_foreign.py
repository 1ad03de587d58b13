"""XDF files of other recorders: what they say is kept, what they do not say stays unknown."""

from __future__ import annotations

import json
import struct
from datetime import datetime
from xml.etree import ElementTree

import numpy as np
import pytest

from myogestic_tui.session import open_session_store, verify_session
from myogestic_tui.session.export import export_xdf, to_mne
from myogestic_tui.session.export.common import VOLTS
from myogestic_tui.session.import_xdf import import_xdf

HEADER = (
    "<?xml version='1.0'?><info><name>{name}</name><type>{type}</type><channel_count>{n}</channel_count>"
    "<channel_format>float32</channel_format><source_id>{source_id}</source_id><nominal_srate>250</nominal_srate>"
    "<version>1.1</version><created_at>4711.25</created_at><uid>u-{name}</uid><session_id>default</session_id>"
    "<hostname>amp-pc</hostname>{desc}</info>"
)


def chunk(tag: int, content: bytes) -> bytes:
    return b"\x04" + struct.pack("<IH", len(content) + 2, tag) + content


def stream(number, n=2, *, samples=500, told=None, name="EMG", type="EMG", source_id="amp-1", desc=b"<desc/>"):
    head = HEADER.format(name=name, type=type, n=n, source_id=source_id, desc="{desc}").encode()
    head = head.replace(b"{desc}", desc)
    values = np.full((samples, n), number, np.float32)
    body = b"\x04" + struct.pack("<I", samples)
    for k in range(samples):
        body += struct.pack("<Bd", 8, 100 + k / 250) + values[k].tobytes()
    told = samples if told is None else told
    foot = (
        f"<?xml version='1.0'?><info><first_timestamp>100</first_timestamp><last_timestamp>{100 + (samples - 1) / 250}"
        f"</last_timestamp><sample_count>{told}</sample_count></info>"
    )
    key = struct.pack("<I", number)
    return chunk(2, key + head) + chunk(3, key + body) + chunk(6, key + foot.encode())


@pytest.fixture
def foreign(tmp_path):
    """Write a file of such streams, and import it."""

    def make(*streams, head="<datetime>2026-05-17T14:23:05+0200</datetime>"):
        path = tmp_path / "foreign.xdf"
        info = f"<?xml version='1.0'?><info><version>1.0</version>{head}</info>"
        path.write_bytes(b"XDF:" + chunk(1, info.encode()) + b"".join(streams))
        return import_xdf(path, tmp_path / "sessions")

    return make


def test_a_header_comes_out_as_it_came_in(foreign, tmp_path):
    with open_session_store(foreign(stream(1), stream(2, name="IMU", desc=b""))) as session:
        assert session.meta.created == "2026-05-17T14:23:05+02:00"
        (path,) = export_xdf(session, tmp_path).paths
    import pyxdf

    streams, header = pyxdf.load_xdf(str(path))
    told = next(one["info"] for one in streams if one["info"]["name"] == ["EMG"])
    expected = {"version": "1.1", "created_at": "4711.25", "session_id": "default", "nominal_srate": "250"}
    assert {key: told[key][0] for key in expected} == expected
    assert told["desc"] == [None]
    text = header["info"]["datetime"][0]
    # MNELAB puts the colon into the zone by itself, and opens nothing where one is there.
    assert datetime.fromisoformat(text[:-2] + ":" + text[-2:]) == datetime.fromisoformat("2026-05-17T14:23:05+02:00")


def test_a_stream_without_channels_is_left_out(foreign):
    with open_session_store(foreign(stream(1), stream(2, 0, name="Nothing"))) as session:
        assert session.streams == ["EMG"]
        assert session.n_samples("EMG") == 500
        (finding,) = session.findings
        assert finding.kind == "observation"
        assert "Nothing" in finding.text


def test_a_date_that_no_file_tells_stays_unknown(foreign, tmp_path):
    made = foreign(stream(1), head="")
    assert verify_session(made).ok
    with open_session_store(made) as session:
        assert session.meta.created == ""
        assert to_mne(session, "EMG").info["meas_date"] is None
        (path,) = export_xdf(session, tmp_path).paths
    with open_session_store(import_xdf(path, tmp_path / "again")) as session:
        assert session.meta.created == ""


def test_a_date_without_a_zone_is_kept_and_told_as_no_instant(foreign, tmp_path):
    with open_session_store(foreign(stream(1), head="<datetime>2015-03-20T10:10:10</datetime>")) as session:
        assert session.meta.created == "2015-03-20T10:10:10"
        (path,) = export_xdf(session, tmp_path).paths
    import pyxdf

    assert "datetime" not in pyxdf.load_xdf(str(path))[1]["info"]
    with open_session_store(import_xdf(path, tmp_path / "again")) as session:
        assert session.meta.created == "2015-03-20T10:10:10"


@pytest.mark.parametrize(("told", "kind"), [(499, "observation"), (501, "damage"), (500, None)])
def test_only_samples_that_are_missing_are_damage(foreign, told, kind):
    made = foreign(stream(1, told=told))
    with open_session_store(made) as session:
        assert [finding.kind for finding in session.findings] == ([kind] if kind else [])
        assert "recovery" not in session.extras
    texts = [finding.text for finding in verify_session(made).findings]
    assert any("when it was imported" in text for text in texts) == (kind == "damage")
    assert not any("recovered" in text for text in texts)


def test_findings_stand_in_json(foreign, capsys):
    from click.testing import CliRunner

    from myogestic_tui.cli.sessions import info

    made = foreign(stream(1, told=501))
    plain = json.loads(CliRunner().invoke(info, [str(made), "--json"]).output)
    assert "501" in plain["findings"][0]["text"]


def test_latin_1_and_names_are_read(foreign):
    desc = (
        b"<desc><channels><channel><name>Fl\xe4che</name><unit>\xb5V</unit></channel>"
        b"<channel><label>gr\xc3\xb6\xc3\x9fer</label><name>other</name><unit>\xc2\xb5V</unit></channel></channels></desc>"
    )
    with open_session_store(foreign(stream(1, desc=desc))) as session:
        told = session.stream_info("EMG")
        assert told.channel_names == ("Fläche", "größer")
        assert told.units == ("µV", "µV")
        assert all(unit.lower() in VOLTS for unit in told.units)
        assert ElementTree.fromstring(told.desc_xml).findtext("desc/channels/channel/unit") == "µV"
        np.testing.assert_allclose(to_mne(session, "EMG").get_data(), 1e-6)


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 2, 1), (2, 3, 1)])
def test_streams_of_one_name_have_the_same_names_in_any_order(foreign, order):
    kinds = {1: ("GYRO", "muse-g"), 2: ("ACC", "muse-b"), 3: ("ACC", "muse-a")}
    made = foreign(*(stream(k, name="Muse", type=kinds[k][0], source_id=kinds[k][1]) for k in order))
    with open_session_store(made) as session:
        told = {name: (session.stream_info(name).type, session.stream_info(name).source_id) for name in session.streams}
    assert told == {"Muse_ACC": ("ACC", "muse-a"), "Muse_ACC_2": ("ACC", "muse-b"), "Muse_GYRO": ("GYRO", "muse-g")}
