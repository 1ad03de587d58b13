"""How messages stand on the wire: length-prefixed msgpack, or one JSON object per line."""

from __future__ import annotations

import math
from typing import Any, Generic, Protocol, TypeVar, cast

import msgspec

from ..app.interface import AnyCommand, Command
from ..errors import ControlError
from ..msgspec_types import prepared
from .messages import (
    MAX_LINE,
    MAX_REQUEST,
    MAX_UPDATE,
    Bye,
    Execute,
    GetStatus,
    Hello,
    Message,
    Misread,
    Request,
    Subscribe,
)

LENGTH_BYTES = 4
"""Each frame starts with the length of what follows: unsigned, big-endian."""

UNREADABLE = (msgspec.MsgspecError, ValueError, RecursionError, OverflowError)
"""What decoding raises on garbage; `ValueError` covers UTF-8, `RecursionError` a thousand open brackets."""

M = TypeVar("M")


class FramingError(ControlError):
    """The bytes are no message, or one beyond the limit; the connection ends."""


class Dialect(Protocol[M]):
    """One way to write messages as bytes."""

    name: str

    def feed(self, data: bytes) -> list[M]:
        """Take bytes as they arrive; return the messages that are whole.

        Raises
        ------
        FramingError
            This is not the dialect, or a message is too long.
        """
        ...

    def encode(self, message: Message) -> bytes:
        """Write a message; empty where the dialect has no words for it."""
        ...

    @property
    def partial(self) -> bool:
        """True while a message is half read."""
        ...


class Framed(Generic[M]):
    """Length-prefixed msgpack, which Python viewers speak."""

    name = "framed"

    def __init__(self, types: Any, limit: int = MAX_REQUEST) -> None:
        self._decoder: msgspec.msgpack.Decoder[M] = msgspec.msgpack.Decoder(prepared(types))
        self._limit = limit
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[M]:
        """See `Dialect.feed`."""
        self._buffer += data
        messages: list[M] = []
        start = 0
        while (end := self._frame_end(start)) is not None:
            try:
                messages.append(self._decoder.decode(memoryview(self._buffer)[start + LENGTH_BYTES : end]))
            except UNREADABLE as error:
                raise FramingError(f"a message that cannot be read: {error}") from None
            start = end
        del self._buffer[:start]
        return messages

    def _frame_end(self, start: int) -> int | None:
        if len(self._buffer) < start + LENGTH_BYTES:
            return None
        length = int.from_bytes(self._buffer[start : start + LENGTH_BYTES], "big")
        if length > self._limit:
            raise FramingError(f"a message of {length} bytes; at most {self._limit} are taken")
        end = start + LENGTH_BYTES + length
        return end if end <= len(self._buffer) else None

    def encode(self, message: Message) -> bytes:
        """See `Dialect.encode`."""
        body = msgspec.msgpack.encode(message)
        if len(body) > MAX_UPDATE:
            raise FramingError(f"a {type(message).__name__} of {len(body)} bytes; at most {MAX_UPDATE} are sent")
        return len(body).to_bytes(LENGTH_BYTES, "big") + body

    @property
    def partial(self) -> bool:
        """See `Dialect.partial`."""
        return bool(self._buffer)


class Lines:
    """Cuts bytes into lines; the base of the dialects that a person could type."""

    def __init__(self, limit: int = MAX_LINE) -> None:
        self._limit = limit
        self._rest = b""

    def split(self, data: bytes) -> list[bytes]:
        """Take bytes, return whole lines without their ends; raises `FramingError` where one is too long."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        if max(map(len, (*lines, self._rest))) > self._limit:
            raise FramingError(f"a line of more than {self._limit} bytes")
        return [line.strip() for line in lines if line.strip()]

    @property
    def partial(self) -> bool:
        """True while a line is half read."""
        return bool(self._rest)


class JsonLines(Lines):
    """One JSON object per line, for programs in other languages: a message, or a bare command."""

    name = "json"

    def feed(self, data: bytes) -> list[Request]:
        """See `Dialect.feed`. What is JSON but no message becomes a `Misread`."""
        return [self._read(line) for line in self.split(data)]

    def _read(self, line: bytes) -> Request:
        try:
            raw = msgspec.json.decode(line)
        except UNREADABLE as error:
            raise FramingError(f"a line that is not JSON: {error}") from None
        number = raw.get("id") if isinstance(raw, dict) else None
        try:
            return _request(raw)
        except UNREADABLE as error:
            return Misread(number if isinstance(number, int) and 0 <= number < 2**53 else 0, str(error))

    def encode(self, message: Message) -> bytes:
        """See `Dialect.encode`."""
        return msgspec.json.encode(message) + b"\n"


_MESSAGES: dict[str, type[Message]] = {cls.__name__: cls for cls in (Hello, Subscribe, GetStatus, Execute, Bye)}
_COMMANDS: dict[str, type[Command]] = {cls.__name__: cls for cls in AnyCommand.__args__}


def _request(raw: Any) -> Request:
    kind = raw.get("type") if isinstance(raw, dict) else None
    if not isinstance(kind, str):
        raise ValueError('give one object per line with a "type", such as {"type": "GetStatus"}')
    if kind in _MESSAGES:
        return _convert(raw, _MESSAGES[kind])
    if kind in _COMMANDS:
        cls = _COMMANDS[kind]
        number = 0 if "id" in cls.__struct_fields__ else raw.pop("id", 0)
        return _convert({"type": "Execute", "id": number, "command": raw}, Execute)
    raise ValueError(f"there is no {kind!r}; there are {', '.join([*_MESSAGES, *_COMMANDS])}")


def _convert(raw: dict[str, Any], cls: type[Message]) -> Request:
    _only_known(raw, cls)
    command = raw.get("command")
    if isinstance(command, dict) and command.get("type") in list(_COMMANDS):
        _only_known(command, _COMMANDS[command["type"]])
    return cast("Request", msgspec.convert(raw, prepared(cls)))


def _only_known(raw: dict[str, Any], cls: type[Message | Command]) -> None:
    """Refuse a misspelt field by name: left out, its default would be taken in silence."""
    if unknown := set(raw) - set(cls.__struct_fields__) - {"type"}:
        fields = ", ".join(cls.__struct_fields__) or "no fields"
        raise ValueError(f"{cls.__name__} has no {', '.join(sorted(unknown))}; it has {fields}")


def check_numbers(struct: msgspec.Struct) -> str:
    """What is wrong with a command's numbers (NaN and infinity pass msgpack), or nothing."""
    for name in struct.__struct_fields__:
        value = getattr(struct, name)
        if isinstance(value, float) and not math.isfinite(value):
            return f"{name} is {value}; give a finite number"
    return ""
