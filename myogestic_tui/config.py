"""`myogestic.toml`: what is wanted, by name, checked before anything starts.

Every value has a default, so an empty file is a valid one. A mistake raises `ConfigError` with the file, the line where
it can be told, the path of the value (``streams[2].required``, counted from 1) and what is allowed instead.
"""

from __future__ import annotations

from collections import Counter
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from msgspec import Meta, field
from msgspec.structs import replace

from .bids_config import BidsConfig as BidsConfig
from .errors import ConfigError
from .grid_layout import GridLayout
from .recording_config import CommandConfig, InputConfig, OnConfig, RecordConfig
from .toml_tables import Section, allowed, flatten, parse_toml, read_table, read_text

if TYPE_CHECKING:
    from collections.abc import Iterable

CONFIG_FILE = "myogestic.toml"
"""The file that is read from the current directory where none is named."""

GESTURE_KEYS = "1234567890ABCDEFGHIJKLMNOPQRSTUVWXYZ"
"""Digits and capitals are gestures; lowercase letters and punctuation are commands."""

DEFAULT_GESTURES = ("Rest", "Fist", "Pinch", "Open")
"""The classes that the screens offer where no configuration names any."""

Positive = Annotated[float, Meta(gt=0)]
NotNegative = Annotated[float, Meta(ge=0)]


class StreamConfig(Section, frozen=True, kw_only=True):
    """A stream that is expected: any of name, type, source_id, host and LSL query selects it."""

    name: str | None = None
    type: str | None = None
    source_id: str | None = None
    host: str | None = None
    query: str | None = None
    """An LSL (XPath) predicate, such as ``"channel_count=64"``."""
    save_as: str | None = field(name="as", default=None)
    """Its name in the session; its own name where this is absent."""
    required: bool = False
    """Ask before a recording starts without it."""
    record: bool = True
    """False: shown, not recorded, until selected."""
    counter: str | int | None = None
    """Channel that counts samples: its name, ``"channel 65"`` or 65; losses are then exact."""

    grid: str = ""
    """Where its electrodes are, in short: `MontageConfig` has more."""

    def __post_init__(self) -> None:
        if not (self.name or self.type or self.source_id or self.query):
            raise ConfigError("selects nothing; give at least one of name, type, source_id, query")
        if self.grid:
            GridLayout(grid=self.grid)

    @property
    def session_name(self) -> str:
        """The name that the stream gets in a session."""
        return self.save_as or self.name or self.type or self.source_id or "stream"


