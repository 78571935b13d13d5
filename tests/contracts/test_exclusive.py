"""A live run looks after what only one may use: a controller that gives it to two is stopped, one that does not never is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from builders import inventory, link, node
from quantum_fabric.control.ledger import Ledger
from quantum_fabric.control.stations import Stations
from quantum_fabric.documents import Inventory
from quantum_fabric.ensemble import LiveFabric
from quantum_fabric.errors import ProtocolError
from quantum_fabric.fabric import Fabric
from quantum_fabric.links.hub import SharedStation
from quantum_fabric.messages import LinkRequest
from quantum_fabric.native import look
from quantum_fabric.units import MS, US

pytestmark = pytest.mark.skipif(look()[0] is None, reason="the native kernel is not installed")


def plant() -> Inventory:
    made = inventory(
        {name: node(slots=4) for name in "ABCD"},
        [(a, b, link(success=0.02, period=10 * US)) for a, b in ("AB", "CD")],
        delay=5 * US,
    )
    return replace(made, stations={"hub": SharedStation("hub", tuple(made.links), 1, 0)})


def two_requests(fabric: Fabric) -> None:
    for a, b in ("AB", "CD"):
        fabric.submit(LinkRequest(a, b, 0.9, pairs=400, name=a + b))
    fabric.run(20 * MS)


def test_a_controller_that_forgets_the_station_is_stopped_on_the_twin_and_in_a_live_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    two_requests(LiveFabric(plant(), seed=1))  # as it is, one waits for the other
    monkeypatch.setattr(Stations, "short", lambda self, plan: {})
    monkeypatch.setattr(Stations, "shut", lambda self: frozenset())
    monkeypatch.setattr(Stations, "_busy", lambda self, name: set())
    with pytest.raises(ProtocolError, match="no analyser of 1 is free"):
        two_requests(Fabric(plant(), seed=1))
    with pytest.raises(ProtocolError, match="use 2 links of station hub at once"):
        two_requests(LiveFabric(plant(), seed=1))


def test_a_controller_that_lends_slots_twice_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    def lend(self: Any, epoch: int, wanted: Mapping[str, int], until: int) -> dict[str, tuple[int, ...]]:
        given = take(self, epoch, wanted, until)
        for name, slots in given.items():  # and leaves them on the shelf
            self._free[name] = [*slots, *self._free[name]]
            self._counted(name)
        return given

    take = Ledger.lease
    monkeypatch.setattr(Ledger, "lease", lend)
    made = replace(plant(), stations={})
    live = LiveFabric(made, seed=1)
    for name in ("one", "two"):
        live.submit(LinkRequest("A", "B", 0.9, pairs=400, name=name))
    with pytest.raises(ProtocolError, match="slot 0 of A is given to epoch 2 and belongs to epoch 1"):
        live.run(20 * MS)


def test_what_is_over_is_forgotten() -> None:
    live = LiveFabric(plant(), seed=2)
    for number in range(30):
        a, b = ("AB", "CD")[number % 2]
        live.submit(LinkRequest(a, b, 0.9, pairs=3, name=f"r{number}"))
        live.run(live.now + 100 * MS, stop=lambda: not live.open_requests)
    live.finish()
    book = live._exclusive
    assert (book._until, book._ends, book._running) == ({}, {}, {})
