"""A BIDS dataset that can be uploaded as it is: the official validator, mne-bids and plain tables read it."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from myogestic_tui import ChannelGrid
from myogestic_tui.clock import local_clock
from myogestic_tui.config import BidsConfig, parse_config
from myogestic_tui.errors import ConfigError
from myogestic_tui.info import StreamInfo
from myogestic_tui.session import Session, open_session_store
from myogestic_tui.session.export import export_bids
from tests.export.six_streams import BICEPS, EEG, FLEXORS, IMU, record
from tests.windows.making import EMG, emg_of, fill

ABOUT = BidsConfig(
    name="Grasps",
    authors=("A. Muster", "B. Beispiel"),
    license="CC0",
    task_description="Grasps of three objects",
    placement_description="Two rings of electrodes around the forearm",
    line_freq=50.0,
    participants=("age", "hand", "device"),
    hed={"Fist": "Agent-action, Grasp"},
    dataset={"EthicsApprovals": ["42_22 B"], "Funding": ["Foundation, 4711"]},
    sidecar={"InstitutionName": "University of Somewhere", "EMGReference": "wrist", "TaskDescription": "other"},
)
SETS = [["Rest", "Fist", "Pinch"], ["Rest", "Pinch"], ["Point", "Rest", "Fist"]]
ALLOWED = {"SIDECAR_KEY_RECOMMENDED", "JSON_KEY_RECOMMENDED", "EVENTS_TSV_MISSING", "HED_WARNING"}
ALLOWED |= {"EXCESSIVE_ELECTRODE_SPECIFICITY"}
"""Of what nobody has told (devices, institutions, HED of other gestures), of motion, whose events the EMG has, and of
electrodes, which each run tells of itself."""


def recorded(folder: Path, take: int, classes: list[str]) -> Path:
    fields = {"subject": "P07", "task": "grasp", "take": take, "age": 31, "hand": "left", "device": "ring"}
    session, start = Session(folder, class_names=classes, fields=fields, reserve_bytes=0), local_clock()
    fill(session, "emg", EMG, emg_of(7300), start + np.arange(7300) / 1000)
    imu = StreamInfo(3, 100.0, "int16", ("wrist x", "wrist y", "wrist z"), ("g",) * 3, type="Accelerometer")
    fill(session, "imu", imu, emg_of(700, imu), start + 0.25 + np.arange(700) / 100)
    for at, index in enumerate([*range(len(classes)), 0, -1], 1):
        session.add_label(index, start + at)
    session.mark_trial(len(classes))
    session.add_note("electrode 3 re-taped", start + 1.25)
    session.mark_channel("emg", 2)
    return session.pack_to_zip()


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """Three sessions of one subject with different gesture sets: the sessions, and the dataset."""
    folder = tmp_path_factory.mktemp("bids")
    paths = [recorded(folder / str(take), take, classes) for take, classes in enumerate(SETS, 1)]
    for path in paths:
        with open_session_store(path) as session:
            export_bids(session, folder / "grasps", about=ABOUT)
    return paths, folder / "grasps"


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def issues(root: Path) -> list[dict[str, str]]:
    """What the official validator finds; it needs no network."""
    pytest.importorskip("bids_validator_deno", reason="bids-validator-deno is not installed")
    command = [Path(sys.executable).with_name("bids-validator-deno"), root, "--format", "json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    return json.loads(done.stdout)["issues"]["issues"]


def placeholders(root: Path) -> list[str]:
    """Files with words that stand for something that is still to be said."""
    texts = {
        path: path.read_text(encoding="utf-8")
        for path in root.rglob("*")
        if path.suffix in ("", ".json", ".tsv") and path.is_file()
    }
    return [str(path) for path, text in texts.items() if any(word in text for word in ("TODO", "FIXME", "Unspecified"))]


def test_classes_have_one_number_in_the_whole_dataset_and_read_back_as_labels(dataset):
    import mne_bids

    paths, root = dataset
    numbers: dict[str, set[str]] = {}
    for take, (path, classes) in enumerate(zip(paths, SETS, strict=True), 1):
        with open_session_store(path) as session:
            labels = [(event.timestamp, event.class_index, event.bad) for event in session.label_track[:-1]]
            start = session.timestamps("emg")[0]
        rows = table(root / f"sub-P07/emg/sub-P07_task-grasp_run-{take:02d}_events.tsv")
        trials = [row for row in rows if row["class_index"] != "n/a"]
        assert [int(row["class_index"]) for row in trials] == [index for _, index, _ in labels]
        for row, (at, index, bad) in zip(trials, labels, strict=True):
            assert row["trial_type"] == f"{'BAD ' if bad else ''}{classes[index]}"
            assert float(row["onset"]) == pytest.approx(at - start, abs=2e-3)
            if not bad:
                numbers.setdefault(row["trial_type"], set()).add(row["value"])
        assert not [row for row in rows if row["trial_type"] == "padding"]
        where = mne_bids.BIDSPath(root=root, subject="P07", task="grasp", run=f"{take:02d}", datatype="emg")
        raw = mne_bids.read_raw_bids(where, verbose="error")
        found = [a["description"] for a in raw.annotations if not a["description"].startswith("note")]
        assert [text for text in found if text in classes or text.startswith("BAD ")] == [
            f"{'BAD ' if bad else ''}{classes[index]}" for _, index, bad in labels
        ]
    assert numbers == {"Rest": {"1"}, "Fist": {"2"}, "Pinch": {"3"}, "Point": {"4"}}


def test_the_validator_finds_no_error_and_nothing_is_a_placeholder(dataset):
    _, root = dataset
    assert placeholders(root) == []
    found = issues(root)
    assert [one for one in found if one["severity"] == "error"] == []
    assert {one["code"] for one in found} <= ALLOWED


def test_a_planted_placeholder_and_a_planted_error_are_seen(dataset, tmp_path):
    root = tmp_path / "planted"
    shutil.copytree(dataset[1], root)
    sidecar = next(root.glob("sub-P07/emg/*run-01_emg.json"))
    about = json.loads(sidecar.read_text())
    sidecar.write_text(
        json.dumps({**about, "EMGReference": "TODO FIXME please complete this field", "SamplingFrequency": "fast"})
    )
    assert placeholders(root) == [str(sidecar)]
    assert [one for one in issues(root) if one["severity"] == "error"]


def test_what_is_known_stands_there_and_what_is_not_is_not_made_up(dataset):
    _, root = dataset
    described = json.loads((root / "dataset_description.json").read_text())
    assert (described["Name"], described["License"], described["Authors"]) == ("Grasps", "CC0", list(ABOUT.authors))
    assert described["BIDSVersion"] == "1.11.0"
    assert [one["Name"] for one in described["GeneratedBy"]] == ["myogestic_tui", "MNE-BIDS"]
    about = json.loads((root / "sub-P07/emg/sub-P07_task-grasp_run-01_emg.json").read_text())
    assert about["TaskDescription"] == "Grasps of three objects"
    assert about["EMGPlacementSchemeDescription"].startswith("Two rings")
    assert (about["PowerLineFrequency"], about["RecordingDuration"]) == (50.0, 7.3)
    assert {about[key] for key in ("EMGGround", "SoftwareFilters", "HardwareFilters")} == {"n/a"}
    assert (about["InstitutionName"], about["EMGReference"]) == ("University of Somewhere", "wrist")
    assert (described["EthicsApprovals"], described["Funding"]) == (["42_22 B"], ["Foundation, 4711"])
    motion = json.loads(next((root / "sub-P07/motion").glob("*run-01_motion.json")).read_text())
    assert motion["InstitutionName"] == "University of Somewhere"
    channels = table(root / "sub-P07/emg/sub-P07_task-grasp_run-01_channels.tsv")
    assert {(row["low_cutoff"], row["high_cutoff"]) for row in channels} == {("n/a", "n/a")}
    assert [row["status"] for row in channels] == ["good", "good", "bad", "good"]
    (participant,) = table(root / "participants.tsv")
    assert (participant["age"], participant["hand"], participant["device"]) == ("31", "L", "ring")
    events = json.loads((root / "sub-P07/emg/sub-P07_task-grasp_run-01_events.json").read_text())
    assert events["trial_type"]["HED"] == {"Fist": "Agent-action, Grasp"}


@pytest.mark.parametrize(
    "told", ["sidecar.SamplingFrequency = 1", "sidecar.EMGChannelCount = 2", 'dataset.BIDSVersion = "2"']
)
def test_what_is_measured_cannot_be_told_otherwise(told):
    with pytest.raises(ConfigError, match=rf"bids: {told.partition(' ')[0]}: that is known"):
        parse_config(f"[bids]\n{told}\n")


def test_other_streams_are_motion_with_the_time_of_each_sample(dataset):
    paths, root = dataset
    stem = root / "sub-P07/motion/sub-P07_task-grasp_tracksys-imu_run-01"
    values = np.loadtxt(f"{stem}_motion.tsv", delimiter="\t")
    with open_session_store(paths[0]) as session:
        data, times = session.get_continuous("imu")
    np.testing.assert_array_equal(values[:, 1:], data)
    np.testing.assert_allclose(values[:, 0], times - times[0], atol=1e-9)
    rows = table(Path(f"{stem}_channels.tsv"))
    assert [(row["name"], row["component"], row["type"], row["tracked_point"]) for row in rows] == [
        ("latency", "n/a", "LATENCY", "n/a"),
        *((f"wrist {axis}", axis, "ACCEL", "wrist") for axis in "xyz"),
    ]
    scans = {row["filename"].split("/")[0]: row["acq_time"] for row in table(root / "sub-P07/sub-P07_scans.tsv")}
    seconds = [np.datetime64(scans[kind].rstrip("Z")) for kind in ("motion", "emg")]
    assert (seconds[0] - seconds[1]) / np.timedelta64(1, "ms") == pytest.approx(250, abs=20)


def test_anonymous_datasets_have_neither_the_date_nor_the_subjects_code(dataset, tmp_path):
    import edfio

    with open_session_store(dataset[0][0]) as session:
        day = np.datetime64(session.meta.created[:10])
        about = BidsConfig(anonymize=1000)
        done = export_bids(session, tmp_path / "anonymous", subject="01", about=about)
    header = edfio.read_bdf(done.paths[0])
    assert header.patient.code == "X"
    assert abs((day - np.datetime64(header.recording.startdate)) / np.timedelta64(1, "D") - 1000) <= 1
    for row in table(tmp_path / "anonymous/sub-01/sub-01_scans.tsv"):
        assert abs((day - np.datetime64(row["acq_time"][:10])) / np.timedelta64(1, "D") - 1000) <= 1
    texts = [path.read_bytes() for path in (tmp_path / "anonymous").rglob("*") if path.is_file()]
    assert not [text for text in texts if b"P07" in text]
    assert any("nobody is named" in remark for remark in done.remarks)


def test_the_command_line_goes_over_the_configuration(dataset, tmp_path, monkeypatch):
    from click.testing import CliRunner

    from myogestic_tui.cli.command_table import root as cli

    monkeypatch.chdir(tmp_path)
    Path("myogestic.toml").write_text('[bids]\nname = "Grasps"\nlicense = "CC0"\nline_freq = 60\n')
    arguments = [
        "export",
        str(dataset[0][0]),
        "--to",
        "bids",
        "-o",
        "out",
        "--line-freq",
        "50",
        "--author",
        "A. Muster",
    ]
    done = CliRunner().invoke(cli, arguments)
    assert done.exit_code == 0, done.output
    described = json.loads(Path("out/dataset_description.json").read_text())
    assert (described["Name"], described["License"], described["Authors"]) == ("Grasps", "CC0", ["A. Muster"])
    about = json.loads(Path("out/sub-P07/emg/sub-P07_task-grasp_run-01_emg.json").read_text())
    assert about["PowerLineFrequency"] == 50.0
    refused = CliRunner().invoke(cli, ["export", str(dataset[0][0]), "--to", "edf", "--line-freq", "50"])
    assert (refused.exit_code, "--line-freq is for --to bids" in refused.output) == (2, True)


def test_a_montage_is_in_the_dataset_and_the_validator_finds_no_error(tmp_path):
    """Two runs of one montage, one with another distance, one without any: each tells of its own."""
    import mne_bids

    other = ChannelGrid("flexors", FLEXORS.cells, "flexor digitorum", "left")
    runs = {4: (FLEXORS, BICEPS), 5: (FLEXORS, BICEPS), 6: (other,), 7: None}
    for run, grids in runs.items():
        six = record(tmp_path / str(run), grids, take=run)
        with open_session_store(six.path) as session:
            export_bids(session, tmp_path / "set", about=ABOUT if run < 7 else None)
    emg = tmp_path / "set/sub-P07/emg"
    stem = f"{emg}/sub-P07_task-grasp_run-"
    rows = table(Path(f"{stem}04_electrodes.tsv"))
    assert list(rows[0]) == ["name", "x", "y", "z", "coordinate_system", "group"]
    assert [(row["name"], row["x"], row["y"]) for row in rows] == [
        ("E1", "0", "0"),
        ("E2", "0", "8"),
        ("E3", "8", "0"),
        ("E4", "8", "8"),
    ]
    assert {(row["coordinate_system"], row["group"]) for row in rows} == {("flexors", "flexors")}
    counted = table(Path(f"{stem}06_electrodes.tsv"))
    assert [(row["x"], row["y"], row["coordinate_system"]) for row in counted][3] == ("1", "1", "flexors2")
    assert not Path(f"{stem}07_electrodes.tsv").exists()
    spaces = {path.name.split("_")[1]: json.loads(path.read_text()) for path in emg.glob("*_coordsystem.json")}
    assert {name: about["EMGCoordinateUnits"] for name, about in spaces.items()} == {
        "space-flexors": "mm",
        "space-flexors2": "n/a",
    }
    channels = table(Path(f"{stem}05_channels.tsv"))
    assert [row["target_muscle"] for row in channels] == ["left flexor digitorum"] * 4 + ["left biceps brachii", "n/a"]
    assert [row["interelectrode_distance"] for row in channels] == ["8"] * 4 + ["20", "n/a"]
    assert [row["signal_electrode"] for row in channels] == ["E1", "E2", "E3", "E4", "BB", "n/a"]
    schemes = [json.loads(Path(f"{stem}{run:02d}_emg.json").read_text())["EMGPlacementScheme"] for run in runs]
    assert schemes == ["Measured"] * 3 + ["Other"]
    found = issues(tmp_path / "set")
    assert [one for one in found if one["severity"] == "error"] == []
    assert {one["code"] for one in found} <= ALLOWED
    where = mne_bids.BIDSPath(root=tmp_path / "set", subject="P07", task="grasp", run="04", datatype="emg")
    raw = mne_bids.read_raw_bids(where, verbose="error")
    np.testing.assert_allclose(raw.get_data().T[:, 0] * 1e6, record_values(tmp_path / "4"), atol=1e-4)


def test_eeg_physio_and_motion_have_their_place_and_events_of_their_own(tmp_path):
    import gzip

    import mne_bids

    ecg = StreamInfo(1, 500.0, channel_names=("II",), units=("mV",), type="ECG")
    six = record(tmp_path / "one", more={"ecg": ecg, "eeg2": EEG, "temp": StreamInfo(1, 0.5, type="Temperature")})
    with open_session_store(six.path) as session:
        done = export_bids(session, tmp_path / "set", about=ABOUT)
    assert [remark for remark in done.remarks if "left out" in remark] == [
        "force has no fixed rate and is left out; xdf, csv and npz hold it"
    ]
    root = tmp_path / "set/sub-P07"
    where = mne_bids.BIDSPath(
        root=tmp_path / "set", subject="P07", task="grasp", run="04", datatype="eeg", acquisition="eeg2"
    )
    raw = mne_bids.read_raw_bids(where, verbose="error")
    np.testing.assert_allclose(raw.get_data().T * 1e6, six.values["eeg2"], atol=1e-4)
    assert raw.get_channel_types() == ["eeg"] * 3
    about = json.loads((root / "eeg/sub-P07_task-grasp_run-04_eeg.json").read_text())
    assert {about[key] for key in ("EEGReference", "EEGGround", "HardwareFilters", "SoftwareFilters")} == {"n/a"}
    stem = root / "emg/sub-P07_task-grasp_run-04_recording-ecg_physio"
    values = np.loadtxt(gzip.decompress(Path(f"{stem}.tsv.gz").read_bytes()).decode().splitlines(), ndmin=2)
    np.testing.assert_array_equal(values.reshape(-1, 1).astype("float32"), six.values["ecg"])
    told = json.loads(Path(f"{stem}.json").read_text())
    assert (told["SamplingFrequency"], told["StartTime"], told["Columns"]) == (500.0, 0.0, ["II"])
    events = {
        kind: table(next(root.glob(f"{kind}/*{part}run-04_events.tsv")))
        for kind, part in (("emg", ""), ("eeg", "acq-eeg2_"), ("motion", "tracksys-imu_"))
    }
    for kind, fs in (("emg", 1000), ("eeg", 250), ("motion", 100)):
        trials = [row for row in events[kind] if row["class_index"] != "n/a"]
        assert [(row["trial_type"], row["value"]) for row in trials] == [
            ("Rest", "1"),
            ("BAD Fist", "n/a"),
            ("Rest", "1"),
        ]
        np.testing.assert_allclose([float(row["onset"]) for row in trials], [0.5, 2.0, 3.6], atol=1e-5)
        assert [int(row["sample"]) for row in trials] == pytest.approx([0.5 * fs, 2 * fs, 3.6 * fs], abs=1)
    found = issues(tmp_path / "set")
    assert [one for one in found if one["severity"] == "error"] == []
    assert {one["code"] for one in found} <= ALLOWED - {"EVENTS_TSV_MISSING"}
    assert placeholders(tmp_path / "set") == []


def test_gaps_of_physio_are_no_values_and_motion_has_the_events_of_its_own_time(tmp_path):
    """ECG with 0.4 s missing, 0.25 s after the EMG; an IMU that came at 1.5 s and ended at 3.5 s."""
    import gzip

    session = Session(
        tmp_path, class_names=["Rest", "Fist", "Pinch"], fields={"subject": "1", "task": "t"}, reserve_bytes=0
    )
    start, ecg = session.started_at, StreamInfo(1, 500.0, channel_names=("II",), units=("mV",), type="ECG")
    fill(session, "emg", EMG, emg_of(6000), start + np.arange(6000) / 1000)
    times = start + 0.25 + np.arange(2000) / 500
    times[1000:] += 0.4
    fill(session, "ecg", ecg, emg_of(2000, ecg), times)
    fill(session, "imu", IMU, emg_of(201, IMU), start + 1.5 + np.arange(201) / 100)
    for at, index in ((0.5, 0), (1.0, 1), (2.0, 2), (4.0, 0), (5.0, -1)):
        session.add_label(index, start + at)
    session.add_note("before", start + 0.6)
    session.add_note("within", start + 2.5)
    with open_session_store(session.pack_to_zip()) as reader:
        export_bids(reader, tmp_path / "set")
        values = reader.get_continuous("ecg")[0].ravel()
    root = tmp_path / "set/sub-1"
    rows = gzip.decompress(next(root.glob("emg/*physio.tsv.gz")).read_bytes()).decode().split()
    assert rows[1000:1200] == ["n/a"] * 200
    np.testing.assert_array_equal(np.array(rows[:1000] + rows[1200:], float).astype("float32"), values)
    assert json.loads(next(root.glob("emg/*physio.json")).read_text())["StartTime"] == pytest.approx(0.25, abs=1e-4)
    events = table(next(root.glob("motion/*imu*events.tsv")))
    assert [(row["trial_type"], float(row["onset"]), float(row["duration"])) for row in events] == [
        ("Fist", 0.0, pytest.approx(0.5, abs=1e-4)),
        ("Pinch", pytest.approx(0.5, abs=1e-4), pytest.approx(1.5, abs=1e-4)),
        ("note: within", pytest.approx(1.0, abs=1e-4), 0.0),
    ]


def test_a_session_without_emg_or_eeg_is_no_dataset(tmp_path):
    session, start = Session(tmp_path, reserve_bytes=0), local_clock()
    fill(session, "imu", IMU, emg_of(200, IMU), start + np.arange(200) / 100)
    with (
        open_session_store(session.pack_to_zip()) as reader,
        pytest.raises(ConfigError, match="no EMG channel"),
    ):
        export_bids(reader, tmp_path / "set")


def record_values(folder: Path) -> np.ndarray:
    with open_session_store(next(folder.glob("*.session.zip"))) as session:
        return session.get_continuous("emg")[0][:, 0]
