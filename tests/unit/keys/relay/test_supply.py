"""Believed supply: who may spend what, and where it came from."""

from __future__ import annotations

import pytest

from keyrelay import links
from quantum_fabric.errors import InputError, UnknownNameError
from quantum_fabric.keys import Origin, Provenance
from quantum_fabric.keys.relay.supply import KeyLink, KeyNetwork


def test_each_end_spends_its_own() -> None:
    network = KeyNetwork(links("AR", 100, 60), frozenset())
    left = network.spend({("A", "R"): 40, ("R", "A"): 60})
    assert (left.stored("A", "R"), left.stored("R", "A")) == (60, 0)
    assert (network.stored("A", "R"), network.stored("R", "A")) == (100, 60), "the network itself is a value"


@pytest.mark.parametrize("bits", [101, -1])
def test_nobody_spends_what_is_not_there(bits: int) -> None:
    with pytest.raises(InputError, match="0 to 100 bits"):
        KeyNetwork(links("AR", 100), frozenset()).spend({("A", "R"): bits})


def test_time_brings_half_of_the_rate_to_each_end() -> None:
    later = KeyNetwork(links("AR", 1, 2, rate=3.0), frozenset()).after(10.0)
    assert (later.stored("A", "R"), later.stored("R", "A")) == (16, 17)


@pytest.mark.parametrize(
    "fields",
    [
        {"a": "B"},
        {"forward": -1},
        {"backward": -1},
        {"rate": -1.0},
        {"rate": float("inf")},
        {"rate": float("nan")},
    ],
)
def test_links_that_cannot_be(fields: dict[str, object]) -> None:
    with pytest.raises(InputError):
        KeyLink(**{"a": "A", "b": "B", **fields})  # type: ignore[arg-type]


def test_one_link_for_each_pair() -> None:
    with pytest.raises(InputError, match="second link"):
        KeyNetwork((KeyLink("A", "B"), KeyLink("B", "A")), frozenset())


def test_unknown_names() -> None:
    network = KeyNetwork(links("AR"), frozenset())
    for wrong in (
        lambda: network.link("A", "X"),
        lambda: network.known("X"),
        lambda: network.links[0].stored("X"),
    ):
        with pytest.raises(UnknownNameError):
            wrong()
    assert network.neighbours("X") == ()


def test_a_relayed_key_is_as_good_as_its_links_together() -> None:
    qkd = [KeyLink(a, b, provenance=Provenance(Origin.QKD, "x", 1e-10)) for a, b in ("AR", "RB", "AS", "SB")]
    network = KeyNetwork(tuple(qkd), frozenset("RS"))
    paths = (tuple("ARB"), tuple("ASB"))
    assert network.provenance(paths).origin is Origin.QKD
    assert network.provenance(paths).epsilon == pytest.approx(4e-10), (
        "failure probabilities of four links add"
    )
    assert network.provenance((paths[0], paths[0])).epsilon == pytest.approx(2e-10), "a link counts once"
    twin = KeyNetwork(
        (*qkd[:3], KeyLink("S", "B", provenance=Provenance(Origin.TWIN, "y", 1e-9))), frozenset("RS")
    )
    assert twin.provenance(paths).origin is Origin.TWIN
    assert len(network.provenance(paths).source) <= 64
