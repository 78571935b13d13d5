"""Single metrics: each finds the path that it likes best, and none beats the thorough search."""

from __future__ import annotations

import itertools
import math

import pytest
from tests.unit.network.believed import fixed, network, random_network

from quantum_fabric.errors import UnknownNameError
from quantum_fabric.messages import LinkRequest, Plan
from quantum_fabric.network.atlas import atlas
from quantum_fabric.network.methods import Method, chosen_path, seconds_per_pair
from quantum_fabric.network.paths import all_paths
from quantum_fabric.network.planning import plan
from quantum_fabric.network.topology import Topology

SINGLE = [method for method in Method if method.single]


def cost(topology: Topology, links: tuple[str, ...], method: Method) -> float:
    """By the definition, on a whole path."""
    chart = atlas(topology)
    times = [chart.quality[name].time for name in links]
    if method is Method.HOPS:
        return len(links)
    if method is Method.CREATION:
        return math.fsum(times)
    if method is Method.VAN_METER:
        return math.fsum(seconds_per_pair(topology, name) for name in links)
    if method is Method.EXT:
        return -math.prod(1.0 - math.exp(-chart.scale.time / time) for time in times)
    return max(times) * (1.0 + 1e-9 * len(links))


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("method", SINGLE)
def test_the_best_of_all_simple_paths(seed: int, method: Method) -> None:
    topology = random_network(seed)
    (found,) = chosen_path(topology, "A", max(topology.nodes), method)
    best = min(cost(topology, path.links, method) for path in all_paths(topology, "A", max(topology.nodes)))
    assert cost(topology, found.links, method) == pytest.approx(best, rel=1e-6)


def test_each_metric_has_its_way() -> None:
    """Short and poor; two middling hops; three fast ones of middling quality; two slower and excellent ones."""
    ways = {
        ("A", "Z"): fixed(0.01, 0.6),
        ("A", "B"): fixed(0.05, 0.95), ("B", "Z"): fixed(0.05, 0.95),
        ("A", "C"): fixed(0.4, 0.9), ("C", "D"): fixed(0.4, 0.9), ("D", "Z"): fixed(0.4, 0.9),
        ("A", "E"): fixed(0.1, 0.99), ("E", "Z"): fixed(0.1, 0.99),
    }  # fmt: skip
    topology = network(ways)
    found = {method: "".join(chosen_path(topology, "A", "Z", method)[0].nodes) for method in SINGLE}
    assert found[Method.HOPS] == "AZ"
    assert found[Method.CREATION] == found[Method.BOTTLENECK] == "ACDZ"
    assert found[Method.VAN_METER] == "AEZ"
    assert len(set(found.values())) >= 3


@pytest.mark.parametrize("seed", range(8))
def test_none_beats_the_thorough_search(seed: int) -> None:
    topology = random_network(seed, most=6, slots=2)
    request = LinkRequest("A", max(topology.nodes), 0.75)
    best = plan(topology, request)
    for method in SINGLE:
        found = plan(topology, request, method=method)
        if isinstance(found, Plan):
            assert isinstance(best, Plan)
            assert found.forecast.rate <= best.forecast.rate + 2 * best.forecast.rate_error


def test_a_good_link_needs_no_rounds_and_a_hopeless_one_never_gets_there() -> None:
    topology = network(
        {("A", "B"): fixed(0.1, 0.99), ("B", "C"): fixed(0.1, 0.9), ("C", "D"): fixed(0.1, 0.5)}
    )
    times = [seconds_per_pair(topology, name) for name in ("A~B", "B~C", "C~D")]
    assert times[0] == pytest.approx(0.01)
    assert 0.04 < times[1] < 0.1
    assert times[2] == math.inf


def test_faults_and_islands() -> None:
    topology = network({("A", "B"): fixed(), ("C", "D"): fixed()})
    for method in SINGLE:
        assert chosen_path(topology, "A", "D", method) == ()
        with pytest.raises(UnknownNameError):
            chosen_path(topology, "A", "Q", method)


def test_busy_nodes_are_gone_round() -> None:
    ends = itertools.pairwise("ABCDA")
    topology = network({each: fixed(0.1, 0.9) for each in ends})
    for method in SINGLE:
        assert chosen_path(topology, "A", "C", method, busy=["B"])[0].nodes == ("A", "D", "C")
