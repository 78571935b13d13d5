"""Shared stations on the twin and in a live run of the native kernel: the same run; a scenario without a controller refuses them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from builders import inventory, link, node
from compared_runs import close
from quantum_fabric.documents import Inventory
from quantum_fabric.ensemble import LiveFabric, scenario
from quantum_fabric.errors import StateError
from quantum_fabric.fabric import Fabric
from quantum_fabric.links.hub import SharedStation
from quantum_fabric.messages import (
    Delivered,
    Heralded,
    LinkRequest,
    Message,
    Outcome,
    Prepared,
    Released,
    Truth,
)
from quantum_fabric.native import look
from quantum_fabric.units import MS, SECOND, US, Time

ENDS = ("AB", "CD", "EF", "AC", "BD")


def star(analysers: int, switching: Time) -> Inventory:
    made = inventory(
        {name: node(slots=4) for name in "ABCDEF"},
        [(a, b, link(success=0.02, period=10 * US)) for a, b in ENDS],
        delay=5 * US,
    )
    hub = SharedStation("hub", tuple(made.links), analysers, switching)
    return replace(made, stations={"hub": hub})


def run(fabric: Fabric, seed: int) -> list[tuple[Time, str, Message]]:
    seen: list[tuple[Time, str, Message]] = []
    kinds = (Delivered, Outcome, Truth, Heralded, Prepared, Released)
    fabric.watch(lambda time, place, message: seen.append((time, place, message)), *kinds)
    draws = np.random.default_rng([20_261_122, seed])
    for number in range(12):
        a, b = ENDS[int(draws.integers(len(ENDS)))]
        request = LinkRequest(a, b, 0.9, pairs=int(draws.integers(1, 40)), name=f"r{number}")
        fabric.submit(request, int(draws.integers(0, 20 * MS)))
    fabric.run(SECOND)
    return seen


@pytest.mark.skipif(look()[0] is None, reason="the native kernel is not installed")
@pytest.mark.parametrize("seed", range(6))
def test_a_live_run_is_the_run_of_the_twin(seed: int) -> None:
    made = star(1 + seed % 2, seed % 3 * MS)
    one, two = run(Fabric(made, seed=seed), seed), run(LiveFabric(made, seed=seed), seed)
    assert len(one) == len(two) > 100
    for mine, other in zip(one, two, strict=True):
        assert close(mine, other), (mine, other)


def test_a_scenario_refuses_shared_stations() -> None:
    with pytest.raises(StateError, match="station hub"):
        scenario(star(1, 0), [(0, LinkRequest("A", "B", 0.9))])
