"""Memory slots that break under sessions: what is delivered is as good as promised, and sessions move to what still works."""

from __future__ import annotations

import random

import pytest

from quantum_fabric import documents
from quantum_fabric.errors import InputError, UnknownNameError
from quantum_fabric.fabric import Fabric
from quantum_fabric.messages import (
    Accepted,
    Delivered,
    LinkRequest,
    Message,
    Outcome,
    PairId,
    Release,
    Rerouted,
    SlotsBroken,
    Status,
    Truth,
)
from quantum_fabric.units import MS, SECOND, Time


def chicago() -> Fabric:
    return Fabric(documents.inventory(documents.load_network("chicago")), seed=3)


class Truths:
    """What pairs truly were when both ends had taken them."""

    def __init__(self) -> None:
        self.told: dict[PairId, float] = {}
        self.delivered: list[Delivered] = []

    def __call__(self, time: Time, place: str, message: Message) -> None:
        if isinstance(message, Truth):
            halves = [name for _, name in message.ends]
            for pair in (PairId(*halves), PairId(*reversed(halves))):
                self.told[pair] = message.weights[0]
        elif isinstance(message, Delivered):
            self.delivered.append(message)


@pytest.mark.parametrize("seed", range(6))
def test_no_pair_of_a_broken_slot_is_delivered(seed: int) -> None:
    """A pair of which a half was lost has fidelity 1/4; those that are delivered had 0.85 and more to promise."""
    fabric, truths, dice = chicago(), Truths(), random.Random(seed)
    fabric.watch(truths, Truth, Delivered)
    names = [
        fabric.submit(LinkRequest("Fermilab_1", "Argonne_1", 0.85, pairs=300)),
        fabric.submit(LinkRequest("NU", "StarLight", 0.9, pairs=300)),
    ]
    fabric.run(MS)
    plans = [reply.plan for name in names for reply in fabric.replies(name) if isinstance(reply, Accepted)]
    assert len(plans) == 2
    at = MS
    for _ in range(12):  # always a slot that somebody uses
        at += dice.randrange(4 * MS)
        fabric.run(at)
        leases = fabric.controller.ledger.leases()
        if leases:
            lease = dice.choice(leases)
            fabric.inject(SlotsBroken(lease.node, (lease.slot,)))
    fabric.run(5 * SECOND, stop=lambda: not fabric.open_requests)
    assert len(truths.delivered) > 50
    assert min(truths.told[each.pair] for each in truths.delivered) > 0.7
    fabric.finish()
    assert not fabric.controller.ledger.leases()
    for name in names:
        assert sum(isinstance(reply, Outcome) for reply in fabric.replies(name)) == 1


def test_the_session_moves_to_slots_that_work_and_ends_well() -> None:
    fabric = chicago()
    tape: list[Message] = []
    fabric.watch(lambda time, place, message: tape.append(message), Release)
    name = fabric.submit(LinkRequest("NU", "StarLight", 0.9, pairs=200))
    fabric.run(20 * MS)
    lease = next(each for each in fabric.controller.ledger.leases() if each.node == "NU")
    fabric.inject(SlotsBroken("NU", (lease.slot,)))
    fabric.run(5 * SECOND, stop=lambda: not fabric.open_requests)
    replies = fabric.replies(name)
    (moved,) = [reply for reply in replies if isinstance(reply, Rerouted)]
    assert moved.reason == f"memory slot {lease.slot} of NU broke"
    assert replies[-1].status is Status.COMPLETED  # type: ignore[union-attr]
    assert tape


def test_a_node_without_slots_serves_nobody_and_the_caller_hears_it() -> None:
    fabric = chicago()
    name = fabric.submit(LinkRequest("NU", "StarLight", 0.9, pairs=100_000))
    fabric.run(20 * MS)
    slots = fabric.inventory.nodes["NU"].slots
    fabric.inject(SlotsBroken("NU", tuple(range(slots))))
    fabric.run(SECOND, stop=lambda: not fabric.open_requests)
    outcome = fabric.replies(name)[-1]
    assert isinstance(outcome, Outcome)
    assert outcome.status is Status.FAILED
    fabric.finish()
    assert not fabric.controller.ledger.leases()


def test_slots_that_nobody_has() -> None:
    fabric = chicago()
    with pytest.raises(UnknownNameError, match="found 'Nowhere'"):
        fabric.inject(SlotsBroken("Nowhere", (0,)))
    for slots in ((), (-1,), (10_000,)):
        with pytest.raises(InputError, match="memory slots of NU: 0 to"):
            fabric.inject(SlotsBroken("NU", slots))


def test_the_native_engine_says_that_it_cannot() -> None:
    pytest.importorskip("quantum_fabric_native")
    from quantum_fabric.ensemble.live import LiveFabric

    live = LiveFabric(documents.inventory(documents.load_network("lab")), seed=1)
    with pytest.raises(InputError, match="expected another fault, or a run on the twin"):
        live.inject(SlotsBroken("Alice", (0,)))
