"""The pessimist's estimate: never above the mean-field one, and exact where there is one link."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from tests.unit.network.believed import fixed, line

from quantum_fabric.network.chain import chain
from quantum_fabric.network.estimate import estimate
from quantum_fabric.network.forecast import judge
from quantum_fabric.network.scheme import simple
from quantum_fabric.network.surely import cautious, track
from quantum_fabric.network.swift import sure
from quantum_fabric.units import MS


def test_one_link_is_exact_though_its_herald_takes_long() -> None:
    one = chain(line(fixed(0.5, 0.97, MS, wait=round(3.5 * MS)), t2=1.0), simple(("A", "B"), ("A~B",)))
    told = judge(one)
    found = cautious(one)
    assert found.rate == pytest.approx(told.rate, rel=1e-9)
    assert found.fidelity == found.fresh == found.usual == pytest.approx(told.fidelity, abs=1e-9)
    assert found.rate < 0.6 * estimate(one).rate


@pytest.mark.parametrize("seed", range(20))
def test_it_is_no_more_hopeful_than_the_estimate(seed: int) -> None:
    rnd = random.Random(seed)
    links = [
        fixed(10.0 ** rnd.uniform(-2.5, -0.5), rnd.uniform(0.95, 0.999)) for _ in range(rnd.randint(2, 6))
    ]
    topology = line(*links, t2=rnd.uniform(0.5, 5.0), slots=16)
    names, edges = tuple(sorted(topology.nodes)), tuple(sorted(topology.links))
    made = chain(topology, simple(names, edges, rnd.choice((1, 2, 8))))
    found, other = cautious(made), estimate(made)
    assert found.rate <= other.rate * (1.0 + 1e-9)
    assert found.usual <= other.usual + 2e-3
    assert found.fresh >= found.fidelity >= found.usual


def test_fast_links_between_slow_ones_wait_for_the_slow_ones() -> None:
    """B-C and C-D are made at once and then hold their memories at B and D, so that C waits as long as those do."""
    slow, fast = fixed(0.01), fixed(0.5)
    topology = line(slow, fast, fast, slow, t2=2.0)
    made = chain(topology, simple(tuple("ABCDE"), ("A~B", "B~C", "C~D", "D~E")))
    told, found, other = judge(made), cautious(made), estimate(made)
    lost = 1.0 - told.fidelity
    assert 1.0 - other.fidelity < 0.9 * lost
    assert 1.0 - found.fidelity > 1.0 - other.fidelity
    assert sure(made).fidelity_low <= told.fidelity_low


def test_a_link_that_never_succeeds() -> None:
    made = chain(line(fixed(0.1)), simple(("A", "B"), ("A~B",)))
    dead = replace(made, hops=(replace(made.hops[0], success=0.0),))
    assert cautious(dead).rate == 0.0


@pytest.mark.parametrize("seed", range(30))
def test_in_arrays_purified_chains_give_the_numbers_of_the_estimate(seed: int) -> None:
    rnd = random.Random(seed)
    links = [
        fixed(
            10.0 ** rnd.uniform(-2.5, -0.5), rnd.uniform(0.8, 0.999), round(10 ** rnd.uniform(-1.0, 0.5) * MS)
        )
        for _ in range(rnd.choice((1, 2, 3, 7)))
    ]
    topology = line(
        *links,
        delay=round(rnd.uniform(0.0, 0.5) * MS),
        t2=10.0 ** rnd.uniform(-1.0, 1.5),
        depolarising_1=rnd.uniform(0.0, 0.02),
        depolarising_2=rnd.uniform(0.0, 0.05),
        readout_error_0=rnd.uniform(0.0, 0.05),
    )
    rounds, end = rnd.randint(0, 3), rnd.randint(0, 2) if len(links) > 1 else 0
    bare = simple(tuple(sorted(topology.nodes)), tuple(sorted(topology.links)))
    scheme = replace(
        bare,
        lanes=tuple(rnd.randint(1, 9) for _ in links),
        rounds=(rounds,) * len(links),
        end_rounds=end,
    )
    made = chain(topology, scheme)
    slowly, quickly = estimate(made), track(made).worked(scheme.lanes, rounds, end)
    assert quickly.rate == pytest.approx(slowly.rate, rel=1e-12)
    assert quickly.fidelity == pytest.approx(slowly.fidelity, abs=1e-12)
    assert quickly.usual == pytest.approx(slowly.usual, abs=1e-12)
