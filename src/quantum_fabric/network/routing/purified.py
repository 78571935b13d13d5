"""Routing with purification for a floor of fidelity: Q-PATH, Q-LEAP, and ours.

The model is the one of the paper and of the authors' program (provenance S), so that figures can be compared: an edge has a
number of pairs of one fidelity; a pair is improved by pumping with fresh ones, one for each round,

    f' = f g / (f g + (1 - f)(1 - g)),    chance = f g + (1 - f)(1 - g);

the fidelity of a path is the product over its hops, its cost the pairs Σ (rounds + 1), and a unit on it counts as many
end-to-end pairs as the least chance of its hops.

Limits:
    These are the rules of bit flips without a phase, not of Werner states, and the product is not the swap of Werner pairs
    (0.9, 0.9 gives 0.81, not 0.8133). The planner of `quantum_fabric.network` does it properly; here
    what counts is the comparison.

Reference: Li, Wang, Xue, Li, Yu, Sun, Lu, "Fidelity-guaranteed entanglement routing in quantum networks", IEEE Trans. Commun. 70, 6748
(2022).
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from quantum_fabric.errors import QuantityError

Real: TypeAlias = NDArray[np.float64]
Whole: TypeAlias = NDArray[np.int64]

LEAST_GAIN = 1e-7
"""A round that gains less ends the table of an edge."""


def pumped(kept: float, fresh: float) -> tuple[float, float]:
    """Fidelity after a round, and the chance of the round.

    Equation:
        f' = f g / p, p = f g + (1 - f)(1 - g); Li et al. 2022, bit flips only.

    Examples:
        >>> tuple(round(x, 4) for x in pumped(0.8, 0.8))
        (0.9412, 0.68)
    """
    chance = kept * fresh + (1 - kept) * (1 - fresh)
    return kept * fresh / chance, chance


class Purified(NamedTuple):
    """What a path is given.

    Attributes:
        nodes: of the path.
        rounds: of purification on each hop.
        units: how often the whole is done.
        pairs: end-to-end pairs that are expected of it.
        fidelity: of these pairs.
    """

    nodes: tuple[int, ...]
    rounds: tuple[int, ...]
    units: int
    pairs: float
    fidelity: float


@dataclass(frozen=True, slots=True)
class Request:
    """One pair of nodes, the floor, and how many pairs are wanted.

    Raises:
        QuantityError: a floor outside (0, 1), no pairs, or one node for both ends.
    """

    source: int
    target: int
    floor: float
    pairs: float

    def __post_init__(self) -> None:
        """Refuse what cannot be asked."""
        if not 0 < self.floor < 1 or not self.pairs > 0 or self.source == self.target:
            raise QuantityError(str(self), "two nodes, a floor in (0, 1), 1 pair or more", "request")


class Stock:
    """Pairs of each edge that are left, and what purification makes of them.

    Args:
        nodes: how many.
        edges: (a, b, pairs, fidelity).
        floor: edges that cannot reach it by any purification are left out, as in the paper.

    Raises:
        QuantityError: an edge to nowhere or with a fidelity outside (0.5, 1].
    """

    def __init__(self, nodes: int, edges: Sequence[tuple[int, int, int, float]], floor: float) -> None:
        self.floor = floor
        self.left: dict[tuple[int, int], int] = {}
        self.fresh: dict[tuple[int, int], float] = {}
        self.neighbours: list[set[int]] = [set() for _ in range(nodes)]
        self._tables: dict[tuple[int, int], list[tuple[float, float]]] = {}
        for a, b, pairs, fidelity in edges:
            if not 0 <= a < nodes or not 0 <= b < nodes or a == b or not 0.5 < fidelity <= 1:
                raise QuantityError(
                    f"{a}-{b}, {fidelity}", f"two nodes below {nodes}, fidelity in (0.5, 1]", "edges"
                )
            key = (min(a, b), max(a, b))
            self.left[key], self.fresh[key] = pairs, fidelity
            self.neighbours[a].add(b)
            self.neighbours[b].add(a)
        for key in list(self.left):
            self._prune(key)

    def table(self, a: int, b: int) -> list[tuple[float, float]]:
        """(fidelity, chance) after 0, 1, ... rounds, as many as the pairs that are left allow."""
        key = (a, b) if a < b else (b, a)
        left = self.left[key]
        known = self._tables.get(key)
        if known is None:
            known, gain = [(self.fresh[key], 1.0)], 1.0
            while len(known) < left and gain > LEAST_GAIN:
                fidelity, chance = pumped(known[-1][0], self.fresh[key])
                gain = fidelity - known[-1][0]
                known.append((fidelity, known[-1][1] * chance))
            self._tables[key] = known
        return known if len(known) <= left else known[:left]

    def _prune(self, key: tuple[int, int]) -> None:
        if self.left[key] < 1 or self.table(*key)[-1][0] < self.floor:
            self.drop(key)

    def drop(self, key: tuple[int, int]) -> None:
        """Leave an edge out."""
        self.neighbours[key[0]].discard(key[1])
        self.neighbours[key[1]].discard(key[0])

    def hops(self, target: int) -> dict[int, int]:
        """Hop counts to the target from where there is a way."""
        found, ring = {target: 0}, [target]
        while ring:
            ring = list({other for node in ring for other in self.neighbours[node] if other not in found})
            far = max(found.values()) + 1
            found |= dict.fromkeys(ring, far)
        return found

    def finest(self, target: int) -> dict[int, float]:
        """For each node the largest product of purified fidelities to the target."""
        found: dict[int, float] = {}
        heap = [(-1.0, target)]
        while heap:
            minus, node = heapq.heappop(heap)
            if node in found:
                continue
            found[node] = -minus
            for other in self.neighbours[node]:
                if other not in found:
                    heapq.heappush(heap, (minus * self.table(node, other)[-1][0], other))
        return found

    def serve(self, nodes: Sequence[int], rounds: Sequence[int], wanted: float) -> Purified | None:
        """Give a path what it can use, at most for `wanted` pairs; None (and a hop less) where a hop has too little."""
        keys = [(min(a, b), max(a, b)) for a, b in itertools.pairwise(nodes)]
        for key, more in zip(keys, rounds, strict=True):
            if self.left[key] < more + 1:
                self.drop(key)
                return None
        tables = [self.table(*key) for key in keys]
        each = min(table[more][1] for table, more in zip(tables, rounds, strict=True))
        fidelity = prod(table[more][0] for table, more in zip(tables, rounds, strict=True))
        units = min(self.left[key] // (more + 1) for key, more in zip(keys, rounds, strict=True))
        needed = next((unit for unit in range(1, units + 1) if unit * each >= wanted), units)
        for key, more in zip(keys, rounds, strict=True):
            self.left[key] -= needed * (more + 1)
            self._prune(key)
        return Purified(tuple(nodes), tuple(rounds), needed, needed * each, fidelity)


def greedy_rounds(stock: Stock, nodes: Sequence[int]) -> tuple[int, ...] | None:
    """Rounds on a path that reach the floor, each where it gains most; None where none do (Q-PATH's decision)."""
    tables = [stock.table(a, b) for a, b in itertools.pairwise(nodes)]
    if prod(table[-1][0] for table in tables) < stock.floor:
        return None
    rounds = [0] * len(tables)
    while prod(table[more][0] for table, more in zip(tables, rounds, strict=True)) < stock.floor:
        gains = [
            (table[more + 1][0] / table[more][0], -hop)
            for hop, (table, more) in enumerate(zip(tables, rounds, strict=True))
            if more + 1 < len(table)
        ]
        rounds[-max(gains)[1]] += 1
    return tuple(rounds)


def q_path(stock: Stock, request: Request, effort: int = 20_000) -> list[Purified]:
    """Q-PATH: all simple paths by hop count, each with its decision, served in the order of cost.

    Args:
        stock: is used up.
        request: what is wanted.
        effort: prefixes of paths that are looked at, at most.
    """
    made: list[Purified] = []
    queue: list[tuple[int, tuple[int, ...], tuple[int, ...]]] = []
    wanted, spent = request.pairs, [effort]
    for cost in range(1, 4 * len(stock.neighbours)):
        if request.source not in stock.hops(request.target):
            break
        for nodes in _paths(stock, request, cost, spent):
            rounds = greedy_rounds(stock, nodes)
            if rounds is not None:
                heapq.heappush(queue, (sum(rounds) + len(rounds), nodes, rounds))
        last = cost >= len(stock.neighbours) or spent[0] <= 0
        while queue and (last or queue[0][0] <= cost + 1):
            _, nodes, rounds = heapq.heappop(queue)
            if all(b in stock.neighbours[a] for a, b in itertools.pairwise(nodes)):
                served = stock.serve(nodes, rounds, wanted)
                if served is not None:
                    made.append(served)
                    wanted -= served.pairs
                    if wanted <= 1e-9:
                        return made
        if last:
            break
    return made


def _paths(stock: Stock, request: Request, hops: int, spent: list[int]) -> Iterator[tuple[int, ...]]:
    """Simple paths of exactly so many hops."""
    left, finest = stock.hops(request.target), stock.finest(request.target)
    stack: list[tuple[tuple[int, ...], float]] = [((request.source,), 1.0)]
    if left.get(request.source, hops + 1) > hops:
        return
    while stack and spent[0] > 0:
        nodes, kept = stack.pop()
        spent[0] -= 1
        if nodes[-1] == request.target:
            if len(nodes) == hops + 1:
                yield nodes
            continue
        for other in sorted(stock.neighbours[nodes[-1]], reverse=True):
            if other in nodes or len(nodes) + left.get(other, hops) > hops:
                continue
            reach = kept * stock.table(nodes[-1], other)[-1][0]
            if reach * finest[other] >= request.floor:
                stack.append(((*nodes, other), reach))


def q_leap(stock: Stock, request: Request) -> list[Purified]:
    """Q-LEAP: the path of largest product of fresh fidelities; the floor is shared evenly among its hops."""
    made: list[Purified] = []
    wanted = request.pairs
    while wanted > 1e-9:
        nodes = _purest(stock, request)
        if nodes is None:
            break
        hops = list(itertools.pairwise(nodes))
        fresh = [stock.fresh[min(hop), max(hop)] for hop in hops]
        rounds = [0] * len(hops)
        if prod(fresh) < request.floor:
            share = request.floor ** (1 / len(hops))
            for index, fidelity in enumerate(fresh):
                reached = fidelity
                while reached < share:
                    rounds[index] += 1
                    reached, _ = pumped(reached, fidelity)
        served = stock.serve(nodes, rounds, wanted)
        if served is not None:
            made.append(served)
            wanted -= served.pairs
    return made


def _purest(stock: Stock, request: Request) -> tuple[int, ...] | None:
    heap: list[tuple[float, tuple[int, ...]]] = [(-1.0, (request.source,))]
    done = set()
    while heap:
        minus, nodes = heapq.heappop(heap)
        node = nodes[-1]
        if node in done:
            continue
        done.add(node)
        if node == request.target:
            return nodes
        for other in stock.neighbours[node]:
            if other not in done:
                fresh = stock.fresh[min(node, other), max(node, other)]
                heapq.heappush(heap, (minus * fresh, (*nodes, other)))
    return None


def cheapest_purified(stock: Stock, request: Request) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
    """Path and rounds of least cost that reach the floor, exactly; of equal costs the one of the greatest fidelity.

    Costs are whole numbers, so the best fidelity at each node for each cost follows from those of lower costs. A walk that comes
    back to a node costs more and is no better than without the round, so the cheapest one is a path.

    Equation:
        F(v, c) = max over hops u-v and rounds m of F(u, c - m - 1) f(u-v, m); C (Bellman's recursion over cost).
    """
    # products in another order may differ in their last digits
    if stock.finest(request.target).get(request.source, 0.0) < request.floor * (1.0 - 1e-12):
        return None
    tails, heads, kept = _arcs(stock)
    rounds, nodes = len(kept), len(stock.neighbours)
    ends, starts = np.unique(heads, return_index=True)
    # the rows before cost 0 stay empty
    best = np.zeros((rounds + 1 + rounds * nodes, nodes))
    best[rounds, request.source] = 1.0
    for cost in range(rounds + 1, len(best)):
        ways = (best[cost - rounds : cost][::-1][:, tails] * kept).max(axis=0)
        best[cost, ends] = np.maximum.reduceat(ways, starts)
        if best[cost, request.target] >= request.floor:
            return _traced(best, cost, request, tails, heads, kept)
    return None


def _arcs(stock: Stock) -> tuple[Whole, Whole, Real]:
    """Tails and heads of all hops that are left, by head, and the fidelity that each keeps after each number of rounds."""
    ways = [(a, b) for b, around in enumerate(stock.neighbours) for a in around]
    tables = [stock.table(a, b) for a, b in ways]
    kept = np.zeros((max(map(len, tables)), len(ways)))
    for place, table in enumerate(tables):
        kept[: len(table), place] = [fidelity for fidelity, _ in table]
    tails, heads = np.array(ways).T
    return tails, heads, kept


def _traced(
    best: Real, cost: int, request: Request, tails: Whole, heads: Whole, kept: Real
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The path by which a fidelity was reached."""
    nodes, more = [request.target], []
    while nodes[-1] != request.source:
        into = np.flatnonzero(heads == nodes[-1])
        ways = best[cost - len(kept) : cost][::-1][:, tails[into]] * kept[:, into]
        # the same product as before, so it is met exactly
        row, place = divmod(int(ways.argmax()), len(into))
        more.append(row)
        nodes.append(int(tails[into[place]]))
        cost -= row + 1
    return tuple(reversed(nodes)), tuple(reversed(more))


def ours(stock: Stock, request: Request) -> list[Purified]:
    """The cheapest purified path, exactly, again and again until enough is served or nothing is left.

    Examples:
        >>> stock = Stock(3, [(0, 1, 10, 0.9), (1, 2, 10, 0.9), (0, 2, 4, 0.85)], floor=0.9)
        >>> [(each.nodes, each.rounds, each.units) for each in ours(stock, Request(0, 2, 0.9, 50))]
        [((0, 2), (1,), 2), ((0, 1, 2), (1, 1), 5)]
    """
    made: list[Purified] = []
    wanted = request.pairs
    while wanted > 1e-9:
        found = cheapest_purified(stock, request)
        if found is None:
            break
        served = stock.serve(*found, wanted)
        if served is None:
            break
        made.append(served)
        wanted -= served.pairs
    return made
