"""Every exception that this package raises on purpose.

::

    MyoGesticError
    ├── ConfigError            a value in myogestic.toml, an option or an argument is not usable (also ValueError)
    ├── ProcessLimitError      a limit of the shell or service leaves too little memory, or too few open files
    ├── ClockError             too little or unusable clock data for what was asked
    ├── StreamError
    │   ├── StreamNotFoundError    nothing on the network answers to the selection
    │   ├── AmbiguousStreamError   more than one stream answers to it
    │   ├── StreamChangedError     it came back with another layout, rate, dtype, labels or units
    │   └── SourceError            a source broke its contract (shape, dtype, 1-D or transposed data)
    ├── SessionError
    │   ├── SessionClosedError     append or label after stop
    │   ├── SessionLockedError     another process records into the folder, or packs it
    │   ├── SessionDamagedError    what is on disk contradicts itself
    │   ├── UnknownStreamError     the session has no stream of that name (also KeyError)
    │   ├── OtherStreamError       sessions that are used together have different streams under one name
    │   ├── OtherClassesError      sessions that are used together cannot have their classes matched by name
    │   ├── NotFiniteError         a window has a value that is no finite number (also ValueError)
    │   └── DiskError              no space left, not writable, or the disk refused a write
    └── ControlError
        ├── RecorderGoneError      no recorder answers on the socket
        ├── ProtocolVersionError   viewer and recorder are of different versions
        └── NotAllowedError        the recorder refused the command in its present state

Each message says what happened, to what, and what to do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class MyoGesticError(Exception):
    """The root of the tree; catch it to catch everything this package raises on purpose."""


class ConfigError(MyoGesticError, ValueError):
    """A value in the configuration, an option or an argument is not usable."""


class ProcessLimitError(MyoGesticError):
    """A limit that a shell or a service set leaves this process too little memory, or too few open files."""


class ClockError(MyoGesticError):
    """There is too little clock data for what was asked, or it is not usable."""


class StreamError(MyoGesticError):
    """Something about a live stream."""


class StreamNotFoundError(StreamError):
    """Nothing on the network answers to the selection."""


class AmbiguousStreamError(StreamError):
    """More than one stream answers to the selection; the message lists them."""


class StreamChangedError(StreamError):
    """A stream came back with another layout, rate, dtype, label set or unit."""


class SourceError(StreamError):
    """A source broke its contract: shape, dtype, 1-D or transposed data."""


class SessionError(MyoGesticError):
    """Something about a session on disk."""


class SessionClosedError(SessionError):
    """The session is finished: nothing can be appended or labelled any more."""


class SessionLockedError(SessionError):
    """Another process holds the session or the sessions folder; the message names its pid."""


class SessionDamagedError(SessionError):
    """What is on disk contradicts itself; the message names the file or archive member."""


class UnknownStreamError(SessionError, KeyError):
    """The session has no stream of that name; the message lists those it has."""

    def __str__(self) -> str:
        return Exception.__str__(self)


class OtherStreamError(SessionError):
    """Sessions that are used together have different streams under one name; the message says how they differ."""


class OtherClassesError(SessionError):
    """Sessions that are used together name their classes differently, and a class has no name to be matched by."""


class NotFiniteError(SessionError, ValueError):
    """A window has a value that is no finite number, and ``on_nan="raise"`` was asked for."""


class DiskError(SessionError):
    """The disk is full, not writable, or refused a write."""


class ControlError(MyoGesticError):
    """Something between a viewer or script and the recorder."""


class RecorderGoneError(ControlError):
    """No recorder answers on the socket."""


class ProtocolVersionError(ControlError):
    """Viewer and recorder speak different versions of the control protocol."""


class NotAllowedError(ControlError):
    """The recorder refused the command in its present state; nothing was changed."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """``, did you mean 'record'?`` where a known word is near, whatever its case; empty where none is."""
    from difflib import get_close_matches

    by_case = {one.casefold(): one for one in known}
    near = get_close_matches(word.casefold(), by_case, 1)
    return f", did you mean {by_case[near[0]]!r}?" if near else ""
