"""`myogestic-tui fleet`: the recorders of several boxes, over ssh."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import ControlError
from .options import json_option
from .output import print_json, remark, table

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from ..fleet.box import Answer, Box
    from ..fleet.config import BoxConfig

FAILED = 1
_PACK_SECONDS = 3600.0


class _Chosen:
    """Which file, and which boxes of it."""

    file: str | None = None
    names: tuple[str, ...] = ()

    @property
    def boxes(self) -> tuple[BoxConfig, ...]:
        from ..fleet.config import load_fleet

        return load_fleet(self.file).only(self.names)


pass_chosen = click.make_pass_decorator(_Chosen, ensure=True)


@click.group()
@click.option("--file", type=click.Path(dir_okay=False), help="List of boxes.  [default: fleet.toml]")
@click.option("--box", "names", multiple=True, metavar="NAME", help="Only this one; may be repeated.")
@pass_chosen
def fleet(chosen: _Chosen, file: str | None, names: tuple[str, ...]) -> None:
    """Drive the recorders of several boxes over ssh (extra [fleet]): the same commands on each of them.

    \b
    Examples:
      myogestic-tui fleet doctor
      myogestic-tui fleet start --name grasp
      myogestic-tui fleet label Fist
      myogestic-tui fleet stop
      myogestic-tui fleet fetch home
    """
    chosen.file, chosen.names = file, names


# ---------------------------------------------------------------- on all boxes


def _on_all(chosen: _Chosen, ask: Callable[[Box], Awaitable[Any]]) -> dict[str, Any]:
    """What each box answers, by its name: a result, or the `ControlError` that it came to."""

    async def one(config: BoxConfig) -> Any:
        from ..fleet.box import Box

        try:
            async with Box(config) as box:
                return await ask(box)
        except ControlError as error:
            return error

    async def every() -> dict[str, Any]:
        boxes = chosen.boxes
        return dict(zip((box.name for box in boxes), await asyncio.gather(*map(one, boxes)), strict=True))

    return asyncio.run(every())


def _same(chosen: _Chosen, words: Sequence[str], as_json: bool, timeout: float = 30.0) -> int:
    """The same command on all boxes; its words, or its JSON by box."""
    return _tell(_on_all(chosen, lambda box: box.run(*words, timeout=timeout)), as_json)


def _tell(told: dict[str, Answer | ControlError], as_json: bool) -> int:
    facts = {name: _facts(one) for name, one in told.items()}
    if as_json:
        print_json(facts)
    for name, one in facts.items():
        if not one["ok"]:
            remark(f"myogestic-tui: {one['message']}" if name in one["message"] else f"{name}: {one['message']}")
        elif not as_json:
            click.echo(f"{name}: {one['message']}")
    return 0 if all(one["ok"] for one in facts.values()) else FAILED


def _facts(one: Answer | ControlError) -> dict[str, Any]:
    if isinstance(one, ControlError):
        return {"ok": False, "message": str(one)}
    message = one.facts.get("message") if isinstance(one.facts, dict) else None
    told = {"ok": one.ok, "message": message or one.words or f"ended with code {one.code}"}
    return told | ({"answer": one.facts} if one.facts is not None else {})


# ---------------------------------------------------------------- what there is


@fleet.command()
@json_option
@pass_chosen
def status(chosen: _Chosen, as_json: bool) -> int:
    """What each box's recorder does, and how its clock lies to the others'.

    \b
    Example: myogestic-tui fleet status
    """
    from ..fleet.ready import links, status_of

    told = _on_all(chosen, status_of)
    known = {name: one for name, one in told.items() if isinstance(one, dict)}
    linked = links(known)
    if as_json:
        rows = {name: one if name in known else {"error": str(one)} for name, one in told.items()}
        print_json({"boxes": rows, "clocks": [link._asdict() for link in linked]})
    else:
        click.echo(table(("BOX", "STATE", "STREAMS", "SESSION"), [_row(name, one) for name, one in told.items()]))
        for link in linked:
            error = "" if link.uncertainty_s is None else f" ±{link.uncertainty_s * 1e3:.2f} ms"
            click.echo(f"{link.box} compares the clock of {link.other}: {link.offset_s:+.6f} s{error}")
    for name, one in known.items():
        for problem in one["problems"]:
            remark(f"{name}: {problem['severity']}: {problem['subject']}: {problem['text']}")
    return 0 if len(known) == len(told) else FAILED


def _row(name: str, one: Any) -> tuple[str, ...]:
    if not isinstance(one, dict):
        return name, "-", "", str(one)
    selected = [row for row in one["streams"].values() if row["record"]]
    live = sum(row["state"] == "live" for row in selected)
    session = one["session"]
    return name, one["state"], f"{live}/{len(selected)}", session["path"] if session else ""


@fleet.command()
@json_option
@pass_chosen
def doctor(chosen: _Chosen, as_json: bool) -> int:
    """What is wrong on each box, and whether their clocks are compared.

    \b
    Example: myogestic-tui fleet doctor
    """
    from ..fleet.ready import not_ready, status_of

    checks = _on_all(chosen, lambda box: box.run("doctor", "--json", timeout=120.0))
    told = _on_all(chosen, status_of)
    known = {name: one for name, one in told.items() if isinstance(one, dict)}
    found: dict[str, list[dict[str, str]]] = {}
    for name, answer in checks.items():
        if isinstance(answer, ControlError) or not isinstance(answer.facts, list):
            found[name] = [{"state": "bad", "subject": "ssh", "text": _facts(answer)["message"], "fix": ""}]
            continue
        found[name] = [one for one in answer.facts if one["state"] != "ok"]
        reasons = not_ready(known[name]) if name in known else [str(told[name])]
        found[name] += [{"state": "bad", "subject": "recorder", "text": reason, "fix": ""} for reason in reasons]
    clocks = _clock_words(known)
    versions = {one["recorder"]["version"] for one in known.values()}
    if as_json:
        print_json({"boxes": found, "clocks": clocks, "versions": sorted(versions)})
    else:
        for name, rows in found.items():
            click.echo(f"{name}: {'nothing is wrong' if not rows else ''}".rstrip())
            for row in rows:
                click.echo(f"  {row['subject']}: {row['text']}" + (f"\n    → {row['fix']}" if row.get("fix") else ""))
        click.echo("\n".join(clocks))
        if len(versions) > 1:
            click.echo(f"the boxes have different versions: {', '.join(sorted(versions))}")
    bad = any(row["state"] == "bad" for rows in found.values() for row in rows)
    return FAILED if bad or len(known) < len(told) else 0


def _clock_words(known: dict[str, Any]) -> list[str]:
    from ..fleet.ready import apart, links

    if len(known) < 2:
        return []
    linked = links(known)
    words = [f"{one.box} compares the clock of {one.other}" for one in linked]
    first = next(iter(known))
    return words + [
        f"the clocks of {name} and {first} are not compared; `fleet start` sees to it where LSL connects the boxes"
        for name in apart(known, linked)
    ]


# ---------------------------------------------------------------- recording


@fleet.command()
@click.option("--name", help="Name of the sessions; each take sheet's where absent.")
@click.option("--yes", is_flag=True, help="Do it even where a recorder would ask first.")
@click.option("--without-clocks", is_flag=True, help="Start also where the sessions could not be merged.")
@json_option
@pass_chosen
def start(chosen: _Chosen, name: str | None, yes: bool, without_clocks: bool, as_json: bool) -> int:
    """Start all boxes at one instant, with one id in their sessions; nothing starts unless all are ready.

    Each box then records the labels of the others (`myogestic_labels`), by which their clocks are compared.

    \b
    Example: myogestic-tui fleet start --name grasp
    """
    from ..fleet.box import Box
    from ..fleet.start import start_all

    async def run() -> Any:
        async with AsyncExitStack() as stack:
            boxes = [Box(config) for config in chosen.boxes]
            told = await asyncio.gather(*map(stack.enter_async_context, boxes), return_exceptions=True)
            wrong = [one for one in told if isinstance(one, BaseException)]
            if wrong:
                unknown = [one for one in wrong if not isinstance(one, ControlError)]
                raise unknown[0] if unknown else ControlError("nothing was started: " + "; ".join(map(str, wrong)))
            return await start_all(boxes, name=name, yes=yes, clocks=not without_clocks)

    started = asyncio.run(run())
    if as_json:
        links = [link._asdict() for link in started.links]
        facts = {"fleet_id": started.fleet_id, "paths": started.paths, "failed": started.failed, "clocks": links}
        print_json({"ok": started.ok, **facts})
    else:
        click.echo(f"started {started.fleet_id}")
        click.echo("\n".join(f"{box}: {path}" for box, path in started.paths.items()))
    for box, why in started.failed.items():
        remark(f"{box}: {why}")
    if started.failed and started.paths:
        remark(f"{', '.join(started.paths)} record; `fleet stop` ends that")
    return 0 if started.ok else FAILED


@fleet.command()
@json_option
@pass_chosen
def stop(chosen: _Chosen, as_json: bool) -> int:
    """Stop all boxes, and wait until their sessions are packed; those that cannot be reached keep recording.

    \b
    Example: myogestic-tui fleet stop
    """
    return _same(chosen, ("ctl", "stop", "--wait", "--json"), as_json, _PACK_SECONDS)


@fleet.command()
@click.argument("gesture")
@json_option
@pass_chosen
def label(chosen: _Chosen, gesture: str, as_json: bool) -> int:
    """Begin a gesture on all boxes, at the instant of this call; `end` ends the label.

    \b
    Example: myogestic-tui fleet label Fist
    """
    from .ctl import called_at

    at = called_at()

    async def tell(box: Box) -> Any:
        reading = await box.clock()
        when = (f"--at={at + reading.offset_s:.6f}", f"--uncertainty={reading.error_s:.6f}")
        return await box.run("ctl", "label", gesture, *when, "--json")

    return _tell(_on_all(chosen, tell), as_json)


@fleet.command(context_settings={"ignore_unknown_options": True})
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
@pass_chosen
def take(chosen: _Chosen, options: tuple[str, ...]) -> int:
    """Fill in the take sheet of all boxes; OPTIONS are those of `ctl take`.

    \b
    Example: myogestic-tui fleet take --subject P07 --task grasp
    """
    return _same(chosen, ("ctl", "take", *options), as_json=False)


# ---------------------------------------------------------------- taking home


@fleet.command()
@click.argument("destination", type=click.Path(file_okay=False, path_type=Path))
@click.option("--id", "fleet_id", help="Which recording.  [default: the newest]")
@json_option
@pass_chosen
def fetch(chosen: _Chosen, destination: Path, fleet_id: str | None, as_json: bool) -> int:
    """Copy the sessions of a recording from all boxes to DESTINATION, and verify the copies fully.

    \b
    Example: myogestic-tui fleet fetch home
    """
    from ..fleet.fetch import fetch_sessions, sessions_of

    listed = _on_all(chosen, sessions_of)
    ids = [one["fields"]["fleet_id"] for rows in listed.values() if isinstance(rows, list) for one in rows]
    wanted = fleet_id or max(ids, default="")
    if not wanted:
        unknown = [one for one in listed.values() if isinstance(one, ControlError)]
        for one in unknown:
            remark(f"myogestic-tui: {one}")
        which = "no box that answered" if unknown else "no box"
        raise ControlError(f"{which} has a session that a fleet recorded")
    told = _on_all(chosen, lambda box: fetch_sessions(box, wanted, destination))
    paths = {name: [str(path) for path in one] for name, one in told.items() if isinstance(one, list)}
    failed = {name: str(one) for name, one in told.items() if isinstance(one, ControlError)}
    if as_json:
        print_json({"ok": not failed, "fleet_id": wanted, "paths": paths, "failed": failed})
    else:
        click.echo("\n".join(path for several in paths.values() for path in several))
    for why in failed.values():
        remark(f"myogestic-tui: {why}")
    return FAILED if failed else 0
