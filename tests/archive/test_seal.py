"""An archive of ours is held to itself: headers, directory, manifest, comment and arrays say the same, or verify tells.

Each archive here is whole but for one thing, with every checksum around it made right again.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from myogestic_tui.session import verify_session
from myogestic_tui.session.archive import zip_format as zb
from myogestic_tui.session.archive.manifest import Line, line_bytes, manifest_bytes


class Parts:
    """An archive taken apart, to be put together otherwise."""

    def __init__(self, path: Path) -> None:
        with zipfile.ZipFile(path) as archive:
            self.members = {name: archive.read(name) for name in archive.namelist()}
            self.comment = archive.comment
        manifest = self.members.pop("manifest.json")
        self.head = json.loads(manifest.split(b"\n", 1)[0].rsplit(b",", 1)[0] + b"}")
        self.lines = [Line(name, len(data), hashlib.sha256(data).hexdigest()) for name, data in self.members.items()]
        self.gaps: dict[str, bytes] = {}
        """Bytes before a member; before the directory where there is no such member."""
        self.edit_local: Callable[[str, bytes], bytes] = lambda name, header: header
        self.edit_entry: Callable[[str, bytes], bytes] = lambda name, entry: entry
        self.edit_end: Callable[[bytes], bytes] = lambda end: end

    def join(self) -> bytes:
        head = json.dumps(self.head, separators=(",", ":")).encode()[:-1] + b',"members":{\n'
        manifest = manifest_bytes(head, [line_bytes(line) for line in self.lines])
        data, entries = b"", []
        for name, content in {**self.members, "manifest.json": manifest}.items():
            data += self.gaps.get(name, b"")
            crc, raw = zlib.crc32(content), name.encode()
            entries.append((name, zb.Member(raw, zb.STORED, crc, len(content), len(content), len(data))))
            data += self.edit_local(name, zb.local_header(raw, crc, len(content))) + content
        data += self.gaps.get("", b"")
        directory = b"".join(self.edit_entry(name, zb.central_entry(member)) for name, member in entries)
        return data + directory + self.edit_end(zb.end_records(len(entries), len(directory), len(data), self.comment))


@pytest.fixture
def parts(made_archive: Path) -> Parts:
    return Parts(made_archive)


def findings(parts: Parts, tmp_path: Path) -> list[str]:
    path = tmp_path / "joined.session.zip"
    path.write_bytes(parts.join())
    outcome = verify_session(path)
    assert outcome.ok == (not outcome.findings)
    return [finding.text for finding in outcome.findings]


def test_put_together_as_it_was_it_is_the_same_file(parts, made_archive, tmp_path):
    assert parts.join() == made_archive.read_bytes()
    assert findings(parts, tmp_path) == []


@pytest.mark.parametrize("field", range(1, 9))
def test_a_local_header_that_differs_from_the_directory(parts, tmp_path, field):
    def edit(name: str, header: bytes) -> bytes:
        values = list(zb.LOCAL.unpack_from(header))
        values[field] ^= 1
        return zb.LOCAL.pack(*values) + header[zb.LOCAL.size :] if name == "labels.json" else header

    parts.edit_local = edit
    assert "the zip header of member 'labels.json' is damaged; its content is intact" in findings(parts, tmp_path)


@pytest.mark.parametrize("field", [1, 2, 3, 5, 6, 14, 15])
def test_a_directory_entry_that_is_not_as_packing_writes_it(parts, tmp_path, field):
    def edit(name: str, entry: bytes) -> bytes:
        values = list(zb.CENTRAL.unpack_from(entry))
        values[field] ^= 2
        return zb.CENTRAL.pack(*values) + entry[zb.CENTRAL.size :] if name == "labels.json" else entry

    parts.edit_entry = edit
    assert "the directory entry of member 'labels.json' is damaged" in findings(parts, tmp_path)


def test_bytes_between_two_members(parts, tmp_path):
    parts.gaps["labels.json"] = b"PK\x03\x04"
    assert findings(parts, tmp_path)


def test_bytes_before_the_directory(parts, tmp_path):
    parts.gaps[""] = bytes(5)
    assert findings(parts, tmp_path) == ["5 bytes lie between the last member and the directory"]


def test_an_end_that_is_longer_than_it_needs_to_be(parts, tmp_path):
    def edit(end: bytes) -> bytes:
        fields = zb.END.unpack_from(end)
        count, size, offset = fields[4], fields[5], fields[6]
        wide = zb.END64.pack(zb.END64_MAGIC, 44, 0x32D, 45, 0, 0, count, count, size, offset)
        locator = zb.LOCATOR64.pack(zb.LOCATOR64_MAGIC, 0, offset + size, 1)
        return wide + locator + zb.END.pack(*fields[:4], 0xFFFF, *fields[5:]) + end[zb.END.size :]

    parts.edit_end = edit
    assert findings(parts, tmp_path) == ["the end record of the archive is damaged"]


def test_members_in_another_order_than_the_manifest_lists_them(parts, tmp_path):
    names = list(parts.members)
    one, other = names.index("emg.zarr/c/3/0"), names.index("emg.zarr/c/4/0")
    names[one], names[other] = names[other], names[one]
    parts.members = {name: parts.members[name] for name in names}
    found = findings(parts, tmp_path)
    assert len(found) == 1
    assert "samples 150–249" in found[0]
    assert "is not where manifest.json lists it" in found[0]


def test_a_member_that_is_gone_from_the_zip_and_not_from_the_manifest(parts, tmp_path):
    parts.lines.append(Line("lab/notes.txt", 3, hashlib.sha256(b"abc").hexdigest()))
    assert findings(parts, tmp_path) == ["manifest.json lists members that are not there"]


def test_a_member_that_the_manifest_does_not_know(parts, tmp_path):
    parts.members["lab/notes.txt"] = b"abc"
    assert findings(parts, tmp_path) == ["member 'lab/notes.txt' is not where manifest.json lists it"]


@pytest.mark.parametrize("change", [lambda line: line._replace(sha256="0" * 64), lambda line: line._replace(size=7)])
def test_a_member_that_the_manifest_knows_otherwise(parts, tmp_path, change):
    at = next(i for i, line in enumerate(parts.lines) if line.name == "labels.json")
    parts.lines[at] = change(parts.lines[at])
    assert findings(parts, tmp_path) == ["member 'labels.json' differs from its SHA-256 in manifest.json"]


def test_a_summary_that_the_manifest_knows_otherwise(parts, tmp_path):
    parts.comment = parts.comment.replace(b"Fist", b"Fest")
    assert findings(parts, tmp_path) == ["the summary in the archive's comment differs from its checksum"]


def test_sample_counts_that_the_manifest_knows_otherwise(parts, tmp_path):
    parts.head["streams"] = {"emg": 481, "markers": 5, "force": 7}
    assert findings(parts, tmp_path) == [
        "emg: 480 samples, where manifest.json says 481",
        "force: 0 samples, where manifest.json says 7",
    ]


def test_a_format_that_is_not_known(parts, tmp_path):
    parts.head["format"] = 9
    assert findings(parts, tmp_path) == ["manifest.json is of format 9, which this program does not know"]


def test_a_manifest_that_is_gone_from_a_session_that_had_one(parts, tmp_path):
    path = tmp_path / "without.session.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in parts.members.items():
            archive.writestr(name, data)
        archive.comment = parts.comment
    for level in ("quick", "full"):
        outcome = verify_session(path, level)
        assert not outcome.ok
        assert "manifest.json is missing, and the archive's summary says that it had one" in [
            finding.text for finding in outcome.findings
        ]


@pytest.mark.parametrize("level", ["quick", "full"])
def test_quick_and_full_hold_sizes_to_the_manifest(parts, tmp_path, level):
    at = next(i for i, line in enumerate(parts.lines) if line.name == "emg.zarr/c/3/0")
    parts.lines[at] = parts.lines[at]._replace(size=7)
    path = tmp_path / "joined.session.zip"
    path.write_bytes(parts.join())
    [finding] = verify_session(path, level).findings
    assert finding.kind == "damage"
    assert "samples 150–199" in finding.text
