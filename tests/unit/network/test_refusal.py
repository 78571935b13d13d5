"""Reasons and offers."""

from __future__ import annotations

import math
import random

import pytest
from tests.unit.network.believed import fixed, line, network, node

from quantum_fabric.messages import Code, Forecast, LinkRequest
from quantum_fabric.network import refusal
from quantum_fabric.network.candidates import Candidates
from quantum_fabric.network.planning import decide
from quantum_fabric.network.refusal import finish_time, floored, link_fidelity_needed, offered, significant
from quantum_fabric.network.search import Search
from quantum_fabric.network.topology import Topology
from quantum_fabric.units import MS, SECOND


def refuse(topology: Topology, fidelity: float, **more: float) -> refusal.Refused:
    names = sorted(topology.nodes)
    request = LinkRequest(names[0], names[-1], fidelity, **more)  # type: ignore[arg-type]
    found = decide(Search(Candidates(topology, names[0], names[-1])), request)
    assert isinstance(found, refusal.Refused)
    return found


@pytest.mark.parametrize("seed", range(5))
def test_floored_never_rises(seed: int) -> None:
    rnd = random.Random(seed)
    for _ in range(2_000):
        value = rnd.random()
        down = floored(value)
        assert down <= value
        assert value - down < 1.000001e-3
        assert float(f"{down:.3f}") == down


def test_floored_keeps_what_is_round() -> None:
    for thousandths in range(500, 1000):
        value = thousandths / 1000
        assert floored(value) == value


@pytest.mark.parametrize("seed", range(5))
def test_significant_never_rises(seed: int) -> None:
    rnd = random.Random(seed)
    for _ in range(2_000):
        value = 10 ** rnd.uniform(-12, 12)
        down = significant(value)
        assert 0.989 * value < down <= value


def test_nothing_is_significant_of_nothing() -> None:
    assert significant(0.0) == 0.0


def test_the_time_to_finish() -> None:
    forecast = Forecast(4.0, 0.0, 0.9, 0.9, 3 * SECOND)
    assert finish_time(forecast, 1) == 3 * SECOND
    assert finish_time(forecast, 9) == 5 * SECOND
    assert finish_time(Forecast(0.0, 0.0, 0.0, 0.0, 7), 5) == 7


@pytest.mark.parametrize(
    ("target", "segments", "needed"), [(0.98, 8, 0.99747), (0.9, 1, 0.9), (0.625, 2, 0.78033)]
)
def test_the_link_fidelity_that_is_needed(target: float, segments: int, needed: float) -> None:
    assert link_fidelity_needed(target, segments) == pytest.approx(needed, abs=1e-5)


