"""One session with everything in it that an export has to carry."""

from __future__ import annotations

import warnings
from types import SimpleNamespace

import numpy as np
import pytest

from myogestic_tui.info import StreamInfo
from myogestic_tui.session import Session, open_session_store
from tests.windows.making import EMG, MARKERS, OFFSET, START, VHI, emg_of, fill

IMU = StreamInfo(3, 100.0, "int16", type="Accelerometer", units=("g",) * 3)


@pytest.fixture(autouse=True)
def quiet_libraries():
    """What these libraries warn of among themselves is not ours; MNE warns of file names and of channel types."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        warnings.filterwarnings("ignore", category=FutureWarning)
        yield


@pytest.fixture(scope="session")
def recorded(tmp_path_factory):
    """``path`` of the session and what went into it; EMG is 3 s off and has 0.4 s missing at 3.0 s."""
    session = Session(
        tmp_path_factory.mktemp("sessions"),
        class_names=["Rest", "Fist"],
        fields={"subject": "P07", "task": "grasp", "take": 4, "name": "wrist <4>"},
    )
    emg = emg_of(6000)
    times = START + np.arange(6000) / 1000
    times[3000:] += 0.4
    fill(session, "emg", EMG, emg, times, OFFSET)
    vhi = np.arange(720).reshape(360, 2).astype("float32")
    fill(session, "vhi_control", VHI, vhi, START + np.arange(360) / 60)
    imu = emg_of(600, IMU, seed=3)
    fill(session, "imu", IMU, imu, START + np.arange(600) / 100)
    texts = np.array([["go"], ["größer µ"], ['<stop & "go">']], object)
    fill(session, "markers", MARKERS, texts, START + np.array([1.0, 2.5, 4.0]))
    labels = [(START + 0.5, 0), (START + 2.0, 1), (START + 3.6, 0), (START + 5.0, -1)]
    for at, index in labels:
        session.add_label(index, at)
    session.mark_trial(1)
    session.mark_channel("emg", 2)
    session.add_note("electrode 3 re-taped", START + 1.25)
    session.finish()
    path = session.pack_to_zip()
    return SimpleNamespace(path=path, emg=emg, times=times, vhi=vhi, imu=imu, texts=texts, labels=labels)


@pytest.fixture
def session(recorded):
    """The session, open."""
    with open_session_store(recorded.path) as reader:
        yield reader
