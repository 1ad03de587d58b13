"""Session folders whose chunks are stored raw, as zstd frames of raw blocks with their checksum."""

from __future__ import annotations

import json
from pathlib import Path

from myogestic_tui.info import StreamInfo
from myogestic_tui.session.format.zarr_format import ArraySpec, parse_array_json
from myogestic_tui.session.format.zstd_frame import compress, decompress
from tests.archive.sessions import MARKERS

STREAMS = {
    "emg": (StreamInfo(4, 50.0, "int16"), 480),
    "wide": (StreamInfo(40, 2000.0, "int32"), 5000),
    "markers": (MARKERS, 5),
}
"""What `sessions.samples_of` makes of these shrinks; a chunk of ``wide`` is of several blocks."""

_BLOCK = 128 * 1024


def raw_frame(content: bytes) -> bytes:
    """One zstd frame (RFC 8878) of raw blocks that declares its size and ends with its checksum."""
    checksum = compress(content, 1)[-4:]
    blocks = b""
    for at in range(0, len(content), _BLOCK):
        block = content[at : at + _BLOCK]
        last = at + _BLOCK >= len(content)
        blocks += (len(block) << 3 | last).to_bytes(3, "little") + block
    return b"\x28\xb5\x2f\xfd\xe4" + len(content).to_bytes(8, "little") + blocks + checksum


def chunks_of_numbers(folder: Path) -> dict[Path, ArraySpec]:
    """Every chunk of a folder's numeric arrays, with the layout of its array."""
    found = {}
    for array in folder.glob("*.zarr"):
        spec, _ = parse_array_json((array / "zarr.json").read_bytes(), where=array.name)
        if not spec.is_string:
            found.update({path: spec for path in (array / "c").rglob("*") if path.is_file()})
    return found


def store_raw(folder: Path) -> Path:
    """Replace each chunk of numbers by a raw frame of the same content; the folder."""
    for path in chunks_of_numbers(folder):
        path.write_bytes(raw_frame(decompress(path.read_bytes())))
    assert json.loads((folder / "meta.json").read_bytes())["state"] == "finished"
    return folder
