"""Sphinx settings: Markdown pages, an API reference from the docstrings, links within the pages checked."""

from __future__ import annotations

from myogestic_tui import __version__

project = "myogestic_tui"
author = "the myogestic_tui contributors"
version = release = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"myogestic_tui {__version__}"

myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence"]

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_default_options = {"members": True, "show-inheritance": True}
autodoc_preserve_defaults = True
autodoc_inherit_docstrings = False
napoleon_google_docstring = False
napoleon_numpy_docstring = True
# In the docstrings a single backtick marks code, as in Markdown.
default_role = "code"
# Several classes have attributes of one name (path, state); a bare mention of one is no link.
suppress_warnings = ["ref.python"]
