"""Keys of one's own: what they run, and which they cannot be."""

from __future__ import annotations

import pytest

from myogestic_tui.app.interface import RunCommand
from myogestic_tui.errors import ConfigError
from myogestic_tui.tui.keys import keymap_of, own_keys
from myogestic_tui.tui.viewer import all_bindings


def test_a_key_that_nothing_uses_is_ones_own():
    keymap = keymap_of({}, all_bindings())
    assert own_keys({"backup": "f5", "mail": "", "sign": "&"}, all_bindings(), keymap) == {"f5": "backup", "&": "sign"}


@pytest.mark.parametrize(("key", "said"), [("1", "gesture key"), ("A", "gesture key"), ("s", "screen.streams")])
def test_a_key_of_the_program_is_refused(key: str, said: str):
    with pytest.raises(ConfigError, match=said):
        own_keys({"backup": key}, all_bindings(), keymap_of({}, all_bindings()))


def test_a_key_that_the_keymap_freed_is_free_and_one_that_it_took_is_not():
    keymap = keymap_of({"screen.streams": "f5"}, all_bindings())
    assert own_keys({"backup": "s"}, all_bindings(), keymap) == {"s": "backup"}
    with pytest.raises(ConfigError, match=r"screen\.streams"):
        own_keys({"backup": "f5"}, all_bindings(), keymap)


async def test_a_key_of_ones_own_has_the_recorder_run_it_on_every_screen(stage):
    async with stage(commands={"backup": "f5"}) as it:
        for screen in ("s", "l", "r", "b"):
            await it.press(screen, "f5")
        await it.until(lambda: len(asked(it)) == 4)
        assert {command.name for command in asked(it)} == {"backup"}


def asked(it):
    return [command for command in it.recorder.commands if isinstance(command, RunCommand)]
