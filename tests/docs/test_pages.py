"""What README and docs show is true: Python runs, commands exist, configuration is valid, links lead somewhere."""

from __future__ import annotations

import json
import re
import runpy
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

import click
import numpy as np
import pytest

from myogestic_tui import StreamInfo
from myogestic_tui.cli.command_table import COMMANDS, root
from myogestic_tui.config import parse_config
from myogestic_tui.fleet.config import parse_fleet
from tests.after.planted import Planted

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(
    r"^(?P<mark>(?:<!-- (?P<note>[a-z ]+) -->\n)?)```(?P<kind>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
SESSION = "2026-05-17_14-23-05"
COMMAND = [sys.executable, "-m", "myogestic_tui"]
READS = {"sessions", "info", "verify", "labels", "report"}
"""Commands that are run as they stand; of the others only the options are checked."""


@dataclass(frozen=True)
class Block:
    page: Path
    line: int
    kind: str
    note: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line}"


def blocks(*kinds: str) -> list[Block]:
    found = []
    for page in PAGES:
        text = page.read_text("utf-8")
        for match in FENCE.finditer(text):
            if match["kind"] in kinds:
                line = text.count("\n", 0, match.start()) + 1
                found.append(Block(page, line, match["kind"], match["note"] or "", match["text"]))
    return found


def commands() -> list[tuple[Block, list[str]]]:
    found = []
    for block in blocks("sh", "console"):
        for line in block.text.replace("\\\n", " ").splitlines():
            words = shlex.split(re.split(r" [>|&]", line.removeprefix("$ "))[0], comments=True)
            if words and words[0] == "myogestic-tui":
                found.append((block, words[1:]))
    return found


def shown_after(block: Block, words: list[str]) -> list[str]:
    """What a console block shows that a command prints, up to an ellipsis: lines of its output, as they are."""
    lines = block.text.replace("\\\n", " ").splitlines() if block.kind == "console" else []
    own = (place for place, line in enumerate(lines) if line.startswith("$") and shlex.split(line)[2:] == words)
    at = next(own, None)
    return [] if at is None else list(takewhile(lambda line: not line.startswith(("$", "…")), lines[at + 1 :]))


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The session that the pages talk about: 20 s of emg and vhi_control, four labels."""
    planted = Planted(tmp_path_factory.mktemp("archive"), 20.0, class_names=["Rest", "Fist"])
    generator = np.random.default_rng(1)
    for name, n_channels, fs in (("emg", 8, 500.0), ("vhi_control", 9, 60.0)):
        active = np.arange(int(20 * fs)) / fs // 5 % 2
        data = (generator.normal(size=(len(active), n_channels)) * (1 + 9 * active[:, None])).astype(np.float32)
        planted.stream(name, StreamInfo(n_channels, fs), data)
    planted.labels((5.0 * index, index % 2) for index in range(4))
    return planted.finish(packed=True)


@pytest.fixture
def lab(tmp_path: Path, archive: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory as the pages assume it."""
    (tmp_path / "sessions").mkdir()
    shutil.copy(archive, tmp_path / f"sessions/{SESSION}.session.zip")
    for box in ("left", "right"):
        shutil.copy(archive, tmp_path / f"{box}.session.zip")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(command: list[str]) -> str:
    """What a command prints. A verdict that is not good stands there, not among the errors: a failure shows both."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, f"exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.mark.parametrize("page", sorted({block.page for block in blocks("python")}), ids=lambda page: page.name)
def test_python_blocks_run(page, lab):
    """The blocks of a page are one program, run where the sessions are. Those marked "not run" only have to compile."""
    parts = []
    for block in blocks("python"):
        if block.page == page:
            compile(block.text, str(block), "exec")
            parts += [] if block.note == "not run" else [block.text]
    run([sys.executable, "-c", "\n".join(parts)])


@pytest.mark.parametrize(("block", "words"), commands(), ids=str)
def test_commands_are_as_the_program_has_them(block, words, lab):
    """Options and arguments are parsed as they stand; commands that only read are run, too."""
    words = [str(path) for word in words for path in (sorted(Path().glob(word)) if "*" in word else [word])]
    for word in words:
        if word.endswith(SESSION):
            Path(word).mkdir()
    top = root.make_context("myogestic-tui", words)
    rest = [*top._protected_args, *top.args]
    if rest:
        name, command, arguments = root.resolve_command(top, rest)
        assert command is not None
        inner = command.make_context(name, list(arguments), parent=top)
        if isinstance(command, click.Group):
            words_within = [*inner._protected_args, *inner.args]
            name_within, within, arguments = command.resolve_command(inner, words_within)
            assert within is not None
            within.make_context(name_within, list(arguments), parent=inner)
        if name in READS:
            told = run([*COMMAND, *words])
            for line in shown_after(block, words):
                assert line.rstrip() in [one.rstrip() for one in told.splitlines()]


@pytest.mark.parametrize("block", blocks("toml"), ids=str)
def test_configuration_is_valid(block):
    (parse_fleet if block.note == "fleet" else parse_config)(block.text)


@pytest.mark.parametrize("block", blocks("json"), ids=str)
def test_json_is_valid(block):
    json.loads(block.text)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_to_files_lead_somewhere(page):
    text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text):
        if "://" not in target and not target.startswith("mailto:"):
            assert (page.parent / target).exists(), target


def test_every_page_can_be_reached_from_the_index():
    docs = ROOT / "docs"
    for page in docs.rglob("*.md"):
        index = page.parent / "index.md"
        if page == index:
            index = docs / "index.md" if page.parent == docs else page.parent.parent / "index.md"
        name = page.relative_to(index.parent).with_suffix("").as_posix()
        assert page == index or re.search(rf"\b{re.escape(name)}\b", index.read_text("utf-8")), name


def test_the_tables_of_keys_are_up_to_date():
    """If this fails: python docs/make_keys.py."""
    script = runpy.run_path(str(ROOT / "docs" / "make_keys.py"))
    for page, text in script["pages"]().items():
        assert page.read_text("utf-8") == text


def test_the_api_page_has_every_public_name():
    """If this fails: python docs/make_api.py."""
    script = runpy.run_path(str(ROOT / "docs" / "make_api.py"))
    assert script["PAGE"].read_text("utf-8") == script["page"]()


def test_the_page_on_commands_has_every_command():
    page = (ROOT / "docs" / "commands.md").read_text("utf-8")
    assert all(re.search(rf"`{name}\b", page) for name in COMMANDS)
