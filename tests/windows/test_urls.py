"""Sessions behind a URL read like those on the disk; fsspec's in-memory file system stands for the far side."""

from __future__ import annotations

import numpy as np
import pytest

from myogestic_tui.errors import ConfigError, SessionError
from myogestic_tui.session import iter_labeled_windows, open_session_store
from myogestic_tui.session.reading.remote_sessions import list_url
from tests.windows.making import emg_of, make_session


@pytest.fixture
def far(unique):
    """A folder of the in-memory file system, and a function that copies into it."""
    import fsspec

    fs = fsspec.filesystem("memory")
    fs.makedirs(f"/{unique}")
    yield f"memory://{unique}", lambda path: fs.put(str(path), f"/{unique}/{path.name}", recursive=True)
    fs.rm(f"/{unique}", recursive=True)


def test_an_archive_behind_a_url_gives_the_same_windows(tmp_path, far):
    url, put = far
    path = make_session(tmp_path)
    put(path)
    there = f"{url}/{path.name}"
    with open_session_store(there) as session:
        assert session.state == "packed"
        np.testing.assert_array_equal(session.get_continuous("emg")[0], emg_of(8000))
        np.testing.assert_array_equal(session.stores["emg"][:], emg_of(8000))
        assert session.path.name == path.name
        windows = list(iter_labeled_windows([session.path], "emg", 0.2, 0.1))
    for (a, t, c), (b, u, d) in zip(windows, iter_labeled_windows([path], "emg", 0.2, 0.1), strict=True):
        np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(t, u)
        assert c == d
    assert [found.rpartition("/")[2] for found in list_url(url)] == [path.name]


def test_a_finished_folder_behind_a_url_opens(tmp_path, far):
    url, put = far
    folder = make_session(tmp_path, pack=False, more=False)
    put(folder)
    with open_session_store(f"{url}/{folder.name}") as session:
        assert session.state == "finished"
        np.testing.assert_array_equal(session.get_continuous("emg")[0], emg_of(8000))
        assert session.summary().streams["emg"].n_samples == 8000


def test_what_is_not_there_is_said(far, tmp_path):
    url, put = far
    with pytest.raises(SessionError, match="not there"):
        open_session_store(f"{url}/absent.session.zip")
    with pytest.raises(ConfigError, match="nosuch"):
        open_session_store("nosuch://host/a.session.zip")
    broken = tmp_path / "broken.session.zip"
    broken.write_bytes(b"no zip at all")
    put(broken)
    with pytest.raises(SessionError, match=r"broken\.session\.zip"):
        open_session_store(f"{url}/broken.session.zip")
