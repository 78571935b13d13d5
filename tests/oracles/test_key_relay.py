"""Relayed keys: who knows them, by elimination over GF(2) and by counting all cases; routes and shares, by trying all of them."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import partial

import networkx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from keyrelay import links
from quantum_fabric.keys.relay.bundle import SPENT_BACKWARD, spent_forward
from quantum_fabric.keys.relay.knowledge import Sum, exposing, held_by, key_of, learns, on_the_wires
from quantum_fabric.keys.relay.paths import Path, most_flow
from quantum_fabric.keys.relay.rationing import Demand, share_out
from quantum_fabric.keys.relay.routing import Guard, NoRoute, Route, Short, Wanted, plan
from quantum_fabric.keys.relay.supply import KeyLink, KeyNetwork, pairs

# ---------------------------------------------------------------------------------------------------- knowledge


def in_span(rows: Iterable[Sum], target: Sum) -> bool:
    """Whether a sum follows from others: Gauss over GF(2), rows as whole numbers."""
    rows = list(rows)
    symbols = {
        symbol: place for place, symbol in enumerate(sorted({s for row in (*rows, target) for s in row}))
    }
    basis: dict[int, int] = {}

    def reduce(value: int) -> int:
        while value and (value.bit_length() - 1) in basis:
            value ^= basis[value.bit_length() - 1]
        return value

    for row in rows:
        value = reduce(sum(1 << symbols[s] for s in row))
        if value:
            basis[value.bit_length() - 1] = value
    return reduce(sum(1 << symbols[s] for s in target)) == 0


def all_paths(names: str, most: int) -> list[Path]:
    return [("A", *inner, "B") for size in range(most + 1) for inner in itertools.permutations(names, size)]


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_closure_is_complete(data: st.DataObject) -> None:
    ways = all_paths("RSTU", 3)
    paths = data.draw(st.lists(st.sampled_from(ways), min_size=1, max_size=4, unique=True))
    coalition = data.draw(st.frozensets(st.sampled_from("ABRSTU"), max_size=4))
    known = [*on_the_wires(paths), *held_by(paths, coalition)]
    learned = learns(paths, coalition)
    assert learned.key == in_span(known, key_of(paths))
    for number in range(len(paths)):
        assert (number in learned.shares) == in_span(known, frozenset({("share", number, 0)}))
    inner = coalition & frozenset("RSTU")
    hits = all(inner & set(path[1:-1]) for path in paths)
    assert learned.key == (hits or bool(coalition & {"A", "B"})), "the same in words"


@pytest.mark.parametrize("coalition", ["", "R", "S", "RS", "RT", "ST", "A"])
@pytest.mark.parametrize("paths", [("ARB",), ("ARB", "ASB"), ("ARB", "ASTB"), ("ARSB", "ATB")])
def test_what_is_not_known_is_uniform_in_every_view(paths: tuple[str, ...], coalition: str) -> None:
    """One-bit shares and pads, all cases: in each view either one key value is left, or both, equally often."""
    ways = [tuple(path) for path in paths]
    sums = [*on_the_wires(ways), *held_by(ways, coalition)]
    symbols = sorted({s for row in (*on_the_wires(ways), key_of(ways)) for s in row})
    views: dict[tuple[int, ...], Counter[int]] = {}
    for values in itertools.product((0, 1), repeat=len(symbols)):
        case = dict(zip(symbols, values))
        view = tuple(sum(case[s] for s in row) % 2 for row in sums)
        views.setdefault(view, Counter())[sum(case[s] for s in key_of(ways)) % 2] += 1
    known = {len(counts) == 1 for counts in views.values()}
    assert known == {learns(ways, coalition).key}
    assert all(len(counts) == 1 or counts[0] == counts[1] for counts in views.values())


def test_exposing_finds_the_smallest_coalitions() -> None:
    ways = [tuple("ARSB"), tuple("ATB"), tuple("AUSB")]
    found = {"".join(sorted(one)) for one in exposing(ways, most=3)}
    wanted = [
        "".join(names)
        for size in (1, 2, 3)
        for names in itertools.combinations("RSTU", size)
        if all(set(names) & set(path[1:-1]) for path in ways)
    ]
    assert found == {name for name in wanted if not any(set(less) < set(name) for less in wanted)}
    assert found == {"ST", "RTU"}


# ------------------------------------------------------------------------------------------------------- routes


def random_net(seed: int) -> KeyNetwork:
    dice = random.Random(seed)
    names = "ABRSTU"
    rows = [
        KeyLink(
            a, b, dice.choice([0, 1, 2, 5]) * spent_forward(32), dice.choice([1, 2, 5]) * spent_forward(32)
        )
        for a, b in itertools.combinations(names, 2)
        if (a, b) != ("A", "B") and dice.random() < 0.55
    ]
    rows = [*rows, KeyLink("A", "x"), KeyLink("B", "y")]  # the ends have a link, whatever else is drawn
    return KeyNetwork(tuple(rows), frozenset(dice.sample("RSTU", dice.randrange(2, 5))))


def simple_paths(network: KeyNetwork) -> list[Path]:
    graph = networkx.Graph((link.a, link.b) for link in network.links)
    graph.remove_nodes_from(set(graph) - network.relays - {"A", "B"})
    return [tuple(path) for path in networkx.all_simple_paths(graph, "A", "B")]


def affordable(network: KeyNetwork, paths: Sequence[Path]) -> bool:
    uses: Counter[tuple[str, str]] = Counter()
    for path in paths:
        for here, there in pairs(path):
            uses[here, there] += spent_forward(32)
            uses[there, here] += SPENT_BACKWARD
    return all(bits <= network.stored(*hop) for hop, bits in uses.items())


def price(network: KeyNetwork, paths: Sequence[Path]) -> int:
    """The cost of the module's docstring: the part of each stock that is used up, in millionths, and a little for each hop."""
    return sum(
        1000
        + spent_forward(32) * 10**6 // max(1, network.stored(*hop))
        + SPENT_BACKWARD * 10**6 // max(1, network.stored(*hop[::-1]))
        for path in paths
        for hop in pairs(path)
    )


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 2))
def test_a_threshold_takes_the_cheapest_of_all_sets_of_paths(seed: int, nodes: int) -> None:
    network = random_net(seed)
    ways = [path for path in simple_paths(network) if affordable(network, [path])]
    good = [
        chosen
        for chosen in itertools.combinations(ways, nodes + 1)
        if len(exposing(chosen, nodes)) == 0 and affordable(network, chosen)
    ]
    answer = plan(network, Wanted("A", "B", 32, Guard(nodes)))
    if good:
        assert isinstance(answer, Route)
        assert price(network, answer.paths) == min(price(network, chosen) for chosen in good)
        assert not exposing(answer.paths, nodes)
    else:
        assert isinstance(answer, NoRoute)
        graph = networkx.Graph((link.a, link.b) for link in network.links)
        graph.remove_nodes_from(set(graph) - network.relays - {"A", "B"})
        most = networkx.node_connectivity(graph, "A", "B")
        wanted = Short.PATH if most == 0 else Short.SUPPLY if most > nodes else Short.GUARD
        assert answer.short is wanted
        assert answer.any_nodes == max(0, most - 1)


