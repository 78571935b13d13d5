"""The comparison of seatings: every topology is whole, and a short run gives what its table needs."""

from __future__ import annotations

import pytest
from benchmarks.control.distributed import SEATINGS, TOPOLOGIES, line, served

from quantum_fabric.units import US


@pytest.mark.parametrize("title", list(TOPOLOGIES))
def test_every_node_is_in_one_domain(title: str) -> None:
    network, domains = TOPOLOGIES[title](100 * US)
    members = [name for domain in domains.values() for name in domain.nodes]
    assert sorted(members) == sorted(network.nodes)
    assert len(domains) >= 3


@pytest.mark.parametrize("seating", SEATINGS)
def test_a_short_run(seating: str) -> None:
    row = served(seating, TOPOLOGIES["Chicago"](100 * US), 4.0, 1.0, seed=3)
    assert row["requests"] > 0
    assert row["done"] == 1.0
    assert row["setup"] > 0.0
    assert (row["letters"] > 0) == (seating != "central")
    assert "Chicago" in line({"topology": "Chicago", "hop_us": 100, **row})
