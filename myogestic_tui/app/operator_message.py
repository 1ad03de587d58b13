"""The line that tells the operator what has just happened, or what to do."""

from __future__ import annotations

import logging

_log = logging.getLogger(__name__)


class OperatorMessage:
    """The last thing that the operator should know, with its remedy; every one is logged as well."""

    def __init__(self) -> None:
        self.text = ""

    def set(self, text: str) -> None:
        """Show another message."""
        self.text = text
        _log.info("%s", text)
