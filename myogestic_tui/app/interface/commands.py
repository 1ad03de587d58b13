"""Commands to a recorder and the `Reply` to each, as plain data."""

from __future__ import annotations

from msgspec import field

from ...grid_layout import GridLayout  # noqa: TC001  (msgspec resolves annotations at run time)
from .status import Frozen


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
    fleet_id: str = ""
    """What the sessions of several boxes that record together have in common."""
    rehearse: bool = False
    """Only say whether it would start now."""


class Stop(OfSession, frozen=True, kw_only=True):
    """Stop and pack; returns once the last sample is on disk, packing continues in the background."""


class Discard(OfSession, frozen=True, kw_only=True):
    """Stop and move the session to the trash folder."""


class Acknowledge(Command, frozen=True, kw_only=True):
    """Take note that a recording ended by itself (`Status.stopped`)."""


class RunCommand(Command, frozen=True, kw_only=True):
    """Run a program of ``[[commands]]``; what becomes of it is in `Status.message`."""

    name: str


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


class MoveLabel(OfSession, frozen=True, kw_only=True):
    """Let a trial begin ``seconds`` later (earlier if negative); which one, as in `MarkTrial`."""

    seconds: float
    index: int | None = None
    timestamp: float | None = None
    trial: int | None = None


class MarkChannel(Command, frozen=True, kw_only=True):
    """Mark a channel bad or good by hand; ``channel`` counts from 0."""

    stream: str
    channel: int
    bad: bool = True


class SetMontage(Command, frozen=True, kw_only=True):
    """Say where the electrodes of a stream are, while it is not recorded; its grids are the ``text`` of the reply.

    Remembered for the sessions folder.
    """

    stream: str
    layouts: tuple[GridLayout, ...] | None = None
    """None: what the configuration tells."""
    add: bool = False
    """To those that it has."""


class DescribeMontage(Command, frozen=True, kw_only=True):
    """Ask where the electrodes of a stream are: its grids are the ``text`` of the reply, as JSON."""

    stream: str


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
    """Reconnect a stream, also while it is recorded; or say which outlet it is from now on."""

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
    | RunCommand
    | AddLabel
    | UndoLabel
    | AddNote
    | MarkTrial
    | Relabel
    | MoveLabel
    | MarkChannel
    | SetMontage
    | DescribeMontage
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
