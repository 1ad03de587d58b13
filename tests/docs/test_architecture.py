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


def without_lazy_names(graph: grimp.ImportGraph) -> grimp.ImportGraph:
    """The graph without what packages import for `lazy_names`: nobody imports them for it."""
    for package in (module for module in graph.modules if graph.find_children(module)):
        if "lazy_names(" in Path(import_module(package).__file__ or "").read_text("utf-8"):
            for imported in list(graph.find_modules_directly_imported_by(package)):
                graph.remove_import(importer=package, imported=imported)
    return graph


def test_types_close_a_circle_between_two_modules_of_one_package_at_most():
    graph = without_lazy_names(grimp.build_graph("myogestic_tui", exclude_type_checking_imports=False, cache_dir=None))
    for circle in circles(graph):
        assert len(circle) == 2, circle
        assert len({module.rpartition(".")[0] for module in circle}) == 1, circle
