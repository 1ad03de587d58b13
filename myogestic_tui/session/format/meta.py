"""``meta.json`` and ``labels.json``: what they hold, read tolerantly, replaced atomically.

The fields are those that other readers of the format expect, and more; what we do not know is kept. A stream of text
stands in ``string_streams``, because those readers refuse a session with a dtype that they do not know.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct, field

from ...errors import SessionDamagedError
from ...info import StreamInfo
from ...montage import grids_to_plain, told_grids
from ...msgspec_types import prepared
from .json_files import Int64, as_type, decode_json
from .layout import is_stem
from .time_records import CountsMeta, GapRecord, LeapRecord, PlacedMeta, RepeatRecord, TimeMeta
from .unknown_keys import ANYTHING, Level, put_back, set_aside

SCHEMA_VERSION = 1
CONTINUES, CONTINUED_BY, NOT_RECORDED, BEFORE = "continues", "continued_by", "not_recorded_s", "before_s"
"""Further fields of a session that continues another, or begins before its key: `library.link`, `seconds_before`."""
RECOVERY, IMPORTED, MERGED = "recovery", "imported", "merged"
"""Further fields of a session that was recovered, imported, or merged of several: when, and what was found."""
_OWN_FIELDS = frozenset({CONTINUES, CONTINUED_BY, NOT_RECORDED, BEFORE, "ended_by", "imported_from"})
"""Further fields of text and numbers that this package writes itself."""
EVENTS_FIELD, ENDED_BY = "events", "ended_by"
"""Fields of ``meta.json``: what happened to the recording, and who or what stopped it."""
SET_ASIDE = "set aside"
"""Kind of an event: something was in the recorder's way."""
MOST_EVENTS = 2000


class LabelEvent(Struct, frozen=True, omit_defaults=True):
    """From ``timestamp`` (recorder's LSL clock, seconds) on, class ``class_index`` holds; -1 ends a label."""

    timestamp: float
    class_index: Int64
    bad: bool = False
    uncertainty_s: float = 0.0
    """How far off the time stamp may be; above 0 for keys that arrived in a burst after a stall."""
    source: str = ""
    """``key``, ``protocol``, ``marker``, ``input`` or ``script``."""
    extra: str = ""
    """What other programs keep with the label, as the text of a JSON object."""


class Note(Struct, frozen=True, omit_defaults=True):
    """A free text and its time on the recorder's LSL clock."""

    timestamp: float
    text: str
    uncertainty_s: float = 0.0
    """How far off the time stamp may be."""


class EventRecord(Struct, frozen=True, omit_defaults=True):
    """Something that happened to the recording: a stream was lost, joined or excluded, somebody stopped it."""

    timestamp: float
    """Recorder's LSL clock, seconds."""
    kind: str
    """Such as ``started``, ``joined``, ``excluded``, ``lost``, ``back``, ``labels``, ``set aside``, ``stopped``."""
    text: str
    who: str = ""
    """Who did it ("tui 4711", "ctl 4712", "script"); empty where nobody did."""
    stream: str = ""


class Anchor(Struct, frozen=True):
    """The same instant on the wall clock (ISO 8601, UTC) and on the recorder's LSL clock (seconds)."""

    utc: str
    lsl: float


class RecorderMeta(Struct, frozen=True):
    """What recorded the session."""

    version: str = ""
    host: str = ""
    platform: str = ""
    clock: str = ""
    """The `clock.clock_id` that the session's times count in; empty where nothing tells."""


