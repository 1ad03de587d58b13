"""The one interface that screens, scripts and the control socket are written against.

A `Recorder` offers three things: a `Status` snapshot, the `Envelope` of what a viewer looks at, and `execute`, which
carries out a `Command`. `App` is one in this process; `control.RecorderClient` is one at the other end of a socket.
Everything here is plain data (msgspec structs), so that it travels as it is. Times are seconds on the recorder's LSL
clock unless a name says otherwise.
"""

from __future__ import annotations

from typing import Literal, Protocol

from msgspec import Struct, field
from msgspec.structs import replace

RecorderState = Literal["idle", "recording"]
StreamState = Literal["seen", "wanted", "connecting", "live", "slow", "lost", "refused", "ended"]
Severity = Literal["info", "warning", "error"]


class Frozen(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of everything that a status holds."""


# ---------------------------------------------------------------- what a recorder shows


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
    """What is to be said of its time, the most severe first; those above ``info`` are problems, too."""
    backlog: int = 0
    """Samples appended but not yet in Zarr."""
    quality: tuple[ChannelQuality, ...] = ()
    """One per channel, empty for strings and until a second has passed."""
    grid: str = ""
    """Where its electrodes are, as `info.parse_grid` reads it (``8x8``); empty where nobody said so."""
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


# ---------------------------------------------------------------- what a recorder is told


class Command(Frozen, frozen=True, kw_only=True, tag=True):
    """Base of all commands. The struct's name is its tag on the wire."""

    actor: str = ""
    """Who asks, for the log ("tui 4711", "ctl", "script")."""


class Asking(Command, frozen=True, kw_only=True):
    """Base of commands that the recorder may answer by a question (`Reply.confirm`)."""

    confirmed: int = 0
    """How many of its questions were answered with yes."""


class OfSession(Command, frozen=True, kw_only=True):
    """Base of commands that mean the recording that is on the screen, and no other one."""

    session: str | None = None
    """The ``id`` of its `SessionStatus`; where another one runs by now the command is refused. None: whichever runs."""


class Start(Asking, frozen=True, kw_only=True):
    """Start recording what is selected; fails unless idle. While the last recording is stopping, it follows on that.

    It asks where there is less than a minute of room, where the take number is used already, and where the last
    recording ended by itself and nobody has acknowledged that.
    """

    base_path: str | None = None
    name: str | None = None


class Stop(OfSession, frozen=True, kw_only=True):
    """Stop and pack; returns once the last sample is on disk, packing continues in the background."""


class Discard(OfSession, frozen=True, kw_only=True):
    """Stop and move the session to the trash folder."""


class Acknowledge(Command, frozen=True, kw_only=True):
    """Take note that a recording ended by itself (`Status.stopped`)."""


class AddLabel(OfSession, frozen=True, kw_only=True):
    """A gesture begins (-1: the label ends). While idle it chooses the first label of the next session."""

    class_index: int
    timestamp: float | None = None
    """When the key was pressed; None is now."""
    uncertainty_s: float = 0.0
    source: str = "key"


class UndoLabel(OfSession, frozen=True, kw_only=True):
    """Remove the last label; the journal keeps that it was there."""


class AddNote(OfSession, frozen=True, kw_only=True):
    """A free text with its time. With ``path`` it goes to that finished session."""

    text: str
    timestamp: float | None = None
    """When its key was pressed; None is now."""
    uncertainty_s: float = 0.0
    path: str | None = None


class MarkTrial(OfSession, frozen=True, kw_only=True):
    """Mark a trial bad or good; without ``index`` and ``timestamp`` it is the running one, or else the last."""

    bad: bool | None = True
    """None turns the mark round."""
    index: int | None = None
    """Counts labels of the session from 0, in time order."""
    timestamp: float | None = None
    """That of the trial's label."""
    trial: int | None = None
    """Counts trials from 1, as replies and screens do."""


class Relabel(OfSession, frozen=True, kw_only=True):
    """Let a trial be of another class (-1: no label); which one, as in `MarkTrial`."""

    class_index: int
    index: int | None = None
    timestamp: float | None = None
    trial: int | None = None


class MarkChannel(Command, frozen=True, kw_only=True):
    """Mark a channel bad or good by hand; ``channel`` counts from 0."""

    stream: str
    channel: int
    bad: bool = True


class SetTake(Asking, frozen=True, kw_only=True):
    """Fill in the take sheet; None leaves a field as it is.

    Another subject or task without a ``take`` begins at its own next number; a number that is used already is asked
    about.
    """

    subject: str | None = None
    task: str | None = None
    take: int | None = None
    name: str | None = None
    fields: dict[str, str] | None = None


class SetGestures(Command, frozen=True, kw_only=True):
    """Replace the class names (only while idle)."""

    names: tuple[str, ...]
    keys: tuple[str, ...] | None = None


class ConnectStream(Command, frozen=True, kw_only=True):
    """Connect a stream by the key of its `StreamStatus` and tick it."""

    key: str


class ConnectAll(Command, frozen=True, kw_only=True):
    """Connect and tick all streams that are seen."""


class ForgetStream(Command, frozen=True, kw_only=True):
    """Disconnect a stream (never while it is being recorded)."""

    key: str


class ReconnectStream(Command, frozen=True, kw_only=True):
    """Make the connection of a stream anew, also while it is recorded; or say which outlet it is from now on."""

    key: str
    outlet: str = ""
    """Uid or its beginning, or host or source_id; empty: the outlet that it is at, or its successor."""


class TickStream(OfSession, frozen=True, kw_only=True):
    """Take a stream into, or out of, the recording; out of a running one it asks, twice for a required stream."""

    key: str
    record: bool
    confirmed: int = 0
    """As in `Asking`."""


class DescribeStream(Command, frozen=True, kw_only=True):
    """Ask for the XML that a connected stream describes itself with, verbatim: it is the ``text`` of the reply."""

    key: str


class StartProtocol(Asking, frozen=True, kw_only=True):
    """Begin a cued protocol, one that is known by its name or one of these steps; starts recording where idle."""

    name: str
    seed: int | None = None
    steps: tuple[tuple[str, float], ...] = ()
    """Gesture name (empty: no label) and seconds of each cue of one round; empty: the protocol of that name."""
    repeats: int = 1
    """Of the steps given here."""
    shuffle: bool = False
    """Shuffle each round of the steps given here."""


class PauseProtocol(OfSession, frozen=True, kw_only=True):
    """Pause or resume it."""

    paused: bool = True


class SkipCue(OfSession, frozen=True, kw_only=True):
    """On to the next cue."""


class AbortProtocol(OfSession, frozen=True, kw_only=True):
    """End it; the recording and all labels stay."""


class StartGenerator(Command, frozen=True, kw_only=True):
    """Start a synthetic EMG outlet (and a hand-control outlet) in a process of its own."""

    n_channels: int = 64
    fs: float = 2048.0


class StopGenerator(Asking, frozen=True, kw_only=True):
    """Stop it; asks while recording."""


class StartJob(Command, frozen=True, kw_only=True):
    """Queue a job on sessions. Kinds are those of `session.library.jobkinds`."""

    kind: str
    paths: tuple[str, ...]
    options: dict[str, str] = field(default_factory=dict)


class CancelJob(Command, frozen=True, kw_only=True):
    """End a job, or with id 0 all that wait or run; what they had made so far goes."""

    id: int


class EditSession(Command, frozen=True, kw_only=True):
    """Change name, subject, task or other fields of a finished session."""

    path: str
    changes: dict[str, str]


class TrashSession(Command, frozen=True, kw_only=True):
    """Move a session to the trash folder, or back from it with ``restore``."""

    path: str
    restore: bool = False


class Shutdown(Command, frozen=True, kw_only=True):
    """Stop recording cleanly, finish packing, end the recorder process."""


AnyCommand = (
    Start
    | Stop
    | Discard
    | Acknowledge
    | AddLabel
    | UndoLabel
    | AddNote
    | MarkTrial
    | Relabel
    | MarkChannel
    | SetTake
    | SetGestures
    | ConnectStream
    | ConnectAll
    | ForgetStream
    | ReconnectStream
    | TickStream
    | DescribeStream
    | StartProtocol
    | PauseProtocol
    | SkipCue
    | AbortProtocol
    | StartGenerator
    | StopGenerator
    | StartJob
    | CancelJob
    | EditSession
    | TrashSession
    | Shutdown
)


class Reply(Frozen, frozen=True, kw_only=True):
    """What came of a command. A refusal changes nothing and says why and what to do."""

    ok: bool
    message: str = ""
    path: str = ""
    """The session or artefact it is about."""
    job: int | None = None
    text: str = ""
    """What was asked for."""
    confirm: str = ""
    """A question: nothing was done, and the same command with ``confirmed`` one higher is a yes."""


_MOST_QUESTIONS = 3


def confirmed(recorder: Recorder, command: AnyCommand) -> Reply:
    """Carry out a command where nobody can be asked: every question is answered with yes, and stands in the reply."""
    reply = recorder.execute(command)
    asked: list[str] = []
    while reply.confirm and len(asked) < _MOST_QUESTIONS:
        asked.append(reply.confirm)
        reply = recorder.execute(replace(command, confirmed=len(asked)))
    return replace(reply, message="; ".join([reply.message, *asked])) if reply.ok and asked else reply


class Recorder(Protocol):
    """What the screens hold. `status` and `envelope` never block; `execute` may, for a bounded time."""

    def status(self) -> Status:
        """The newest snapshot."""
        ...

    def envelope(self, view: View) -> Envelope | None:
        """The newest envelope for what is looked at; None until there is one."""
        ...

    def execute(self, command: AnyCommand) -> Reply:
        """Carry out a command; call it off the event loop, one at a time, so that order is kept."""
        ...

    def close(self) -> None:
        """The viewer goes; the recorder stays."""
        ...
