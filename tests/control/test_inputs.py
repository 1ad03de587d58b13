"""Presses and releases of pedals and button boxes: labels with the kernel's own time, whatever happens to the plug."""

from __future__ import annotations

import contextlib
import errno
import os
import struct
import sys
import time
from pathlib import Path

import pytest

from myogestic_tui import App, Stream
from myogestic_tui.cli.command_table import run
from myogestic_tui.cli.doctor_inputs import check_inputs
from myogestic_tui.cli.settings import Settings
from myogestic_tui.config import parse_config
from myogestic_tui.control import input_devices
from myogestic_tui.control.input_devices import EV_KEY, EV_SYN, SYN_DROPPED, udev_rule
from myogestic_tui.control.input_labels import InputLabels, InputWatch
from myogestic_tui.errors import ConfigError
from myogestic_tui.session import open_session_store
from tests.sending import RampSource, wait_for

PEDAL, OTHER = 48, 46
KEYS = {PEDAL: ("Fist", "Rest"), OTHER: ("", None)}
EVENT = struct.Struct("llHHi")


class RawEvent:
    """As the kernel writes it, and evdev reads it."""

    def __init__(self, raw):
        self.sec, self.usec, self.type, self.code, self.value = EVENT.unpack(raw)

    def timestamp(self):
        return self.sec + self.usec * 1e-6


class Plugged:
    """The end that is read, until it is pulled out."""

    name = "pedal"

    def __init__(self, fd):
        self._fd = fd

    def fileno(self):
        return self._fd

    def read(self):
        raw = os.read(self._fd, 64 * EVENT.size)
        if not raw:
            raise OSError(19, os.strerror(19))
        return [RawEvent(raw[at : at + EVENT.size]) for at in range(0, len(raw), EVENT.size)]

    def close(self):
        os.close(self._fd)


class Plug:
    """A device that is a pipe: what is written to it comes as from the kernel; pulled out, reading fails."""

    name = "pedal"

    def __init__(self):
        self.opened, self.inside = 0, False

    def plug(self):
        self._reading, self._writing = os.pipe()
        self._plugged = Plugged(self._reading)
        self.inside = True

    def pull(self):
        self.inside = False
        os.close(self._writing)

    def open(self):
        if not self.inside:
            raise FileNotFoundError(2, os.strerror(2))
        self.opened += 1
        return self._plugged

    def send(self, code, value, at, kind=EV_KEY):
        sec, rest = divmod(at, 1.0)
        os.write(self._writing, EVENT.pack(int(sec), round(rest * 1e6), kind, code, value))


@pytest.fixture
def app(tmp_path, unique):
    app = App(unique, sessions_dir=tmp_path / "sessions")
    app.ctx.class_names = ["Rest", "Fist"]
    app.streams(Stream("emg", source=RampSource()))
    app.open()
    yield app
    app.shut()


@pytest.fixture
def plug(app):
    """The pedal, plugged in and watched."""
    plug, told = Plug(), []
    plug.plug()
    watch = InputWatch("pedal", plug.open, InputLabels(app, KEYS), told.append)
    plug.told = told
    watch.start()
    wait_for(lambda: plug.opened == 1)
    yield plug
    watch.close()
    if plug.inside:
        os.close(plug._writing)


def track(app):
    return [(label.class_index, label.timestamp) for label in app.ctx.session.label_track]


def test_press_and_release_become_labels_at_the_kernels_own_time(app, plug):
    app.start_recording()
    at = time.monotonic()
    pressed, released, other = round(at + 0.001, 6), round(at + 0.002, 6), round(at + 0.003, 6)
    plug.send(PEDAL, 1, pressed)
    plug.send(PEDAL, 2, at + 0.0015)  # auto-repeat
    plug.send(PEDAL, 0, released)
    plug.send(OTHER, 1, other)
    plug.send(OTHER, 0, at + 0.004)
    plug.send(30, 1, at + 0.005)
    wait_for(lambda: len(track(app)) == 3)
    assert [index for index, _ in track(app)] == [1, 0, -1]
    assert [at for _, at in track(app)] == pytest.approx([pressed, released, other], abs=2e-6, rel=0)
    app.stop_recording()
    with open_session_store(app.ctx.session.path) as session:
        assert {label.source for label in session.label_track} == {"input"}
        assert {label.uncertainty_s for label in session.label_track} == {0.0}


def test_a_stamp_of_another_clock_is_not_taken_but_the_doubt_is_told(app, plug):
    app.start_recording()
    plug.send(PEDAL, 1, time.monotonic() + 5000.0)
    wait_for(lambda: len(track(app)) == 1)
    (label,) = app.ctx.session.label_track
    assert abs(label.timestamp - time.monotonic()) < 30.0
    assert label.uncertainty_s > 0.0


def test_a_pedal_that_is_pulled_out_is_told_and_taken_up_again(app, plug):
    app.start_recording()
    plug.send(PEDAL, 1, time.monotonic())
    wait_for(lambda: len(track(app)) == 1)
    plug.pull()
    wait_for(lambda: plug.told)
    assert "pedal is not there: No such device; what it labels stays as it is" in plug.told[0]
    plug.plug()
    wait_for(lambda: "back" in plug.told[-1])
    plug.send(PEDAL, 0, time.monotonic())
    wait_for(lambda: len(track(app)) == 2)
    assert [index for index, _ in track(app)] == [1, 0]


