"""No damage to an archive goes unseen, and none makes reading fail in a way that a caller does not expect."""

from __future__ import annotations

import pytest

from myogestic_tui.session import pack_session
from tests.archive.faults import additions, cuts, flips, missed, surprises
from tests.archive.sessions import SMALL, finished_folder, rewrite


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return pack_session(finished_folder(tmp_path_factory.mktemp("small"), SMALL)).read_bytes()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "damaged.session.zip"


def test_flipped_bytes_in_every_part_are_found(data, path):
    assert missed(flips(data, 41), path) == []


@pytest.mark.slow
def test_every_flipped_byte_is_found(data, path):
    assert missed(flips(data, 1), path) == []


def test_bytes_before_and_behind_are_found(data, path):
    assert missed(additions(data), path) == []


def test_every_cut_is_found(data, path):
    assert missed(cuts(data), path) == []


def test_reading_a_damaged_archive_raises_only_errors_of_this_package(data, path):
    assert surprises([*additions(data), *cuts(data, 256), *flips(data, 149)], path) == []


def test_a_member_left_out_is_found(made_archive, tmp_path):
    path = rewrite(made_archive, tmp_path / "left_out.zip", lambda n, d: None if n == "emg.zarr/c/3/0" else d)
    assert missed([("left out", path.read_bytes())], tmp_path / "one.zip") == []
