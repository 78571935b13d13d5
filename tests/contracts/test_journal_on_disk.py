"""A controller that is killed with kill -9 at the worst moments, and comes back in another process from its file."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from builders import chain, link, node
from controller_host import MOMENTS, Host
from quantum_fabric.fabric import Fabric
from quantum_fabric.messages import CONTROLLER, Delivered, LinkRequest, Message, Outcome, Status
from quantum_fabric.ports import Action
from quantum_fabric.post import Channel
from quantum_fabric.units import MS, SECOND, US


class Unwritten:
    """In the place of the journal of the twin: the process keeps its own."""

    def write(self, message: Message, now: int) -> None:
        """Nothing."""

    def acted(self, seat: Any, message: Message, actions: Sequence[Action]) -> None:
        """Nothing."""


def lived(folder: Path, seed: int, kills: int) -> tuple[Fabric, Host, list[str]]:
    """Requests on a chain whose controller is another process."""
    dice = random.Random(seed)
    network = chain(4, link(0.05, 10 * US, 0.98), node(slots=6, t2=1.0), hop_delay=50 * US)
    plane = Channel(loss=0.05, duplication=0.05, patience=20 * MS, guard=MS)
    fabric = Fabric(network, seed=seed, channel=plane)
    post: Any = fabric._post
    left = [kills]

    def choose(message: Any) -> str:
        if left[0] and dice.random() < 0.03:
            left[0] -= 1
            return dice.choice(MOMENTS)
        return ""

    host = post._seats[CONTROLLER] = Host(post._seats[CONTROLLER], post._fixed, folder, choose)
    post._journal = Unwritten()
    names = [
        fabric.submit(
            LinkRequest(a, b, 0.8, pairs=6, deadline=2 * SECOND, name=f"r{number}"), dice.randrange(50 * MS)
        )
        for number, (a, b) in enumerate(("AD", "BD", "AC", "CD"))
    ]
    fabric.run(4 * SECOND, stop=lambda: not fabric.open_requests)
    fabric.run(fabric.now + SECOND)  # leases that nobody releases run out
    return fabric, host, names


@pytest.mark.parametrize("seed", range(4))
def test_a_controller_that_is_killed_keeps_its_promises(seed: int, tmp_path: Path) -> None:
    fabric, host, names = lived(tmp_path, seed, kills=5)
    try:
        assert len(host.kills) >= 3
        assert host.leases() == []
    finally:
        host.close()
    for name in names:
        replies = fabric.replies(name)
        outcomes = {reply for reply in replies if isinstance(reply, Outcome)}
        assert len(outcomes) == 1, replies
        numbers = {reply.number: reply for reply in replies if isinstance(reply, Delivered)}
        (outcome,) = outcomes
        assert sorted(numbers) == list(range(1, outcome.delivered + 1))
        told = [reply for reply in replies if isinstance(reply, Delivered)]
        assert all(numbers[reply.number] == reply for reply in told), (
            "a pair that is told twice is told alike"
        )
        assert outcome.status in (Status.COMPLETED, Status.EXPIRED, Status.FAILED, Status.REFUSED)
    assert not any(slot.half or slot.lane for each in fabric.twin.nodes.values() for slot in each.slots)
    assert not any(agent.leases for agent in fabric.agents.values())


def test_without_a_kill_it_is_the_run_of_one_process(tmp_path: Path) -> None:
    fabric, host, names = lived(tmp_path, 9, kills=0)
    host.close()
    assert host.kills == []
    assert all(isinstance(fabric.replies(name)[-1], Outcome) for name in names)
