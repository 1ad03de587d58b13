"""Presses and releases of pedals, gamepads and button boxes become labels, by the configuration's ``[[inputs]]``."""

from __future__ import annotations

import logging
import os
import select
import threading
from typing import TYPE_CHECKING

from ..app.interface import AddLabel, Recorder, Reply
from ..clock import local_clock
from ..errors import MyoGesticError
from .input_devices import EV_KEY, EV_SYN, PRESSED, RELEASED, SYN_DROPPED, key_code, open_input, open_trouble

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ..app import App
    from ..recording_config import InputConfig
    from .input_devices import Device, Event

_log = logging.getLogger(__name__)
Keys = dict[int, tuple[str | None, str | None]]
"""Gesture names for press and release, by the kernel's number of a key."""
_ACTOR = "input"
_RETRY_SECONDS = 1.0
_OTHER_CLOCK_S = 5.0
"""An event that is stamped so far from now is stamped by another clock (a time namespace)."""


class InputLabels:
    """What the keys of one device do.

    Parameters
    ----------
    recorder
        Gets the labels.
    keys
        Gesture names for press and release, by the kernel's number of a key; None does nothing.
    """

    def __init__(self, recorder: Recorder, keys: Keys) -> None:
        self._recorder = recorder
        self._keys = keys
        self._last_read = local_clock()

    def take(self, events: Iterable[Event]) -> list[Reply]:
        """Label by the events of one read; auto-repeat is none of them."""
        now, replies = local_clock(), []
        for event in events:
            if event.type == EV_SYN and event.code == SYN_DROPPED:
                _log.warning("the kernel dropped events of an input device: presses may be missing before this")
            elif event.type == EV_KEY and event.value in (PRESSED, RELEASED):
                gesture = self._keys.get(event.code, (None, None))[0 if event.value == PRESSED else 1]
                if gesture is not None:
                    replies.append(self._label(gesture, event.timestamp(), now))
        self._last_read = now
        return replies

    def _label(self, gesture: str, stamped: float, now: float) -> Reply:
        names = [one.name for one in self._recorder.status().gestures]
        if gesture and gesture not in names:
            return Reply(ok=False, message=f"no gesture {gesture!r}; there are: {', '.join(names)}")
        index = names.index(gesture) if gesture else -1
        known = abs(now - stamped) <= _OTHER_CLOCK_S
        at, uncertainty = (stamped, 0.0) if known else (now, now - self._last_read)
        label = AddLabel(class_index=index, timestamp=at, uncertainty_s=uncertainty, source="input", actor=_ACTOR)
        reply = self._recorder.execute(label)
        if not reply.ok:
            _log.warning("input: %s", reply.message)
        return reply


class InputWatch:
    """Reads one device on a thread of its own; unplugged, it is opened again as soon as it is back.

    Parameters
    ----------
    name
        What the operator calls it.
    open_device
        Opens it; OSError while it is not there.
    labels
        What its keys do.
    tell
        Called with what the operator should know: that it is gone, or back.
    """

    def __init__(
        self, name: str, open_device: Callable[[], Device], labels: InputLabels, tell: Callable[[str], None]
    ) -> None:
        self._name, self._open, self._labels, self._tell = name, open_device, labels, tell
        self._end, self._wake = os.pipe()
        self._missing = ""
        self._thread = threading.Thread(target=self._run, name=f"input-{name}", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def close(self, timeout: float = 5.0) -> None:
        """End the thread."""
        os.write(self._wake, b"x")
        if self._thread.ident:
            self._thread.join(timeout)
        os.close(self._wake)
        os.close(self._end)

    def _ended(self, seconds: float) -> bool:
        return bool(select.select([self._end], [], [], seconds)[0])

    def _run(self) -> None:
        while not self._ended(0.0):
            try:
                device = self._open()
            except (OSError, MyoGesticError) as error:
                self._report_missing(open_trouble(error) if isinstance(error, OSError) else f"is not there: {error}")
            else:
                self._report_there()
                self._watch(device)
            if self._ended(_RETRY_SECONDS):
                return

    def _watch(self, device: Device) -> None:
        try:
            while True:
                ready = select.select([self._end, device.fileno()], [], [])[0]
                if self._end in ready:
                    return
                self._labels.take(device.read())
        except OSError as error:
            self._report_missing(open_trouble(error))
        finally:
            device.close()

    def _report_missing(self, why: str) -> None:
        if why != self._missing:
            self._tell(f"the input {self._name} {why}; what it labels stays as it is")
        self._missing = why

    def _report_there(self) -> None:
        if self._missing:
            self._tell(f"the input {self._name} is back")
        self._missing = ""


class InputWatches:
    """All of ``[[inputs]]``.

    Parameters
    ----------
    app
        The recorder; what happens to inputs stands among the events of its session.
    inputs
        The configuration.
    """

    def __init__(self, app: App, inputs: Sequence[InputConfig]) -> None:
        self._app = app
        self._inputs = inputs
        self._watches: list[InputWatch] = []

    def start(self) -> None:
        """Begin to watch; what is wrong with the configuration is reported, and the recorder runs all the same."""
        devices: dict[str, list[InputConfig]] = {}
        for one in self._inputs:
            devices.setdefault(one.device, []).append(one)
        for name, rows in devices.items():
            try:
                keys: Keys = {key_code(one.key): (one.press, one.release) for one in rows}
            except MyoGesticError as error:
                self._tell(str(error))
                continue
            self._watches.append(self._watch(name, keys, any(one.grab for one in rows)))
        for watch in self._watches:
            watch.start()

    def _watch(self, name: str, keys: Keys, grab: bool) -> InputWatch:
        return InputWatch(name, lambda: open_input(name, grab=grab), InputLabels(self._app, keys), self._tell)

    def _tell(self, text: str) -> None:
        self._app.parts.message.set(text)
        self._app.parts.recordings.add_event("input", text)

    def close(self) -> None:
        """End all threads."""
        for watch in self._watches:
            watch.close()
