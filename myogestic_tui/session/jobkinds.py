"""What a job can do to a session, by name. Each kind is a function that a child process imports when it runs it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from .jobchild import Control


class Kind(NamedTuple):
    """One kind of job.

    Attributes
    ----------
    target
        ``module:function``, relative to ``myogestic_tui.session``. It is called with the path, the options (text by
        name) and the `Control`, whose ``progress`` it passes on, and returns what JSON can hold.
    outlives_parent
        Whether it goes on when the recorder that started it dies: it makes something.
    """

    target: str
    outlives_parent: bool = True


KINDS: dict[str, Kind] = {
    "pack": Kind("jobkinds:pack"),
    "verify": Kind("jobkinds:verify", outlives_parent=False),
    "quick-verify": Kind("jobkinds:quick_verify", outlives_parent=False),
    "recover": Kind("jobkinds:recover"),
    "salvage": Kind("jobkinds:salvage"),
}


def pack(path: Path, options: Mapping[str, str], control: Control) -> dict[str, str]:
    """See `pack.pack_session`; option ``keep_free``: bytes of disk space that are not to be used."""
    from .pack import pack_session

    keep_free = int(options.get("keep_free", "0"))
    return {"path": str(pack_session(path, control.progress, keep_free=keep_free))}


def verify(path: Path, options: Mapping[str, str], control: Control) -> Any:  # noqa: ARG001
    """See `verify.verify_session`."""
    from .verify import verify_session

    return verify_session(path, "full", control.progress)


def quick_verify(path: Path, options: Mapping[str, str], control: Control) -> Any:  # noqa: ARG001
    """See `verify.verify_session`."""
    from .verify import verify_session

    return verify_session(path, "quick", control.progress)


def recover(path: Path, options: Mapping[str, str], control: Control) -> dict[str, str]:  # noqa: ARG001
    """See `recover.recover_session`."""
    from .recover import recover_session

    return {"path": str(recover_session(path))}


def salvage(path: Path, options: Mapping[str, str], control: Control) -> dict[str, str]:  # noqa: ARG001
    """See `salvage.salvage_session`."""
    from .salvage import salvage_session

    return {"path": str(salvage_session(path, control.progress))}
