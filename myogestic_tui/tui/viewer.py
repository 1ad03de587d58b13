"""The viewer: four screens (and a script's own) as modes, and one clock that feeds them."""

from __future__ import annotations

import asyncio
import os
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events
from textual.app import SystemCommand
from textual.binding import Binding, BindingType
from textual.reactive import reactive
from textual.screen import ModalScreen, Screen
from textual.widgets import Input

from ..app.interface import RemoteRecorder, RunCommand
from ..config import GESTURE_KEYS
from ..errors import ConfigError
from .actions import Actions
from .keys import LAYOUTS, canonical, character_of, command, is_gesture_key, keymap_of, own_keys, shown
from .recorder_feed import CommandRunner, CueBell, Feed
from .screens.base import ViewerScreen, allowed
from .screens.key_bindings import SCREEN_BINDINGS
from .screens.screen_registry import SCREENS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..app.interface import Recorder
    from ..widgets.frame import Frame
    from .terminal_link import Link
    from .viewer_options import ViewerOptions

IDLE_FPS = 2.0
CALM_FPS = 4.0
_CLOSED = {
    "stop": "nothing is being recorded; space on Live or Record starts",
    "undo": "nothing to undo: not recording",
    "note": "notes belong to a recording; on Sessions, n adds one to a finished session",
    "start": "recording already; x stops",
    "bad_trial": "no trial to mark: not recording",
    "pause_protocol": "no protocol runs; c starts one",
    "skip": "no protocol runs; c starts one",
}
"""What is reported where a key of this screen does nothing now."""


