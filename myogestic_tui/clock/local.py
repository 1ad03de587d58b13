"""The recorder's clock."""

from __future__ import annotations

import time


def local_clock() -> float:
    """Seconds on the recorder's LSL clock, which labels, notes and cuts are stamped with.

    On Linux liblsl's ``local_clock()`` reads the monotonic clock too (measured: both agree within 5 µs), so any
    process of the machine can stamp without loading liblsl. It means nothing after a reboot or on another machine.
    """
    return time.monotonic()