class StreamMeta(Struct, kw_only=True):
    """One stream: its layout as declared, and what was measured (which the arrays can tell again)."""

    n_channels: Int64
    fs: float
    dtype: str
    channel_names: list[str] | None = None
    name: str = ""
    """As the stream is called; its files are called after a safe form of it."""
    type: str = ""
    source_id: str = ""
    hostname: str = ""
    uid: str = ""
    manufacturer: str = ""
    units: list[str] | None = None
    channel_types: list[str] | None = None
    n_samples: Int64 | None = None
    first_timestamp: float | None = None
    last_timestamp: float | None = None
    gaps: list[GapRecord] = field(default_factory=list)
    time: TimeMeta | None = None
    """None where the gaps were found by an earlier rule, or not at all."""
    counter: int | None = None
    """The channel, from 0, that counts samples."""
    counts: CountsMeta | None = None
    """What it did; None where it was not looked at yet, or does not count."""
    placed: PlacedMeta | None = None
    """What its time stamps are, in an imported session that cannot tell by itself."""
    clock_error_s: float = 0.0
    """How far wrong the clock of its recorder may be, in a merged session, whose clock is another one's."""
    joined_at: float | None = None
    """Recorder's LSL clock, for a stream that came after the start."""
    desc_xml: str = ""
    extra: dict[str, Any] = field(default_factory=dict)
    """What other programs keep with the stream, such as ``channel_grids``; it stands beside the known fields."""

    @classmethod
    def of(cls, info: StreamInfo, *, name: str, joined_at: float | None = None) -> StreamMeta:
        """What a live stream declares."""
        return cls(
            n_channels=info.n_channels,
            fs=info.fs,
            dtype=info.dtype,
            channel_names=list(info.names),
            name=name,
            type=info.type,
            source_id=info.source_id,
            hostname=info.hostname,
            uid=info.uid,
            manufacturer=info.manufacturer,
            units=_listed(info.units),
            channel_types=_listed(info.channel_types),
            counter=info.counter,
            joined_at=joined_at,
            desc_xml=info.desc_xml,
            extra=grids_to_plain(info.channel_grids),
        )

    def info(self) -> StreamInfo:
        """The layout as a `StreamInfo`.

        Raises
        ------
        ConfigError
            The file holds values that no stream can have.
        """
        return StreamInfo(
            n_channels=self.n_channels,
            fs=self.fs,
            dtype=self.dtype,
            channel_names=_fitting(self.channel_names, self.n_channels),
            units=_fitting(self.units, self.n_channels),
            channel_types=_fitting(self.channel_types, self.n_channels),
            type=self.type,
            source_id=self.source_id,
            hostname=self.hostname,
            uid=self.uid,
            manufacturer=self.manufacturer,
            desc_xml=self.desc_xml,
            counter=self.counter if self.counter is not None and 0 <= self.counter < self.n_channels else None,
            channel_grids=told_grids(self.extra, self.n_channels),
        )


