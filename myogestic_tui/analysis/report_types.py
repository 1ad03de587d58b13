"""What a report tells, as plain data: what `report --json` prints."""

from __future__ import annotations

from msgspec import Struct, field


class ClassReport(Struct, frozen=True, kw_only=True):
    """One class, with what was recorded of it."""

    name: str
    trials: int
    bad: int
    seconds: float


class ChannelReport(Struct, frozen=True, kw_only=True):
    """One channel; shares are of the seconds that were judged, from 0 to 1."""

    channel: int
    """From 1."""
    name: str
    marked_bad: bool = False
    """By a person; such a channel is not judged again."""
    rms: float
    """Median over all seconds, about each one's mean, in the stream's unit."""
    rms_rest: float | None = None
    """Above 20 Hz and beside the mains lines, median over the seconds of the class at rest; None without any."""
    rms_active: dict[str, float] = field(default_factory=dict)
    """The same, by the name of each other class."""
    snr_db: dict[str, float] = field(default_factory=dict)
    """20 log10 of `rms_active` over `rms_rest`, by class."""
    flat: float = 0.0
    clipped: float = 0.0
    mains: float = 0.0
    """Share of seconds in which mains has half of the power or more."""
    nan: float = 0.0
    motion: float = 0.0
    """Share of seconds in which what lies below 20 Hz has half of the power or more."""
    mains_power: float = 0.0
    """Share of the power that is at the mains lines, median over all seconds."""


class FatigueReport(Struct, frozen=True, kw_only=True):
    """Median frequency of the signal during one class: it falls as a muscle tires."""

    name: str
    median_hz: float
    """At the middle of the session."""
    slope_hz_per_min: float
    """Theil-Sen, over the median of the channels in each second."""
    slope_low: float
    slope_high: float
    """95 % confidence interval."""
    times_s: list[float]
    """Since the session's start, and the median frequency then: at most 200 places."""
    hz: list[float]


class GapReport(Struct, frozen=True, kw_only=True):
    """Time that is missing, in seconds since the session's start."""

    at_s: float
    seconds: float
    why: str = ""


class GridReport(Struct, frozen=True, kw_only=True):
    """An electrode grid: channels (from 1) by row and column; 0 where there is none."""

    label: str
    channels: list[list[int]]


class Issue(Struct, frozen=True, kw_only=True):
    """Something that is beyond a threshold of ``[quality]``."""

    stream: str = ""
    channel: int | None = None
    """From 1; None where it is about the stream or the session."""
    trial: int | None = None
    """From 1; None where it is not about one trial."""
    text: str
    """Such as ``flat in 40 % of the time (at most 5 %)``."""


class StreamReport(Struct, frozen=True, kw_only=True):
    """One stream."""

    name: str
    type: str = ""
    unit: str = ""
    fs: float = 0.0
    measured_fs: float | None = None
    n_channels: int = 0
    n_samples: int = 0
    coverage: float | None = None
    """Share of the session that its samples cover; None for an irregular stream."""
    lost_samples: int = 0
    gaps: list[GapReport] = field(default_factory=list)
    jitter_ms: float | None = None
    """Standard deviation of the steps of its raw time stamps, but for the longest and shortest 0.1 %."""
    basis: str = ""
    error_ms: float | None = None
    """How far wrong its corrected times may be; None: not known."""
    offset_ms: float | None = None
    drift_ppm: float | None = None
    """Of its clock against the recorder's; None where they were never compared."""
    remarks: list[str] = field(default_factory=list)
    judged_s: float = 0.0
    """Seconds of signal that were judged; 0 where its channels are not judged: text, or too slow for EMG."""
    unreadable_s: float = 0.0
    """Seconds of samples that cannot be read; `verify` says which."""
    channels: list[ChannelReport] = field(default_factory=list)
    fatigue: list[FatigueReport] = field(default_factory=list)
    grids: list[GridReport] = field(default_factory=list)
    trial_issues: list[Issue] = field(default_factory=list)
    """Single trials that do not look like their class."""


class Report(Struct, frozen=True, kw_only=True):
    """A session, judged."""

    path: str
    verdict: str
    """``ok``, or what to check: ``check: 3 channels``."""
    issues: list[Issue] = field(default_factory=list)
    name: str = ""
    subject: str = ""
    task: str = ""
    take: int | None = None
    fields: dict[str, str | int | float] = field(default_factory=dict)
    created: str = ""
    duration_s: float = 0.0
    state: str = ""
    rest: str = ""
    """The class that counts as rest."""
    classes: list[ClassReport] = field(default_factory=list)
    labels: list[tuple[float, str, bool]] = field(default_factory=list)
    """Seconds since the session's start, class (empty: none), and whether it is marked bad."""
    labels_edited: str = ""
    streams: list[StreamReport] = field(default_factory=list)
    notes: list[tuple[str, str]] = field(default_factory=list)
    hashes: dict[str, str] = field(default_factory=dict)
    """SHA-256 of members; that of ``manifest.json`` stands for the whole archive."""
    thresholds: dict[str, float | None] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Nothing is beyond a threshold."""
        return not self.issues
