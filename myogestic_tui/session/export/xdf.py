"""XDF, the format of LabRecorder: raw time stamps and clock offsets, so that readers correct time themselves.

Written from the specification (https://github.com/sccn/xdf/wiki/Specifications, version 1.0); ``pyxdf`` reads it.
"""

from __future__ import annotations

import re
import struct
from datetime import datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from uuid import UUID
from xml.etree import ElementTree as ET

import numpy as np

from ...info import StreamInfo
from ...lsl_header import declared, parse_header
from ..format.meta import encode_labels
from ..format.time_records import PlacedMeta
from ..format.xdf_time import (
    ARRIVALS,
    SESSION_JSON,
    STREAM_JSON,
    encode_arrivals,
    encode_time,
    session_time,
    stream_time,
)
from .common import Exported, Partial, claim, class_label, single_target, tell_about_clock

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from os import PathLike

    from numpy.typing import NDArray

    from ..format.arrays import Rows
    from ..format.xdf_time import StreamTime
    from ..reading.reader import SessionReader
    from ..signal.streamdata import StreamData

LABELS_ID = "myogestic_tui-labels"
LABELS_JSON = "labels_json"
"""Element of the labels' header with the track as ``labels.json`` has it: texts alone do not tell class indices."""
NOTES_ID = "myogestic_tui-notes"
"""The ``source_id`` of the two streams of text that hold labels and notes."""

UNLABELLED_TEXT = "end"
"""What stands for class -1 in the labels' stream."""

_FORMATS = {"float64": "double64"}
_FILE, _STREAM, _SAMPLES, _CLOCK, _BOUNDARY, _FOOTER = 1, 2, 3, 4, 5, 6
_MARK = UUID("43a546dc-cbf5-410f-b30e-d5467383cbe4").bytes
_FOREIGN = ("arrival", "wall", "count")
"""How streams are placed whose stamps no reader of XDF can place."""
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def export_xdf(
    session: SessionReader,
    destination: str | PathLike[str],
    streams: Sequence[str] | None = None,
    *,
    overwrite: bool = False,
) -> Exported:
    """Write one XDF file with all streams, labels and notes.

    Time stamps are the raw ones, with the recorded clock offsets beside them, as LabRecorder writes them: loading with
    ``pyxdf`` gives corrected times (give ``dejitter_timestamps=False`` for those of this package). Labels and notes are
    streams of text on the recorder's clock. Samples are bit for bit the recorded ones. Memory: a block of one stream.

    Of streams whose stamps are in another clock (basis ``arrival``, ``wall`` or ``count``) corrected times are written,
    without offsets: no reader could place them. Arrival records, anchors and reasons of gaps are carried too, in
    elements that other readers pass over (`format.xdf_time`); `import_xdf` reads them.

    Parameters
    ----------
    session
        An open session.
    destination
        A file ending in ``.xdf``, or a folder for ``<session>.xdf``.
    streams
        Which streams; None is all.
    overwrite
        Replace a file that is there.

    Raises
    ------
    ConfigError
        The file is there already.
    UnknownStreamError
        The session has no such stream.
    """
    names = session.streams if streams is None else list(streams)
    [path] = files = plan_xdf(session, destination, streams)
    claim(files, overwrite)
    out = Exported()
    with Partial(path) as partial, open(partial, "wb") as file:
        writer = _Writer(file)
        writer.header(session)
        for number, name in enumerate(names, 1):
            writer.stream(number, session, name, out)
        writer.labels(len(names) + 1, session)
        writer.notes(len(names) + 2, session)
    out.paths.append(path)
    return out


def plan_xdf(
    session: SessionReader,
    destination: str | PathLike[str],
    streams: Sequence[str] | None = None,  # noqa: ARG001 (as the other formats' plans)
) -> list[Path]:
    """Where `export_xdf` writes to."""
    return [single_target(session, Path(destination), ".xdf")]


