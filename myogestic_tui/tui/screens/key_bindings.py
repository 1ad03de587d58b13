"""The keys of each screen, as data: what footer, help, palette, keymap and documentation show.

Digits and CAPITALS are gestures; lowercase letters and punctuation are commands. The ids are what ``[keymap]`` remaps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.binding import Binding

from ..keys import command as c

if TYPE_CHECKING:
    from textual.binding import BindingType

EVERYWHERE = [
    c("x", "app.stop", "stop", tooltip="then ⏎ saves, d discards, esc continues", id="stop"),
    c("question_mark", "app.help", "help", tooltip="the keys of this screen", id="help"),
]
"""First on every screen, so that the footer has them at any width."""

STREAMS: list[BindingType] = [
    *EVERYWHERE,
    c("enter", "details", "details", tooltip="every channel with name and unit, and the XML", id="streams.details"),
    c("t", "tick", "in/out", tooltip="include the stream in the recording, or exclude it", id="streams.tick"),
    c("c", "connect", "connect", tooltip="the stream, and include it", id="streams.connect"),
    c("a", "all", "all", tooltip="streams: connect and include them", id="streams.all"),
    c("f", "forget", "forget", tooltip="the stream, and disconnect it", id="streams.forget"),
    c("d", "app.doctor", "doctor", tooltip="what is wrong, and how to repair it", id="streams.doctor"),
    c("g", "generator", "start or stop the synthetic generator", id="streams.generator",
      show=False),
]  # fmt: skip


def _rows(screen: str) -> list[Binding]:
    """Keys that move in a table, whatever has the focus."""
    return [
        c("up", "row(-1)", "row up", id=f"{screen}.up", show=False),
        c("down", "row(1)", "row down", id=f"{screen}.down", show=False),
        c("pageup", "row(-10)", "page up", id=f"{screen}.page_up", show=False),
        c("pagedown", "row(10)", "page down", id=f"{screen}.page_down", show=False),
    ]


STREAMS += _rows("streams")

_START = [
    c("space", "app.start", "start", tooltip="recording", id="start"),
    c("u", "app.undo", "undo", tooltip="the last label", id="undo"),
    c("e", "app.label(-1)", "end the label", id="end_label", show=False),
    c("n", "app.note", "note", tooltip="with the time of this key", id="note"),
]

LIVE: list[BindingType] = [
    *EVERYWHERE,
    *_START,
    c("m", "bad_channel", "bad", tooltip="or good again: marks the channel", id="live.bad"),
    c("i", "view", "view", tooltip="heat map, traces, electrode grid", id="live.view"),
    c("w", "worst", "worst", tooltip="channel: the next one with a fault", id="live.worst"),
    c("enter", "lens('zoom')", "zoom", tooltip="one channel, full height; again: back", id="live.zoom"),
    c("p", "lens('hold')", "pause", tooltip="the view", id="live.pause"),
    c("v", "next_stream", "stream", tooltip="the next one", id="live.stream"),
    c("f", "lens('next_filter')", "filter", tooltip="of the view: high-pass, notch", id="live.filter",
      show=False),
    c("comma", "lens('widen', -1)", "shorter window", id="live.shorter", show=False),
    c("full_stop", "lens('widen', 1)", "longer window", id="live.longer", show=False),
    c("minus", "lens('gain', False)", "less gain", id="live.gain_down", show=False),
    c("plus,equals_sign", "lens('gain', True)", "more gain", id="live.gain_up", show=False),
    c("a", "lens('autoscale')", "autoscale on or off", id="live.autoscale", show=False),
    c("o", "lens('other_measure')", "offset removal on or off (view only)", id="live.offset", show=False),
    c("percent_sign", "mvc", "% MVC", tooltip="or the unit of the stream", id="live.mvc",
      show=False),
    c("up", "steer(-1, 0)", "channel up", tooltip="or the electrode above", id="live.up", show=False),
    c("down", "steer(1, 0)", "channel down", tooltip="or the electrode below", id="live.down", show=False),
    c("pageup", "lens('turn_page', -1)", "page up", id="live.page_up", show=False),
    c("pagedown", "lens('turn_page', 1)", "page down", id="live.page_down", show=False),
    c("left", "steer(0, -1)", "scroll back (pauses)", tooltip="or the electrode to the left", id="live.left",
      show=False),
    c("right", "steer(0, 1)", "scroll on", tooltip="or the electrode to the right", id="live.right", show=False),
]  # fmt: skip

RECORD: list[BindingType] = [
    *EVERYWHERE,
    *_START,
    c("m", "bad_trial", "bad trial", tooltip="mark the running trial bad or good; or the one chosen with ↑",
      id="record.bad"),
    c("t", "take", "take", tooltip="sheet: subject, task, take, name", id="record.take"),
    c("c", "protocol", "protocol", tooltip="start a cued protocol, or end the one that runs", id="record.protocol"),
    c("p", "pause_protocol", "pause", tooltip="or resume the protocol", id="record.pause"),
    c("k", "skip", "skip", tooltip="to the next cue", id="record.skip"),
    c("up", "trial(-1)", "trials", tooltip="go back to a trial: m marks it, a digit relabels it, ← → move it, u undoes",
      id="record.up", show=False),
    c("down", "trial(1)", "later trial", tooltip="the next trial", id="record.down", show=False),
    c("left", "move(-1)", "earlier", tooltip="the chosen trial begins 0.05 s earlier", id="record.left", show=False),
    c("right", "move(1)", "later", tooltip="the chosen trial begins 0.05 s later", id="record.right", show=False),
    c("enter", "app.acknowledge", "understood", tooltip="what stopped the recording was read", id="record.understood",
      show=False),
    c("escape", "back", "back", tooltip="leave the trials", id="record.back", show=False),
]  # fmt: skip

SESSIONS: list[BindingType] = [
    *EVERYWHERE,
    c("enter", "open", "open", tooltip="the session", id="sessions.open"),
    c(
        "slash",
        "find",
        "find",
        tooltip="by any word, or FIELD:TEXT, FIELD>TEXT of the take sheet and the quality",
        id="sessions.find",
    ),
    c("o", "order", "order", tooltip="by any column: ← → choose it, o reverses it", id="sessions.order"),
    c("m", "mark", "select", tooltip="or unselect; jobs then take all that are selected", id="sessions.mark"),
    c("v", "verify", "verify", tooltip="every byte, quickly, or all new ones", id="sessions.verify"),
    c("f", "repair", "repair", tooltip="as the state needs: pack, recover or salvage", id="sessions.repair"),
    c("c", "copy", "copy", tooltip="to a folder or URL, and check what came there", id="sessions.copy"),
    c("d", "trash", "trash", tooltip="asks first, and moves the session there", id="sessions.trash"),
    c("w", "export", "export to other tools", id="sessions.export", show=False),
    c("y", "replay", "replay as live LSL outlets; again: end it", id="sessions.replay", show=False),
    c("t", "edit", "edit subject, task, take, name", id="sessions.edit", show=False),
    c("n", "add_note", "add a note to the session", id="sessions.note", show=False),
    c("u", "restore", "restore what was trashed last", id="sessions.restore", show=False),
    c("escape", "cancel", "back", tooltip="show all; unselect all; cancel a job", id="sessions.cancel", show=False),
]

SESSIONS += _rows("sessions")

OPENED: list[BindingType] = [
    *EVERYWHERE,
    c("escape,enter", "back", "list", tooltip="back to the list", id="opened.back"),
    c("left", "view('pan', -1)", "earlier", tooltip="back in time", id="opened.left", show=False),
    c("right", "view('pan', 1)", "later", tooltip="on in time", id="opened.right", show=False),
    c("plus,equals_sign", "view('zoom', 0.5)", "closer", tooltip="down to the samples", id="opened.zoom_in"),
    c("minus", "view('zoom', 2.0)", "wider", tooltip="all of it again, step by step", id="opened.zoom_out"),
    c("up", "label_trial(-1)", "trials", tooltip="choose a trial: m bad, a digit relabels, ← → move, u undo, ⏎ write",
      id="opened.up"),
    c("down", "label_trial(1)", "later", tooltip="the next trial; the next channel where none is chosen",
      id="opened.down", show=False),
    c("tab", "view('change_channel', 1)", "channel", tooltip="the next channel", id="opened.channel"),
    c("shift+tab", "view('change_channel', -1)", "channel up", tooltip="the channel before; first, all",
      id="opened.channel_up", show=False),
    c("m", "label_bad", "bad", tooltip="or good again: marks the chosen trial", id="opened.bad", show=False),
    c("u", "label_undo", "undo", tooltip="the last change of the labels that is not written", id="opened.undo",
      show=False),
    c("full_stop", "view('change_stream')", "stream", tooltip="the next stream", id="opened.stream"),
    c("comma", "cursor(-1)", "cursor to the left", id="opened.cursor_left", show=False),
    c("semicolon", "cursor(1)", "cursor to the right", id="opened.cursor_right", show=False),
    c("pageup", "page(-1)", "page up in what stands beneath", id="opened.page_up", show=False),
    c("pagedown", "page(1)", "more", tooltip="page down in what stands beneath", id="opened.page_down"),
]  # fmt: skip

SCRIPT: list[BindingType] = [
    *EVERYWHERE,
    c("tab", "app.focus_next", "buttons", tooltip="the next button", id="script.next"),
    c("shift+tab", "app.focus_previous", "buttons", tooltip="the button before", id="script.previous", show=False),
    c("e", "app.label(-1)", "end label", tooltip="end the label", id="script.end_label"),
]

_GROUPS = {
    "streams": STREAMS, "live": LIVE, "record": RECORD, "sessions": SESSIONS, "opened": OPENED, "script": SCRIPT,
}  # fmt: skip
SCREEN_BINDINGS: dict[str, list[Binding]] = {
    name: [one for one in group if isinstance(one, Binding)] for name, group in _GROUPS.items()
}