class Meta(Struct, kw_only=True):
    """``meta.json``. ``extra`` holds the further top-level fields, ours or not, as plain JSON."""

    schema_version: Int64 | None = None
    """None in a session that another recorder wrote."""
    state: str = ""
    app_name: str = ""
    created: str = ""
    """ISO 8601 with UTC offset."""
    duration_s: float | None = None
    name: str = ""
    subject: str = ""
    task: str = ""
    take: Int64 | None = None
    class_names: list[str] = field(default_factory=list)
    streams: dict[str, StreamMeta] = field(default_factory=dict)
    string_streams: dict[str, StreamMeta] = field(default_factory=dict)
    anchors: list[Anchor] = field(default_factory=list)
    """At start, and at stop."""
    notes: list[Note] = field(default_factory=list)
    bad_channels: dict[str, list[Int64]] = field(default_factory=dict)
    """Channel numbers (from 0) by stem."""
    bad_trials: list[Int64] = field(default_factory=list)
    """Positions in ``labels.json``; the label there says so too."""
    recorder: RecorderMeta = RecorderMeta()
    extra: dict[str, Any] = field(default_factory=dict)
    strays: Any = None
    """What other programs keep deeper within, `unknown_keys.Strays`."""

    @property
    def events(self) -> list[EventRecord]:
        """What happened to the recording, oldest first; entries of ``events`` that are none of ours are left out."""
        return self.newest_events(MOST_EVENTS)

    def newest_events(self, n: int) -> list[EventRecord]:
        """The last ``n`` of them."""
        listed = self.extra.get(EVENTS_FIELD)
        return [event for one in listed[-n:] if (event := _event(one))] if isinstance(listed, list) else []

    @property
    def fields(self) -> dict[str, str | int | float]:
        """The further fields that are words and numbers of the operator: those of the take sheet."""
        return {
            key: value
            for key, value in self.extra.items()
            if key not in _OWN_FIELDS and isinstance(value, str | int | float)
        }

    @property
    def ended_by(self) -> str:
        """Who or what stopped the recording, as a sentence; empty where nothing is known of that."""
        return str(self.extra.get(ENDED_BY) or "")

    def set_events(self, events: list[Any]) -> list[Any]:
        """Replace the entries of ``events``, as they stand in the file; returns those of before."""
        before = self.extra.get(EVENTS_FIELD)
        others = {key: value for key, value in self.extra.items() if key != EVENTS_FIELD}
        self.extra = {**others, EVENTS_FIELD: events} if events else others
        return before if isinstance(before, list) else []

    def add_event(self, event: EventRecord) -> None:
        """Enter an event; of those beyond `MOST_EVENTS` only the log tells."""
        listed = self.extra.get(EVENTS_FIELD, [])
        if isinstance(listed, list) and len(listed) < MOST_EVENTS:
            self.extra = {**self.extra, EVENTS_FIELD: [*listed, msgspec.to_builtins(event)]}

    @property
    def all_streams(self) -> dict[str, StreamMeta]:
        """Streams of numbers and of text, by stem."""
        return {**self.streams, **self.string_streams}

    def add_stream(self, stem: str, stream: StreamMeta) -> None:
        """Enter a stream where readers expect it."""
        (self.string_streams if stream.info().is_string else self.streams)[stem] = stream


def _event(plain: Any) -> EventRecord | None:
    try:
        return msgspec.convert(plain, prepared(EventRecord), strict=False)
    except (msgspec.ValidationError, RecursionError):
        return None


def merged_events(written: list[Any], told: list[Any]) -> list[Any]:
    """Entries of ``events`` that a file has and those that a journal tells, each once, as the file has it.

    What the file alone has comes first: the journal is the newer of the two.
    """
    of_file: dict[EventRecord, list[Any]] = {}
    for one in written:
        if event := _event(one):
            of_file.setdefault(event, []).append(one)
    both = [of_file[event].pop(0) if (event := _event(one)) and of_file.get(event) else one for one in told]
    file_alone = [one for one in written if any(one is left for same in of_file.values() for left in same)]
    foreign = [one for one in written if _event(one) is None]
    return [*foreign, *file_alone, *both]


_KNOWN = frozenset(Meta.__struct_fields__) - {"extra", "strays"}
_KNOWN_OF_STREAM = frozenset(StreamMeta.__struct_fields__) - {"extra"}
_KNOWN_OF_LABEL = frozenset(LabelEvent.__struct_fields__) - {"extra"}
_STREAM_GROUPS = ("streams", "string_streams")


def _level(kind: type[Struct], *about: str, **inner: Level) -> Level:
    return Level(frozenset(kind.__struct_fields__), inner, about)


_TIME = _level(TimeMeta, leaps=_level(LeapRecord, "index"), repeated=_level(RepeatRecord, "index"))
_OF_STREAM = Level(
    ANYTHING,
    {
        "gaps": _level(GapRecord, "index", "kind"),
        "time": _TIME,
        "counts": _level(CountsMeta),
        "placed": _level(PlacedMeta),
    },
)
_LEVELS = Level(
    ANYTHING,
    {
        "recorder": _level(RecorderMeta),
        "anchors": _level(Anchor),
        "notes": _level(Note, "timestamp", "text"),
        **{group: _OF_STREAM._replace(each=True) for group in _STREAM_GROUPS},
    },
)


def _listed(values: tuple[str, ...] | None) -> list[str] | None:
    return None if values is None else list(values)


def _fitting(values: list[str] | None, n_channels: int) -> tuple[str, ...] | None:
    """A list that does not fit the channel count says nothing about any channel."""
    return tuple(values) if values is not None and len(values) == n_channels else None


