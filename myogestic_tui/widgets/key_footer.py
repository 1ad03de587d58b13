"""The footer as one row that changes at once: stock `Footer` takes its keys away before it mounts the next ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.markup import escape
from textual.widgets import Footer, Static

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.screen import Screen


class KeyRow(Footer):
    """The keys of a screen that make sense now; a click is the key."""

    DEFAULT_CSS = "KeyRow Static { width: 100%; height: 1; color: $quiet; link-style: none; link-color: $quiet; }"

    def __init__(self) -> None:
        super().__init__(compact=True, show_command_palette=False)
        self._row = Static("")
        self._shown = ""

    def compose(self) -> ComposeResult:
        yield self._row

    def on_resize(self) -> None:
        self.bindings_changed(self.screen)

    def bindings_changed(self, screen: Screen[object]) -> None:
        """Other keys make sense."""
        if screen is not self.screen or not self.app.app_focus:
            return
        shown = [one.binding for one in screen.active_bindings.values() if one.binding.show]
        first = {one.id: one for one in reversed(shown)}  # of several keys for one command
        keys = [
            (self.app.get_key_display(one), one.description, one.key.partition(",")[0])
            for one in shown
            if first[one.id] is one
        ]
        roomy = sum(len(key) + len(words) + 3 for key, words, _ in keys) < self.size.width
        parts = [
            f"[@click=app.simulate_key('{name}')][bold $footer-key-foreground]{escape(key)}[/] {escape(words)}[/]"
            for key, words, name in keys
        ]
        row = " " + ("  " if roomy else " ").join(parts)
        if row != self._shown:
            self._shown = row
            self._row.update(row, layout=False)
