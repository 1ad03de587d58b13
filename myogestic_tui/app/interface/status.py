"""What a recorder shows: `Status`, and the `Envelope` of what a viewer looks at, as plain data.

Times are seconds on the recorder's LSL clock unless a name says otherwise.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct, field

from ...montage import Places  # noqa: TC001  (msgspec resolves annotations at run time)

RecorderState = Literal["idle", "recording"]
StreamState = Literal["seen", "wanted", "connecting", "live", "slow", "lost", "refused", "ended"]
Severity = Literal["info", "warning", "error"]


class Frozen(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of everything that a status holds."""


class ChannelQuality(Frozen, frozen=True, kw_only=True):
    """Signal quality of one channel over the last second; the thresholds stand in `stream.quality`."""

    rms: float = 0.0
    peak: float = 0.0
    mains: float = 0.0
    """Share (0 to 1) of the power at the mains frequency and its harmonics."""
    flags: str = ""
    """Letters: F flat, C clipped, M mains, N not a number, x marked bad by hand."""


class Remark(Frozen, frozen=True, kw_only=True):
    """A sentence about a stream, without its name."""

    severity: Severity
    text: str


class StreamStatus(Frozen, frozen=True, kw_only=True):
    """One row of the Streams screen: a stream that is seen, wanted, connected or lost."""

    key: str
    """What commands name it by: unique, steady while the recorder runs."""
    name: str
    """Its name in the session (and what the Live screen asks envelopes by) once connected."""
    state: StreamState
    record: bool = False
    """The tick: whether it goes into the next recording."""
    recording: bool = False
    """Whether samples go to disk now."""
    required: bool = False
    message: str = ""
    type: str = ""
    source_id: str = ""
    hostname: str = ""
    uid: str = ""
    n_channels: int = 0
    dtype: str = ""
    fs: float = 0.0
    channel_names: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    measured_fs: float | None = None
    """Over the last second or so."""
    mean_fs: float | None = None
    """Since it connected."""
    rate_trace: tuple[float, ...] = ()
    """Measured rate of each of the last 60 s, oldest first."""
    jitter_s: float | None = None
    """99th percentile of the deviation of sample intervals from nominal."""
    n_samples: int = 0
    """Samples in the present session, or since connecting when idle."""
    n_bytes: int = 0
    gaps: int = 0
    lost_samples: int = 0
    lost_s: float = 0.0
    age_s: float | None = None
    """Since the last sample arrived."""
    clock_offset: float | None = None
    clock_uncertainty: float | None = None
    clock_drift_ppm: float | None = None
    silent_s: float = 0.0
    """How long nothing has come where samples were due; counted among the lost ones."""
    lag_s: float = 0.0
    """How far behind the samples are that come now: late, not lost so far."""
    packet_s: float = 0.0
    """Usual time between packets; 0 where samples do not come in packets."""
    leaps: int = 0
    """How often its stamps leapt against the recorder's clock; nothing is lost there."""
    repeated_samples: int = 0
    time_basis: str = ""
    """What its times rest on: lsl, uncompared, arrival, wall, count, none; empty until samples came."""
    time_error_s: float | None = None
    """How far wrong its times may be; None where nothing tells."""
    remarks: tuple[Remark, ...] = ()
    """Remarks on its time, the most severe first; those above ``info`` are problems, too."""
    backlog: int = 0
    """Samples appended but not yet in Zarr."""
    quality: tuple[ChannelQuality, ...] = ()
    """One per channel, empty for strings and until a second has passed."""
    places: Places = ()
    """Where its electrodes are: channels from 0 by row and column, -1 for none; empty where nobody said so."""
    grid_labels: tuple[tuple[str, int, int], ...] = ()
    """Label of each grid of ``places``, with the row and the column there of its corner, from 0."""
    montage: tuple[str, ...] = ()
    """The same in words, a line for each grid."""
    mvc: tuple[float, ...] = ()
    """Maximum voluntary contraction of each channel (RMS, in its unit); empty until a take of the protocol ``mvc``."""