def encode_meta(meta: Meta) -> bytes:
    """``meta`` as the bytes of ``meta.json``, the extra fields at the top level beside the known ones."""
    plain = msgspec.to_builtins(msgspec.structs.replace(meta, strays=None))
    del plain["strays"]
    put_back(plain, meta.strays, _LEVELS)
    for group in _STREAM_GROUPS:
        plain[group] = {stem: _flat(stream, _KNOWN_OF_STREAM) for stem, stream in plain[group].items()}
    return msgspec.json.format(msgspec.json.encode(_flat(plain, _KNOWN)), indent=2) + b"\n"


def _flat(plain: dict[str, Any], known: frozenset[str]) -> dict[str, Any]:
    """The extra fields beside the known ones."""
    extra = plain.pop("extra")
    return {**plain, **{key: value for key, value in extra.items() if key not in known}}


def _unknown(raw: Any, known: frozenset[str]) -> dict[str, Any]:
    return {key: value for key, value in raw.items() if key not in known} if isinstance(raw, dict) else {}


def decode_meta(data: bytes, *, where: str = "meta.json") -> Meta:
    """Read ``meta.json``; unknown fields go to ``extra``, missing ones take their defaults, null counts as missing.

    Raises
    ------
    SessionDamagedError
        It is no JSON object, too large, nested too deeply, or a field has a type that cannot be meant.
    """
    raw = decode_json(data, where=where)
    if not isinstance(raw, dict):
        raise SessionDamagedError(f"{where} is no JSON object")
    known = {key: _without_nulls(value) for key, value in raw.items() if key in _KNOWN and value is not None}
    known["extra"] = _unknown(raw, _KNOWN)
    for group in _STREAM_GROUPS:
        streams = known.get(group)
        for stem, stream in streams.items() if isinstance(streams, dict) else ():
            if isinstance(stream, dict):
                stream["extra"] = _unknown(raw[group][stem], _KNOWN_OF_STREAM)
    known.pop("strays", None)
    meta = as_type(known, Meta, where=where, strict=False)
    meta.strays = set_aside(raw, _LEVELS)
    for stem in meta.all_streams:
        if not is_stem(stem):
            raise SessionDamagedError(f"{where} names a stream {stem[:80]!r}; no files can be called so")
    return meta


def _without(plain: Any, key: str) -> Any:
    return {name: value for name, value in plain.items() if name != key} if isinstance(plain, dict) else plain


def _without_nulls(value: Any) -> Any:
    """Null at any depth counts as missing: other recorders write it for what they do not know."""
    if not isinstance(value, dict):
        return value
    return {key: _without_nulls(inner) for key, inner in value.items() if inner is not None}


def encode_labels(labels: list[LabelEvent]) -> bytes:
    """``labels`` as the bytes of ``labels.json``, one a line."""
    lines = b",\n ".join(_label_line(label) for label in labels)
    return b"[" + lines + b"]\n"


def _label_line(label: LabelEvent) -> bytes:
    if not label.extra:
        return msgspec.json.encode(label)
    plain = msgspec.to_builtins(msgspec.structs.replace(label, extra=""))
    return msgspec.json.encode({**msgspec.json.decode(label.extra), **plain})


def _label_of(raw: Any, label: LabelEvent) -> LabelEvent:
    further = {key: value for key, value in raw.items() if key not in _KNOWN_OF_LABEL}
    return msgspec.structs.replace(label, extra=msgspec.json.encode(further).decode()) if further else label


def decode_labels(data: bytes, *, where: str = "labels.json") -> list[LabelEvent]:
    """Read ``labels.json``, in time order.

    Raises
    ------
    SessionDamagedError
        It is no list of labels.
    """
    raw = decode_json(data, where=where)
    listed = [_without(one, "extra") for one in raw] if isinstance(raw, list) else raw
    labels = list(map(_label_of, raw, as_type(listed, list[LabelEvent], where=where, strict=False)))
    return sorted(labels, key=lambda label: label.timestamp)