def test_events_that_the_kernel_dropped_stand_in_the_log(app, plug, caplog):
    plug.send(SYN_DROPPED, 0, time.monotonic(), kind=EV_SYN)
    wait_for(lambda: "dropped events" in caplog.text)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ('device = "p"\nkey = "KEY_B"\npress = "Wave"', r"inputs\[1\].press: no gesture is called 'Wave'"),
        ('device = "p"\nkey = "B"\npress = "Fist"', "KEY_B"),
        ('key = "KEY_B"\npress = "Fist"', "device: is missing"),
        ('device = "p"\nkey = "KEY_B"\npress = "Fist"\nrelease = "Wave"', r"inputs\[1\].release"),
    ],
)
def test_a_mistake_in_the_configuration_is_named(row, words):
    with pytest.raises(ConfigError, match=words):
        parse_config(f'gestures = [{{ name = "Fist" }}]\n[[inputs]]\n{row}\n')


def test_without_evdev_the_extra_is_named(monkeypatch, capsys):
    monkeypatch.setitem(__import__("sys").modules, "evdev", None)
    assert run(["inputs"]) == 2
    assert "pip install 'myogestic_tui[inputs]'" in capsys.readouterr().err


class Refusing:
    """Stands in for evdev where nobody may open the devices."""

    class InputDevice:
        def __init__(self, path):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)


@pytest.fixture
def forbidden(tmp_path, monkeypatch):
    """A computer with one device, which its user may not open."""
    (tmp_path / "event7").touch()
    monkeypatch.setitem(sys.modules, "evdev", Refusing)
    listed = input_devices.list_inputs
    monkeypatch.setattr(input_devices, "list_inputs", lambda: listed(str(tmp_path)))
    monkeypatch.setattr(input_devices, "_name_by_sysfs", lambda _: "FootSwitch")


@pytest.mark.parametrize("command", [["inputs"], ["inputs", "learn", "--timeout", "0"]])
def test_devices_that_may_not_be_opened_are_named_with_the_group_that_may(forbidden, command, capsys):
    run(command)
    told = capsys.readouterr()
    assert "FootSwitch" in told.out + told.err
    assert "Permission denied" in told.out + told.err
    assert "sudo usermod -aG input $USER" in told.err


def test_doctor_tells_the_group_and_the_rule_for_a_device_that_may_not_be_opened(forbidden, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("myogestic.toml").write_text(
        'gestures = [{ name = "Fist" }]\n[[inputs]]\ndevice = "FootSwitch"\nkey = "KEY_B"\npress = "Fist"\n'
    )
    (check,) = check_inputs(Settings())
    assert "FootSwitch" in check.text
    assert "Permission denied" in check.text
    assert check.fix.index("usermod -aG input") < check.fix.index('ATTRS{name}=="FootSwitch"')


def test_a_recorder_that_may_not_open_its_pedal_says_so_and_what_to_do(forbidden, app):
    told = []
    watch = InputWatch(
        "FootSwitch", lambda: input_devices.open_input("FootSwitch", grab=True), InputLabels(app, {}), told.append
    )
    watch.start()
    wait_for(lambda: told)
    watch.close()
    assert told[0].startswith("the input FootSwitch may not be opened: Permission denied; sudo usermod -aG input")


def test_learn_on_a_computer_without_devices_says_so(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "evdev", Refusing)
    monkeypatch.setattr(input_devices, "list_inputs", list)
    assert run(["inputs", "learn"]) == 2
    assert "no input device with keys is plugged in" in capsys.readouterr().err


def test_doctor_names_what_is_not_there(tmp_path, monkeypatch):
    pytest.importorskip("evdev", reason="evdev is not installed")
    monkeypatch.chdir(tmp_path)
    Path("myogestic.toml").write_text(
        'gestures = [{ name = "Fist" }]\n[[inputs]]\ndevice = "no such pedal"\nkey = "KEY_B"\npress = "Fist"\n'
    )
    (check,) = check_inputs(Settings())
    assert (check.state, "no such pedal is not there" in check.text) == ("warning", True)


def test_the_udev_rule_holds_any_name():
    assert udev_rule('Foot "1"') == 'SUBSYSTEM=="input", ATTRS{name}=="Foot \\"1\\"", GROUP="input", MODE="0660"'


def _not_permitted() -> str:
    try:
        import evdev

        with evdev.UInput({EV_KEY: [PEDAL]}, name="probe of a test"):
            return ""
    except ImportError:
        return "evdev is not installed"
    except Exception as error:
        return str(error)


@pytest.mark.skipif(bool(_not_permitted()), reason=f"no input device can be made here: {_not_permitted()}")
def test_a_device_of_the_kernel_labels_is_grabbed_and_comes_back(app, unique):
    import evdev

    from myogestic_tui.control.input_devices import open_input

    told = []
    with contextlib.ExitStack() as stack:
        pedal = stack.enter_context(evdev.UInput({EV_KEY: [PEDAL]}, name=unique))
        watch = InputWatch(unique, lambda: open_input(unique, grab=True), InputLabels(app, KEYS), told.append)
        watch.start()
        stack.callback(watch.close)
        app.start_recording()

        def held():
            with pytest.raises(OSError, match="busy"):
                open_input(unique, grab=True)
            return True

        wait_for(held)
        before = time.monotonic()
        pedal.write(EV_KEY, PEDAL, 1)
        pedal.syn()
        wait_for(lambda: len(track(app)) == 1)
        assert before <= track(app)[0][1] <= time.monotonic()
        pedal.close()
        wait_for(lambda: told)
