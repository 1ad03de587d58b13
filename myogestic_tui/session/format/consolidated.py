"""The root group of an archive with a copy of each array's metadata, so that zarr and xarray open it by one read.

Consolidated metadata are an extension of Zarr 3 as zarr-python writes it (``must_understand`` is false: others pass
over it). They are written once a session is finished, since arrays that grow would make them untrue.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import msgspec

from ...errors import SessionError
from .json_files import decode_json, replace_file
from .layout import ZARR_JSON
from .regular_files import read_regular

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_log = logging.getLogger(__name__)

CONSOLIDATED = "consolidated_metadata"


def consolidate(folder: Path) -> None:
    """Enter the arrays of a finished folder into its root group, if it has one.

    Where that is not possible nothing is lost: readers then look for the arrays themselves.
    """
    try:
        if (folder / ZARR_JSON).is_file():
            _enter_arrays(folder)
    except (OSError, SessionError) as error:
        _log.warning("%s has no consolidated metadata: %s", folder, error)


def _enter_arrays(folder: Path) -> None:
    root = folder / ZARR_JSON
    paths = sorted(path for path in folder.glob(f"*.zarr/{ZARR_JSON}") if path.is_file())
    arrays = {path.parent.name: decode_json(read_regular(path), where=str(path)) for path in paths}
    before = read_regular(root)
    group = decode_json(before, where=ZARR_JSON)
    told = {"kind": "inline", "must_understand": False, "metadata": arrays}
    after = msgspec.json.encode({**group, CONSOLIDATED: told})
    if after != before:
        replace_file(root, after)


def stale_arrays(group: Any, arrays: Mapping[str, Any]) -> list[str]:
    """Names of arrays whose own metadata are not what a root group with consolidated metadata says of them."""
    told = group.get(CONSOLIDATED) if isinstance(group, dict) else None
    if told is None:
        return []
    listed = told.get("metadata") if isinstance(told, dict) else None
    listed = listed if isinstance(listed, dict) else {}
    return sorted(name for name in {*listed, *arrays} if listed.get(name) != arrays.get(name))