REQUEST = LinkRequest("A", "B", 0.95, pairs=10, rate=5.0, deadline=2 * SECOND)
GOOD = Forecast(8.0, 0.1, 0.93, 0.9274, SECOND // 2)


def test_an_offer_changes_only_what_it_must() -> None:
    offer = offered(REQUEST, GOOD, fidelity_too=True, left=3 * SECOND)  # 1.6 s on average
    assert offer is not None
    assert (offer.fidelity, offer.pairs, offer.rate, offer.deadline) == (0.927, 10, 5.0, 2 * SECOND)
    same = offered(REQUEST, GOOD, fidelity_too=False, left=3 * SECOND)
    assert same == REQUEST


def test_an_offer_lowers_the_rate_to_what_there_is() -> None:
    slow = Forecast(1.2345, 0.1, 0.96, 0.96, SECOND)
    offer = offered(REQUEST, slow, fidelity_too=False, left=2 * SECOND)
    assert offer is not None
    assert offer.rate == 1.23
    assert offer.deadline is not None
    assert offer.deadline >= finish_time(slow, 10)


def test_an_offer_moves_the_deadline_from_where_it_is() -> None:
    late = LinkRequest("A", "B", 0.9, deadline=102 * SECOND)
    offer = offered(late, Forecast(1.0, 0.0, 0.95, 0.95, 10 * SECOND), fidelity_too=False, left=2 * SECOND)
    assert offer is not None
    assert offer.deadline is not None
    # nineteen in twenty of exponential times are within -log(0.05) means
    assert offer.deadline == pytest.approx((100 + 10 * -math.log(0.05) * 1.01) * SECOND, rel=3e-3)
    assert offer.deadline >= (100 + 10 * -math.log(0.05)) * SECOND


def test_no_entanglement_is_no_offer() -> None:
    assert offered(REQUEST, Forecast(8.0, 0.1, 0.5, 0.5, 0), fidelity_too=True) is None
    assert offered(REQUEST, Forecast(0.0, 0.0, 0.9, 0.9, 0), fidelity_too=True) is None


def test_links_bind() -> None:
    found = refuse(line(fixed(0.1, 0.99), fixed(0.1, 0.8), slots=2), 0.95)
    assert (found.code, found.resource) == (Code.UNSUPP, "link B~C")
    assert found.reason.startswith(
        "link fidelity 0.8 < 0.9746 needed on each of 2 segments without purification; "
    )
    assert "the best that was found is 0.7" in found.reason


def test_one_link_binds() -> None:
    found = refuse(line(fixed(0.1, 0.8), slots=1), 0.95)
    assert found.resource == "link A~B"
    assert found.reason.startswith("link fidelity 0.8 < 0.95 asked; ")


def test_operations_bind() -> None:
    found = refuse(
        line(fixed(0.1, 0.999), fixed(0.1, 0.999), slots=2, nodes=[node("B", depolarising_2=0.2)]), 0.95
    )
    assert found.resource == "operations of B"
    assert "with the noise of 1 swaps fresh pairs give 0.84" in found.reason


def test_memory_binds() -> None:
    topology = line(fixed(0.001, 0.999), fixed(0.001, 0.999), slots=2, nodes=[node("B", t2=0.05, slots=2)])
    found = refuse(topology, 0.99)
    assert found.resource == "memory of B"
    assert "pairs wait about 1 s for the slowest link against T2 50 ms of B" in found.reason


def test_ends_that_are_not_connected() -> None:
    found = refuse(network({("A", "B"): fixed(), ("C", "D"): fixed()}), 0.6)
    assert found.code is Code.NOROUTE
    assert found.reason == "D cannot be reached from A over working links (2 of 4 nodes are within its reach)"
    assert found.offer is None


def test_an_end_without_a_link() -> None:
    found = refuse(network({("A", "B"): fixed()}, nodes=[node("C")]), 0.6)
    assert (found.code, found.resource, found.reason) == (
        Code.NOROUTE,
        "node C",
        "no working link ends there",
    )


def test_nodes_that_do_not_relay_are_not_passed() -> None:
    found = refuse(line(fixed(), fixed(), nodes=[node("B", relays=False)]), 0.6)
    assert found.code is Code.NOROUTE


def test_no_memory_at_all() -> None:
    found = refuse(line(fixed(), nodes=[node("B", slots=0)]), 0.6)
    assert (found.code, found.resource) == (Code.UNSUPP, "memory of B")
    assert found.reason == "B has 0 memory slots, the shortest path needs 1 there"


def test_too_little_rate() -> None:
    found = refuse(line(fixed(0.1, 0.9), slots=1), 0.8, rate=500.0)
    assert (found.code, found.resource) == (Code.NOTIME, "path A - B")
    assert found.reason == "rate 500 /s asked, 100 /s is the most at fidelity 0.8"
    assert found.offer is not None
    assert (found.offer.rate, found.offer.fidelity) == (100.0, 0.8)


def test_too_little_time() -> None:
    found = refuse(line(fixed(0.1, 0.9), slots=1), 0.8, pairs=101, deadline=500 * MS)
    assert found.code is Code.NOTIME
    assert found.reason.startswith("101 pairs at fidelity 0.8: 1.01 s on average, 1.17")
    assert found.reason.endswith("500 ms left (chance 1.9e-11)")
    assert "with 95% confidence" in found.reason
    assert found.offer is not None
    assert found.offer.deadline is not None
    assert found.offer.deadline > 1010 * MS
