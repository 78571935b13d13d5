"""Shares of a short supply; that they are max-min fair is in tests/oracles."""

from __future__ import annotations

import pytest

from keyrelay import links
from quantum_fabric.errors import InputError, UnknownNameError
from quantum_fabric.keys.relay.rationing import Demand, Ration, share_out, uses_of
from quantum_fabric.keys.relay.supply import KeyNetwork

LINE = KeyNetwork(links("AR RB", 900, 900), frozenset("R"))
HOP = {("A", "R"): 1.0}


def test_equal_shares_and_what_is_left_of_small_wishes() -> None:
    found = share_out(LINE, [Demand("a", HOP, 100), Demand("b", HOP, 5000), Demand("c", HOP, 5000)])
    assert found == {"a": Ration(100, None), "b": Ration(400, ("A", "R")), "c": Ration(400, ("A", "R"))}


def test_twice_the_weight_twice_the_share() -> None:
    found = share_out(LINE, [Demand("a", HOP, 5000, weight=2.0), Demand("b", HOP, 5000)])
    assert (found["a"].bits, found["b"].bits) == (600, 300)


def test_dear_routes_get_fewer_bits_only_where_they_bind() -> None:
    dear = {("A", "R"): 2.0}
    found = share_out(LINE, [Demand("a", dear, 5000), Demand("b", HOP, 5000)])
    assert (found["a"].bits, found["b"].bits) == (300, 300), "equal in what is delivered"


def test_nobody_wants_anything() -> None:
    assert share_out(LINE, []) == {}


def test_dry_links_give_nothing() -> None:
    dry = KeyNetwork(links("AR", 0, 0), frozenset())
    assert share_out(dry, [Demand("a", HOP, 10)]) == {"a": Ration(0, ("A", "R"))}


def test_costs_of_a_route() -> None:
    uses = uses_of([("A", "R", "B")], 1024)
    assert uses["A", "R"] == pytest.approx(1200 / 1024)
    assert uses["R", "A"] == pytest.approx(96 / 1024)


@pytest.mark.parametrize(
    "fields", [{"bits": 0}, {"weight": 0.0}, {"weight": float("inf")}, {"uses": {("A", "R"): -1.0}}]
)
def test_demands_that_cannot_be(fields: dict[str, object]) -> None:
    with pytest.raises(InputError):
        Demand(**{"name": "a", "uses": HOP, "bits": 1, **fields})  # type: ignore[arg-type]


def test_names_and_hops_are_known() -> None:
    with pytest.raises(InputError, match="two demands"):
        share_out(LINE, [Demand("a", HOP, 1), Demand("a", HOP, 1)])
    with pytest.raises(UnknownNameError):
        share_out(LINE, [Demand("a", {("A", "B"): 1.0}, 1)])
