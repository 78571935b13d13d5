"""The quick look: what it admits can be had, what it offers it admits.

Whether its margins hold is asked of random chains with the full sample: at most one scheme in a hundred may fall below the rate or the
fidelity that is called sure (fixed seeds, so the verdict does not vary).
"""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from tests.unit.network.believed import KnobLink, fixed, line, network, random_network

from quantum_fabric.messages import Code, LinkRequest, Plan, Refused, Route, Survival
from quantum_fabric.network import swift as module
from quantum_fabric.network.chain import chain
from quantum_fabric.network.finish import CONFIDENCE, chance_by
from quantum_fabric.network.forecast import forecast, judge
from quantum_fabric.network.methods import Method
from quantum_fabric.network.planning import plan
from quantum_fabric.network.scheme import from_plan
from quantum_fabric.network.swift import decides, swift
from quantum_fabric.network.topology import Topology
from quantum_fabric.units import MS, SECOND

ALLOWED = 0.01


def chance_line(seed: int) -> Topology:
    rng = random.Random(seed)
    links = [
        fixed(
            10.0 ** rng.uniform(-2.5, -0.3),
            rng.uniform(0.93, 0.999),
            round(10 ** rng.uniform(-0.5, 0.5) * MS),
        )
        for _ in range(rng.choice((1, 2, 3, 4, 6)))
    ]
    return line(
        *links,
        delay=round(rng.uniform(0.0, 0.5) * MS),
        slots=rng.choice((2, 4, 8, 16)),
        t2=10.0 ** rng.uniform(-0.5, 1.5),
        depolarising_2=rng.uniform(0.0, 0.01),
    )


def test_what_is_sure_is_sampled_so() -> None:
    tried, broken = 0, []
    for seed in range(260):
        topology = chance_line(seed)
        target = random.Random(seed).choice((0.55, 0.7, 0.8, 0.9, 0.95))
        found = swift(topology, LinkRequest("A", max(topology.nodes), target))
        if not isinstance(found, Plan):
            continue
        tried += 1
        sampled = judge(chain(topology, from_plan(found)))
        promised = found.forecast.rate - found.forecast.rate_error
        if sampled.fidelity_low < found.forecast.fidelity_low or sampled.rate < promised:
            broken.append((seed, sampled, found.forecast))
    assert tried > 100
    assert len(broken) <= ALLOWED * tried, broken


@pytest.mark.parametrize("seed", range(20))
def test_what_is_admitted_is_admitted_thoroughly_and_no_slower(seed: int) -> None:
    topology = random_network(seed, most=5, slots=4, t2=5.0)
    for target in (0.6, 0.8):
        request = LinkRequest("A", max(topology.nodes), target)
        quick = swift(topology, request)
        if isinstance(quick, Plan):
            best = plan(topology, request)
            assert isinstance(best, Plan)
            assert best.forecast.rate >= quick.forecast.rate - quick.forecast.rate_error


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("rate", [0.0, 200.0])
def test_an_offer_is_accepted(seed: int, rate: float) -> None:
    topology = random_network(seed, slots=random.Random(seed).choice((2, 6)), t2=2.0)
    deadline = random.Random(seed).choice((None, SECOND // 2))
    request = LinkRequest("A", max(topology.nodes), 0.97, pairs=3, rate=rate, deadline=deadline)
    refused = swift(topology, request)
    if isinstance(refused, Refused) and refused.offer is not None:
        assert isinstance(swift(topology, refused.offer), Plan), refused


def test_a_deadline_is_kept_with_confidence() -> None:
    topology = line(fixed(0.1, 0.98), fixed(0.1, 0.98), t2=5.0)
    request = LinkRequest("A", "C", 0.9, pairs=20, deadline=2 * SECOND)
    found = swift(topology, request)
    assert isinstance(found, Plan)
    assert chance_by(forecast(topology, found), 20, 2 * SECOND) >= CONFIDENCE
    late = swift(topology, replace(request, deadline=SECOND // 20))
    assert isinstance(late, Refused)
    assert late.code is Code.NOTIME
    assert swift(topology, request, now=2 * SECOND - 1).reason  # type: ignore[union-attr]


def test_purification_where_it_is_needed() -> None:
    topology = line(fixed(0.3, 0.93), fixed(0.3, 0.93), t2=100.0, slots=8)
    plain, better = (swift(topology, LinkRequest("A", "C", target)) for target in (0.8, 0.9))
    assert isinstance(plain, Plan)
    assert isinstance(better, Plan)
    assert [link.rounds for link in plain.links] == [0, 0]
    assert from_plan(better).purifies


def test_knobs_are_turned_for_rate_as_far_as_the_fidelity_allows() -> None:
    topology = line(KnobLink(0.5), KnobLink(0.3), t2=5.0)  # type: ignore[arg-type]
    loose, strict = (swift(topology, LinkRequest("A", "C", target)) for target in (0.7, 0.9))
    assert isinstance(loose, Plan)
    assert isinstance(strict, Plan)
    assert loose.forecast.rate > strict.forecast.rate


def test_refusals() -> None:
    apart = network({("A", "B"): fixed(), ("C", "D"): fixed()})
    assert swift(apart, LinkRequest("A", "D", 0.8)).code is Code.NOROUTE  # type: ignore[union-attr]
    row = line(fixed(0.1, 0.9), fixed(0.1, 0.9))
    busy = swift(row, LinkRequest("A", "C", 0.7), {"B": 1})
    assert isinstance(busy, Refused)
    assert busy.code is Code.NORES
    ends = swift(row, LinkRequest("A", "C", 0.7), {"A": 0})
    assert isinstance(ends, Refused)
    assert ends.code is Code.NORES
    poor = swift(row, LinkRequest("A", "C", 0.999))
    assert isinstance(poor, Refused)
    assert poor.code is Code.UNSUPP
    assert "thorough" in poor.reason


def test_a_link_that_never_succeeds_is_no_offer() -> None:
    dead = line(KnobLink(0.0))  # type: ignore[arg-type]
    refused = swift(dead, LinkRequest("A", "B", 0.8))
    assert isinstance(refused, Refused)
    assert refused.offer is None


def test_what_it_cannot_answer_is_planned_thoroughly(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = LinkRequest("A", "B", 0.8)
    assert decides(plain)
    for more in (
        replace(plain, survives=Survival.LINK),
        replace(plain, confidence=0.999),
        replace(plain, window=SECOND),
        replace(plain, jitter=SECOND),
        replace(plain, route=Route(avoid=("C",))),
    ):
        assert not decides(more)
    monkeypatch.setattr(module, "swift", None)
    found = plan(line(fixed()), replace(plain, confidence=0.99), method=Method.SWIFT)
    assert isinstance(found, Plan)
    assert found.forecast.law is not None
