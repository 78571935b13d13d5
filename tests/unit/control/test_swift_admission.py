"""A controller that decides swiftly: its promises, its offers, what it leaves to the thorough planner, and when it does so."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from tests.unit.control.test_counter_offers import worlds
from tests.unit.network.believed import fixed, line, network, node, random_network

from quantum_fabric.control import Controller
from quantum_fabric.control.admission import Admission
from quantum_fabric.messages import (
    Accepted,
    Ask,
    Cancel,
    Code,
    Explain,
    Explained,
    LinkRequest,
    Message,
    Offered,
    Plan,
    Refused,
    Release,
    Released,
    Send,
)
from quantum_fabric.network.methods import SWIFT_ABOVE, Method, usual
from quantum_fabric.network.topology import Topology
from quantum_fabric.units import SECOND


def swiftly(topology: Topology) -> Controller:
    return Controller(topology, planning=Method.SWIFT)


def answer(decider: Controller, request: LinkRequest | Ask | Explain) -> Message:
    """The first thing that is said to a client."""
    sent = [each for each in decider.handle(request, 0) if isinstance(each, Send)]
    return sent[0].message


def plan_of(decider: Controller, request: LinkRequest) -> Plan:
    said = answer(decider, request)
    assert isinstance(said, Accepted)
    return said.plan


def row(nodes: int) -> Topology:
    names = [f"n{number:03d}" for number in range(nodes)]
    return network({ends: fixed() for ends in itertools.pairwise(names)})


def test_a_large_network_is_planned_swiftly_unless_told_otherwise() -> None:
    assert usual(row(SWIFT_ABOVE)) is Method.THOROUGH
    assert usual(row(SWIFT_ABOVE + 1)) is Method.SWIFT
    request = LinkRequest("n000", "n001", 0.9, name="r")
    large = row(SWIFT_ABOVE + 1)
    assert plan_of(Controller(large), request).forecast.law is None
    assert plan_of(Controller(large, planning=Method.THOROUGH), request).forecast.law is not None
    assert plan_of(Controller(row(3)), request).forecast.law is not None


@pytest.mark.parametrize("more", [{"confidence": 0.98}, {"jitter": 100 * SECOND}])
def test_what_needs_a_law_is_planned_thoroughly(more: dict[str, float]) -> None:
    decider = swiftly(line(fixed(0.2), slots=16))
    plain = LinkRequest("A", "B", 0.8, pairs=5, name="plain")
    assert plan_of(decider, plain).forecast.law is None
    assert plan_of(decider, replace(plain, name="more", **more)).forecast.law is not None  # type: ignore[arg-type]


def test_a_forecast_tells_what_is_sure() -> None:
    plan = plan_of(
        swiftly(line(fixed(0.2, 0.98), fixed(0.2, 0.98), t2=5.0)), LinkRequest("A", "C", 0.8, name="r")
    )
    thorough = plan_of(
        Controller(line(fixed(0.2, 0.98), fixed(0.2, 0.98), t2=5.0)), LinkRequest("A", "C", 0.8, name="r")
    )
    assert plan.forecast.rate_error == 0.0
    assert plan.forecast.rate <= thorough.forecast.rate
    assert plan.forecast.fidelity_low <= thorough.forecast.fidelity_low + 1e-9


@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(worlds())
def test_what_a_refusal_offers_is_accepted(world: tuple[int, int, LinkRequest]) -> None:
    seed, load, wish = world
    made, rnd = swiftly(random_network(seed, most=4, slots=4)), random.Random(seed)
    for number in range(load):
        source, destination = rnd.sample(sorted(made.topology.nodes), 2)
        made.handle(LinkRequest(source, destination, 0.6, pairs=50, name=f"load-{number}"), 0)
    first = answer(made, wish)
    if isinstance(first, Refused) and first.offer is not None:
        again = answer(made, replace(first.offer, name="again"))
        assert isinstance(again, Accepted), (first, again)


def around(steps: int, fidelity: float = 0.99, slots: int = 2) -> Topology:
    """A to C over B, or over so many links farther round; what is left out of the alphabet's order has no delay."""
    names = ["A", *(f"x{number}" for number in range(steps - 1)), "C"]
    far = {ends: fixed(0.5, fidelity) for ends in itertools.pairwise(names)}
    near = {("A", "B"): fixed(0.5, 0.99), ("B", "C"): fixed(0.5, 0.99), ("B", "D"): fixed(0.5, 0.99)}
    nodes = [node("A", 8), node("C", 8), node("D", 8), node("B", slots)]
    return network({**near, **far}, nodes=nodes, slots=8)


