"""What applications do with the halves that they hold: they measure, teleport, turn and fuse them, and wait for the answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from quantum_fabric.errors import StateError, UnknownNameError
from quantum_fabric.messages import (
    Command,
    Consume,
    Correct,
    Event,
    Fuse,
    Fused,
    Measure,
    Measured,
    Message,
    Received,
    Teleport,
    Teleported,
    Turn,
)
from quantum_fabric.ports import Action, Answer
from quantum_fabric.twin import Twin
from quantum_fabric.units import Time


class Held(Protocol):
    """The running network in which applications hold halves."""

    twin: Twin

    @property
    def agents(self) -> Mapping[str, Any]:
        """The decider of each node."""

    @property
    def now(self) -> Time:
        """Virtual time, ps."""

    def tell(self, place: str, message: Message) -> None:
        """Show the watchers a message."""

    def ask(self, seat: str, message: Message) -> Sequence[Action]:
        """What a seat's decider answers."""

    def act(self, seat: str, actions: Sequence[Action]) -> None:
        """Do, carry and remember what a decider answered."""

    def run(self, until: Time, stop: Callable[[], bool] | None = None) -> None:
        """Let the network live until a time, or until ``stop`` says so."""


class Hands:
    """Carries out commands of applications, one at a time.

    Args:
        network: in which they hold halves.
    """

    def __init__(self, network: Held) -> None:
        self._network = network
        self._awaited: tuple[str, int] | None = None
        self._answer: Answer | None = None

    def perform(self, command: Command) -> Answer | None:
        """Do something with a held half, and run until the plant has answered.

        Returns:
            What the plant reports of it (None for `Consume` and `Turn`, and where the node has failed).

        Raises:
            StateError: not a command for applications.
            UnknownNameError: a node that is not in this network.
            ProtocolError: the command makes no sense in the present state.
        """
        network = self._network
        if not isinstance(command, Consume | Measure | Teleport | Correct | Turn | Fuse):
            raise StateError(
                f"{type(command).__name__} is for node agents; an application consumes, measures or teleports"
            )
        if command.node not in network.agents:
            raise UnknownNameError(found=repr(command.node), expected="a node of this network", where="node")
        network.tell(command.node, command)
        if isinstance(command, Consume | Turn):
            network.twin.execute(command, network.now)
            if isinstance(command, Consume):
                network.act(command.node, network.ask(command.node, command))
            return None
        self._awaited, self._answer = (command.node, command.slot), None
        network.twin.execute(command, network.now)
        if self._answer is None:
            node = network.twin.nodes[command.node]
            gates = len(command.others) if isinstance(command, Fuse) else 1
            limit = network.now + gates * node.swap_time + node.measure_time
            network.run(limit, stop=lambda: self._answer is not None)
        self._awaited = None
        return self._answer

    def heard(self, event: Event) -> None:
        """The plant reports something: perhaps the answer that an application waits for."""
        if self._awaited is None or not isinstance(event, Measured | Teleported | Received | Fused):
            return
        if self._awaited == (event.node, event.slot):
            self._answer = event
