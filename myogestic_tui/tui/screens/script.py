"""The main screen of a script with ``@app.ui``: its widgets, with gesture keys, and the four screens one key away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import Vertical, VerticalScroll
from textual.widgets import Static

from ...widgets.panels import RecordingControls, call_back
from ...widgets.script_ui import compose_ui
from .base import ViewerScreen
from .key_bindings import SCRIPT

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from ...widgets.frame import Frame


class ScriptScreen(ViewerScreen):
    """What the script's ``ui`` composes, again for each state of the recorder."""

    name_of = "script"
    BINDINGS = SCRIPT

    def __init__(self) -> None:
        super().__init__()
        self._composed_for = ""
        self.box = Vertical(id="script")

    def body(self) -> ComposeResult:
        yield self.box

    def show(self, frame: Frame) -> None:  # noqa: ARG002
        """The widgets show snapshots by themselves; another state may have other ones."""
        script = self.viewer.options.script
        if script is not None and self._composed_for != script.ctx.state:
            self._composed_for = script.ctx.state
            self.run_worker(self._compose_script(), exclusive=True)

    async def _compose_script(self) -> None:
        """The script's widgets for the present state; what goes wrong there is shown in their place."""
        script = self.viewer.options.script
        assert script is not None
        assert script.ui_function is not None
        try:
            widgets = compose_ui(script.ui_function, script.ctx)
        except Exception as error:
            text = f"ui(ctx) failed: {type(error).__name__}: {error}\nThe recording is not touched by it."
            widgets = [VerticalScroll(Static(text, markup=False))]
        if self.focused is not None and self.box in self.focused.ancestors:
            self.set_focus(None)  # not to whatever goes last: `tab` begins with the first of the new ones
        await self.box.remove_children()
        if self.box.is_attached:
            await self.box.mount_all(widgets)

    def label_through(self, class_index: int, at: float, doubt: float) -> bool:
        """Begin a gesture through the script's controls; False where it has none."""
        controls = self.query(RecordingControls)
        if controls:
            controls.first().gesture(class_index, at, doubt)
        return bool(controls)

    def stop_through(self) -> bool:
        """Stop as the script's controls do; False where it has none."""
        controls = self.query(RecordingControls)
        if controls:
            call_back(self, controls.first().stop)
        return bool(controls)