@settings(max_examples=120, deadline=None)
@given(
    st.integers(0, 10**6),
    st.lists(st.frozensets(st.sampled_from("RSTU"), min_size=1, max_size=3), max_size=3),
)
def test_declared_coalitions_take_as_few_paths_as_can_be(seed: int, sets: list[frozenset[str]]) -> None:
    network = KeyNetwork(
        tuple(KeyLink(link.a, link.b, 1 << 30, 1 << 30) for link in random_net(seed).links),
        random_net(seed).relays,
    )
    ways = simple_paths(network)
    fewest = next(
        (
            size
            for size in range(1, 4)
            for chosen in itertools.combinations(ways, size)
            if not any(learns(chosen, one).key for one in sets)
        ),
        None,
    )
    answer = plan(network, Wanted("A", "B", 32, Guard(0, tuple(sets))))
    assert (len(answer.paths) if isinstance(answer, Route) else None) == fewest
    if isinstance(answer, Route):
        assert not any(learns(answer.paths, one).key for one in sets)


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 10**6), st.frozensets(st.sampled_from("RSTU"), min_size=1, max_size=2))
def test_threshold_and_coalitions_together(seed: int, bad: frozenset[str]) -> None:
    network = random_net(seed)
    answer = plan(network, Wanted("A", "B", 32, Guard(1, (bad,))))
    if isinstance(answer, Route):
        assert not exposing(answer.paths, 1)
        assert not learns(answer.paths, bad).key
        for path in answer.paths:
            fewer = [one for one in answer.paths if one != path]
            assert not fewer or exposing(fewer, 1) or learns(fewer, bad).key, "a path too many"


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 1))
def test_the_best_that_a_refusal_offers_can_be_had_and_no_more(seed: int, nodes: int) -> None:
    network = random_net(seed)
    answer = plan(network, Wanted("A", "B", 4096, Guard(nodes)))
    if isinstance(answer, NoRoute) and answer.short is Short.SUPPLY:
        if answer.octets:
            assert isinstance(plan(network, Wanted("A", "B", answer.octets, Guard(nodes))), Route)
        assert isinstance(plan(network, Wanted("A", "B", answer.octets + 1, Guard(nodes))), NoRoute)
        graph = networkx.DiGraph()
        graph.add_nodes_from("AB")
        inside = network.relays | {"A", "B"}
        for link in network.links:
            for one, other in ((link.a, link.b), (link.b, link.a)):
                if one in inside and other in inside:
                    graph.add_edge(one, other, capacity=network.stored(one, other))
        assert answer.ceiling == networkx.maximum_flow_value(graph, "A", "B")
        assert 8 * answer.octets * (nodes + 1) <= answer.ceiling
        assert answer.wait is None, "nothing comes in"


