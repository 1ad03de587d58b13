"""The account that a process runs under, as every surface names it."""

from __future__ import annotations

import os
import pwd


def user_name(uid: int | None = None) -> str:
    """Login name of a user, by default the one whose rights this process has; the number where there is no name.

    Environment variables have no say: after `su` they may still name whoever logged in. Commands take a number as well.
    """
    number = os.geteuid() if uid is None else uid
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)