class GestureStatus(Frozen, frozen=True, kw_only=True):
    """One gesture class: index in ``class_names``, its key, and what is recorded of it."""

    name: str
    key: str = ""
    trials: int = 0
    seconds: float = 0.0
    bad: int = 0


class LabelStatus(Frozen, frozen=True, kw_only=True):
    """One label of the running (or last) session."""

    timestamp: float
    class_index: int
    bad: bool = False
    source: str = ""
    uncertainty_s: float = 0.0


class NoteStatus(Frozen, frozen=True, kw_only=True):
    """One note."""

    timestamp: float
    text: str
    uncertainty_s: float = 0.0


class EventStatus(Frozen, frozen=True, kw_only=True):
    """Something that happened to the recording; ``events`` of ``meta.json``."""

    timestamp: float
    kind: str
    """``started``, ``joined``, ``excluded``, ``lost``, ``back``, ``not recorded``, ``labels``, ``undo``, ``trial``,
    ``stopped``; more may come."""
    text: str
    who: str = ""
    """Who did it ("tui 4711", "script"); empty where nobody did."""
    stream: str = ""


class StopStatus(Frozen, frozen=True, kw_only=True):
    """A recording that the recorder ended by itself."""

    session: str
    """The ``id`` of its `SessionStatus`."""
    at: float
    text: str
    """Why, and what to do."""
    path: str = ""
    take: int | None = None


class SessionStatus(Frozen, frozen=True, kw_only=True):
    """The session being recorded, or the last one."""

    path: str
    id: str = ""
    """What commands name it by as long as the recorder runs; the path changes when it is packed."""
    subject: str = ""
    task: str = ""
    take: int | None = None
    """Those of this session; the take sheet is about the next one."""
    expected: tuple[str, ...] = ()
    """Names of the streams that it was started with, and of those that joined."""
    events: tuple[EventStatus, ...] = ()
    """The newest 50, oldest first."""
    ended_by: str = ""
    """Who or what stopped it; empty while it runs."""
    name: str = ""
    started_at: float = 0.0
    segment: int = 0
    """Which session of its chain it is, from 1; 0 where it belongs to none."""
    before_s: float = 0.0
    """How many seconds before it was asked for it begins."""
    elapsed_s: float = 0.0
    bytes: int = 0
    n_labels: int = 0
    label_seconds: float = 0.0
    """Seconds so far of the active label."""
    unlabelled_s: float = 0.0
    labels: tuple[LabelStatus, ...] = ()
    """The newest 200, oldest first."""
    notes: tuple[NoteStatus, ...] = ()
    """The newest 20, oldest first."""
    gaps: int = 0
    lost_samples: int = 0
    unsynced_s: float = 0.0
    """Age of the oldest sample that is not on the disk yet: what a power cut would take now."""
    backlog_s: float = 0.0
    """How far the checkpoints are behind."""


class TakeStatus(Frozen, frozen=True, kw_only=True):
    """The take sheet: sticks from take to take, the number counts up."""

    subject: str = ""
    task: str = ""
    take: int = 1
    name: str = ""
    fields: dict[str, str] = field(default_factory=dict)


class ProtocolStatus(Frozen, frozen=True, kw_only=True):
    """A cued protocol that runs or is ready."""

    name: str
    state: Literal["ready", "lead-in", "running", "paused", "done", "aborted"]
    cue: int = 0
    """1-based number of the present cue; 0 before the first."""
    n_cues: int = 0
    class_index: int = -1
    cue_started_at: float = 0.0
    cue_seconds: float = 0.0
    cue_elapsed_s: float = 0.0
    next_class_index: int | None = None
    next_seconds: float = 0.0
    then_class_index: int | None = None
    """The class of the cue after the next one."""
    elapsed_s: float = 0.0
    total_s: float = 0.0
    seed: int | None = None
    bell: bool = True
    """Whether the operator's terminal rings at each cue."""


class JobStatus(Frozen, frozen=True, kw_only=True):
    """A background job on sessions: pack, verify, recover, salvage, export, copy, replay."""

    id: int
    kind: str
    path: str
    state: Literal["waiting", "running", "done", "failed", "cancelled"]
    fraction: float = 0.0
    bytes_per_s: float = 0.0
    left_s: float | None = None
    message: str = ""
    """Of a job that failed: why, and what to do."""
    result: str = ""
    """Of a job that is done: JSON, such as ``{"path": …}`` or a verification's outcome."""


