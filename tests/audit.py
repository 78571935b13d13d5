"""An auditor: watches a fabric from outside and checks the contracts of the architecture page on everything it sees."""

from __future__ import annotations

from collections import defaultdict
from itertools import product
from typing import Any

from quantum_fabric.fabric import Fabric
from quantum_fabric.messages import (
    CLIENT,
    CONTROLLER,
    Accepted,
    Confirmed,
    Delivered,
    Discard,
    Heralded,
    Message,
    Outcome,
    Purified,
    Refused,
    Send,
    Stale,
    Status,
    Substandard,
    Swapped,
)
from quantum_fabric.units import Time


class Auditor:
    """Keeps the books that nobody in the network can keep: which half is where, and who could know what when."""

    def __init__(self, fabric: Fabric) -> None:
        self.fabric = fabric
        self.requests: dict[str, Any] = {}
        self.punctual = True  # letters are neither late nor doubled
        self._sent: dict[int, tuple[Message, str, Time]] = {}
        self._soonest = closure(fabric)
        self._slots: dict[tuple[str, int], str] = {}  # (node, slot) -> half
        self._heard: dict[tuple[str, str], Time] = {}  # (node, half) -> herald
        self._swaps: dict[tuple[str, str], tuple[str, Time]] = {}  # (node, half) -> (half swapped with, time)
        self._gates: dict[str, list[tuple[str, Time]]] = defaultdict(list)  # half -> purifications
        self._ends: dict[str, set[str]] = defaultdict(set)  # elementary pair -> nodes that heard of it
        self._confirmed: dict[tuple[str, Any], list[Confirmed]] = defaultdict(list)
        fabric.watch(self)
        carry = fabric._carry

        def note(seat: str, send: Send) -> None:
            self._sent[id(send.message)] = (send.message, seat, fabric.now)
            carry(seat, send)

        fabric._carry = note  # type: ignore[method-assign]

    # ------------------------------------------------------------------------------------------ watching

    def __call__(self, time: Time, place: str, message: Message) -> None:
        self._check_speed(time, place, message)
        match message:
            case Heralded(node=node, slot=slot, pair=pair):
                self._slots[node, slot] = pair
                self._heard[node, pair] = time
                self._ends[pair].add(node)
            case Swapped(node=node, left=left, right=right, outcome=outcome):
                one, two = self._slots.pop((node, left)), self._slots.pop((node, right))
                if outcome is not None:
                    self._swaps[node, one] = (two, time)
                    self._swaps[node, two] = (one, time)
            case Purified(node=node, keep=keep, sacrifice=sacrifice):
                self._gates[self._slots[node, keep]].append((node, time))
                del self._slots[node, sacrifice]
            case Discard(node=node, slot=slot):
                self._slots.pop((node, slot), None)
            case Confirmed():
                self._confirmed[message.pair, message.epoch].append(message)
            case Delivered():
                self._check_delivery(message)

    def _check_speed(self, time: Time, place: str, message: Message) -> None:
        found = self._sent.get(id(message))
        if found is None or found[0] is not message or isinstance(message, Stale):
            return
        _, sender, at = found
        due = at + self.fabric.delay(sender, place)
        assert time == due or (time > due and not self.punctual), (sender, place, message)

    def _check_delivery(self, told: Delivered) -> None:
        """Contract 1: both ends could know of every step of the chain when they took the pair for complete."""
        pair = told.pair
        epochs = [key for key in self._confirmed if key[0] == pair]
        assert len(epochs) == 1, "a pair belongs to one installation"
        both = self._confirmed[epochs[0]]
        assert {each.node for each in both} == set(told.ends), "both ends confirm"
        assert len(both) == 2 or not self.punctual, "each end confirms once"
        assert both[0].bell is both[1].bell is told.bell
        assert told.delivered_at == max(each.at for each in both)
        needed = list(self._chain(told))
        for each in both:
            mine = pair.left if each.node == told.ends[0] else pair.right
            assert each.at >= self._heard[each.node, mine], "used before its herald"
            for node, time in needed:
                known = time + self._soonest[node, each.node]
                assert each.at >= known, f"{each.node} used {pair} at {each.at}, could know at {known}"
        assert told.fidelity >= self.requests[told.request].fidelity, "worse than asked for"
        assert told.low <= told.fidelity <= told.high
        assert told.created_at <= told.delivered_at <= told.expires_at

    def _chain(self, told: Delivered) -> Any:
        """(node, time) of every gate and swap that made a pair, from source to destination."""
        node, half = told.ends[0], told.pair.left
        while True:
            yield from self._gates[half]
            (far,) = self._ends[half] - {node}
            if far == told.ends[1]:
                assert half == told.pair.right
                return
            next_half, time = self._swaps[far, half]
            yield far, time
            node, half = far, next_half

    # ------------------------------------------------------------------------------------------ checking

    def check(self) -> None:
        """What must hold between any two events."""
        fabric = self.fabric
        leases = fabric.controller.ledger.leases()
        booked = {(lease.node, lease.slot): lease for lease in leases}
        assert len(booked) == len(leases), "a slot is leased twice"
        for name, agent in fabric.agents.items():
            for slot, epoch in agent.leases.items():
                lease = booked.get((name, slot))
                circuit = agent.circuit(epoch)
                assert circuit is not None
                if lease is None and circuit.lease_until == fabric.now:
                    continue  # the ledger's clock struck first
                assert lease is not None, f"{name} holds slot {slot}, the ledger does not"
                assert lease.epoch == epoch
                assert lease.until >= fabric.now
            for slot in fabric.twin.nodes[name].slots:
                if slot.half is not None or slot.lane is not None:
                    assert slot.number in agent.leases, (
                        f"slot {slot.number} of {name} is used without a lease"
                    )
        for name in self.requests:
            self._check_replies(name)

    def _check_replies(self, name: str) -> None:
        replies = self.fabric.replies(name)
        outcomes = [reply for reply in replies if isinstance(reply, Outcome)]
        assert len(outcomes) <= 1
        assert (name in self.fabric.open_requests) == (not outcomes)
        if not replies:
            return
        first = replies[0]
        delivered = [reply for reply in replies if isinstance(reply, Delivered)]
        if isinstance(first, Refused):
            assert len(replies) <= 2
            assert first.reason
            assert first.resource
            assert not outcomes or outcomes[0].status is Status.REFUSED
            return
        if isinstance(first, Outcome):  # the run was ended before it was asked
            assert len(replies) == 1
            assert first.status is Status.CANCELLED
            return
        assert isinstance(first, Accepted)
        assert [each.number for each in delivered] == list(range(1, len(delivered) + 1))
        assert len(delivered) <= self.requests[name].pairs
        for reply in replies:
            if isinstance(reply, Substandard):
                assert reply.fidelity < reply.floor
        if outcomes:
            assert replies[-1] is outcomes[0]
            assert outcomes[0].delivered == len(delivered)
            assert outcomes[0].reason
            assert (outcomes[0].status is Status.COMPLETED) == (len(delivered) == self.requests[name].pairs)


def closure(fabric: Fabric) -> dict[tuple[str, str], Time]:
    """Shortest times in which news can get from node to node over any relays: delays need not be a metric."""
    nodes = list(fabric.inventory.nodes)
    soonest = {(a, b): fabric.delay(a, b) for a, b in product(nodes, nodes)}
    for via, a, b in product(nodes, nodes, nodes):
        soonest[a, b] = min(soonest[a, b], soonest[a, via] + soonest[via, b])
    return soonest


__all__ = ["CLIENT", "CONTROLLER", "Auditor", "closure"]