class _Writer:
    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        file.write(b"XDF:")

    def header(self, session: SessionReader) -> None:
        root = _element("info", version="1.0", **_date(session.meta.created))
        for field in ("name", "subject", "task", "take"):
            value = getattr(session.meta, field)
            if value not in ("", None):
                ET.SubElement(root, field).text = _clean(str(value))
        ET.SubElement(root, SESSION_JSON).text = _clean(encode_time(session_time(session.meta)))
        self._chunk(_FILE, _xml(root))

    def stream(self, number: int, session: SessionReader, name: str, out: Exported) -> None:
        """One recorded stream: header, clock offsets, samples, footer."""
        view, data = session.stream(name), session.stream_data(name)
        own_name = view.meta.name or name
        self._chunk(_STREAM, number, _xml(stream_header(own_name, data.info)))
        clock = np.empty((0, 4)) if view.clock is None else view.clock.rows(0, view.clock.n_rows)
        tell_about_clock(session, name, out)
        foreign = data.timeline.basis in _FOREIGN
        if foreign:
            out.remark(f"{name}: its time stamps are in another clock, so its times are written corrected, offset 0")
        elif data.timeline.leaps:
            out.remark(f"{name}: its clock was set while recording; readers may place it otherwise than this package")
        for collected, offset, _, remote in [] if foreign else clock.tolist():
            source_time = remote if remote and np.isfinite(remote) else collected - offset
            self._chunk(_CLOCK, number, struct.pack("<dd", source_time, offset))
        for start, rows in data.data_blocks():
            stamps = (data.corrected if foreign else data.raw_times)(start, start + len(rows))
            self.samples(number, data.info, stamps, rows)
            self._chunk(_BOUNDARY, _MARK)
        footer = _footer(data, corrected=foreign)
        placed = PlacedMeta("arrival", data.timeline.error_s) if foreign else None
        _add_time(footer, stream_time(session.measured(name), placed), view.arrival)
        self._chunk(_FOOTER, number, _xml(footer))

    def labels(self, number: int, session: SessionReader) -> None:
        """The label track: class names as markers; the class table and bad trials in the header."""
        track = session.label_track
        root = stream_header("labels", _text_info(LABELS_ID))
        classes = ET.SubElement(_desc(root), "classes")
        for index, name in enumerate(session.class_names):
            classes.append(_element("class", index=index, name=name))
        bad = ET.SubElement(_desc(root), "bad_trials")
        for index in (index for index, event in enumerate(track) if event.bad):
            ET.SubElement(bad, "index").text = str(index)
        ET.SubElement(_desc(root), LABELS_JSON).text = _clean(encode_labels(track).decode())
        texts = [
            class_label(session, event.class_index) if event.class_index >= 0 else UNLABELLED_TEXT for event in track
        ]
        self._markers(number, root, [event.timestamp for event in track], texts)

    def notes(self, number: int, session: SessionReader) -> None:
        """The notes, if there are any."""
        if session.notes:
            times, texts = [note.timestamp for note in session.notes], [note.text for note in session.notes]
            self._markers(number, stream_header("notes", _text_info(NOTES_ID)), times, texts)

    def _markers(self, number: int, header: ET.Element, times: list[float], texts: list[str]) -> None:
        self._chunk(_STREAM, number, _xml(header))
        rows = np.array(texts, object).reshape(-1, 1)
        if len(rows):
            self.samples(number, _text_info(""), np.array(times), rows)
        ends = (times[0], times[-1]) if times else (0.0, 0.0)
        footer = _element("info", first_timestamp=ends[0], last_timestamp=ends[1], sample_count=len(times))
        self._chunk(_FOOTER, number, _xml(footer))

    def samples(self, number: int, info: StreamInfo, stamps: NDArray[np.float64], rows: NDArray[Any]) -> None:
        """A chunk of samples, each with its time stamp."""
        if info.is_string:
            body = b"".join(_text_sample(stamp, row) for stamp, row in zip(stamps.tolist(), rows.tolist(), strict=True))
        else:
            dtype = info.np_dtype.newbyteorder("<")
            packed = np.empty(len(rows), [("size", "u1"), ("stamp", "<f8"), ("values", dtype, (info.n_channels,))])
            packed["size"], packed["stamp"], packed["values"] = 8, stamps, rows
            body = packed.tobytes()
        self._chunk(_SAMPLES, number, b"\x04" + struct.pack("<I", len(rows)) + body)

    def _chunk(self, tag: int, *parts: int | bytes) -> None:
        content = b"".join(struct.pack("<I", part) if isinstance(part, int) else part for part in parts)
        self._file.write(_sized(len(content) + 2) + struct.pack("<H", tag) + content)


