"""liblsl itself: the one place that calls it.

The library is the one that mne-lsl ships (or that ``MNE_LSL_LIB`` or ``PYLSL_LIB`` name), loaded without importing
mne-lsl: that import pulls in all of MNE, which costs 1 to 2 s and 90 MB before the first stream is seen. The dynamic
linker keeps one copy per file, so a script that also uses mne-lsl shares this one with its settings and its clock.
Prototypes are set on a handle of our own and do not change mne-lsl's.

Calls that may wait release the GIL, as ctypes always does.
"""

from __future__ import annotations

import os
import platform
import sys
import threading
from ctypes import CDLL, POINTER, byref, c_char_p, c_double, c_int, c_int32, c_size_t, c_uint32, c_void_p, string_at
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ConfigError, StreamError
from ..lsl_header import decode_text
from ..process_limits import check_limits
from . import lsl_settings

if TYPE_CHECKING:
    from collections.abc import Iterable

FORMATS = {1: "float32", 2: "float64", 3: "string", 4: "int32", 5: "int16", 6: "int8", 7: "int64"}
"""liblsl's ``lsl_channel_format_t``."""

CODES = {name: code for code, name in FORMATS.items()}

SUFFIXES = {"float32": "f", "float64": "d", "int32": "i", "int16": "s", "int8": "c", "int64": "l"}
"""Ending of ``lsl_pull_chunk_*`` and ``lsl_push_chunk_*`` for each numeric format."""

TIMED_OUT, LOST = -1, -2
"""liblsl's ``lsl_error_code_t``, as far as it is acted on."""

_H, _D, _I, _S = c_void_p, c_double, c_int, c_char_p
_ERR = POINTER(c_int32)
_PROTOTYPES: dict[str, tuple[Any, list[Any]]] = {
    "set_config_content": (None, [_S]),
    "local_clock": (_D, []),
    "library_version": (_I, []),
    "create_streaminfo": (_H, [_S, _S, _I, _D, _I, _S]),
    "streaminfo_from_xml": (_H, [_S]),
    "destroy_streaminfo": (None, [_H]),
    "get_name": (_S, [_H]),
    "get_type": (_S, [_H]),
    "get_source_id": (_S, [_H]),
    "get_hostname": (_S, [_H]),
    "get_uid": (_S, [_H]),
    "get_channel_count": (_I, [_H]),
    "get_channel_format": (_I, [_H]),
    "get_nominal_srate": (_D, [_H]),
    "get_created_at": (_D, [_H]),
    "get_xml": (_H, [_H]),
    "get_desc": (_H, [_H]),
    "append_child": (_H, [_H, _S]),
    "append_child_value": (_H, [_H, _S, _S]),
    "destroy_string": (None, [_H]),
    "create_inlet_ex": (_H, [_H, c_int32, c_int32, c_int32, c_int32]),
    "destroy_inlet": (None, [_H]),
    "open_stream": (None, [_H, _D, _ERR]),
    "get_fullinfo": (_H, [_H, _D, _ERR]),
    "time_correction_ex": (_D, [_H, POINTER(c_double), POINTER(c_double), _D, _ERR]),
    "samples_available": (c_uint32, [_H]),
    "pull_chunk_buf": (c_size_t, [_H, _H, _H, _H, c_size_t, c_size_t, _D, _ERR]),
    "create_outlet": (_H, [_H, c_int32, c_int32]),
    "destroy_outlet": (None, [_H]),
    "get_info": (_H, [_H]),
    "have_consumers": (_I, [_H]),
    "wait_for_consumers": (_I, [_H, _D]),
    "push_chunk_buftnp": (c_int32, [_H, _H, _H, c_size_t, _H, c_int32]),
}
for _suffix in SUFFIXES.values():
    _PROTOTYPES[f"pull_chunk_{_suffix}"] = (c_size_t, [_H, _H, _H, c_size_t, c_size_t, _D, _ERR])
    _PROTOTYPES[f"push_chunk_{_suffix}tnp"] = (c_int32, [_H, _H, c_size_t, _H, c_int32])

_lock = threading.Lock()
_configured: tuple[tuple[str, ...], str | None, str | None] | None = None
_content = ""


def configure_lsl(
    *, known_peers: Iterable[str] = (), session_id: str | None = None, resolve_scope: str | None = None
) -> None:
    """Hand liblsl its settings; everything here does so with defaults before its first other call.

    Parameters
    ----------
    known_peers
        Hosts that are asked directly, where multicast does not get through.
    session_id
        Only outlets of the same session id are seen.
    resolve_scope
        How far multicast goes: one of `settings.SCOPES`.

    Raises
    ------
    ConfigError
        A value is not usable, or liblsl has other settings already: it reads them once per process.
    ProcessLimitError
        Too little memory may be reserved for liblsl's threads, or too few files opened for its sockets.
    """
    global _configured, _content
    wanted = (tuple(known_peers), session_id, resolve_scope)
    with _lock:
        if _configured is None:
            check_limits()
            content = lsl_settings.content(*wanted)
            load().lsl_set_config_content(content.encode())
            if lsl_settings.has_log_file(content):
                _read_settings_quietly()
            _configured, _content = wanted, content
        elif wanted not in (_configured, ((), None, None)):
            raise ConfigError("the LSL settings of a running process cannot be changed; restart the recorder")


