"""What a BIDS dataset says and no session knows: ``[bids]`` in the configuration."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field

from .errors import ConfigError

MEASURED = frozenset({"TaskName", "SamplingFrequency", "RecordingDuration", "RecordingType"})
MEASURED_OF_DATASET = frozenset({"BIDSVersion", "DatasetType", "GeneratedBy"})
"""Fields of BIDS that come from the session and from this package."""


class BidsConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a BIDS dataset says and no session knows; what is not given is ``n/a`` there."""

    name: str = ""
    """Name of the dataset."""
    authors: tuple[str, ...] = ()
    license: str = ""
    task_description: str = ""
    placement: Literal["Measured", "ChannelSpecific", "Other"] | None = None
    """How electrodes were placed, in the words of BIDS: ``Measured`` where a montage tells places, else ``Other``."""
    placement_description: str = ""
    reference: str = ""
    """Where the reference electrode was."""
    ground: str = ""
    line_freq: Annotated[float, Meta(gt=0)] | None = None
    """Mains frequency in Hz."""
    participants: tuple[str, ...] = ("age", "sex", "hand")
    """Fields of the take sheet that are columns of ``participants.tsv``."""
    hed: dict[str, str] = field(default_factory=dict)
    """HED tags by gesture."""
    hed_version: str = "8.4.0"
    dataset: dict[str, Any] = field(default_factory=dict)
    """Further fields of ``dataset_description.json``: ``Funding``, ``EthicsApprovals``, ``HowToAcknowledge``, …"""
    sidecar: dict[str, Any] = field(default_factory=dict)
    """Further fields of each recording's sidecar: ``InstitutionName``, ``Instructions``, …"""
    anonymize: Annotated[int, Meta(ge=1)] | None = None
    """Days by which dates are written earlier; no file then has the subject's code of the session."""

    def __post_init__(self) -> None:
        own = {key for key in self.sidecar if key in MEASURED or key.endswith("ChannelCount")}
        for table, keys in (("sidecar", own), ("dataset", MEASURED_OF_DATASET & self.dataset.keys())):
            if keys:
                raise ConfigError(f"{table}.{sorted(keys)[0]}: that is known, and not to be told; leave it out")
