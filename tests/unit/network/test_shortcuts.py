"""Quick ways: near the least, around what is busy, and no farther than a detour may go."""

from __future__ import annotations

import itertools
import random

import pytest
from tests.unit.network.believed import fixed, network, random_network

from quantum_fabric.network.atlas import atlas
from quantum_fabric.network.shortcuts import DETOUR, GREED, shortcuts


@pytest.mark.parametrize("seed", range(40))
def test_a_way_costs_hardly_more_than_the_least(seed: int) -> None:
    topology = random_network(seed, most=9)
    chart, ways, ends = atlas(topology), shortcuts(topology), ("A", max(topology.nodes))
    inner = sorted(set(topology.nodes) - set(ends))
    busy = random.Random(seed).sample(inner, len(inner) // 3)
    for metric in ("fidelity", "both"):
        idle, least = ways.near(metric, *ends), next(chart.ranked(metric, *ends, ()), None)
        assert (idle is None) == (least is None)
        if idle is None or least is None:
            continue
        assert idle[0] <= GREED * least[0] * (1.0 + 1e-9)
        around, best = ways.near(metric, *ends, busy), next(chart.ranked(metric, *ends, busy), None)
        if around is None:
            assert best is None or best[0] > DETOUR / GREED * idle[0] * (1.0 - 1e-9)
        else:
            assert best is not None
            assert around[0] <= max(GREED * best[0], GREED * least[0]) * (1.0 + 1e-9)
            assert not {chart.names[node] for node in around[1]} & set(busy)


def test_the_idle_way_is_taken_where_nothing_on_it_is_busy() -> None:
    square = network({pair: fixed() for pair in (("A", "B"), ("B", "D"), ("A", "C"), ("C", "D"))})
    ways = shortcuts(square)
    idle = ways.near("hops", "A", "D")
    assert idle is not None
    names = atlas(square).names
    taken = names[idle[1][1]]
    other = ({"B", "C"} - {taken}).pop()
    assert ways.near("hops", "A", "D", [other]) is idle
    around = ways.near("hops", "A", "D", [taken])
    assert around is not None
    assert names[around[1][1]] == other
    assert ways.near("hops", "A", "D", ["B", "C"]) is None


def test_a_detour_has_an_end() -> None:
    ring = "ABCDEF"
    links = {pair: fixed() for pair in itertools.pairwise(ring)}
    loop = network({**links, ("A", "G"): fixed(), ("F", "G"): fixed()})
    assert shortcuts(loop).near("hops", "A", "F") is not None
    assert shortcuts(loop).near("hops", "A", "F", ["G"]) is None  # five links instead of two