def _read_settings_quietly() -> None:
    """Let liblsl read its settings now, with stderr closed off: it tells the terminal that it opens its log file."""
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        library = load()
        library.lsl_destroy_streaminfo(library.lsl_create_streaminfo(b"settings", b"", 1, 0.0, 1, b""))
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def effective_settings() -> lsl_settings.Settings:
    """What liblsl was told."""
    liblsl()
    return lsl_settings.parse(_content)


def liblsl() -> CDLL:
    """The library, configured.

    Raises
    ------
    StreamError
        There is no usable liblsl.
    ConfigError
        The user's ``lsl_api.cfg`` cannot be read.
    """
    if _configured is None:
        configure_lsl()
    return load()


@cache
def load() -> CDLL:
    """Load the library and set its prototypes; call `liblsl` unless nothing but the clock or version is wanted.

    Raises
    ------
    StreamError
        It is not there, or too old.
    """
    path = library_path()
    try:
        library = CDLL(path)
        for name, (result, arguments) in _PROTOTYPES.items():
            function = getattr(library, f"lsl_{name}")
            function.restype, function.argtypes = result, arguments
    except (OSError, AttributeError) as error:
        raise StreamError(f"{path} is no usable liblsl ({error}); reinstall mne-lsl, at least 1.14") from error
    return library


def library_path() -> str:
    """Where liblsl is: ``MNE_LSL_LIB``, ``PYLSL_LIB``, or inside the installed mne-lsl, in mne-lsl's own order."""
    for variable in ("MNE_LSL_LIB", "PYLSL_LIB"):
        if named := os.environ.get(variable):
            return named
    pattern = {"Darwin": "liblsl*.dylib", "Windows": "lsl*.dll"}.get(platform.system(), "liblsl*.so*")
    package = find_spec("mne_lsl")
    for folder in (package.submodule_search_locations or ()) if package is not None else ():
        if found := sorted(Path(folder, "lsl", "lib").glob(pattern)):
            return str(found[0])
    from mne_lsl.lsl.load_liblsl import lib  # its layout has changed: let it find the library

    return str(lib._name)


def library_version() -> str:
    """Version of liblsl, such as ``"1.17"``; changes no setting."""
    number = load().lsl_library_version()
    return f"{number // 100}.{number % 100}"


def lsl_clock() -> float:
    """The LSL clock in seconds; on Linux the monotonic clock. Changes no setting."""
    return float(load().lsl_local_clock())


def take_text(pointer: int | None) -> str:
    """Text of a C string that the caller owns, freed here; bytes that are not UTF-8 are Latin-1."""
    if not pointer:
        return ""
    text = decode_text(string_at(pointer))
    load().lsl_destroy_string(pointer)
    return text


class InfoHandle:
    """Owns a ``lsl_streaminfo``: what a resolver answered, an inlet was told, or an outlet is made of."""

    def __init__(self, pointer: int | None) -> None:
        if not pointer:
            raise StreamError("liblsl gave no stream header; its arguments or its answer were not usable")
        self._library = load()
        self.pointer = pointer

    def __del__(self) -> None:
        if getattr(self, "pointer", None):
            self._library.lsl_destroy_streaminfo(self.pointer)

    def text(self, field: str) -> str:
        """A text field: name, type, source_id, hostname or uid."""
        raw: bytes | None = getattr(self._library, f"lsl_get_{field}")(self.pointer)
        return decode_text(raw or b"")

    @property
    def n_channels(self) -> int:
        """Channel count."""
        return int(self._library.lsl_get_channel_count(self.pointer))

    @property
    def fs(self) -> float:
        """Nominal rate in Hz; 0 where irregular."""
        return max(0.0, float(self._library.lsl_get_nominal_srate(self.pointer)))

    @property
    def dtype(self) -> str:
        """Wire format, by its NumPy name, or ``"string"``."""
        return FORMATS.get(int(self._library.lsl_get_channel_format(self.pointer)), "undefined")

    @property
    def created_at(self) -> float:
        """When the outlet was made, in seconds on its own host's LSL clock."""
        return float(self._library.lsl_get_created_at(self.pointer))

    @property
    def xml(self) -> str:
        """The header, verbatim. Only that of an opened inlet holds the description."""
        return take_text(self._library.lsl_get_xml(self.pointer))


def header_from_xml(xml: bytes) -> InfoHandle:
    """The header that an outlet sent.

    Raises
    ------
    StreamError
        It is no usable one.
    """
    handle = InfoHandle(liblsl().lsl_streaminfo_from_xml(xml))
    if not handle.text("uid"):
        raise StreamError(f"an outlet sent a header that is not usable: {handle.text('name')}")
    return handle


def error_slot() -> tuple[c_int32, Any]:
    """A place for liblsl's error code, and the pointer to it."""
    slot = c_int32(0)
    return slot, byref(slot)
