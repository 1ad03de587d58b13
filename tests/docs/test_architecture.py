"""The page on architecture names functions that exist, and the layers below each other import nothing in a circle."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from typing import Any

import grimp
import pytest

PAGE = Path(__file__).parents[2] / "docs" / "architecture.md"
NAMES = re.findall(r"^\d+\. `([\w.]+)`", PAGE.read_text("utf-8"), re.MULTILINE)


def found(name: str) -> Any:
    """What ``package.module.Class.method`` is; raises AttributeError or ImportError where there is none."""
    parts = name.split(".")
    first = next((i for i, part in enumerate(parts) if part[0].isupper()), len(parts) - 1)
    value: Any = import_module(".".join(["myogestic_tui", *parts[:first]]))
    for part in parts[first:]:
        value = getattr(value, part)
    return value


def test_each_way_has_its_steps():
    assert len(NAMES) > 20
    assert all(len(way.split("\n1. ")) == 2 for way in PAGE.read_text("utf-8").split("\n## ")[1:])


@pytest.mark.parametrize("name", NAMES)
def test_what_the_page_names_exists(name):
    assert callable(found(name))


def circles(graph: grimp.ImportGraph) -> list[set[str]]:
    """Groups of modules that import each other, directly or by others of the group."""
    imported = {module: graph.find_upstream_modules(module) for module in graph.modules}
    groups = {frozenset({m, *(o for o in imported[m] if m in imported.get(o, ()))}) for m in graph.modules}
    return [set(group) for group in groups if len(group) > 1]


def test_a_circle_is_seen():
    graph = grimp.ImportGraph()
    for importer, imported in ("ab", "bc", "ca", "cd"):
        graph.add_import(importer=importer, imported=imported)
    assert circles(graph) == [{"a", "b", "c"}]


def test_no_modules_import_each_other_in_a_circle():
    graph = grimp.build_graph("myogestic_tui", exclude_type_checking_imports=True, cache_dir=None)
    assert len(graph.modules) > 200
    assert circles(graph) == []
