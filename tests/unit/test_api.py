"""One call from a wish to a link."""

from __future__ import annotations

from typing import Any

import pytest

import quantum_fabric
from builders import chain, link, node
from quantum_fabric.api import request_link
from quantum_fabric.errors import DocumentError, InputError, QuantityError
from quantum_fabric.fabric import Fabric
from quantum_fabric.messages import Code, Refused
from quantum_fabric.services.link import Link

FIDELITY = "expected a fidelity in (0.5, 1)"
RATE = "expected a rate of 0 or more, in pairs per second"
DISTANCE = "expected more than 0 and less than 41000 km"
LENGTH = "expected a length such as '25 km'"


@pytest.mark.parametrize(
    ("change", "kind", "message"),
    [
        (
            {"destination": "Alice"},
            InputError,
            "destination: found 'Alice', expected a node other than the source",
        ),
        ({"source": "Bob"}, InputError, "destination: found 'Bob', expected a node other than the source"),
        ({"fidelity": 0.5}, InputError, f"fidelity: found 0.5, {FIDELITY}"),
        ({"fidelity": 1.0}, InputError, f"fidelity: found 1.0, {FIDELITY}"),
        ({"fidelity": float("nan")}, InputError, f"fidelity: found nan, {FIDELITY}"),
        ({"pairs": 0}, InputError, "pairs: found 0, expected at least 1 pair"),
        ({"rate": -0.1}, InputError, f"rate: found -0.1, {RATE}"),
        ({"rate": float("inf")}, InputError, f"rate: found inf, {RATE}"),
        ({"distance": 0}, InputError, f"distance: found 0 km, {DISTANCE}"),
        ({"distance": -3}, InputError, f"distance: found -3 km, {DISTANCE}"),
        ({"distance": 41000}, InputError, f"distance: found 41000 km, {DISTANCE}"),
        ({"distance": float("nan")}, InputError, f"distance: found nan km, {DISTANCE}"),
        ({"distance": "far"}, QuantityError, f"distance: found 'far', {LENGTH}"),
        ({"distance": "20"}, QuantityError, f"distance: found '20', {LENGTH}"),
        ({"distance": "3 ms"}, QuantityError, f"distance: found '3 ms', {LENGTH}"),
        ({"distance": None}, InputError, "distance: found neither, expected a distance, or a network"),
        ({"network": "lab"}, InputError, "distance: found 20, expected no distance where a network is given"),
        ({"network": "nowhere", "distance": None}, DocumentError, "nowhere: found no such file"),
        ({"network": "lab", "distance": None, "destination": "Zoe"}, InputError, "destination: found 'Zoe'"),
    ],
)
def test_a_bad_argument_is_named(change: dict[str, Any], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind) as caught:
        request_link(**{"destination": "Bob", "distance": 20, **change})
    assert str(caught.value).startswith(message)


def test_an_unknown_profile_names_the_known_ones() -> None:
    with pytest.raises(InputError, match=r"found 'warp', expected a hardware profile: .*future.*today"):
        request_link("Bob", 20, hardware="warp")


def test_a_distance_gives_a_chain_of_repeaters_and_its_pairs() -> None:
    with request_link("Bob", 80, fidelity=0.9, pairs=2, seed=3) as found:
        assert isinstance(found, Link)
        pairs = []
        for pair in found:
            pairs.append(pair)
            pair.measure("Z")
    assert found.plan.path[0] == "Alice"
    assert found.plan.path[-1] == "Bob"
    assert [pair.delivered.number for pair in pairs] == [1, 2]
    assert all(pair.fidelity >= 0.9 for pair in pairs)


def test_a_distance_may_have_a_unit() -> None:
    number, text = (request_link("Bob", distance, 0.8, source="Ann") for distance in (10, "10000 m"))
    assert isinstance(number, Link)
    assert isinstance(text, Link)
    assert number.plan == text.plan
    assert number.plan.path[0] == "Ann"
    assert next(number).delivered == next(text).delivered


def test_the_seed_is_the_draw() -> None:
    def first(seed: int) -> int:
        found = request_link("Bob", 10, 0.8, seed=seed)
        assert isinstance(found, Link)
        return next(found).delivered_at

    times = [first(seed) for seed in (1, 1, 0, 2, 3)]
    assert times[0] == times[1]
    assert len(set(times)) > 1


@pytest.mark.parametrize("distance", [5, 20, 200])
def test_what_today_cannot_do_is_refused_with_an_offer_that_is_accepted(distance: float) -> None:
    found = request_link("Bob", distance, 0.98, hardware="today")
    assert isinstance(found, Refused)
    assert not found
    assert found.code is Code.UNSUPP
    assert "0.98" in found.reason
    assert found.resource
    offer = found.offer
    assert offer is not None
    assert 0.5 < offer.fidelity < 0.98
    again = request_link(
        offer.destination, distance, offer.fidelity, source=offer.source, pairs=offer.pairs, rate=offer.rate,
        hardware="today",
    )  # fmt: skip
    assert isinstance(again, Link)


def test_a_bundled_network() -> None:
    found = request_link("Bob", fidelity=0.6, network="lab")
    assert isinstance(found, Link)
    with found:
        assert next(found).ends == ("Alice", "Bob")


def test_a_running_network_is_used_as_it_is() -> None:
    fabric = Fabric(chain(2, link(fidelity=0.95), node(2)), seed=1)
    links = [request_link("B", source="A", network=fabric, fidelity=0.8) for _ in range(2)]
    assert all(isinstance(each, Link) and each.network is fabric for each in links)
    assert [each.name for each in links if isinstance(each, Link)] == ["request-1", "request-2"]


def test_the_call_is_offered_at_the_top() -> None:
    assert quantum_fabric.request_link is request_link
