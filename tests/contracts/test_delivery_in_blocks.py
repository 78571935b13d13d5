"""Pairs that the kernel counts by itself are told as if the controller had heard of each: same replies, same times, same events."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from builders import inventory, link, node
from compared_runs import close
from quantum_fabric.control.scheduling.tenancy import Tenancy, Tenant
from quantum_fabric.control.scheduling.turns import Scheduling
from quantum_fabric.ensemble import LiveFabric
from quantum_fabric.errors import UnknownNameError
from quantum_fabric.fabric import Fabric
from quantum_fabric.messages import (
    CONTROLLER,
    Client,
    Confirmed,
    Delivered,
    LinkChanged,
    LinkRequest,
    Message,
    NodeFailed,
    NodeRecovered,
    Outcome,
    Renegotiate,
    Renegotiated,
    Stale,
    Status,
    Substandard,
)
from quantum_fabric.native import look
from quantum_fabric.units import MS, SECOND, US, Time
from random_networks import Case, case

pytestmark = pytest.mark.skipif(look()[0] is None, reason="the native kernel is not installed")

HORIZON = SECOND // 20


@pytest.fixture
def planned(monkeypatch: pytest.MonkeyPatch) -> Callable[[Case], None]:
    return lambda drawn: monkeypatch.setattr("quantum_fabric.control.controller.make_plan", drawn.planner)


def asked(fabric: Fabric, drawn: Case, faults: bool, seed: int, more: int = 1) -> list[str]:
    if faults:
        links, nodes = list(drawn.inventory.links), list(drawn.inventory.nodes)
        at = HORIZON // 8
        fabric.inject(LinkChanged("", links[seed % 3], False), at)
        fabric.inject(LinkChanged("", links[seed % 3], True), 3 * at)
        fabric.inject(NodeFailed(nodes[seed % 4]), 2 * at + seed)
        fabric.inject(NodeRecovered(nodes[seed % 4]), 5 * at)
    return [fabric.submit(replace(request, pairs=more * request.pairs), at) for at, request in drawn.requests]


def calls(fabric: LiveFabric) -> list[str]:
    """Kinds of the letters that cross into Python from now on."""
    heard: list[str] = []
    ask = fabric.controller.handle

    def handle(message: Message, now: Time) -> object:
        heard.append(type(message).__name__)
        return ask(message, now)

    fabric.controller.handle = handle  # type: ignore[method-assign,assignment]
    return heard


@pytest.mark.parametrize("faults", [False, True])
@pytest.mark.parametrize("seed", range(600, 630))
def test_replies_are_those_of_letters(seed: int, faults: bool, planned: Callable[[Case], None]) -> None:
    """Cuts and failures in between: what is repaired goes on counting where it was."""
    drawn = case(seed, hops=3)
    planned(drawn)
    fabrics = [
        Fabric(drawn.inventory, seed=seed),
        LiveFabric(drawn.inventory, seed=seed, letters=True),
        LiveFabric(drawn.inventory, seed=seed),
    ]
    heard = [calls(fabric) for fabric in fabrics[1:]]  # type: ignore[arg-type]
    late: list[list[tuple[Time, Message]]] = [[], []]
    for fabric, seen in zip(fabrics[1:], late, strict=True):
        fabric.watch(
            lambda time, place, message, seen=seen: (
                seen.append((time, message)) if message.kind == "Confirmed" and place == CONTROLLER else None
            ),
            Stale,
        )  # type: ignore[misc]
    names, *_ = [asked(fabric, drawn, faults, seed, 7) for fabric in fabrics]
    for fabric in fabrics:
        fabric.run(HORIZON)
    twin, letters, blocks = fabrics
    outcomes = 0
    for name in names:
        columns = blocks.pairs(name)  # type: ignore[attr-defined]
        replies = blocks.replies(name)
        assert replies == letters.replies(name)
        assert close(tuple(replies), tuple(twin.replies(name)))
        pairs = [each for each in replies if isinstance(each, Delivered)]
        for found in (columns, blocks.pairs(name), letters.pairs(name)):  # type: ignore[attr-defined]
            assert found.number.tolist() == [each.number for each in pairs]
            assert found.bell.tolist() == [each.bell for each in pairs]
            assert found.fidelity.tolist() == [each.fidelity for each in pairs]
            assert found.created_at.tolist() == [each.created_at for each in pairs]
            assert found.delivered_at.tolist() == [each.delivered_at for each in pairs]
            assert len(found) == len(pairs)
        outcomes += sum(isinstance(each, Outcome) and each.status is Status.COMPLETED for each in replies)
        sessions = [fabric.controller.sessions.get(name) for fabric in fabrics]
        assert len({session and (session.delivered, session.phase) for session in sessions}) == 1
    assert letters.clock.events == blocks.clock.events
    assert late[0] == late[1]
    # it decides the last one itself, and is told what comes after the end
    assert heard[1].count("Confirmed") == outcomes + len(late[1])
    assert heard[0].count("Confirmed") >= 2 * outcomes + len(late[0])
    assert [each for each in heard[0] if each != "Confirmed"] == [
        each for each in heard[1] if each != "Confirmed"
    ]


@pytest.mark.parametrize("seed", [630, 631, 632, 634, 635, 636])
def test_a_run_ends_where_letters_end_it(seed: int, planned: Callable[[Case], None]) -> None:
    """What a caller waits for is looked at when a client hears of something, counted or not; and it may look into the replies."""
    drawn = case(seed, hops=2)
    planned(drawn)
    seen = []
    for letters in (True, False):
        fabric = LiveFabric(drawn.inventory, seed=seed, letters=letters)
        (name, *_) = asked(fabric, drawn, False, seed, 4)
        seen.append([moment(fabric, name) for _ in range(8)])
    assert seen[0] == seen[1]
    assert len(seen[0][0][2]) == 2


def moment(fabric: LiveFabric, name: str) -> tuple[Time, int, list[Client]]:
    """Run until two more replies are there."""
    enough = len(fabric.replies(name)) + 2
    fabric.run(HORIZON, stop=lambda: len(fabric.replies(name)) >= enough)
    return fabric.now, fabric.clock.events, list(fabric.replies(name))


@pytest.mark.parametrize("kind", [Confirmed, Delivered])
@pytest.mark.parametrize("seed", range(640, 650))
def test_whoever_looks_from_now_on(seed: int, kind: type, planned: Callable[[Case], None]) -> None:
    """A watcher who comes in the middle sees all that he would have seen; what one end has said before is not lost."""
    drawn = case(seed, hops=3)
    planned(drawn)
    seen: list[list[tuple[Time, str, Message]]] = []
    told = []
    for fabric in (Fabric(drawn.inventory, seed=seed), LiveFabric(drawn.inventory, seed=seed)):
        names = asked(fabric, drawn, True, seed, 7)
        fabric.run(HORIZON // 9)
        mine: list[tuple[Time, str, Message]] = []
        seen.append(mine)
        fabric.watch(
            lambda time, place, message, mine=mine: mine.append((time, place, message)), kind, Substandard
        )  # type: ignore[misc]
        fabric.run(HORIZON)
        told.append([tuple(fabric.replies(name)) for name in names])
    assert close(tuple(seen[0]), tuple(seen[1]))
    assert close(tuple(told[0]), tuple(told[1]))


@pytest.mark.parametrize("seed", [656, 659, 660])
def test_a_request_that_changes_while_it_is_counted(seed: int, planned: Callable[[Case], None]) -> None:
    """More pairs, at another floor: those before keep their judgement, those after have the new one."""
    drawn = case(seed, hops=3)
    planned(drawn)
    told = []
    for fabric in (Fabric(drawn.inventory, seed=3), LiveFabric(drawn.inventory, seed=3)):
        wish = replace(drawn.requests[0][1], pairs=10_000, fidelity=0.501, deadline=None)
        name = fabric.submit(wish)
        fabric.run(HORIZON)
        seen = sorted(each.fidelity for each in fabric.replies(name) if isinstance(each, Delivered))
        answer = fabric.inquire(Renegotiate(name, replace(wish, fidelity=round(seen[len(seen) // 2], 6))))
        assert isinstance(answer, Renegotiated)
        assert not answer.replaced
        fabric.run(2 * HORIZON)
        told.append(tuple(fabric.replies(name)))
    assert close(*told)
    assert sum(isinstance(each, Substandard) for each in told[1]) > 0


def test_columns_of_many_pairs(planned: Callable[[Case], None]) -> None:
    drawn = case(612, hops=1)
    planned(drawn)
    fabric = LiveFabric(drawn.inventory, seed=1)
    request = replace(drawn.requests[0][1], pairs=5000, fidelity=0.51, deadline=None)
    name = fabric.submit(request)
    fabric.run(100 * SECOND, stop=lambda: not fabric.open_requests)
    pairs = fabric.pairs(name)
    assert np.array_equal(pairs.number, np.arange(1, 5001))
    assert (np.diff(pairs.delivered_at) >= 0).all()
    assert (pairs.created_at <= pairs.delivered_at).all()
    assert isinstance(fabric.replies(name)[-1], Outcome)
    with pytest.raises(UnknownNameError, match="nobody"):
        fabric.pairs("nobody")


ONE_SLOT = inventory({"A": node(1), "B": node(1)}, [("A", "B", link(0.01, fidelity=0.95))], delay=10 * US)


@pytest.mark.parametrize("discipline", ["strict priority", "weighted fair"])
def test_whose_turn_it_is(discipline: str) -> None:
    """Preemption stops a request that the kernel counts, and lets it go on with its rest; shares follow the weights."""
    tenants = Tenancy.of([Tenant("gold", weight=3.0), Tenant("iron")])
    scheduling = Scheduling(tenants, discipline=discipline)
    found = []
    for kind in (Fabric, LiveFabric):
        fabric = kind(ONE_SLOT, seed=3, scheduling=scheduling)
        long = LinkRequest("A", "B", 0.9, 200, name="long", tenant="iron", preemptible=True)
        fabric.submit(long)
        for k, tenant in enumerate(("iron", "gold") * 4):
            wish = LinkRequest("A", "B", 0.9, 5, name=f"r{k}", tenant=tenant, priority=k % 3)
            fabric.submit(wish, 5 * MS + k * MS)
        fabric.run(SECOND)
        found.append({name: fabric.replies(name) for name in ("long", *(f"r{k}" for k in range(8)))})
    twin, live = found
    assert sum(isinstance(each, Delivered) for each in live["long"]) == 200
    for name, replies in twin.items():
        assert [type(each) for each in live[name]] == [type(each) for each in replies]
        assert all(close(one, two) for one, two in zip(live[name], replies, strict=True))
