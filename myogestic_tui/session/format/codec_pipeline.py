"""Registers ``zarrs``, where it is installed, as zarr's codec pipeline; sessions themselves never go through it."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec

_PIPELINE = "zarrs.ZarrsCodecPipeline"


def register_zarrs() -> bool:
    """Make ``zarrs`` the codec pipeline, now or when zarr is first imported; False if it is not installed."""
    if find_spec("zarrs") is None:
        return False
    if "zarr" in sys.modules:
        sys.modules["zarr"].config.set({"codec_pipeline.path": _PIPELINE})
    else:
        # zarr takes half a second to import, and most who import this package never open an array.
        os.environ.setdefault("ZARR_CODEC_PIPELINE__PATH", _PIPELINE)
    return True
