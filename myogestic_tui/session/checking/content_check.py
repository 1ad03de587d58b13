"""Checks what the files of a session say against each other: metadata, shapes, counts, every chunk, labels."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ...errors import MyoGesticError
from ..format.consolidated import stale_arrays
from ..format.findings import Finding, damage, observation
from ..format.json_files import decode_json
from ..format.kept_findings import kept_findings
from ..format.label_edits import digest, label_history
from ..format.layout import JOURNAL, LABELS, MANIFEST, META, ORIGINAL_LABELS, ZARR_JSON, array_name, stems_among
from ..format.meta import Meta, decode_labels, decode_meta
from ..format.montage_findings import montage_findings
from ..format.seconds_before import before_findings
from ..format.time_summary import session_evidence
from ..format.wall_clock import wall_clock_findings
from ..reading.session_states import WHOLE_STATES
from .stream_check import StreamCheck

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..archive.tree import Tree
    from ..format.meta import LabelEvent

LABEL_SLACK_S = 1.0
"""A label may be stamped this long before the start or after the stop: a key waits for its turn."""


class ContentCheck:
    """What a session's files say. Construct it (metadata and shapes), tell it of every file, then `finish`.

    Parameters
    ----------
    tree
        The files.
    report
        Called with each finding.
    """

    def __init__(self, tree: Tree, report: Callable[[Finding], None]) -> None:
        self._tree = tree
        self._report_to = report
        self._told: set[str] = set()
        self.meta = self._read_meta()
        self.labels = self._read_labels()
        stems = self._stems()
        self._streams = {stem: self._check_of(stem, stems) for stem in stems}
        self._owners: dict[str, tuple[StreamCheck, str]] = {}
        for stream in self._streams.values():
            self._open(stream)
        self._check_journal()
        self._check_root()

    @property
    def sample_counts(self) -> dict[str, int]:
        """Samples by stem, as the shapes say."""
        return {stem: stream.n_samples for stem, stream in self._streams.items()}

    def feed(self, key: str, data: bytes) -> None:
        """Take a file's content; only chunks are looked into, the rest was on construction."""
        chunk = self._chunk(key)
        if chunk:
            stream, derived, number = chunk
            stream.feed(derived, number, data)

    def bad(self, key: str, reason: str) -> None:
        """Note a file that cannot be trusted; `reason` names it."""
        chunk = self._chunk(key)
        if chunk:
            stream, derived, number = chunk
            stream.arrays[derived].bad(number, reason)
        elif key not in self._told:
            self._report(damage(reason, member=key))

    def saw(self, key: str) -> None:
        """Note that a file is there, without its content."""
        chunk = self._chunk(key)
        if chunk:
            stream, derived, number = chunk
            stream.arrays[derived].saw(number)

    def finish(self) -> None:
        """Report what can only be told at the end."""
        evidence = session_evidence(self.meta, {stem: stream.stamps.span() for stem, stream in self._streams.items()})
        for stem, stream in self._streams.items():
            for finding in stream.finish(self.meta, evidence[stem], ours=self.meta.schema_version is not None):
                self._report(finding)
        self._check_labels()
        about = (*wall_clock_findings(self.meta), *before_findings(self.meta), *montage_findings(self.meta))
        for finding in about:
            self._report(finding)
        for when, findings in kept_findings(self.meta).items():
            for finding in findings:
                if finding.kind == "damage":
                    self._report(observation(f"when it was {when}: {finding.text}", member=META))

    def _report(self, finding: Finding) -> None:
        self._told.add(finding.member)
        self._report_to(finding)

    def _chunk(self, key: str) -> tuple[StreamCheck, str, int] | None:
        owner = self._owners.get(key.split("/", 1)[0])
        number = owner[0].arrays[owner[1]].chunk_number(key) if owner else None
        return (*owner, number) if owner and number is not None else None

    def _read_meta(self) -> Meta:
        if META not in self._tree:
            if MANIFEST in self._tree:  # which is written last, and lists it
                self._report(damage(f"{META} is missing: what was recorded of whom is lost", member=META))
            else:
                text = f"{META} is missing: another recorder's session, or one that was cut short"
                self._report(observation(text, member=META))
            return Meta()
        try:
            return decode_meta(self._tree.read(META))
        except MyoGesticError as error:
            self._report(damage(str(error), member=META))
            return Meta()

    def _read_labels(self) -> list[LabelEvent]:
        self._labels_json: bytes | None = None
        if LABELS not in self._tree:
            if self.meta.state in WHOLE_STATES and self.meta.schema_version is not None:
                self._report(damage(f"{LABELS} is missing: what was labelled is lost", member=LABELS))
            return []
        try:
            self._labels_json = self._tree.read(LABELS)
            return decode_labels(self._labels_json)
        except MyoGesticError as error:
            self._report(damage(str(error), member=LABELS))
            return []

    def _check_of(self, stem: str, stems: list[str]) -> StreamCheck:
        """Of an older session ``emg_arrival`` may be a stream."""
        own = f"{stem}_arrival" not in stems
        return StreamCheck(self._tree, stem, self.meta.all_streams.get(stem), has_arrivals=own)

    def _stems(self) -> list[str]:
        folders = {name.split("/", 1)[0] for name in self._tree.names() if ".zarr/" in name}
        return sorted({*self.meta.all_streams, *stems_among(folders)})

    def _open(self, stream: StreamCheck) -> None:
        for finding in stream.open():
            self._report(finding)
        self._owners.update({array.name: (stream, derived) for derived, array in stream.arrays.items()})
        for finding in stream.contradictions(finished=self.meta.state in WHOLE_STATES):
            self._report(finding)

    def _check_journal(self) -> None:
        member = next((name for name in self._tree.names() if name.startswith(f"{JOURNAL}/")), "")
        if member or (self._tree.path / JOURNAL).is_dir():
            text = "the session is unfinished: what is not in its arrays yet is in the journal; recover it"
            self._report(damage(text, member=member))

    def _check_root(self) -> None:
        """Compare the copies of the arrays' metadata that other readers go by with the arrays' own."""
        if ZARR_JSON not in self._tree:
            return
        recorded = [array_name(stem, derived) for stem in self._streams for derived in ("", "_timestamps")]
        try:
            group = decode_json(self._tree.read(ZARR_JSON), where=ZARR_JSON)
        except MyoGesticError as error:
            self._report(damage(str(error), member=ZARR_JSON))
            return
        arrays = {name: document for name in recorded if (document := self._array_document(name)) is not None}
        for name in sorted(arrays.keys() & stale_arrays(group, arrays)):
            text = f"{ZARR_JSON} has another copy of the metadata of {name}: zarr and xarray would read it otherwise"
            self._report(damage(text, member=ZARR_JSON))

    def _array_document(self, name: str) -> Any:
        """``zarr.json`` of an array; None where it cannot be read, which its stream reports."""
        with suppress(MyoGesticError, KeyError):
            return decode_json(self._tree.read(f"{name}/{ZARR_JSON}"), where=name)
        return None

    def _check_label_edits(self) -> None:
        history = label_history(self.meta, self._labels_json)
        if not history.edits:
            return
        self._report(observation(history.words, member=LABELS))
        if ORIGINAL_LABELS not in self._tree:
            text = f"{ORIGINAL_LABELS} is missing: the labels as they were recorded are lost"
            self._report(damage(text, member=ORIGINAL_LABELS))
            return
        try:
            original = self._tree.read(ORIGINAL_LABELS)
            decode_labels(original, where=ORIGINAL_LABELS)
        except MyoGesticError as error:
            self._report(damage(str(error), member=ORIGINAL_LABELS))
            return
        if digest(original) != history.edits[0].before:
            text = f"{ORIGINAL_LABELS} is not what the first edit of the labels found: it was changed since"
            self._report(damage(text, member=ORIGINAL_LABELS))

    def _check_labels(self) -> None:
        self._check_label_edits()
        names = self.meta.class_names
        for label in self.labels:
            if label.class_index < -1 or (names and label.class_index >= len(names)):
                text = f"the label at {label.timestamp:.3f} s is of class {label.class_index}, which has no name here"
                self._report(observation(text, member=LABELS))
        start, stop = self._recorded()
        outside = [label for label in self.labels if not start <= label.timestamp <= stop]
        if outside:
            text = f"labels outside the recording: {len(outside)}, the first at {outside[0].timestamp:.3f} s"
            self._report(observation(text, member=LABELS))

    def _recorded(self) -> tuple[float, float]:
        """From when to when was recorded: by the anchors at start and stop, or by time stamps on the same clock."""
        times = [anchor.lsl for anchor in self.meta.anchors] if self.meta.state in WHOLE_STATES else []
        for stem, stream in self._streams.items():
            meta = self.meta.all_streams.get(stem)
            ends = (meta.first_timestamp, meta.last_timestamp) if meta else ()
            times += [time for time in (*ends, stream.stamps.first, stream.stamps.last) if time is not None]
        if len(times) < 2:
            return float("-inf"), float("inf")
        return min(times) - LABEL_SLACK_S, max(times) + LABEL_SLACK_S
