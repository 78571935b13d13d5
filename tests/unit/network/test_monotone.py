"""Plans over fidelity floors: what serves a higher floor serves a lower one, so a lower floor is never slower.

Two plans of equal worth may change places by the error of their samples, so rates are compared within `ERRORS` standard
errors of both.
"""

from __future__ import annotations

import math
import random

import pytest
from tests.unit.network.believed import KnobLink, fixed, line

from quantum_fabric.api import Line
from quantum_fabric.links.ideal import FixedLink
from quantum_fabric.messages import Forecast, LinkRequest, Plan
from quantum_fabric.network.planning import plan
from quantum_fabric.network.segmentation import segment
from quantum_fabric.network.topology import Topology

FLOORS = (0.99, 0.97, 0.95, 0.93, 0.9, 0.85, 0.75, 0.6)

ERRORS = 2.0


def chance_chain(seed: int, knobs: bool = False) -> Topology:
    """A row of one to four unequal links between memories that are long or short beside the waiting times."""
    rng = random.Random(seed)
    count = rng.choice((1, 2, 3, 4))
    models: list[FixedLink | KnobLink]
    if knobs:
        models = [KnobLink(10.0 ** rng.uniform(-1.5, -0.3)) for _ in range(min(count, 2))]
    else:
        models = [fixed(10.0 ** rng.uniform(-2.5, -0.5), rng.uniform(0.93, 0.995)) for _ in range(count)]
    return line(*models, slots=rng.choice((2, 4, 8, 16)), t2=10.0 ** rng.uniform(-1.3, 1.0))  # type: ignore[arg-type]


def falls(found: list[tuple[float, Forecast]]) -> None:
    """Floors from the highest down: no rate may be below one that a higher floor had."""
    for index, (floor, low) in enumerate(found):
        assert low.fidelity_low >= floor
        for higher, above in found[:index]:
            allowed = ERRORS * math.hypot(low.rate_error, above.rate_error) + 1e-9
            assert low.rate >= above.rate - allowed, (floor, higher)


def planned(topology: Topology) -> list[tuple[float, Forecast]]:
    """Forecasts of the floors that can be had; no lower floor may be refused."""
    found: list[tuple[float, Forecast]] = []
    for floor in FLOORS:
        result = plan(topology, LinkRequest("A", max(topology.nodes), floor))
        if isinstance(result, Plan):
            found.append((floor, result.forecast))
        else:
            assert not found, (floor, result.reason)
    return found


@pytest.mark.parametrize("seed", range(8))
def test_a_lower_floor_is_never_slower_on_a_chain(seed: int) -> None:
    falls(planned(chance_chain(seed)))


@pytest.mark.parametrize("seed", range(20, 26))
def test_nor_where_links_have_knobs(seed: int) -> None:
    falls(planned(chance_chain(seed, knobs=True)))


def test_nor_over_counts_of_segments_with_short_memories() -> None:
    """200 km with T2 of 50 ms: 0.95 was once served by one segment and 3 pairs/s, since what the estimate liked failed."""
    length = 200e3
    believed = Line(length, "future", "A", "B", 64, {"memory.t2": "50 ms"}).topology
    found = []
    for floor in (0.96, 0.95):
        result = segment(length, floor, believed, "A", "B", LinkRequest("A", "B", floor))
        assert isinstance(result, tuple)
        found.append((floor, result[1].forecast))
    falls(found)
    assert found[0][1].rate > 1_000.0
    assert found[1][1].rate > 2_000.0