def test_the_wait_that_a_refusal_names_is_enough_and_not_much_too_long() -> None:
    network = KeyNetwork(links("AR RB", 0, 0, rate=1000.0), frozenset("R"))
    wanted = Wanted("A", "B", 32, Guard(0))
    answer = plan(network, wanted)
    assert isinstance(answer, NoRoute)
    assert answer.wait == pytest.approx(spent_forward(32) / 500.0, rel=0.02)
    assert isinstance(plan(network.after(answer.wait), wanted), Route)


# ------------------------------------------------------------------------------------------------------- shares


def random_demands(seed: int) -> tuple[KeyNetwork, list[Demand]]:
    dice = random.Random(seed)
    names = "ABCDEF"
    rows = [
        KeyLink(a, b, dice.randrange(1000, 9000), dice.randrange(1000, 9000))
        for a, b in itertools.combinations(names, 2)
        if dice.random() < 0.6
    ]
    network = KeyNetwork(tuple(rows), frozenset(names))
    hops = [hop for link in rows for hop in ((link.a, link.b), (link.b, link.a))]
    demands = [
        Demand(
            f"d{number}",
            {hop: dice.uniform(0.5, 3.0) for hop in dice.sample(hops, min(len(hops), dice.randrange(1, 4)))},
            dice.randrange(100, 6000),
            dice.choice([1.0, 1.0, 2.0]),
        )
        for number in range(dice.randrange(1, 6))
        if hops
    ]
    return network, demands


def by_programmes(network: KeyNetwork, demands: list[Demand]) -> dict[str, float]:
    """Max-min shares by linear programmes: raise the least share of all as far as it goes, fix who cannot rise, again."""
    hops = sorted({hop for demand in demands for hop in demand.uses})
    matrix = np.array([[demand.uses.get(hop, 0.0) for demand in demands] for hop in hops])
    stock = np.array([network.stored(*hop) for hop in hops], float)
    fixed: dict[int, float] = {}
    while len(fixed) < len(demands):
        free = [number for number in range(len(demands)) if number not in fixed]
        solve = partial(programme, demands, matrix, stock, fixed, free)
        level = solve([0.0] * len(demands) + [-1.0], {})[-1]
        floor = {n: demands[n].weight * level * (1 - 1e-9) for n in free}
        stuck = []
        for n in free:
            goal = [0.0] * (len(demands) + 1)
            goal[n] = -1.0
            if solve(goal, floor)[n] <= demands[n].weight * level + 1e-3:
                stuck.append(n)
        assert stuck
        fixed |= {n: demands[n].weight * level for n in stuck}
    return {demand.name: fixed[number] for number, demand in enumerate(demands)}


def programme(
    demands: list[Demand], matrix: np.ndarray, stock: np.ndarray, fixed: dict[int, float], free: list[int],
    goal: list[float], floor: dict[int, float],
) -> np.ndarray:  # fmt: skip
    """Shares and, last, the level that no free share lies below; the goal is made as small as it gets."""
    many = range(len(demands))
    bounds = [
        (fixed[n], fixed[n]) if n in fixed else (floor.get(n, 0.0), float(demands[n].bits)) for n in many
    ]
    level = np.array([[1.0 / demands[n].weight if m == n else 0.0 for m in many] for n in free])
    a = np.block([[matrix, np.zeros((len(matrix), 1))], [-level, np.ones((len(free), 1))]])
    b = np.concatenate([stock, np.zeros(len(free))])
    found = linprog(goal, A_ub=a, b_ub=b, bounds=[*bounds, (0, None)], method="highs")
    assert found.status == 0
    return found.x


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6))
def test_shares_are_max_min_fair(seed: int) -> None:
    network, demands = random_demands(seed)
    if not demands:
        return
    exact = by_programmes(network, demands)
    for name, ration in share_out(network, demands).items():
        assert ration.bits == pytest.approx(exact[name], abs=2.0)


def test_what_is_shared_out_stays_below_the_greatest_flow() -> None:
    network = KeyNetwork(links("AR RB AS SB", 3000, 3000), frozenset("RS"))
    ways = [tuple("ARB"), tuple("ASB")]
    demands = [Demand(f"{number}", dict.fromkeys(pairs(ways[number % 2]), 1.0), 5000) for number in range(4)]
    capacities = {hop: network.stored(*hop) for way in ways for hop in pairs(way)}
    total = sum(ration.bits for ration in share_out(network, demands).values())
    assert total == most_flow(network, "A", "B", capacities) == 6000
