"""Key networks for tests: nodes with equal link keys at both ends, and wires that lose, repeat and mix up what they carry."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterable
from uuid import UUID

from quantum_fabric.keys import KeyMaterial
from quantum_fabric.keys.relay.bundle import noise_octets
from quantum_fabric.keys.relay.custody import Form
from quantum_fabric.keys.relay.messages import (
    Ack,
    Alarm,
    Answer,
    Carry,
    Delivered,
    Envelope,
    Failed,
    Message,
    Payload,
    Start,
    Tick,
)
from quantum_fabric.keys.relay.node import RelayNode
from quantum_fabric.keys.relay.pads import MemoryPads
from quantum_fabric.keys.relay.paths import Path
from quantum_fabric.keys.relay.supply import KeyLink, KeyNetwork


def stream(label: str, octets: int) -> bytes:
    """Octets that look random and are the same each time."""
    return hashlib.shake_256(label.encode()).digest(octets)


def links(
    text: str, forward: int = 1 << 20, backward: int = 1 << 20, rate: float = 0.0
) -> tuple[KeyLink, ...]:
    """ "AR RB" -> two links."""
    return tuple(KeyLink(one[0], one[1], forward, backward, rate) for one in text.split())


def ladder() -> KeyNetwork:
    """A and B, with two ways of one and of two relays between them, and a rung."""
    return KeyNetwork(links("AR RB AS ST TB RS"), frozenset("RST"))


class World:
    """All nodes of a network, and what is on its way between them."""

    def __init__(self, network: KeyNetwork, label: str = "world", patience: int = 1000) -> None:
        self.network = network
        self.pads = {name: MemoryPads(name) for name in network.nodes}
        for link in network.links:
            for spender, follower in ((link.a, link.b), (link.b, link.a)):
                octets = stream(f"{label}/{spender}/{follower}", link.stored(spender) // 8)
                block = UUID(bytes=stream(f"{label}:{spender}:{follower}", 16), version=4)
                for name in (spender, follower):
                    self.pads[name].add(spender, follower, block, octets)
        self.nodes = {
            name: RelayNode(name, self.pads[name], name in network.relays, patience) for name in network.nodes
        }
        self.now = 0
        self.label = label
        self.wires: list[Envelope | Ack] = []
        self.heard: list[Envelope | Ack] = []
        self.delivered: dict[tuple[UUID, str], list[bytes]] = {}
        self.failed: dict[tuple[UUID, str], list[Failed]] = {}
        self.alarms: list[Alarm] = []

    def hand(self, node: str, message: Message) -> None:
        self.keep(node, self.nodes[node].handle(message, self.now))

    def keep(self, node: str, answers: Iterable[Answer]) -> None:
        for answer in answers:
            match answer:
                case Envelope() | Ack():
                    self.wires.append(answer)
                    self.heard.append(answer)
                case Delivered():
                    self.delivered.setdefault((answer.transfer, node), []).append(
                        bytes(answer.material.octets)
                    )
                case Failed():
                    self.failed.setdefault((answer.transfer, node), []).append(answer)
                case Alarm():
                    self.alarms.append(answer)

    def start(self, transfer: UUID, paths: tuple[Path, ...], octets: int = 32, life: int = 60_000) -> None:
        noise = KeyMaterial(stream(f"{self.label}/{transfer}", noise_octets(octets, len(paths))))
        self.hand(paths[0][0], Start(transfer, paths, octets, noise, self.now + life))

    def lie(self, node: str, peer: str, payload: Payload) -> None:
        """A compromised node tags what it likes: it has its link keys."""
        if isinstance(payload, Carry):
            self.nodes[node].book.open(payload.transfer, payload.share, Form.CIPHER, self.now)
        self.keep(node, self.nodes[node].line(peer).send(payload, self.now))

    def deliver(self, place: int = 0) -> None:
        message = self.wires.pop(place)
        self.hand(message.receiver, message)

    def drain(self) -> None:
        """Carry everything, and everything that follows from it."""
        while self.wires:
            self.deliver()

    def settle(self, rounds: int = 200) -> None:
        """Let time pass with wires that lose nothing until nobody holds anything."""
        for _ in range(rounds):
            self.drain()
            if all(node.quiet for node in self.nodes.values()):
                return
            self.now += 1000
            for name in self.nodes:
                self.hand(name, Tick())
        held = {name: node.book.held for name, node in self.nodes.items() if node.book.held}
        raise AssertionError(f"something is held for ever: {held}")

    def rough(self, dice: random.Random, steps: int, loss: float = 0.3, again: float = 0.2) -> None:
        """Wires that deliver in any order, lose and repeat; time passes."""
        for _ in range(steps):
            if not self.wires or dice.random() < 0.1:
                self.now += dice.randrange(0, 1500)
                for name in self.nodes:
                    self.hand(name, Tick())
                continue
            place, luck = dice.randrange(len(self.wires)), dice.random()
            if luck < loss:
                self.wires.pop(place)
            elif luck < loss + again:
                self.hand(self.wires[place].receiver, self.wires[place])
            else:
                self.deliver(place)

    def spent(self) -> dict[tuple[str, str], int]:
        """(spender, towards) -> bits that both ends agree are gone."""
        found = {}
        for link in self.network.links:
            for spender, follower in ((link.a, link.b), (link.b, link.a)):
                left = self.pads[spender].left(spender, follower)
                assert left == self.pads[follower].left(spender, follower), (spender, follower)
                if 8 * left != link.stored(spender):
                    found[spender, follower] = link.stored(spender) - 8 * left
        return found

    def verdict(self, transfer: UUID, source: str, target: str) -> bytes | None:
        """The key where both ends have it once and equal; None where both have none and the source said why."""
        one, other = self.delivered.get((transfer, source), []), self.delivered.get((transfer, target), [])
        if not one:
            assert not other, "the target uses a key that the source does not"
            assert len(self.failed[transfer, source]) == 1, "a key that is lost in silence, or twice"
            return None
        assert len(one) == len(other) == 1, "delivered not at all, or twice"
        assert one == other, "two different keys"
        assert (transfer, source) not in self.failed
        assert (transfer, target) not in self.failed
        return one[0]
