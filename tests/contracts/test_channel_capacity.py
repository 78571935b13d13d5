"""No fibre carries more attempts than one a cycle, however many requests share it (bounds count all the modes that are used)."""

from __future__ import annotations

import math

import pytest

from quantum_fabric import documents
from quantum_fabric.fabric import Fabric
from quantum_fabric.messages import Heralded, LinkRequest
from quantum_fabric.physics.bounds import plob
from quantum_fabric.units import MS


@pytest.mark.parametrize("requests", [1, 4, 8])
@pytest.mark.parametrize("ends", [("Argonne_1", "Argonne_3"), ("UChicago_PME", "UChicago_HC")])
def test_requests_that_share_a_fibre_share_its_attempts(ends: tuple[str, str], requests: int) -> None:
    """Heralds are binomial in the attempts of the channel: six standard deviations above is a false alarm below 1e-8."""
    inventory = documents.inventory(documents.load_network("chicago"))
    fabric = Fabric(inventory, seed=5)
    heard: list[Heralded] = []
    fabric.watch(lambda _time, _place, event: heard.append(event), Heralded)
    for _ in range(requests):
        fabric.submit(LinkRequest(*ends, 0.9, pairs=1_000_000))
    fabric.run(30 * MS)
    link = inventory.links[heard[0].link]
    heralding = link.model.heralding(None, 1)
    attempts = 30 * MS / heralding.cycle
    most = attempts * heralding.success
    heralds = sum(event.node == ends[0] for event in heard)
    assert 0 < heralds <= most + 6 * math.sqrt(most)
    # one ebit at most for each pair: the rate for each attempt stays below the bound of the fibre
    assert heralding.success <= plob(link.model.total_transmission())
