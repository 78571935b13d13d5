"""Routes and refusals; whether they are the best is in tests/oracles."""

from __future__ import annotations

import pytest

from keyrelay import ladder, links
from quantum_fabric.errors import InputError, UnknownNameError
from quantum_fabric.keys.relay.bundle import LARGEST, SPENT_BACKWARD, spent_forward
from quantum_fabric.keys.relay.routing import MOST_SETS, Guard, NoRoute, Route, Short, Wanted, plan
from quantum_fabric.keys.relay.supply import KeyLink, KeyNetwork


def route(network: KeyNetwork, octets: int = 32, guard: Guard | None = None) -> Route:
    answer = plan(network, Wanted("A", "B", octets, guard or Guard()))
    assert isinstance(answer, Route), answer
    return answer


def refusal(network: KeyNetwork, octets: int = 32, guard: Guard | None = None) -> NoRoute:
    answer = plan(network, Wanted("A", "B", octets, guard or Guard()))
    assert isinstance(answer, NoRoute), answer
    return answer


def test_routes_leave_links_that_run_low() -> None:
    network = KeyNetwork(links("AR RB AS SB", 40_000, 40_000), frozenset("RS"))
    seen = []
    for _ in range(20):
        found = route(network, guard=Guard(0))
        network = network.spend(found.uses)
        seen.append(found.paths[0][1])
    assert abs(seen.count("R") - seen.count("S")) <= 1, "they take turns"


def test_what_comes_in_makes_a_link_cheaper_and_not_richer() -> None:
    slow, fast = links("AR RB", 5000, 5000), links("AS SB", 5000, 5000, rate=1e4)
    network = KeyNetwork((*slow, *fast), frozenset("RS"))
    assert route(network, guard=Guard(0)).paths == (("A", "S", "B"),)
    assert refusal(network, octets=1000, guard=Guard(0)).short is Short.SUPPLY


def test_a_link_of_their_own_is_one_path_while_it_lasts() -> None:
    network = KeyNetwork((*ladder().links, KeyLink("A", "B", 3000, 3000)), frozenset("RST"))
    assert route(network, guard=Guard(2)).paths == (("A", "B"),)
    assert len(route(network, octets=300).paths) == 2, "it is dry for that much: others are asked"


def test_fewest_paths_for_coalitions_that_one_path_avoids() -> None:
    network = KeyNetwork(links("AR RB AS SB AT TB"), frozenset("RST"))
    one = Guard(0, (frozenset("R"), frozenset("S")))
    assert route(network, guard=one).paths == (("A", "T", "B"),)
    two = Guard(0, (frozenset("RS"), frozenset("ST"), frozenset("T")))
    assert len(route(network, guard=two).paths) == 2
    assert refusal(network, guard=Guard(0, (frozenset("RST"),))).short is Short.GUARD


def test_accepted_nodes_and_ends_do_not_count_in_coalitions() -> None:
    network = KeyNetwork(links("AR RB"), frozenset("R"))
    assert refusal(network).must_trust == {"R"}
    assert route(network, guard=Guard(1, accepted=frozenset("R"))).paths == (("A", "R", "B"),)
    guard = Guard(0, (frozenset("AR"),), frozenset("R"))
    assert route(network, guard=guard).paths == (("A", "R", "B"),)


def test_a_refusal_says_what_is_missing() -> None:
    island = KeyNetwork((*links("AR"), *links("BS")), frozenset("RS"))
    assert refusal(island).short is Short.PATH
    line = KeyNetwork(links("AR RB", 8000, 8000), frozenset("R"))
    no = refusal(line)
    assert (no.short, no.must_trust, no.any_nodes) == (Short.GUARD, {"R"}, 0)
    assert no.octets == 8000 // 8 - 176, "as large as one path can carry"
    no = refusal(line, 900, Guard(0))
    assert (no.short, no.octets, no.wait) == (Short.SUPPLY, 824, None)
    ring = KeyNetwork(links("AR RB AS SB"), frozenset("RS"))
    assert "2 paths without common nodes" in refusal(ring, guard=Guard(2)).reason


def test_both_directions_of_a_link_are_needed() -> None:
    line = KeyNetwork(links("AR RB", 1 << 20, SPENT_BACKWARD - 8), frozenset("R"))
    assert refusal(line, guard=Guard(0)).short is Short.SUPPLY
    line = KeyNetwork(links("AR RB", spent_forward(32), SPENT_BACKWARD), frozenset("R"))
    assert route(line, guard=Guard(0)).uses == {
        ("A", "R"): spent_forward(32), ("R", "A"): SPENT_BACKWARD, ("R", "B"): spent_forward(32),
        ("B", "R"): SPENT_BACKWARD,
    }  # fmt: skip
    assert refusal(line, 33, Guard(0)).octets == 32


@pytest.mark.parametrize(
    "make",
    [
        lambda: Wanted("A", "A"), lambda: Wanted("A", "B", 0), lambda: Wanted("A", "B", LARGEST + 1),
        lambda: Guard(-1), lambda: Guard(0, (frozenset("R"),) * (MOST_SETS + 1)),
    ],
)  # fmt: skip
def test_wishes_that_cannot_be(make: object) -> None:
    with pytest.raises(InputError):
        make()  # type: ignore[operator]


def test_unknown_ends() -> None:
    with pytest.raises(UnknownNameError, match="'X'"):
        plan(ladder(), Wanted("A", "X"))