class Problem(Frozen, frozen=True, kw_only=True):
    """One line of "needs you"."""

    severity: Severity
    subject: str
    """Stream name, "disk", "session", …"""
    text: str


class DiskStatus(Frozen, frozen=True, kw_only=True):
    """Room left in the sessions folder."""

    free_bytes: int = 0
    reserve_bytes: int = 0
    left_s: float | None = None
    """Recording time left at the present rate; None where nothing flows."""


class Status(Frozen, frozen=True, kw_only=True):
    """Everything a screen draws, at one instant."""

    at: float
    state: RecorderState = "idle"
    stopping: bool = False
    """The recording is being finished; a start that is asked for now follows as soon as it is."""
    stopped: StopStatus | None = None
    """The last recording ended by itself, and nobody has acknowledged that yet."""
    take_exists: bool = False
    """A session of the take sheet's subject and task has its number already."""
    message: str = ""
    """``ctx.status_message``: the last thing the operator should know, with its remedy."""
    host: str = ""
    app_name: str = ""
    version: str = ""
    pid: int = 0
    sessions_dir: str = "sessions"
    clock: str = ""
    """Which clock all these times count in; see `clock.clock_id`."""
    label_source: str = ""
    """The source_id of the outlet of its labels, `app.label_markers.LABEL_STREAM`."""
    current_label: int | None = None
    """Active class while recording (None or -1: no label); first label of the next session when idle."""
    gestures: tuple[GestureStatus, ...] = ()
    session: SessionStatus | None = None
    take: TakeStatus = field(default_factory=TakeStatus)
    streams: tuple[StreamStatus, ...] = ()
    problems: tuple[Problem, ...] = ()
    disk: DiskStatus = field(default_factory=DiskStatus)
    protocol: ProtocolStatus | None = None
    protocols: tuple[str, ...] = ()
    """Names that `StartProtocol` takes."""
    jobs: tuple[JobStatus, ...] = ()
    """Those that run, the next 100 that wait, the last 50 that ended."""
    jobs_waiting: int = 0
    """How many wait in all."""
    unfinished: tuple[str, ...] = ()
    """Sessions that recovery or packing would finish."""
    generator: bool = False
    """A synthetic outlet that this recorder started is running."""
    viewers: int = 0


class View(Frozen, frozen=True, kw_only=True):
    """What a viewer looks at: one stream, some channels, some time, so many columns."""

    stream: str
    seconds: float = 10.0
    columns: int = 112
    """Two per braille cell."""
    first_channel: int = 0
    n_channels: int = 16
    until: float | None = None
    """End of the window on the source's clock when paused or scrolled back; None follows the newest sample."""
    highpass_hz: float | None = None
    notch_hz: float | None = None
    """Display only: what is recorded is raw."""
    remove_offset: bool = True
    rms: bool = False
    """The RMS of each column instead of its least and greatest value."""
    rms_every: int = 0
    """Beside least and greatest values the RMS of every so many columns, of the same samples; a divisor of ``columns``.
    The window then ends with a whole run of columns, the last of which may lie ahead of the newest sample."""


class Envelope(Frozen, frozen=True, kw_only=True):
    """Least and greatest value of each channel in each column of a `View`.

    Columns lie on a fixed grid of ``seconds / columns`` on the source's clock, so that they do not shimmer as time
    continues. ``low`` and ``high`` are float32 in C order, ``(n_channels, columns)``, oldest column first; NaN where
    there is no sample.
    """

    stream: str
    first_channel: int
    n_channels: int
    columns: int
    start: float
    seconds: float
    low: bytes
    high: bytes
    rms: bytes = b""
    """The RMS of each column, shaped as ``low``, where the view asks for it; ``low`` and ``high`` are empty then. With
    ``rms_every``: beside them, ``(n_channels, columns // rms_every)``."""
    unit: str = ""
    labels: tuple[LabelStatus, ...] = ()
    """Labels in force within the window, on the same clock as ``start``; the first may begin before it."""
