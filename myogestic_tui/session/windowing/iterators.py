"""Windows one by one, from any number of sessions, on corrected time, without the session in memory.

A window has ``floor(win_seconds * fs + 1e-9)`` samples, as one of a live stream has, and the next one begins
``floor(hop_seconds * fs + 1e-9)`` samples later. None contains a gap or a jump of the source's clock.

Labelled windows begin at the first sample of a label's span and lie wholly within it: a span lasts from one label event
to the next, also where both name the same class, because each is a trial. Class -1 means unlabelled, as do the samples
before the first label. Aligned windows run over all of the signal.

Arguments are checked when a function is called, before the first window is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...errors import SessionDamagedError
from ..signal.window_bounds import Cut
from .aligned_values import AlignedValues
from .plan import Outcome, Plan, plan_session
from .pooling import Pool
from .recipe import Recipe
from .window import AlignedWindow, LabeledWindow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any, Unpack

    from numpy.typing import NDArray

    from ..reading.find_sessions import Paths
    from ..reading.reader import SessionReader
    from ..signal.streamdata import StreamData
    from .pooling import Pick
    from .recipe import ClassChoice, WindowOptions

    Room = Callable[[], NDArray[Any] | None]


def iter_labeled_windows(
    paths: Paths,
    stream_name: str,
    win_seconds: float,
    hop_seconds: float,
    classes: ClassChoice = None,
    **options: Unpack[WindowOptions],
) -> Iterator[LabeledWindow]:
    """Windows with the class that holds throughout.

    Parameters
    ----------
    paths
        Sessions, in any state, folders of sessions, patterns, URLs; one alone will do.
    stream_name
        A stream of numbers with a nominal rate.
    win_seconds, hop_seconds
        Length of a window, and from the start of one to the start of the next.
    classes
        Names of the classes that are wanted, or their indices; None for every label, which leaves out what is
        unlabelled (-1).
    **options
        See `WindowOptions`.

    Yields
    ------
    window
        ``(n_channels, n)`` in the stream's dtype, a contiguous copy.
    ts
        ``(n,)`` when each sample was taken, seconds on the recorder's clock.
    class_index
        The class: its position in ``classes``, where these are names. Otherwise, where sessions have other class names,
        or in another order, classes are matched by name: an index is that of the first session, and names that it has
        not follow.

    Each is a `LabeledWindow`: a tuple of the three whose ``meta`` (`WindowMeta`) tells the session, subject, take and
    trial, the time in the trial, the start, and how far wrong it may be.

    Raises
    ------
    ClockError
        Nothing tells how the stream's time stamps lie to the labels. Raised by the call if that is so of all sessions;
        otherwise such sessions are skipped with a warning, or raise with ``strict``.
    ConfigError
        An argument is not usable: a length that is not positive or below one sample, a stream of text or without a
        rate, no session. Raised by the call.
    UnknownStreamError
        No session that can be read has the stream. Raised by the call.
    OtherStreamError
        The stream is another one in some of the sessions: its type, channels, units, rate, dtype or source_id differ.
        Raised before the first window.
    OtherClassesError
        The sessions name their classes differently, and one has labels of a class without a name. Raised likewise.
    NotFiniteError
        A value is no finite number, with ``on_nan="raise"``.
    SessionError
        None of the sessions can be read, by the call; with ``strict``, for the first session that cannot be read.
    """
    recipe = Recipe.of(stream_name, Cut(win_seconds, hop_seconds), classes, options)
    pool = Pool(paths, recipe, recipe.check)
    return pool.told(lambda pick, reader: session_windows(pool, pick, reader))


def session_windows(
    pool: Pool, pick: Pick, reader: SessionReader, *, at_labels: bool = True
) -> Iterator[LabeledWindow]:
    """The windows of one of the sessions; remarks on them are logged."""
    plan, stream, remarks = plan_session(reader, pick, pool.recipe, at_labels=at_labels)
    for text in remarks:
        pool.remark(text)
    yield from planned_windows(pool, plan, stream)


def planned_windows(pool: Pool, plan: Plan, stream: StreamData, room: Room = lambda: None) -> Iterator[LabeledWindow]:
    """The windows of a plan; how many were left out is logged."""
    outcome = Outcome(pool.recipe, pool.leave_out)
    yield from plan.windows(stream, outcome, room)
    pool.remark(outcome.remark(plan.pick.name))


def iter_aligned_windows(
    paths: Paths,
    primary_stream: str,
    aligned_streams: Sequence[str],
    win_seconds: float,
    hop_seconds: float,
    align_window_samples: int = 1,
    *,
    causal: bool = False,
    interpolate: bool = False,
    cut_at_labels: bool = False,
    classes: ClassChoice = None,
    **options: Unpack[WindowOptions],
) -> Iterator[AlignedWindow]:
    """Windows of one stream, with the value that other streams have at their centre or end.

    A window for which an aligned stream has no value is left out: a regular stream has none further than a gap's
    threshold (20 ms or 5 samples) from its samples, nor where those that would be combined lie on both sides of a gap.

    Parameters
    ----------
    paths, win_seconds, hop_seconds
        As for `iter_labeled_windows`.
    primary_stream
        The stream that is cut into windows: numbers, with a nominal rate.
    aligned_streams
        Streams of numbers, regular or not. With ``times="raw"`` the stamps of all streams are taken to be of one clock.
    align_window_samples
        The value is the mean of so many samples, those nearest to the window's centre: halfway between the times of
        its first and its last sample.
    causal
        Take the latest samples at or before the window's last sample instead, as a live predictor has to.
    interpolate
        Draw a line between the samples before and after the centre instead of a mean. Not with ``causal``.
    cut_at_labels
        Keep windows within one label's span, as `iter_labeled_windows` does, and leave out bad trials.
    classes
        Names or indices of the classes that are wanted; implies ``cut_at_labels``.
    **options
        See `WindowOptions`; they are about the primary stream.

    Yields
    ------
    window
        ``(n_channels, n)`` of the primary stream, a contiguous copy in its dtype.
    aligned
        For each aligned stream its value, ``(n_channels,)`` float64.
    ts
        ``(n,)`` when each sample was taken, seconds on the recorder's clock.

    Each is an `AlignedWindow`: a tuple of the three with ``meta`` (`WindowMeta`) and ``class_index``.

    Raises
    ------
    ConfigError, ClockError, UnknownStreamError, OtherStreamError, OtherClassesError, NotFiniteError, SessionError
        As `iter_labeled_windows`.
    """
    recipe = Recipe.of(primary_stream, Cut(win_seconds, hop_seconds), classes, options)
    how = AlignedValues(aligned_streams, align_window_samples, causal, interpolate, recipe.raw)
    return aligned_pool_windows(paths, recipe, how, cut_at_labels=cut_at_labels)[1]


def aligned_pool_windows(
    paths: Paths, recipe: Recipe, how: AlignedValues, *, cut_at_labels: bool
) -> tuple[Pool, Iterator[AlignedWindow]]:
    """The sessions that aligned windows are cut from, and these."""

    def check(reader: SessionReader) -> None:
        recipe.check(reader)
        how.check(reader)

    at_labels = cut_at_labels or recipe.wanted.classes is not None
    pool = Pool(paths, recipe, check, others=how.names, labelled=at_labels)

    def windows(pick: Pick, reader: SessionReader) -> Iterator[AlignedWindow]:
        alignments = how.of(reader)
        for labelled in session_windows(pool, pick, reader, at_labels=at_labels):
            window, ts, class_index = labelled
            try:
                aligned = how.values(alignments, ts)
            except SessionDamagedError as error:
                pool.leave_out(error)
                continue
            if aligned is not None:
                found = AlignedWindow((window, aligned, ts), labelled.meta)
                found.class_index = class_index
                yield found

    return pool, pool.told(windows)
