"""Into how many segments to cut a distance."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import pairwise

import pytest
from tests.unit.network.believed import fixed

from quantum_fabric.errors import QuantityError, UnknownNameError
from quantum_fabric.messages import Code, LinkRequest, Plan, Refused
from quantum_fabric.network.planning import plan
from quantum_fabric.network.segmentation import segment
from quantum_fabric.network.topology import LinkView, NodeModel, Topology
from quantum_fabric.physics.noise import MemoryNoise, OperationNoise
from quantum_fabric.units import MS, SECOND, US

ASKED = LinkRequest("A", "B", 0.9)


def maker(
    km: float, fidelity: float = 0.99, slots: int = 4, t2: float = 10.0, noise: float = 0.002
) -> Callable[[int], Topology]:
    """Chains over fibre of 0.2 dB/km and 5 us/km, heralded in the middle."""

    def make(count: int) -> Topology:
        names = ["A", *(f"R{index:02}" for index in range(1, count)), "B"]
        memory, operations = MemoryNoise(t2, t2), OperationNoise(depolarising_2=noise)
        nodes = {name: NodeModel(name, slots, memory, operations, 10 * US) for name in names}
        length = km / count
        model = fixed(0.3 * 10 ** (-length * 0.02), fidelity, period=round((5 * length + 10) * US))
        links = {
            f"{a}~{b}": LinkView(f"{a}~{b}", a, b, model, round(5 * length * US), length)
            for a, b in pairwise(names)
        }
        delays = {
            (a, b): round(abs(i - j) * 5 * length * US)
            for i, a in enumerate(names)
            for j, b in enumerate(names)
        }
        return Topology(nodes, links, delays, "A")

    return make


def test_short_ways_need_no_repeater() -> None:
    found = segment(2e3, 0.95, maker(2, fidelity=0.98), "A", "B", ASKED)
    assert not isinstance(found, Refused)
    count, chosen = found
    assert count == len(chosen.links) <= 2


def test_long_ways_do() -> None:
    found = segment(400e3, 0.8, maker(400), "A", "B", ASKED)
    assert not isinstance(found, Refused)
    count, chosen = found
    assert count >= 6
    assert chosen.forecast.fidelity_low >= 0.8


def test_no_other_count_is_much_better() -> None:
    make = maker(200)
    found = segment(200e3, 0.85, make, "A", "B", ASKED)
    assert not isinstance(found, Refused)
    rates = {}
    for count in (1, 2, 4, 6, 8, 12, 16, 24):
        other = plan(make(count), LinkRequest("A", "B", 0.85))
        rates[count] = other.forecast.rate if isinstance(other, Plan) else 0.0
    assert found[1].forecast.rate > 0.85 * max(rates.values())


def test_the_fidelity_given_is_the_one_asked() -> None:
    found = segment(100e3, 0.93, maker(100), "A", "B", LinkRequest("X", "Y", 0.51))
    assert not isinstance(found, Refused)
    assert found[1].forecast.fidelity_low >= 0.93
    assert (found[1].path[0], found[1].path[-1]) == ("A", "B")


def test_the_most_segments_are_respected() -> None:
    for most in (1, 3, 7):
        found = segment(300e3, 0.7, maker(300), "A", "B", ASKED, max_segments=most)
        assert not isinstance(found, Refused)
        assert found[0] <= most


def test_impossible_fidelities_are_refused_with_an_offer_that_is_accepted() -> None:
    make = maker(500, fidelity=0.95, slots=2, t2=1.0)
    found = segment(500e3, 0.99, make, "A", "B", ASKED)
    assert isinstance(found, Refused)
    assert found.code is Code.UNSUPP
    assert found.reason.startswith("500 km in ")
    assert "link fidelity 0.95 < " in found.reason
    assert found.offer is not None
    again = segment(500e3, found.offer.fidelity, make, "A", "B", found.offer)
    assert not isinstance(again, Refused)


def test_impossible_rates_are_refused_with_an_offer_that_is_accepted() -> None:
    make = maker(300)
    found = segment(300e3, 0.9, make, "A", "B", LinkRequest("A", "B", 0.9, rate=1e9))
    assert isinstance(found, Refused)
    assert found.code is Code.NOTIME
    assert found.offer is not None
    assert found.offer.rate > 0.0
    assert not isinstance(segment(300e3, 0.9, make, "A", "B", found.offer), Refused)


def test_a_deadline_that_cannot_be_met() -> None:
    make = maker(300)
    found = segment(300e3, 0.9, make, "A", "B", LinkRequest("A", "B", 0.9, pairs=10**6, deadline=SECOND))
    assert isinstance(found, Refused)
    assert found.code is Code.NOTIME
    assert found.offer is not None
    assert not isinstance(segment(300e3, 0.9, make, "A", "B", found.offer), Refused)


def test_chains_are_made_once_for_each_count() -> None:
    made: list[int] = []
    make = maker(100)

    def counted(count: int) -> Topology:
        made.append(count)
        return make(count)

    segment(100e3, 0.9, counted, "A", "B", ASKED)
    assert len(made) == len(set(made))


def test_the_choice_is_deterministic() -> None:
    assert segment(150e3, 0.9, maker(150), "A", "B", ASKED) == segment(
        150e3, 0.9, maker(150), "A", "B", ASKED
    )


def test_faults() -> None:
    with pytest.raises(QuantityError, match="distance above 0"):
        segment(0.0, 0.9, maker(1), "A", "B", ASKED)
    with pytest.raises(QuantityError, match="1 or more segments"):
        segment(1e3, 0.9, maker(1), "A", "B", ASKED, max_segments=0)
    with pytest.raises(UnknownNameError):
        segment(1e3, 0.9, maker(1), "A", "Z", ASKED)


def test_segmentation_takes_a_second_or_two() -> None:
    """CPU time, with a factor of 3 to spare: 2 s is the goal."""
    start = time.process_time()
    segment(500e3, 0.95, maker(500, fidelity=0.99, slots=10, t2=50.0), "A", "B", ASKED)
    assert time.process_time() - start < 6.0


def test_times_are_those_of_the_chain() -> None:
    found = segment(200e3, 0.8, maker(200), "A", "B", ASKED)
    assert not isinstance(found, Refused)
    assert found[1].forecast.latency > 3 * MS  # set-up alone takes 1 ms there, back, and there again
