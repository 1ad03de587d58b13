"""Libraries that an extra brings along: imported where they are used, and missed with a word on how to get them."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from .errors import ConfigError


def needed(module: str, extra: str, what: str) -> Any:
    """The module of a library.

    Parameters
    ----------
    module
        Its name for Python.
    extra
        The extra that brings it: ``export``, ``dask`` or ``remote``.
    what
        What it is needed for, as the beginning of a sentence.

    Raises
    ------
    ConfigError
        The library, or one that it needs itself, is not installed.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        name = error.name or module.partition(".")[0]
        text = f"{what} needs {name}; install it with: pip install 'myogestic_tui[{extra}]'"
        raise ConfigError(text) from error
