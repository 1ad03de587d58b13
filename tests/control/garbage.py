"""Messages that are wrong in the ways that programs and people find."""

from __future__ import annotations

import json
import random

import msgspec

from myogestic_tui.app.interface import AddLabel
from myogestic_tui.control.messages import MAX_REQUEST, PROTOCOL, Execute, Hello

HELLO = msgspec.msgpack.encode(Hello(protocol=PROTOCOL))


def frame(body: bytes) -> bytes:
    return len(body).to_bytes(4, "big") + body


def malformed(dice: random.Random) -> bytes:
    """One message that is wrong in one of the ways that programs and people find."""
    label = msgspec.msgpack.encode(Execute(id=1, command=AddLabel(class_index=1)))
    line = json.dumps({"type": "AddLabel", "class_index": 1}).encode()
    noise = dice.randbytes(dice.randrange(1, 200))
    cut = dice.randrange(1, len(label))
    return dice.choice(
        [
            noise,
            frame(noise),
            frame(HELLO) + frame(noise),
            frame(HELLO) + frame(label[:cut]),
            frame(HELLO) + frame(bytes(byte ^ (dice.random() < 0.05) * dice.randrange(256) for byte in label)) + noise,
            frame(HELLO) + dice.randrange(MAX_REQUEST + 1, 2**32).to_bytes(4, "big"),
            frame(label),
            b"{" + noise + b"\n",
            line[: dice.randrange(1, len(line))] + b"\n",
            line.replace(b"1", dice.choice([b'"1"', b"null", b"1e999", b"[]", b"NaN", b"9" * 400])) + b"\n",
            b'{"type":' + b"[" * 5000 + b"\n",
            b'{"type": "Execute", "command": ' + dice.choice([b"3", b"{}", b"[]", b'{"type": []}']) + b"}\n",
            b'{"type": "Hello", "protocol": 1, "program": "\\ud800"}\n',
        ]
    )