def _date(created: str) -> dict[str, str]:
    """The date as LabRecorder writes it, ``+0200`` for the zone: readers count on that; ``created`` is ours, verbatim.

    A date without a zone is no instant, so that ``datetime`` is left out.
    """
    try:
        at = datetime.fromisoformat(created)
    except ValueError:
        at = None
    told = {} if at is None or at.tzinfo is None else {"datetime": at.strftime("%Y-%m-%dT%H:%M:%S%z")}
    return {**told, "created": created} if created else told


def _sized(length: int) -> bytes:
    for size, code, limit in ((1, "<B", 1 << 8), (4, "<I", 1 << 32)):
        if length < limit:
            return bytes([size]) + struct.pack(code, length)
    return b"\x08" + struct.pack("<Q", length)


def _text_sample(stamp: float, texts: Iterable[str]) -> bytes:
    values = [text.encode("utf-8", "backslashreplace") for text in texts]
    return struct.pack("<Bd", 8, stamp) + b"".join(_sized(len(value)) + value for value in values)


def stream_header(name: str, info: StreamInfo) -> ET.Element:
    """Header of a stream: the one that its source sent, with what the session knows otherwise."""
    root = parse_header(info.desc_xml)
    root = ET.Element("info") if root is None or root.tag != "info" else root
    fields = {
        "name": name,
        "type": info.type,
        "channel_count": str(info.n_channels),
        "channel_format": _FORMATS.get(info.dtype, info.dtype),
        "source_id": info.source_id,
        "nominal_srate": _rate(root.findtext("nominal_srate", ""), info.fs),
        "hostname": info.hostname,
        "uid": info.uid,
    }
    for field, value in fields.items():
        found = root.find(field)
        (ET.SubElement(root, field) if found is None else found).text = _clean(value)
    desc = _desc(root)
    said = declared(info.desc_xml, info.n_channels)
    invented = info.names == StreamInfo(info.n_channels, info.fs, info.dtype).names
    columns = {"label": None if invented else info.channel_names, "unit": info.units, "type": info.channel_types}
    if any(columns.values()) and tuple(columns.values()) != said[:3]:
        for old in desc.findall("channels"):
            desc.remove(old)
        channels = ET.SubElement(desc, "channels")
        for index in range(info.n_channels):
            channels.append(_element("channel", **{key: column[index] for key, column in columns.items() if column}))
    if info.manufacturer and info.manufacturer != said.manufacturer:
        ET.SubElement(desc, "manufacturer").text = _clean(info.manufacturer)
    return root


def _rate(said: str, fs: float) -> str:
    """The rate as the source wrote it, where that is the rate."""
    try:
        return said if float(said) == fs else repr(fs)
    except ValueError:
        return str(int(fs)) if fs.is_integer() else repr(fs)


def _desc(root: ET.Element) -> ET.Element:
    found = root.find("desc")
    return ET.SubElement(root, "desc") if found is None else found


def _footer(data: StreamData, *, corrected: bool) -> ET.Element:
    n, times = data.n_samples, data.corrected if corrected else data.raw_times
    first, last = (float(times(at, at + 1)[0]) if n else 0.0 for at in (0, max(n - 1, 0)))
    root = _element("info", first_timestamp=repr(first), last_timestamp=repr(last), sample_count=n)
    gaps = data.timeline.gaps
    if gaps:
        element = ET.SubElement(root, "gaps")
        for gap in gaps:
            element.append(_element("gap", index=gap.index, seconds=repr(gap.seconds)))
    return root


def _add_time(footer: ET.Element, told: StreamTime, arrival: Rows | None) -> None:
    ET.SubElement(footer, STREAM_JSON).text = _clean(encode_time(told))
    if arrival is not None and arrival.n_rows:
        ET.SubElement(footer, ARRIVALS).text = encode_arrivals(arrival.rows(0, arrival.n_rows))


def _text_info(source_id: str) -> StreamInfo:
    return StreamInfo(1, 0.0, "string", type="Markers", source_id=source_id)


def _element(tag: str, /, **children: object) -> ET.Element:
    root = ET.Element(tag)
    for name, value in children.items():
        ET.SubElement(root, name).text = _clean(str(value))
    return root


def _clean(text: str) -> str:
    """Without the characters that XML cannot hold."""
    return _NOT_XML.sub("", text)


def _xml(root: ET.Element) -> bytes:
    text: bytes = ET.tostring(root, "utf-8", xml_declaration=False)
    return b'<?xml version="1.0"?>' + text
