"""The cued protocol that runs, and those that can be started: each cue becomes a label and a marker."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..config import ProtocolConfig, StepConfig
from ..errors import ConfigError, MyoGesticError, NotAllowedError
from .protocol import Plan, ProtocolRunner, make_plan

if TYPE_CHECKING:
    from ..config import Config
    from .cue_markers import CueOutlet
    from .interface import ProtocolStatus, StartProtocol
    from .labels import Labels
    from .operator_message import OperatorMessage
    from .recording import Recordings


class CuedProtocols:
    """Runs one protocol at a time on the running session.

    Parameters
    ----------
    config
        Its protocols; those that ship are known as well.
    recordings, labels, cues, message
        Where its notes, labels and markers go, and how the operator is informed.
    """

    def __init__(
        self, config: Config, recordings: Recordings, labels: Labels, cues: CueOutlet, message: OperatorMessage
    ) -> None:
        self.cues = cues
        self._config = config
        self._recordings = recordings
        self._labels = labels
        self._message = message
        self._runner: ProtocolRunner | None = None

    # ---------------------------------------------------------------- which there are

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the protocols that are known."""
        return tuple(self._known)

    @property
    def _known(self) -> dict[str, ProtocolConfig]:
        protocols = self._config.with_gestures(self._labels.class_names).all_protocols
        return {protocol.name: protocol for protocol in protocols}

    def plan(self, command: StartProtocol) -> Plan:
        """The protocol that a command asks for, ready to run: of its own steps, from the config, or one that ships.

        Raises
        ------
        ConfigError
            There is none of that name, it names a gesture that there is not, or it has nothing to do.
        """
        name, seed, names = command.name, command.seed, self._labels.class_names
        protocol = _given(command) if command.steps else self._named(name)
        steps = []
        for step in protocol.steps:
            if step.gesture and step.gesture not in names:
                raise ConfigError(f"protocol {name!r}: no gesture {step.gesture!r}; there are: {', '.join(names)}")
            steps.append((names.index(step.gesture) if step.gesture else -1, step.seconds))
        return make_plan(
            name,
            steps,
            repeats=protocol.repeats,
            shuffle=protocol.shuffle,
            seed=protocol.seed if seed is None else seed,
            lead_in=protocol.lead_in,
            bell=protocol.bell,
        )

    def _named(self, name: str) -> ProtocolConfig:
        known = self._known
        if name not in known:
            raise ConfigError(f"no protocol {name!r}; there are: {', '.join(known) or 'none'}")
        return known[name]

    # ---------------------------------------------------------------- the one that runs

    @property
    def active(self) -> ProtocolRunner:
        """The one that runs.

        Raises
        ------
        NotAllowedError
            None does.
        """
        if self._runner is None or not self._runner.active:
            raise NotAllowedError("no protocol is running; start one first")
        return self._runner

    @property
    def ran(self) -> str:
        """Name of the protocol of this session, whether it still runs or not; empty where there was none."""
        return self._runner.plan.name if self._runner is not None else ""

    def status(self) -> ProtocolStatus | None:
        """Where the protocol of this session stands."""
        return self._runner.status() if self._runner is not None else None

    def check_free(self) -> None:
        """Raise NotAllowedError where one runs."""
        if self._runner is not None and self._runner.active:
            raise NotAllowedError(f"protocol {self.ran} is running; abort it first")

    def begin_session(self) -> None:
        """Another session has begun, without a protocol so far."""
        self._runner = None

    def run(self, plan: Plan) -> None:
        """Start a protocol on the running session.

        Raises
        ------
        NotAllowedError
            One is running.
        """
        self.check_free()
        self._runner = ProtocolRunner(plan, self._cue, self._ended)
        self.cues.open()
        seed = f", seed {plan.seed}" if plan.seed is not None else ""
        self._note(f"protocol {plan.name}: {len(plan.cues)} cues in {plan.total_s:g} s{seed}")
        self._runner.start()

    def abort(self) -> None:
        """End the protocol where one runs."""
        if self._runner is not None and self._runner.active:
            self._runner.abort()

    def _cue(self, class_index: int, started_at: float) -> None:
        """A cue begins: its label is stamped at its true start, and others can see it as a marker."""
        if self._recordings.running is None:
            return
        self.cues.publish_cue(self._labels.class_names[class_index] if class_index >= 0 else None, started_at)
        try:
            self._labels.add(class_index, started_at, source="protocol")
        except MyoGesticError as error:
            self._message.set(f"cue not labelled: {error}")

    def _ended(self, how: str) -> None:
        text = f"protocol {self.ran} {how}"
        self._note(text)
        self._message.set(text)

    def _note(self, text: str) -> None:
        session = self._recordings.running
        if session is None:
            return
        try:
            session.add_note(text)
        except MyoGesticError as error:
            self._message.set(f"not noted: {error}")


def _given(command: StartProtocol) -> ProtocolConfig:
    steps = tuple(StepConfig(gesture=gesture, seconds=seconds) for gesture, seconds in command.steps)
    return ProtocolConfig(name=command.name, steps=steps, repeats=command.repeats, shuffle=command.shuffle)
