"""The recorder's clock."""

from __future__ import annotations

import os
import time
from pathlib import Path


def local_clock() -> float:
    """Seconds on the recorder's LSL clock, which labels, notes and cuts are stamped with.

    On Linux liblsl's ``local_clock()`` reads the monotonic clock too (measured: both agree within 5 µs), so any
    process of the machine can stamp without loading liblsl. It means nothing after a reboot or on another machine.
    """
    return time.monotonic()


def clock_id() -> str:
    """Which clock `local_clock` reads here: two processes have the same one only where they read the same clock.

    It is the boot of this machine and, on Linux, the time namespace; empty where nothing tells.
    """
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""
    try:
        return f"{boot}-{os.stat('/proc/self/ns/time').st_ino}"
    except OSError:  # a kernel without time namespaces
        return boot
