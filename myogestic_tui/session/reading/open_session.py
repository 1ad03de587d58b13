"""What an open session offers to those who make something else of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    from ...info import StreamInfo
    from ..format.meta import LabelEvent, Meta, StreamMeta
    from ..format.summary import Summary
    from ..signal.streamdata import StreamData
    from .session_view import StreamView


class OpenSession(Protocol):
    """`SessionReader`, as far as tables, pictures and datasets need it."""

    path: Path
    state: str
    meta: Meta
    label_track: list[LabelEvent]

    @property
    def streams(self) -> list[str]:
        """Stems of the streams."""

    @property
    def class_names(self) -> list[str]:
        """Names of the classes, by index."""

    def stream(self, name: str) -> StreamView:
        """One stream with its arrays."""

    def stream_data(self, name: str, *, whole: bool = True) -> StreamData:
        """One stream for block-wise reading."""

    def stream_info(self, name: str) -> StreamInfo:
        """Layout of a stream."""

    def n_samples(self, name: str) -> int:
        """Samples of a stream."""

    def measured(self, name: str) -> StreamMeta:
        """A stream's metadata with what its time stamps tell."""

    def summary(self) -> Summary:
        """The session in one object."""

    def close(self) -> None:
        """Close all files."""
