"""What may be let happen to a running network: faults of the plant and of the classical plane, and an operator's calibration."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from quantum_fabric.errors import InputError, UnknownNameError
from quantum_fabric.messages import (
    CONTROLLER,
    Calibrate,
    ClockStep,
    Event,
    LinkChanged,
    Message,
    NodeFailed,
    NodeRecovered,
    Partition,
    SlotsBroken,
)
from quantum_fabric.post import Post
from quantum_fabric.twin import Twin
from quantum_fabric.units import Time


class Stricken(Protocol):
    """The running network that something happens to."""

    twin: Twin

    @property
    def now(self) -> Time:
        """Virtual time, ps."""

    def tell(self, place: str, message: Message) -> None:
        """Show the watchers a message."""

    def imperfect(self) -> Post:
        """From now on the classical plane is one that faults can happen to."""


def fault(network: Stricken, event: Event | Calibrate | Partition | ClockStep) -> Callable[[Any], None]:
    """What lets an event happen to a network when it is called with it.

    Args:
        network: the network.
        event: a link that goes dark or comes back, a node that fails or lives again, memory slots that break, a calibration,
            nodes that cannot be reached, or a clock that jumps.

    Raises:
        UnknownNameError: no such link or node.
        InputError: another kind of event, a link that cannot be calibrated, or a slot that the node does not have.

    Examples:
        >>> from quantum_fabric import documents
        >>> from quantum_fabric.fabric import Fabric
        >>> network = Fabric(documents.inventory(documents.load_network("lab")))
        >>> fault(network, NodeFailed("Carol"))
        Traceback (most recent call last):
        ...
        quantum_fabric.errors.UnknownNameError: found 'Carol', expected the name of a link or node of this network
    """
    twin = network.twin
    verb: Callable[[Any], None]
    match event:
        case LinkChanged(link=name):
            known, verb = name in twin.links, lambda event: _change(network, event)
        case NodeFailed(node=name):
            known, verb = name in twin.nodes, lambda event: twin.fail_node(event.node, network.now)
        case NodeRecovered(node=name):
            known, verb = name in twin.nodes, lambda event: twin.recover_node(event.node, network.now)
        case SlotsBroken(node=name, slots=numbers):
            known, verb = (
                name in twin.nodes,
                lambda event: twin.break_slots(event.node, event.slots, network.now),
            )
            has = len(twin.nodes[name].slots) if known else 0
            if known and (not numbers or not all(0 <= number < has for number in numbers)):
                raise InputError(str(tuple(numbers)), f"memory slots of {name}: 0 to {has - 1}", "slots")
        case Calibrate(link=name):
            known, verb = name in twin.links, lambda event: _calibrate(network, event)
            if known and twin.links[name].upkeep.calibrations is None:
                expected = "a link whose document says how long a calibration takes"
                raise InputError(found=repr(name), expected=expected, where="link")
        case ClockStep(node=name):
            known, verb = name in twin.nodes, network.imperfect().step_clock
        case Partition(nodes=several):
            name = next((each for each in several if each not in (*twin.nodes, CONTROLLER)), "")
            known, verb = not name, network.imperfect().part
        case _:
            expected = (
                "LinkChanged, NodeFailed, NodeRecovered, SlotsBroken, Partition, ClockStep or Calibrate"
            )
            raise InputError(found=type(event).__name__, expected=expected)
    if not known:
        raise UnknownNameError(found=repr(name), expected="the name of a link or node of this network")
    return verb


def _change(network: Stricken, event: LinkChanged) -> None:
    network.tell("plant", event)
    network.twin.change_link(event.link, event.up, network.now)


def _calibrate(network: Stricken, command: Calibrate) -> None:
    """An operator asks at the first end that is alive; where neither is, it comes to nothing like any command there."""
    ends = network.twin.links[command.link].ends
    command = Calibrate(next((node.name for node in ends if node.alive), ends[0].name), command.link)
    network.tell(command.node, command)
    network.twin.execute(command, network.now)
