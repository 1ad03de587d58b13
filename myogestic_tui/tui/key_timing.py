"""How uncertain the time of a key is: its doubt reaches back to the last proof that the link lived.

A key that is read now was pressed at some time since everything typed before had been read. What comes in one read with
other keys, or while the terminal owes an answer, has waited on the way; so has what follows a late answer, until one
comes in time. Standard library only; all viewers share it. Times are seconds on the monotonic clock.

A lone key that was delayed by less than `ASK_SECONDS` + `OVERDUE_SECONDS` passes unnoticed, and so does any lone key
where no answer proves anything: on a terminal that does not answer, or behind a multiplexer that answers by itself.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

ASK = "\x1b[6n"
"""Where is the cursor? Every terminal answers, and its answer queues behind the keys typed before."""
ASK_SECONDS = 1.0
"""How often to ask while labels can come."""
OVERDUE_SECONDS = 0.3
"""An answer that takes longer means that the link stalls."""
TOGETHER_SECONDS = 0.02
"""Reads nearer than that are one: fingers are slower, and a link that lives again hands out its packets one by one."""
ASLEEP_SECONDS = 0.5
"""A reader that did not look for so long stood still itself: stopped, swapped out, or starved."""


def answers_prove(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether an answer comes from the operator's terminal; tmux and screen answer at once, whatever the link does."""
    return not any(environment.get(name) for name in ("TMUX", "STY", "ZELLIJ"))


class KeyTimes:
    """Keeps the proofs that the link of one terminal lives; safe to use from several threads.

    Parameters
    ----------
    at
        Now: nothing can have been pressed for this program before.
    proving
        Whether answers of the terminal prove anything (`answers_prove`); otherwise only reads do.
    """

    def __init__(self, at: float, *, proving: bool = True) -> None:
        self._lock = threading.Lock()
        self._proving = proving
        self._proof = at
        self._asked: deque[float] = deque()
        self._answers = False
        self._silent = False
        self._stalled = False
        self._looked = at
        self._last_read = (float("-inf"), at)

    # ---------------------------------------------------------------- questions

    @property
    def waits(self) -> bool:
        """Whether the terminal owes an answer, and usually gives one."""
        return self._answers and bool(self._asked)

    def due(self, at: float) -> bool:
        """Whether to ask the terminal (`ASK`); never while it owes an answer."""
        with self._lock:
            return self._proving and not self._asked and (self._stalled or at - self._proof >= ASK_SECONDS)

    def asked(self, at: float) -> None:
        """A question is written, or queued to be."""
        with self._lock:
            self._asked.append(at)

    def answered(self, at: float) -> None:
        """An answer was read: what was pressed before its question was asked has been read, too."""
        with self._lock:
            if not self._asked:
                return
            asked = self._asked.popleft()
            self._answers = True
            if self._proving:
                self._stalled = at - asked > OVERDUE_SECONDS
                self._proof = max(self._proof, asked)

    # ---------------------------------------------------------------- keys

    def reading(self, at: float) -> None:
        """The reader waits for keys from now on; it says so at least every quarter of a second."""
        with self._lock:
            self._looked = at

    def opened(self, since: float) -> None:
        """Keys may have waited since then, before anybody could read them."""
        with self._lock:
            self._proof, self._stalled = min(since, self._proof), True

    def doubt(self, at: float, n_keys: int, *, stalled_since: float | None = None) -> float:
        """How much earlier than ``at`` the keys of one read may have been pressed; the same for all of them.

        Call it once for each read that brought keys, before `answered` for an answer in the same read.

        Parameters
        ----------
        at
            When they were read (s).
        n_keys
            How many came in that read.
        stalled_since
            Since when the terminal has not taken output, where that is so (s).

        Returns
        -------
        float
            Seconds; 0 where nothing speaks for a delay.
        """
        with self._lock:
            before, proof_before = self._last_read
            together = at - before < TOGETHER_SECONDS
            proof = proof_before if together else self._proof
            asleep = at - self._looked > ASLEEP_SECONDS
            late = n_keys > 1 or together or asleep or stalled_since is not None or self._link_stalls(at)
            self._last_read = (at, proof)
            if not (self._answers and self._proving):
                self._proof, self._stalled = at, False
            since = proof if stalled_since is None else min(proof, stalled_since)
            return max(at - since, 0.0) if late else 0.0

    def _link_stalls(self, at: float) -> bool:
        overdue = bool(self._asked) and at - self._asked[0] > OVERDUE_SECONDS
        if overdue and not self._answers:  # it stalls, or never answers: the next key is not told the same again
            overdue, self._silent = not self._silent, True
        return self._stalled or overdue
