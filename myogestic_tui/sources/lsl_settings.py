"""Settings of the LSL library: the user's own ``lsl_api.cfg``, with what this program sets laid over it.

liblsl reads its settings once, on the first call that needs them. Handing them over in memory keeps its log lines off
the terminal, and lets ``myogestic.toml`` set peers, session id and scope without anybody editing a hidden file. Content
that is handed over replaces liblsl's own search for a file, so the user's file is found and merged here.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable

SCOPES = ("machine", "link", "site", "organization", "global")
"""What ``ResolveScope`` may be, from this machine to everywhere."""

SILENT = "-3"
"""liblsl's log level below which nothing is printed, not even fatal lines."""

Settings = dict[tuple[str, str], str]


def user_file() -> Path | None:
    """The file that liblsl itself would read: the first of those it knows that is there."""
    candidates = [Path("lsl_api.cfg"), Path("~/lsl_api/lsl_api.cfg").expanduser(), Path("/etc/lsl_api/lsl_api.cfg")]
    if named := os.environ.get("LSLAPICFG"):
        candidates.insert(0, Path(named))
    return next((path for path in candidates if path.is_file()), None)


def parse(text: str, origin: str = "lsl_api.cfg") -> Settings:
    """Read INI text as liblsl does: ``[section]``, ``key = value``, comments begin with ``;`` or ``#``.

    Raises
    ------
    ConfigError
        A line is none of these; liblsl would have dropped the whole file without a word.
    """
    section, found = "", Settings()
    for number, line in enumerate(map(str.strip, text.splitlines()), 1):
        if not line or line[0] in ";#":
            continue
        if line[0] == "[" and line[-1] == "]":
            section = line[1:-1].strip()
        elif "=" in line:
            key, _, value = line.partition("=")
            found[section, key.strip()] = value.strip()
        else:
            raise ConfigError(
                f"{origin}, line {number}: {line!r} is neither [section] nor key = value; repair or remove it"
            )
    return found


def overrides(known_peers: Iterable[str], session_id: str | None, resolve_scope: str | None) -> Settings:
    """What the configuration of this program sets; absent values leave the user's file as it is.

    Raises
    ------
    ConfigError
        The scope is none of `SCOPES`, or a value would break out of its line.
    """
    found = Settings()
    if peers := ", ".join(known_peers):
        found["lab", "KnownPeers"] = "{" + peers + "}"
    if session_id is not None:
        found["lab", "SessionID"] = session_id
    if resolve_scope is not None:
        if resolve_scope not in SCOPES:
            raise ConfigError(f"resolve_scope is {resolve_scope!r}; use one of {', '.join(SCOPES)}")
        found["multicast", "ResolveScope"] = resolve_scope
    if bad := [value for value in found.values() if "\n" in value or "\r" in value]:
        raise ConfigError(f"an LSL setting holds a line break: {bad[0]!r}")
    return found


def has_log_file(text: str) -> bool:
    """True where liblsl will write its log into a file."""
    return bool(parse(text).get(("log", "file")))


def silence(settings: Settings) -> Settings:
    """Keep liblsl off stderr. With a log file it writes only there, at the level that the user chose."""
    if settings.get(("log", "file")):
        return settings
    return {**settings, ("log", "level"): SILENT}


def render(settings: Settings) -> str:
    """INI text, sections together; liblsl refuses a file that has a key twice."""
    sections: dict[str, list[str]] = {}
    for (section, key), value in settings.items():
        sections.setdefault(section, []).append(f"{key} = {value}")
    return "".join(f"[{section}]\n" + "\n".join(lines) + "\n" for section, lines in sections.items())


def content(known_peers: Iterable[str], session_id: str | None, resolve_scope: str | None) -> str:
    """The whole of it: the user's file, this program's settings, silence.

    Raises
    ------
    ConfigError
        The user's file or a setting is not usable.
    """
    path = user_file()
    try:
        own = parse(path.read_text("utf-8", "replace"), str(path)) if path is not None else Settings()
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}; make it readable, or unset LSLAPICFG") from error
    return render(silence({**own, **overrides(known_peers, session_id, resolve_scope)}))
