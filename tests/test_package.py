"""The package as a whole: light to import, in layers, with a surface that is what it says."""

from __future__ import annotations

import importlib
import inspect
import json
import subprocess
import sys
import tomllib
from itertools import chain
from pathlib import Path

import pytest

import myogestic_tui

ROOT = Path(__file__).parents[1]
CONSTRAINTS = (ROOT / "constraints.txt").read_text().splitlines()
HEAVY = ("numpy", "zarr", "mne_lsl", "textual", "plotext", "msgspec")


def modules_after(code: str) -> set[str]:
    """Top-level modules that a fresh interpreter has imported after running the code."""
    report = f"{code}\nimport json, sys; print(json.dumps([name.partition('.')[0] for name in sys.modules]))"
    done = subprocess.run([sys.executable, "-c", report], capture_output=True, text=True, timeout=120, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_importing_the_package_imports_nothing_heavy():
    assert not modules_after("import myogestic_tui").intersection(HEAVY)


def test_help_imports_nothing_heavy():
    code = "from myogestic_tui.cli.command_table import run\nassert run(['--help']) == 0"
    assert not modules_after(code).intersection(HEAVY)


def test_reading_a_session_imports_neither_lsl_nor_textual_nor_plotext():
    assert not modules_after("from myogestic_tui.session import open_session_store, SessionReader").intersection(
        ("mne_lsl", "textual", "plotext")
    )


def test_the_recorder_imports_no_screens():
    code = "from myogestic_tui import App, Stream\nfrom myogestic_tui.sources import LSLSource\nApp('x')"
    assert not modules_after(code).intersection(("textual", "plotext", "mne_lsl"))


SURFACE = {
    "": """
        App ChannelGrid Context GridLayout LSLSource MyoGesticError Stream StreamInfo __version__ local_clock
        open_session_store
    """,
    ".session": """
        Finding Job LabelEvent Note Session SessionReader Summary Trashed Trial Verification Windows WindowsDataset
        aligned_windows causal_filter edit_labels empty_trash finish_interrupted iter_aligned_windows
        iter_labeled_windows labeled_windows list_sessions list_trash open_session_store pack_session
        read_archive_summary recover_session restore_session salvage_session session_state split start_job
        trash_session trial_windows unfinished_sessions unpacked_sessions verify_session windows
    """,
    ".sources": """
        Discovery LSLSource Outlet ReplaySource Seen SyntheticSource configure_lsl live_windows
    """,
    ".widgets": """
        RecordingControls SessionBrowser SignalView StreamStatusView button recording_controls session_browser
        signal_view stream_status text
    """,
}
"""What scripts may import; all else may change. A name leaves only with a word in the change log."""


@pytest.mark.parametrize("module", SURFACE)
def test_the_public_surface_is_what_is_written_here(module):
    assert sorted(importlib.import_module(f"myogestic_tui{module}").__all__) == SURFACE[module].split()


def is_own(package, name: str) -> bool:
    """Whether a module without ``__all__`` defines the public name itself."""
    return not name.startswith("_") and getattr(getattr(package, name), "__module__", "") == package.__name__


@pytest.mark.parametrize("module", ["", ".app", ".config", ".errors", ".session", ".sources", ".stream", ".widgets"])
def test_every_public_name_is_there_and_documented(module):
    package = importlib.import_module(f"myogestic_tui{module}")
    names = getattr(package, "__all__", None) or [name for name in vars(package) if is_own(package, name)]
    assert names
    for name in names:
        value = getattr(package, name)
        if inspect.isclass(value) or inspect.isfunction(value):
            assert value.__doc__, name


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'Ap'"):
        myogestic_tui.Ap  # noqa: B018


def test_layers_are_kept():
    done = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout


def test_constraints_are_exact_versions_and_nothing_else():
    assert all(line.count("==") == 1 and not set(line) & set("/:@ \\") for line in CONSTRAINTS)


def test_every_dependency_is_constrained():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    wanted = {one.partition(">=")[0] for one in chain(project["dependencies"], *extras.values())}
    pinned = {line.partition("==")[0].lower().replace("_", "-") for line in CONSTRAINTS}
    assert {name for name in wanted if not name.startswith("myogestic_tui[")} <= pinned
