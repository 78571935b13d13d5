"""Schemes as plain numbers."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from tests.unit.network.believed import fixed, line, node
from tests.unit.network.schemes import chain_on, scheme_on

from quantum_fabric.documents.delays import Delays
from quantum_fabric.errors import UnknownNameError
from quantum_fabric.network.chain import Hop, chain, route, station
from quantum_fabric.network.scheme import simple
from quantum_fabric.network.topology import Topology
from quantum_fabric.units import MS, US


def test_times_are_seconds() -> None:
    numbers = chain_on(
        line(fixed(0.25, 0.9, 2 * MS, born=(0, MS), heard=(MS, 3 * MS), cycle=US), delay=MS), lanes=2
    )
    (hop,) = numbers.hops
    assert (hop.period, hop.cycle, hop.born, hop.heard) == (0.002, 1e-6, (0.0, 0.001), (0.001, 0.003))
    assert (hop.success, hop.lanes, hop.mean_time) == (0.25, 2, 0.008)
    assert numbers.delay == ((0.0, 0.001), (0.001, 0.0))


def test_a_link_that_never_succeeds_takes_for_ever() -> None:
    never = Hop(0.0, 1.0, 0.0, (0.0, 0.0), (0.0, 0.0), (1.0, 1.0, 1.0), 1, 0)
    assert never.mean_time == math.inf


def test_a_station_averages_over_announced_labels() -> None:
    perfect = station(node("A", t2=2.0, swap_time=US))
    assert (perfect.rates, perfect.swap_time, perfect.swap_success) == ((0.5, 0.5, 0.0), 1e-6, 1.0)
    assert perfect.factors == pytest.approx((1.0, 1.0, 1.0))
    noisy = station(node("A", depolarising_2=0.1, swap_success=0.5))
    assert noisy.factors == pytest.approx((0.9, 0.9, 0.9))
    assert noisy.swap_success == 0.5


def test_equal_nodes_share_a_record() -> None:
    assert station(node("A", t2=3.0)) is station(node("B", t2=3.0))
    assert station(node("A", t2=3.0)) is not station(node("A", t2=4.0))


def test_set_up_takes_a_round_trip_and_one_way() -> None:
    topology = line(fixed(), fixed(), delay=MS)
    assert route(topology, ("A", "B", "C")).setup == pytest.approx(0.006)  # from A to C and back, and to C
    assert route(topology, ("A", "B")).setup == pytest.approx(0.003)


def test_joins_are_indices() -> None:
    topology = line(fixed(), fixed(), fixed())
    numbers = chain_on(topology, middle=1, end=2)
    assert numbers.joins == ((1, 0, 2, 1), (2, 0, 3, 2))
    assert numbers.nested
    assert chain_on(topology).joins == ((1, 0, 3, 0), (2, 0, 3, 0))


@pytest.mark.parametrize(
    ("how", "noise", "plain"),
    [
        ({}, {}, True),
        ({"middle": 0}, {}, True),
        ({"lanes": 3}, {"depolarising_2": 0.1}, True),
        ({"rounds": 1}, {}, False),
        ({"end": 1}, {}, False),
        ({"middle": 1}, {}, False),
        ({"cutoff": MS}, {}, False),
        ({}, {"swap_success": 0.9}, False),
    ],
)
def test_what_is_plain(how: dict[str, object], noise: dict[str, float], plain: bool) -> None:
    assert chain_on(line(fixed(), fixed(), fixed(), **noise), **how).plain is plain


def test_failing_swaps_at_the_ends_do_not_matter() -> None:
    topology = line(fixed(), fixed(), nodes=[node("A", swap_success=0.5), node("C", swap_success=0.5)])
    assert chain_on(topology).plain


def test_a_known_route_is_used() -> None:
    topology = line(fixed(), fixed())
    scheme = scheme_on(topology)
    along = route(topology, scheme.path)
    assert chain(topology, scheme, along).delay is along.delay
    assert chain(topology, scheme, along) == chain(topology, scheme)


def test_missing_delays_are_a_fault() -> None:
    topology = line(fixed(), fixed())
    deaf = Topology(topology.nodes, topology.links, {}, "A")
    with pytest.raises(UnknownNameError, match="delays"):
        chain(deaf, simple(("A", "B"), ("A~B",)))


def test_a_partial_route_over_light_is_along_the_path_and_never_too_short() -> None:
    """A and D are joined by a fibre that the path does not take: the path's own time stands for the light's."""
    straight = line(fixed(), fixed(), fixed(), delay=5 * MS)
    fibres = [("A", "B", 5 * MS), ("B", "C", 5 * MS), ("C", "D", 5 * MS), ("A", "D", MS)]
    topology = replace(straight, delays=Delays("ABCD", fibres))
    whole, part = route(topology, tuple("ABCD")), route(topology, tuple("ABCD"), whole=False)
    assert [round(1e3 * part.delay[0][at]) for at in range(4)] == [0, 5, 10, 15]
    assert [round(1e3 * part.delay[at][3]) for at in range(4)] == [15, 10, 5, 0]
    assert all(
        part.delay[a][b] >= whole.delay[a][b] - 1e-15
        for a in range(4)
        for b in range(4)
        if not math.isnan(part.delay[a][b])
    )
    assert part.setup == whole.setup
    measured = replace(straight, delays=Delays("ABCD", fibres, {("A", "D"): 50 * MS}))
    assert measured.along(tuple("ABCD")) is None
    assert route(measured, tuple("ABCD"), whole=False).delay[0][3] == 0.05