class MontageConfig(GridLayout, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A grid of electrodes, or a single one, of a stream; a stream may have several."""

    stream: Annotated[str, Meta(min_length=1)]
    """Its name in the session."""

    @property
    def layout(self) -> GridLayout:
        """Without the stream's name."""
        return GridLayout(**{name: getattr(self, name) for name in GridLayout.__struct_fields__})


class LslConfig(Section, frozen=True, kw_only=True):
    """Settings of the LSL library, in place of a hidden ``lsl_api.cfg``; absent ones are left as they are."""

    known_peers: tuple[str, ...] = ()
    """Hosts that are asked directly, where multicast does not get through."""
    session_id: str | None = None
    """Only outlets of the same session id are seen."""
    resolve_scope: Literal["machine", "link", "site", "organization", "global"] | None = None


class GestureConfig(Section, frozen=True, kw_only=True):
    """One gesture class; its place in the list is its class index."""

    name: Annotated[str, Meta(min_length=1)]
    key: Annotated[str, Meta(pattern="^[0-9A-Z]?$", description="one digit or capital letter")] = ""
    """A digit or a capital letter; the next free one of `GESTURE_KEYS` where absent."""


class StepConfig(Section, frozen=True, kw_only=True):
    """One cue of a protocol."""

    gesture: str = ""
    """A gesture's name; empty: no label."""
    seconds: Positive


class ProtocolConfig(Section, frozen=True, kw_only=True):
    """A cued protocol: steps, in order or shuffled, so many times."""

    name: Annotated[str, Meta(min_length=1)]
    steps: Annotated[tuple[StepConfig, ...], Meta(min_length=1)]
    repeats: Annotated[int, Meta(ge=1)] = 1
    shuffle: bool = False
    """Shuffle the steps of each repeat."""
    seed: int | None = None
    """Makes a shuffle repeatable; a fresh one, which is recorded, where absent."""
    lead_in: NotNegative = 3.0
    """Seconds from the start of the recording to the first cue."""
    bell: bool = True
    """Ring the terminal's bell at each cue."""


class TakeConfig(Section, frozen=True, kw_only=True):
    """What the take sheet starts with; it sticks from take to take, the number counts up."""

    subject: str = ""
    task: str = ""
    take: Annotated[int, Meta(ge=1, le=2**63 - 1)] = 1
    fields: dict[str, str] = field(default_factory=dict)
    """Further fields of the sheet with their first values; all are written into ``meta.json``."""


Theme = Literal[
    "dark", "light", "ansi",
    "ansi-dark", "ansi-light", "atom-one-dark", "atom-one-light", "catppuccin-frappe", "catppuccin-latte",
    "catppuccin-macchiato", "catppuccin-mocha", "dracula", "flexoki", "gruvbox", "monokai", "nord", "rose-pine",
    "rose-pine-dawn", "rose-pine-moon", "solarized-dark", "solarized-light", "textual-dark", "textual-light",
    "tokyo-night",
]  # fmt: skip
"""Ours, and those that Textual has."""


class ScreenConfig(Section, frozen=True, kw_only=True):
    """How the screens look, and what they may ask of the terminal and the link."""

    theme: Theme = "dark"
    glyphs: Literal["auto", "braille", "block", "ascii"] = "auto"
    fps: Annotated[float, Meta(ge=1, le=30)] = 10.0
    mouse: bool = True
    keyboard: Literal["qwerty", "azerty"] = "qwerty"
    """``azerty``: the unshifted top row counts as digits."""


class DiskConfig(Section, frozen=True, kw_only=True):
    """The reserve: below the greater of the two no recording starts, and a running one is stopped cleanly."""

    reserve_mb: NotNegative = 200.0
    reserve_s: NotNegative = 60.0
    """Seconds of data at the present rate."""

    def reserve_bytes(self, bytes_per_s: float = 0.0) -> int:
        """The reserve in bytes, while ``bytes_per_s`` flow."""
        return int(max(self.reserve_mb * 1e6, self.reserve_s * bytes_per_s))


class RemoteConfig(Section, frozen=True, kw_only=True):
    """The opt-in TCP port that speaks LabRecorder's remote-control lines."""

    enabled: bool = False
    host: str = "127.0.0.1"
    port: Annotated[int, Meta(ge=1, le=65535)] = 22345
    token: Annotated[str, Meta(pattern=r"^\S*$", description="text without blanks")] = ""
    """Token that must come first; beyond loopback there must be one."""

    def __post_init__(self) -> None:
        if self.enabled and not self.token and not _is_loopback(self.host):
            raise ConfigError(f"host: {self.host} lets others on the network in; give a token, which they have to say")


class MarkerConfig(Section, frozen=True, kw_only=True):
    """What the samples of an LSL marker stream do: exact texts to gestures, and to start and stop."""

    stream: str | None = None
    """Name of the marker stream; absent: markers do nothing but get recorded."""
    labels: dict[str, str] = field(default_factory=dict)
    """Marker text to gesture name; an empty name ends the label."""
    start: tuple[str, ...] = ()
    """Marker texts that start a recording of what is selected."""
    stop: tuple[str, ...] = ()
    """Marker texts that stop it."""
    publish: bool = True
    """Send every label as an LSL marker stream, ``myogestic_labels``."""


Share = Annotated[float, Meta(ge=0, le=1)]


class QualityConfig(Section, frozen=True, kw_only=True):
    """Beyond which values `report` asks to check a session; shares are of the seconds of each channel, from 0 to 1."""

    after_stop: bool = True
    """Judge each session of 5 s or more once it is packed."""
    rest: str = ""
    """The class at rest; the one called Rest, or else the first, where this is empty."""
    skip: tuple[str, ...] = ()
    """Streams whose channels are not judged."""
    max_flat: Share = 0.05
    max_clipped: Share = 0.05
    max_mains: Share = 0.2
    max_nan: Share = 0.0
    max_motion: Share = 0.5
    min_snr_db: float = 3.0
    """A channel has to be louder than at rest by this in one of the classes."""
    min_coverage: Share = 0.99
    """Share of the session that a stream's samples have to cover."""
    max_error_ms: NotNegative = 20.0
    """How far wrong a stream's times may be."""
    check_trials: bool = True
    """Look for single trials that do not look like their class."""
    min_trials: Annotated[int, Meta(ge=0)] = 0
    """Good trials that each class has to have."""


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _unique(section: str, what: str, values: Iterable[str]) -> None:
    twice = [value for value, count in Counter(values).items() if count > 1]
    if twice:
        raise ConfigError(f"{section}: two have the {what} {twice[0]!r}; each needs its own")


class Config(Section, frozen=True, kw_only=True):
    """All of `myogestic.toml`."""

    app_name: str = "myogestic_tui"
    sessions: str = "sessions"
    streams: tuple[StreamConfig, ...] = ()
    montage: tuple[MontageConfig, ...] = ()
    lsl: LslConfig = field(default_factory=LslConfig)
    gestures: Annotated[tuple[GestureConfig, ...], Meta(max_length=len(GESTURE_KEYS))] = ()
    protocols: tuple[ProtocolConfig, ...] = ()
    take: TakeConfig = field(default_factory=TakeConfig)
    screen: ScreenConfig = field(default_factory=ScreenConfig)
    disk: DiskConfig = field(default_factory=DiskConfig)
    record: RecordConfig = field(default_factory=RecordConfig)
    on: OnConfig = field(default_factory=OnConfig)
    commands: tuple[CommandConfig, ...] = ()
    keymap: dict[str, str] = field(default_factory=dict)
    """Command id to its keys, with a blank between them: ``stop = "x"``, ``live.pause = "p"``; see `tui.keys`."""
    remote: RemoteConfig = field(default_factory=RemoteConfig)
    markers: MarkerConfig = field(default_factory=MarkerConfig)
    inputs: tuple[InputConfig, ...] = ()
    bids: BidsConfig = field(default_factory=BidsConfig)
    quality: QualityConfig = field(default_factory=QualityConfig)

    def __post_init__(self) -> None:
        _unique("gestures", "name", self.class_names)
        _unique("gestures", "key", (gesture.key for gesture in self.gestures if gesture.key))
        _unique("commands", "name", (one.name for one in self.commands))
        _unique("commands", "key", (one.key for one in self.commands if one.key))
        _unique("protocols", "name", (protocol.name for protocol in self.protocols))
        _unique("streams", "name in the session", (stream.session_name for stream in self.streams))
        for place, protocol in enumerate(self.protocols, 1):
            for step in protocol.steps:
                self._known(step.gesture, f"protocols[{place}].steps")
        for place, one in enumerate(self.inputs, 1):
            self._known(one.press, f"inputs[{place}].press")
            self._known(one.release or "", f"inputs[{place}].release")
        _unique("inputs", "device and key", (f"{one.device} {one.key}" for one in self.inputs))
        for marker, gesture in self.markers.labels.items():
            self._known(gesture, f"markers.labels.{marker}")

    def check_montage(self) -> None:
        """Raise ConfigError where ``[[montage]]`` names a stream that ``[[streams]]`` does not, or that has a grid."""
        streams = {stream.session_name: stream for stream in self.streams}
        for place, one in enumerate(self.montage, 1):
            if streams and one.stream not in streams:
                raise ConfigError(f"montage[{place}].stream: no stream is called {one.stream!r}; {allowed(streams)}")
            if streams and streams[one.stream].grid:
                raise ConfigError(f"montage[{place}]: {one.stream} has a grid under [[streams]]; leave out one of them")

    def layouts(self, stream: str) -> tuple[GridLayout, ...]:
        """The electrodes of a stream, by its name in the session."""
        short = [GridLayout(grid=one.grid) for one in self.streams if one.session_name == stream and one.grid]
        return (*short, *(one.layout for one in self.montage if one.stream == stream))

    def _known(self, gesture: str, where: str) -> None:
        if gesture and gesture not in self.class_names:
            raise ConfigError(f"{where}: no gesture is called {gesture!r}; {allowed(self.class_names)}")

    @property
    def class_names(self) -> tuple[str, ...]:
        """Gesture names by class index."""
        return tuple(gesture.name for gesture in self.gestures)

    @property
    def gesture_keys(self) -> tuple[str, ...]:
        """The key of each gesture, by class index: its own, else the next that is free."""
        taken = {gesture.key for gesture in self.gestures}
        free = iter(key for key in GESTURE_KEYS if key not in taken)
        return tuple(gesture.key or next(free) for gesture in self.gestures)

    @property
    def all_protocols(self) -> tuple[ProtocolConfig, ...]:
        """The protocols of the file, then those that ship and whose names are free."""
        names = {protocol.name for protocol in self.protocols}
        shipped = shipped_protocols(self.class_names)
        return (*self.protocols, *(protocol for protocol in shipped if protocol.name not in names))

    def with_gestures(self, names: Iterable[str] = DEFAULT_GESTURES) -> Config:
        """A copy with these gestures where the file names none; else the config itself."""
        if self.gestures:
            return self
        return replace(self, gestures=tuple(GestureConfig(name=name) for name in names))


def shipped_protocols(class_names: tuple[str, ...]) -> tuple[ProtocolConfig, ...]:
    """``baseline``: 30 s of the first class. ``mvc``: 5 s of each other class at full force, after 10 s of the first.

    The first class is the one at rest. No class, no protocol.
    """
    if not class_names:
        return ()
    rest, *active = class_names
    baseline = ProtocolConfig(name="baseline", steps=(StepConfig(gesture=rest, seconds=30.0),))
    if not active:
        return (baseline,)
    steps = tuple(
        step
        for name in active
        for step in (StepConfig(gesture=rest, seconds=10.0), StepConfig(gesture=name, seconds=5.0))
    )
    return baseline, ProtocolConfig(name="mvc", steps=steps, repeats=3)


def load_config(path: str | Path | None = None) -> Config:
    """Read a configuration file.

    Parameters
    ----------
    path
        The file; None is `CONFIG_FILE` of the current directory if there is one, and the defaults if not.

    Raises
    ------
    ConfigError
        The file is missing or unreadable, or something in it is not usable.
    """
    file = Path(path if path is not None else CONFIG_FILE)
    if path is None and not file.exists():
        return Config()
    return parse_config(read_text(file, "`myogestic-tui init` writes one to start from"), str(file))


def parse_config(text: str, source: str = CONFIG_FILE) -> Config:
    """Check a configuration given as text; ``source`` is what errors call it. Raises `ConfigError`."""
    return parse_toml(text, source, _read_config)


def _read_config(table: dict[str, Any]) -> Config:
    if isinstance(table.get("keymap"), dict):
        table["keymap"] = flatten(table["keymap"])
    config = read_table(Config, table, "")
    config.check_montage()
    return config


def stream_selection(text: str) -> StreamConfig:
    """A stream as a command line names it: ``EMG``, or ``type=EMG,host=amp-pc,as=emg``; it is required.

    Raises
    ------
    ConfigError
        There is no such key, or nothing is selected.
    """
    if "=" not in text:
        return StreamConfig(name=text, required=True)
    pairs = (part.partition("=") for part in text.split(","))
    return read_table(StreamConfig, {"required": True} | {key.strip(): value.strip() for key, _, value in pairs}, text)
