"""One finished session folder and one archive, made once and copied for each test that damages them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from myogestic_tui.session import pack_session
from tests.archive.sessions import finished_folder


@pytest.fixture(scope="session")
def made_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return finished_folder(tmp_path_factory.mktemp("made"))


@pytest.fixture(scope="session")
def made_archive(made_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    copy = tmp_path_factory.mktemp("packed") / made_folder.name
    shutil.copytree(made_folder, copy)
    return pack_session(copy)


@pytest.fixture
def folder(made_folder: Path, tmp_path: Path) -> Path:
    """A finished session folder, alone in its sessions folder."""
    return Path(shutil.copytree(made_folder, tmp_path / made_folder.name))


@pytest.fixture
def archive(made_archive: Path, tmp_path: Path) -> Path:
    """Its archive, alone in its sessions folder."""
    return Path(shutil.copy(made_archive, tmp_path / made_archive.name))
