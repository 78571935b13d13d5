"""A node that is killed goes on where its last commit was; no key is lost in silence, and none is delivered twice."""

from __future__ import annotations

import copy
import random
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyrelay import World, ladder, links
from quantum_fabric.errors import InputError, StateError
from quantum_fabric.keys import KeyMaterial
from quantum_fabric.keys.relay import MemoryPads, RelayNode, Tick
from quantum_fabric.keys.relay.custody import Form
from quantum_fabric.keys.relay.keeping import keep, resume
from quantum_fabric.keys.relay.messages import Message
from quantum_fabric.keys.relay.supply import KeyNetwork

SHORT, LONG = ("A", "R", "B"), ("A", "S", "T", "B")


class Killed(World):
    """Nodes are killed while they handle something: before the commit, or after it and before anything was sent.

    What was told to the house (`Delivered`, `Failed`) is part of the commit, as in a store.
    """

    def __init__(self, network: KeyNetwork, dice: random.Random, chance: float) -> None:
        super().__init__(network, f"killed/{chance}")
        self.dice, self.chance, self.kills = dice, chance, 0

    def hand(self, node: str, message: Message) -> None:
        luck = self.dice.random()
        if luck > self.chance:
            super().hand(node, message)
            return
        self.kills += 1
        before = keep(self.nodes[node]), copy.deepcopy(self.pads[node]._blocks)
        if luck < self.chance / 2:
            self._revive(node, *before)  # whatever it did was not committed
            return
        told = [one for one in self.nodes[node].handle(message, self.now) if not hasattr(one, "tag")]
        self.keep(node, told)
        self._revive(node, keep(self.nodes[node]), self.pads[node]._blocks)

    def _revive(
        self,
        node: str,
        kept: KeyMaterial,
        blocks: dict[tuple[str, str], dict[UUID, tuple[bytearray, bytearray]]],
    ) -> None:
        self.pads[node] = MemoryPads(node)
        self.pads[node]._blocks = blocks
        fresh = RelayNode(node, self.pads[node], node in self.network.relays)
        resume(fresh, kept)
        self.nodes[node] = fresh


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from([0.05, 0.3]), st.integers(0, 300))
def test_nodes_that_are_killed_again_and_again(seed: int, chance: float, steps: int) -> None:
    dice = random.Random(seed)
    network = KeyNetwork(links("AR RB AS ST TB RS", 1 << 16, 1 << 16), frozenset("RST"))
    world = Killed(network, dice, 0.0)
    for number in range(3):
        world.start(UUID(int=number + 1), (SHORT, LONG) if number else (("A", "S", "R", "B"),), life=30_000)
    world.chance = chance
    world.rough(dice, steps, loss=0.15, again=0.15)
    world.chance = 0.05  # and goes on dying while everything is brought to its end
    world.settle(2000)
    for number in range(3):
        world.verdict(UUID(int=number + 1), "A", "B")
    world.spent()
    assert not world.alarms


def test_custody_survives() -> None:
    world = Killed(ladder(), random.Random(1), 0.0)
    world.start(UUID(int=1), (SHORT, LONG))
    world.deliver()
    held = {node: world.nodes[node].book.held for node in "AR"}
    closed = world.nodes["R"].book.closed
    assert [one.form for one in closed] == [Form.CLEAR]
    for node in "AR":
        world._revive(node, keep(world.nodes[node]), world.pads[node]._blocks)
        assert world.nodes[node].book.held == held[node]
    assert world.nodes["R"].book.drain() == closed
    world.settle()
    assert world.verdict(UUID(int=1), "A", "B")


def test_a_node_that_lost_its_disk_is_noticed() -> None:
    """Without its link keys a node can check nothing and say nothing: the source gives the key up, and says so."""
    world = World(ladder())
    world.start(UUID(int=1), (SHORT, LONG), life=20_000)
    world.nodes["R"] = RelayNode("R", MemoryPads("R"))
    for _ in range(60):
        while world.wires:
            world.deliver()
        world.now += 1000
        for name in world.nodes:
            world.hand(name, Tick())
    assert world.verdict(UUID(int=1), "A", "B") is None
    assert "a message whose link key is not here" in {one.what for one in world.alarms}


def test_a_state_goes_into_a_fresh_node_of_its_name_only() -> None:
    world = World(ladder())
    world.start(UUID(int=1), (SHORT, LONG))
    kept = keep(world.nodes["A"])
    with pytest.raises(InputError, match="the state of A"):
        resume(RelayNode("R", MemoryPads("R")), kept)
    with pytest.raises(StateError, match="has begun"):
        resume(world.nodes["A"], kept)
    assert "secret bits" in repr(kept)
