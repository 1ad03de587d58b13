"""Which streams an LSL query means: ``name='EMG' and type='EEG'``, as LabRecorder's ``select`` and liblsl write it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..app.interface import ConnectStream, Reply, TickStream

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..app.interface import Recorder, StreamStatus

    Test = Callable[[StreamStatus], bool]

_FIELDS: dict[str, Callable[[StreamStatus], str]] = {
    "name": lambda stream: stream.name,
    "type": lambda stream: stream.type,
    "source_id": lambda stream: stream.source_id,
    "hostname": lambda stream: stream.hostname,
    "uid": lambda stream: stream.uid,
    "channel_count": lambda stream: str(stream.n_channels),
    "nominal_srate": lambda stream: f"{stream.fs:g}",
}
_TEXT = r"(?:'(?P<one>[^']*)'|\"(?P<two>[^\"]*)\"|(?P<bare>[\w.-]+))"
_EQUAL = re.compile(rf"(?P<field>\w+)\s*(?P<not>!?)=\s*{_TEXT}")
_FUNCTION = re.compile(rf"(?P<function>starts-with|contains)\(\s*(?P<field>\w+)\s*,\s*{_TEXT}\s*\)")
_AND = re.compile(r"\s+and\s+(?=\w+\s*!?=|starts-with\(|contains\()")


def parse_query(text: str) -> Test:
    """The test of a query: conditions on name, type, source_id, hostname and the like, joined by ``and``.

    Raises
    ------
    ValueError
        It is none; the message says what is.
    """
    tests = [_condition(part.strip()) for part in _AND.split(text.strip().strip("{}[]"))]
    return lambda stream: all(test(stream) for test in tests)


def _condition(text: str) -> Test:
    found = _EQUAL.fullmatch(text) or _FUNCTION.fullmatch(text)
    if found is None or found["field"] not in _FIELDS:
        raise ValueError(
            f"{text[:80]!r} is no condition; write name='EMG', type!='EEG' or starts-with(name,'EMG'), "
            f"of {', '.join(_FIELDS)}, joined by and"
        )
    value_of, groups = _FIELDS[found["field"]], found.groupdict()
    value = next(groups[key] for key in ("one", "two", "bare") if groups[key] is not None)
    if groups.get("function") == "starts-with":
        return lambda stream: value_of(stream).startswith(value)
    if groups.get("function") == "contains":
        return lambda stream: value in value_of(stream)
    return lambda stream: (value_of(stream) == value) is not bool(groups["not"])


def select_matching(recorder: Recorder, who: str, query: str) -> Reply:
    """Connect and select the streams that a query means, beside those that are; refused where it means none."""
    try:
        test = parse_query(query)
    except ValueError as error:
        return Reply(ok=False, message=str(error))
    streams = recorder.status().streams
    meant = [stream for stream in streams if test(stream)]
    if not meant:
        there = ", ".join(stream.name for stream in streams) or "nothing"
        return Reply(ok=False, message=f"no stream is meant by {query}; there is: {there}")
    for stream in meant:
        seen = stream.state == "seen"
        command = (
            ConnectStream(key=stream.key, actor=who) if seen else TickStream(key=stream.key, record=True, actor=who)
        )
        reply = recorder.execute(command)
        if not reply.ok:
            return reply
    return Reply(ok=True, message=f"{len(meant)} selected: {', '.join(stream.name for stream in meant)}")