class Viewer(Actions):
    """The screens on a recorder.

    Parameters
    ----------
    recorder
        What is shown and driven.
    options
        How.
    link
        The terminal; None in tests.
    """

    CSS_PATH = "viewer.tcss"
    MODES = SCREENS  # type: ignore[assignment]
    COMMAND_PALETTE_BINDING = "colon"
    BINDINGS: ClassVar[list[BindingType]] = [
        command("h", "events", "events", tooltip="what happened, at full length", id="events", show=False),
        command("s", "mode('streams')", "Streams", id="screen.streams", show=False),
        command("l", "mode('live')", "Live", id="screen.live", show=False),
        command("r", "mode('record')", "Record", id="screen.record", show=False),
        command("b", "mode('sessions')", "Sessions", id="screen.sessions", show=False),
        command("q", "leave", "leave", tooltip="while recording it asks", id="quit", show=False),
        *(command(key, f"gesture('{key}')", show=False, system=True, id=f"gesture.{key}") for key in GESTURE_KEYS),
    ]
    HORIZONTAL_BREAKPOINTS = [(0, "-standard"), (160, "-wide")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-low"), (34, "-tall")]  # noqa: RUF012
    frame: reactive[Frame | None] = reactive(None, init=False, repaint=False, always_update=True)

    def __init__(self, recorder: Recorder, options: ViewerOptions, link: Link | None = None) -> None:
        if options.keyboard not in LAYOUTS:
            raise ConfigError(f"keyboard {options.keyboard!r}: allowed: {', '.join(LAYOUTS)}")
        if options.screen not in SCREENS:
            raise ConfigError(f"screen {options.screen!r}: allowed: {', '.join(SCREENS)}")
        self.DEFAULT_MODE = options.screen  # type: ignore[misc]  # else an empty screen is styled and drawn first
        super().__init__(options.theme, options.glyphs, options.fps, link)
        self.options = options
        self.actor = f"tui {os.getpid()}"
        self.feed = Feed(recorder, self.actor, embedded=options.embedded)
        keymap = keymap_of(options.keymap, all_bindings())
        self.set_keymap(keymap)
        self._own_keys = own_keys(options.commands, all_bindings(), keymap)
        self._cue_bell = CueBell()
        self.prepare()

    # ---------------------------------------------------------------- frames

    def on_load(self) -> None:
        self._runner = CommandRunner(self.feed, asyncio.get_running_loop())
        self.feed.start(self._runner.submit, self.frame_soon)
        self.feed.poll(self.options.screen, self.pacer.fps)

    def on_unmount(self) -> None:
        self._runner.close()

    @property
    def front(self) -> ViewerScreen | None:
        """The screen of the present mode, whatever lies over it."""
        return next((screen for screen in self.screen_stack if isinstance(screen, ViewerScreen)), None)

    @property
    def _moving(self) -> bool:
        """Whether the screen in front shows something that moves."""
        frame, front = self.now(), self.front
        if front is None or not front.lively:
            return False
        return frame.recording or frame.protocol is not None or (front.name_of == "live" and bool(frame.live))

    def rate(self) -> float:
        """As often as wanted where something moves by itself; else as one looks, beside what envelopes bring."""
        frame = self.now()
        if self._moving and (frame.protocol is not None or not isinstance(self.feed.recorder, RemoteRecorder)):
            return self.pacer.fps
        return min(self.pacer.fps, CALM_FPS if frame.recording or frame.live else IDLE_FPS)

    def frame_due(self) -> None:
        """Show the newest snapshot."""
        if self.feed.ended:
            self.leave(0)
        else:
            self.refresh_frame()

    def refresh_frame(self) -> None:
        """Take the newest snapshot, and show it."""
        frame = self.feed.poll(self.current_mode, self.pacer.fps, slowed=self.pacer.slowed and self._moving)
        protocol = frame.status.protocol
        if self._cue_bell.began(protocol) and protocol is not None and protocol.bell:
            self.bell()
        if self.feed.went:
            self.recorder_gone(frame.gone)
        self.frame = frame

    def watch_frame(self, before: Frame | None, frame: Frame | None) -> None:
        """The screen in front shows it, and what lies over it looks whether it still makes sense."""
        if frame is None:
            return
        if before is None or (before.recording, before.protocol is None) != (frame.recording, frame.protocol is None):
            self.refresh_bindings()
        stack = self.screen_stack
        seen = max((i for i, screen in enumerate(stack) if isinstance(screen, ViewerScreen)), default=0)
        with self.batch_update():
            for screen in stack[seen:]:
                came = getattr(screen, "frame_came", None)
                if came is not None:
                    came(frame)

    # ---------------------------------------------------------------- keys

    def meant(self, event: events.Event) -> events.Event:
        """The key that a character stands for on this keyboard.

        A script's widgets look at the recorder themselves: what they show already counts for the key, too.
        """
        if self.current_mode == "script":
            self.refresh_frame()
        if isinstance(event, events.Key) and not self.is_typing():
            return canonical(event, LAYOUTS[self.options.keyboard])
        return event

    def is_typing(self) -> bool:
        """Whether a line is open for typing."""
        return isinstance(self.focused, Input)

    def is_labelling(self) -> bool:
        """Whether a key may become a label now."""
        return self.now().recording

    def pasted(self, n_keys: int) -> None:
        """Nobody's fingers did that."""
        self.report(f"{n_keys} keys at once look like pasted text: ignored", bad=True)

    def on_paste(self, _: events.Paste) -> None:
        self.report("pasted text is ignored: keys are commands here", bad=True)

    def on_key(self, event: events.Key) -> None:
        if event.key == "escape" and self.screen.query("HelpPanel"):
            self.action_hide_help_panel()
        elif not isinstance(self.screen, ModalScreen):
            self._explain(character_of(event))

    def _explain(self, key: str) -> None:
        if key in ("escape", "enter", "tab"):
            return
        if (own := self._own_keys.get(key)) is not None:
            self.run_own(own)
            return
        known = all_bindings()
        here = [*known[""], *known.get(self.current_mode, [])]
        for one in here:
            if self._has(one, key):
                self.report(
                    _CLOSED.get(one.action.removeprefix("app.").partition("(")[0], f"{shown(key)} does nothing now")
                )
                return
        where = [name for name, group in known.items() if name and any(self._has(one, key) for one in group)]
        if where:
            one = next(one for one in known[where[0]] if self._has(one, key))
            screens = " and ".join("an open session" if name == "opened" else name.title() for name in where)
            self.report(f"{shown(key)} is a key of {screens}: {one.description} {one.tooltip}".rstrip())

    @staticmethod
    def _has(binding: Binding, key: str) -> bool:
        return any(shown(one) == shown(key) for one in binding.key.split(","))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """While anything lies over a screen only gestures work; some commands need a recording."""
        if action == "gesture":
            return True
        if isinstance(self.screen, ModalScreen) and action in (
            "stop", "help", "events", "mode", "leave", "command_palette",
        ):  # fmt: skip
            return False
        return (action == "start" and self.stopping) or allowed(action, self.now())

    def get_key_display(self, binding: Binding) -> str:
        """Keys as the screens write them."""
        return shown(binding.key.partition(",")[0], ascii_only=self.ascii_only)

    # ---------------------------------------------------------------- actions

    def action_gesture(self, key: str) -> None:
        frame = self.now()
        if key in frame.keys:
            self.action_label(frame.keys.index(key))
        elif not frame.status.gestures and key.isdigit():
            self.action_label((int(key) - 1) % 10)
        elif key.isalpha():
            self.report(f"{key} is no gesture here; is Caps Lock on?", bad=True)
        else:
            known = " ".join(k for k in frame.keys if k)
            there = f"{key} is no gesture here; there are {known}" if known else f"no gesture has the key {key}"
            self.report(there, bad=True)

    async def action_mode(self, mode: str) -> None:
        if mode == self.current_mode and len(self.screen_stack) > 1:
            await self.pop_screen()  # the open session is of that mode, too
        await self.switch_mode(mode)
        self.refresh_frame()

    async def action_leave(self) -> None:
        if self.options.script is not None and self.current_mode != "script":
            await self.action_mode("script")
        else:
            self.ask_leave()

    async def action_quit(self) -> None:
        if not isinstance(self.screen, ModalScreen):
            self.ask_leave()

    def label(self, class_index: int, at: float, doubt: float = 0.0) -> None:
        """A gesture begins at ``at``; on a script's screen through its own controls."""
        front = self.front
        relabel = getattr(self.screen, "relabel", getattr(front, "relabel", None))
        if relabel is not None and relabel(class_index):
            return
        through = getattr(front, "label_through", None)
        if through is None or not through(class_index, at, doubt):
            super().label(class_index, at, doubt)

    def action_undo(self) -> None:
        """On a screen where a trial is chosen, what was done to that."""
        undo = getattr(self.front, "undo_change", None)
        if undo is None or not undo():
            super().action_undo()

    def stop_session(self, session: str) -> None:
        """On a script's screen through its own controls."""
        through = getattr(self.front, "stop_through", None)
        if through is None or not through():
            super().stop_session(session)

    def run_own(self, name: str) -> None:
        """Have the recorder run a program of ``[[commands]]``."""
        self.execute(RunCommand(name=name, actor=self.actor))

    def action_help(self) -> None:
        if self.screen.query("HelpPanel"):
            self.action_hide_help_panel()
        else:
            self.action_show_help_panel()

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Every command by its words."""
        for one in screen.active_bindings.values():
            binding = one.binding
            if binding.id and not is_gesture_key(binding.key):
                title = f"{binding.description or binding.id} {binding.tooltip}".rstrip()
                text = shown(binding.key)

                async def run(action: str = binding.action, node: Any = one.node) -> None:
                    await self.run_action(action, node)

                yield SystemCommand(title, text, run)
        for name, key in self.options.commands.items():
            yield SystemCommand(name, f"{key}   run it", partial(self.run_own, name))
        yield SystemCommand("theme", "choose one of Textual's themes or ours", self.action_change_theme)


def all_bindings() -> dict[str, list[Binding]]:
    """The keys of each screen by its name, and under ``""`` those of all screens."""
    return {"": [one for one in Viewer.BINDINGS if isinstance(one, Binding)], **SCREEN_BINDINGS}
