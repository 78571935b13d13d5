"""GHZ states over three to eight nodes: a centre holds one pair with each of the others, and fuses them.

The centre's gates make one state of all the pairs. Each other node then owes its half a Pauli operator, which the centre tells it; it
applies that when the word arrives, and hands its half over. The centre's own qubit is handed over when the gates are done.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from quantum_fabric.errors import InputError, ProtocolError, StateError
from quantum_fabric.messages import (
    Accepted,
    Bell,
    Code,
    Consume,
    Delivered,
    Fuse,
    Fused,
    LinkRequest,
    Refused,
    Turn,
)
from quantum_fabric.ports import Network
from quantum_fabric.services.link import Link, open_link
from quantum_fabric.units import Time

FEWEST, MOST = 3, 8
"""Nodes that may share a state."""

TRIES = 100
"""How often a pair is asked for anew because it expired while another was made."""


@dataclass(frozen=True, slots=True)
class Shared:
    """A GHZ state ``(|0...0> + |1...1>)/√2`` that was handed over.

    Attributes:
        nodes: who share it, the centre first.
        pairs: that it was made of, in the order of ``nodes[1:]``.
        bits: that the centre announced, for all but the first of them.
        least: what is believed of its fidelity at least when it was fused, with perfect gates (see `least_fidelity`).
        fused_at: when the centre's gates were done, ps.
        ready_at: when the last node had handed over its half, ps.
    """

    nodes: tuple[str, ...]
    pairs: tuple[Delivered, ...]
    bits: tuple[int, ...]
    least: float
    fused_at: Time
    ready_at: Time


def least_fidelity(pairs: Sequence[float]) -> float:
    """Least fidelity of a GHZ state that perfect gates make of pairs with these fidelities.

    Equation: pairs that are all in their Bell state give the state itself, and one that is not costs at most all of it:
        ``F >= 1 - Σ (1 - F_i)`` (the union bound).

    Examples:
        >>> round(least_fidelity([0.95, 0.98]), 12)
        0.93
    """
    return max(0.0, 1.0 - sum(1.0 - each for each in pairs))


def share_ghz(network: Network, centre: str, others: Sequence[str], fidelity: float) -> Shared | Refused:
    """Share one GHZ state between a centre and two to seven other nodes.

    Args:
        network: a running network.
        centre: who holds a pair with each other node, and is one of those who share the state.
        others: the other nodes, each once.
        fidelity: of each pair; the state's is lower, see `least_fidelity`.

    Returns:
        The state, or the refusal of the first pair that the network cannot give beside the others.

    Raises:
        InputError: too few or too many nodes, or one twice.
        StateError: a pair was lost on the way, or the centre's gates failed; what was held has been given back.

    Examples:
        >>> from dataclasses import replace
        >>> from quantum_fabric import Fabric, documents
        >>> inventory = documents.inventory(documents.load_network("chicago"))
        >>> inventory.nodes["StarLight"] = replace(inventory.nodes["StarLight"], slots=40)
        >>> share_ghz(Fabric(inventory, seed=1), "StarLight", ["NU", "UChicago_PME"], 0.9).nodes
        ('StarLight', 'NU', 'UChicago_PME')

    Limits:
        A request keeps all slots that it was lent for as long as one of its pairs is held: the centre needs slots for all of the
        requests at once, else the answer is NORES. The far halves age while the others' pairs are made and while the bits travel.
    """
    nodes = (centre, *others)
    if not FEWEST <= len(nodes) <= MOST or len(set(nodes)) < len(nodes):
        raise InputError(", ".join(nodes), f"{FEWEST} to {MOST} different nodes, the centre first", "nodes")
    links: list[Link] = []
    try:
        held: dict[str, Delivered] = {}
        for _ in range(TRIES):
            gone = [other for other in others if other not in held or held[other].expires_at <= network.now]
            if not gone:
                return _fuse(network, nodes, tuple(held[other] for other in others))
            for other in gone:
                link = open_link(network, LinkRequest(centre, other, fidelity, hold=True))
                if isinstance(link, Refused):
                    return link
                links.append(link)
                if held and _queued(network, link):
                    return _full(link, centre)
                held[other] = next(link).delivered
        raise StateError(f"in {TRIES} rounds {len(others)} pairs of {centre} were never alive together")
    except ProtocolError as error:  # a fault emptied a slot
        raise StateError(f"a pair of {centre} is gone: {error}") from error
    finally:
        for link in links:
            link.close()


def _queued(network: Network, link: Link) -> bool:
    first = network.replies(link.name)[0]
    return isinstance(first, Accepted) and first.queued


def _full(link: Link, centre: str) -> Refused:
    other = link.request.destination
    reason = (
        f"the pair with {other} would have to wait for slots of the pairs that are held already; a request keeps all slots that it "
        "was lent for as long as one of its pairs is held"
    )
    return Refused(link.name, Code.NORES, f"memory of {centre}", reason)


def _fuse(network: Network, nodes: tuple[str, ...], pairs: tuple[Delivered, ...]) -> Shared:
    assert all(pair.slots is not None for pair in pairs)
    slots = [pair.slots or (0, 0) for pair in pairs]
    halves = tuple(pair.pair.left for pair in pairs)
    centre, others = nodes[0], nodes[1:]
    command = Fuse(centre, slots[0][0], tuple(here for here, _ in slots[1:]), halves)
    answer = network.perform(command)
    if not isinstance(answer, Fused):
        raise StateError(f"{centre} lost its halves")
    if answer.bits is None:
        raise StateError(f"the gates at {centre} failed")
    fused_at, bits = network.now, (0, *answer.bits)
    by_delay = sorted(range(len(others)), key=lambda number: network.delay(centre, others[number]))
    for number in by_delay:
        network.run(fused_at + network.delay(centre, others[number]))
        pair, slot = pairs[number], slots[number][1]
        owed = Bell(pair.bell ^ (bits[number] << 1))
        if owed is not Bell.PHI_PLUS:
            network.perform(Turn(others[number], slot, owed, pair.pair.right))
        network.perform(Consume(others[number], slot, Bell.PHI_PLUS, pair.pair.right))
    least = least_fidelity([pair.fidelity for pair in pairs])
    return Shared(nodes, pairs, answer.bits, least, fused_at, network.now)