def taken(topology: Topology) -> Controller:
    """A controller of it that has lent both slots of B for a long time."""
    decider = swiftly(topology)
    decider.handle(LinkRequest("A", "D", 0.7, pairs=10**6, name="first"), 0)
    assert decider.ledger.free()["B"] == 0
    return decider


def test_who_waits_is_told_of_the_bound_on_detours() -> None:
    decider = taken(around(8))
    wish = LinkRequest("A", "C", 0.6, pairs=3, name="wish")
    said = answer(decider, wish)
    assert isinstance(said, Accepted)
    assert said.queued
    explained = answer(taken(around(8)), Explain(wish))
    assert isinstance(explained, Explained)
    assert "no path of at most 2 times the least cost" in explained.binding
    assert explained.waits_for == ("first",)


def test_who_cannot_wait_is_sent_on_a_long_detour() -> None:
    wish = LinkRequest("A", "C", 0.6, pairs=3, deadline=10 * SECOND, name="wish")
    said = answer(taken(around(8)), wish)
    assert isinstance(said, Accepted)
    assert not said.queued
    assert len(said.plan.links) == 8
    offered = answer(taken(around(8)), Ask(replace(wish, deadline=None)))
    assert isinstance(offered, Offered)
    assert len(offered.plan.links) == 8


def test_a_refusal_because_it_would_wait_names_the_bound() -> None:
    poor = around(8, fidelity=0.6)  # what comes over so many of these is no good
    wish = LinkRequest("A", "C", 0.8, pairs=3, deadline=10 * SECOND, name="wish")
    for question in (wish, Ask(wish)):
        refused = answer(taken(poor), question)
        assert isinstance(refused, Refused)
        assert refused.code is Code.NOTIME
        assert "no path of at most 2 times the least cost" in refused.reason
    asked = answer(taken(poor), Ask(replace(wish, deadline=None)))
    assert isinstance(asked, Refused)
    assert asked.code is Code.NORES
    assert "no path of at most 2 times the least cost" in asked.reason


def test_what_is_walled_in_waits_whatever_the_detour() -> None:
    lone = line(fixed(0.5, 0.99), fixed(0.5, 0.99), slots=2)
    decider = swiftly(lone)
    decider.handle(LinkRequest("A", "C", 0.7, pairs=10**6, name="first"), 0)
    refused = answer(decider, LinkRequest("A", "C", 0.7, pairs=3, deadline=SECOND, name="wish"))
    assert isinstance(refused, Refused)
    assert refused.code is Code.NOTIME


def test_who_waits_is_looked_at_again_only_where_slots_came_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two pairs of nodes; many wait for the first, and each release at the second asks nothing of them but the slot they lack."""
    topology = network({("A", "B"): fixed(0.5, 0.99), ("C", "D"): fixed(0.5, 0.99)}, slots=1)
    decider = swiftly(topology)
    for number in range(20):
        decider.handle(LinkRequest("A", "B", 0.7, pairs=5, name=f"w{number}"), 0)
    assert decider.waiting == 19
    tried: list[Plan] = []
    fits = Admission.fits
    monkeypatch.setattr(Admission, "fits", lambda self, plan: tried.append(plan) or fits(self, plan))

    def served(name: str, *ends: str) -> None:
        decider.handle(LinkRequest(*ends, 0.7, pairs=5, name=name), 0)
        sent = decider.handle(Cancel(name), 0)
        for each in sent:
            if isinstance(each, Send) and isinstance(each.message, Release):
                decider.handle(Released(each.message.epoch, each.to), 0)

    served("first", "C", "D")  # every one that waits is looked at once
    tried.clear()
    served("second", "C", "D")
    assert sum(plan.path == ("A", "B") for plan in tried) == 0
    assert decider.waiting == 19
    freed = decider.handle(Cancel("w0"), 0)
    for each in freed:
        if isinstance(each, Send) and isinstance(each.message, Release):
            decider.handle(Released(each.message.epoch, each.to), 0)
    assert decider.waiting == 18  # the slot that came back was noticed
