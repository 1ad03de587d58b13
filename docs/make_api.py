"""Writes api.md anew from what the packages make public: ``python docs/make_api.py``."""

from __future__ import annotations

import inspect
from importlib import import_module
from pathlib import Path

PAGE = Path(__file__).with_name("api.md")
PACKAGES = {
    "myogestic_tui": "The names that a recording script begins with.",
    "myogestic_tui.sources": "Where samples come from.",
    "myogestic_tui.stream": "One stream, and what a source of one's own has to offer.",
    "myogestic_tui.session": "Sessions on disk: written, read, verified, repaired, cut into windows.",
    "myogestic_tui.session.export": "Sessions in the formats of other tools.",
    "myogestic_tui.widgets": "Parts of the screens, for interfaces of one's own.",
    "myogestic_tui.tui": "The screens.",
    "myogestic_tui.control": "Attaching to a recorder in another process.",
    "myogestic_tui.clock": "The recorder's clock, gaps, and fits of clock offsets.",
}
FUNCTIONS = {
    "myogestic_tui.session.library.label_changes": (
        "Changes that `edit_labels` takes.",
        ("Shift", "Relabel", "MarkBad", "Drop", "Split"),
    ),
    "myogestic_tui.session.library.edit_labels": ("Labels as a whole.", ("first_labels", "replace_labels")),
    "myogestic_tui.session.reading.onsets": ("Where the signal itself changes.", ("find_onsets",)),
    "myogestic_tui.session.import_xdf": ("Sessions from XDF files.", ("import_xdf",)),
    "myogestic_tui.session.window_sets": (
        "Windows and streams as dask collections.",
        ("gathered_windows", "session_array", "windows_arrays", "windows_bag", "windows_on_cluster"),
    ),
    "myogestic_tui.session.dask_cluster": (
        "Work over many sessions on a dask cluster.",
        ("export_each", "on_cluster"),
    ),
    "myogestic_tui.session.reading.find_sessions": ("Sessions by path, folder, pattern or URL.", ("find_sessions",)),
    "myogestic_tui.session.windowing.recipe": ("What windows are cut with.", ("WindowOptions",)),
    "myogestic_tui.session.windowing.window": (
        "A window, and what is known of it.",
        ("AlignedWindow", "LabeledWindow", "WindowMeta"),
    ),
}
"""Names of modules that are public one by one."""
MODULES = {
    "myogestic_tui.app.interface": "The interface that screens, scripts and the control socket are written against.",
    "myogestic_tui.config": "What `myogestic.toml` may hold.",
    "myogestic_tui.errors": "Every exception that is raised on purpose.",
}


def directive(package: str, name: str) -> str:
    """How Sphinx is asked to document one name."""
    value = getattr(import_module(package), name)
    kind = "autofunction" if inspect.isfunction(value) else "autoclass" if inspect.isclass(value) else "autodata"
    return f".. {kind}:: {package}.{name}"


def page() -> str:
    """The whole page."""
    parts = ["# Python API\n\nNames are imported from these packages; everything else is internal.\n"]
    seen: set[int] = {
        id(value)
        for module in MODULES
        for value in vars(import_module(module)).values()
        if str(getattr(value, "__module__", module)).startswith(module)
    }
    for package, about in PACKAGES.items():
        found = import_module(package)
        names = [name for name in found.__all__ if not name.startswith("__") and id(getattr(found, name)) not in seen]
        seen |= {id(getattr(found, name)) for name in names}
        directives = "\n".join(directive(package, name) for name in names)
        parts.append(f"## {package}\n\n{about}\n\n```{{eval-rst}}\n{directives}\n```\n")
    for module, (about, names) in FUNCTIONS.items():
        directives = "\n".join(directive(module, name) for name in names)
        parts.append(f"## {module}\n\n{about}\n\n```{{eval-rst}}\n{directives}\n```\n")
    for module, about in MODULES.items():
        parts.append(f"## {module}\n\n{about}\n\n```{{eval-rst}}\n.. automodule:: {module}\n```\n")
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
