"""Purification strategies that the planner tries, and the memory that they need.

A *strategy* says where purification rounds are spent: on elementary pairs, on segments of the swap tree, end to end. Its
lanes follow from the executor's rules: while two pairs of a segment are made for a round, each earlier level keeps one
more pair, so a node needs one slot and one more for each round of each segment that ends in it. Where that is too much,
*pumping* takes its place: one pair is kept and fresh ones are spent on it, one after the other, so that one slot more is enough
for any number of rounds; the fidelity then grows less from round to round.

The recurrence is DEJMPS with the rotation before each round found by the estimate. BBPSSW is the same with a twirl, which gains
nothing in its round, costs a gate and takes from the next round what there was to find; so it is never tried.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

from quantum_fabric.errors import QuantityError
from quantum_fabric.messages import Join, Order
from quantum_fabric.network.order import asap, leveled, nested, optimal_nested

MOST_ROUNDS = 3
"""Rounds at one place; DEJMPS from 0.8 reaches 0.988 with three (physics §4)."""

MOST_OPTIMAL = 32
"""Hops up to which the optimal nested tree is worked out (the cube of it is the work)."""


@dataclass(frozen=True, slots=True)
class Strategy:
    """Order of swaps and rounds of purification for a path.

    Attributes:
        order: as soon as possible, or nested.
        rounds: on the elementary pairs of each hop.
        joins: the swap tree, with the rounds on its segments when nested.
        end_rounds: end to end (nested: those of the last join).
        label: for people.
        pumped: rounds spend fresh pairs on one that is kept, instead of joining pairs with equal rounds.
    """

    order: Order
    rounds: tuple[int, ...]
    joins: tuple[Join, ...]
    end_rounds: int
    label: str
    pumped: bool = False

    @property
    def total(self) -> int:
        """Most rounds that a pair and its parts have had in sequence: a measure of cost."""
        middle = sum(join.rounds for join in self.joins[:-1]) if self.order is Order.NESTED else 0
        return max(self.rounds) + middle + self.end_rounds


def lanes_needed(path: Sequence[str], strategy: Strategy) -> tuple[int, ...]:
    """Fewest lanes of each hop with which a strategy cannot get stuck.

    Args:
        path: node names.
        strategy: for this path.

    Returns:
        For each hop the greater need of its two ends: one and the rounds of every segment that ends there on that side, or one for
        all the rounds of such a segment if it is pumped.

    Examples:
        >>> both = Strategy(Order.ASAP, (1, 0), asap("ABC"), 2, "")
        >>> lanes_needed("ABC", both)
        (4, 3)
        >>> tree = nested("ABCDE", [1, 1])
        >>> lanes_needed("ABCDE", Strategy(Order.NESTED, (0, 0, 0, 0), tree, 1, ""))
        (3, 2, 2, 3)
    """
    place = {name: index for index, name in enumerate(path)}
    last = len(path) - 1
    most = (
        1
        if strategy.pumped
        else max(*strategy.rounds, strategy.end_rounds, *(join.rounds for join in strategy.joins), 1)
    )
    as_left = [min(rounds, most) for rounds in strategy.rounds]  # node i as the left end of hop i, and so on
    as_right = list(as_left)
    if strategy.order is Order.NESTED:
        for join in strategy.joins:
            as_left[place[join.left]] += min(join.rounds, most)
            as_right[place[join.right] - 1] += min(join.rounds, most)
    elif last > 1:
        as_left[0] += min(strategy.end_rounds, most)
        as_right[last - 1] += min(strategy.end_rounds, most)
    return tuple(1 + max(pair) for pair in zip(as_left, as_right, strict=True))


def spread(
    needs: Sequence[int], slots: Sequence[int], times: Sequence[float], caps: Sequence[int]
) -> tuple[int, ...] | None:
    """Give the slots of the nodes to the hops: the slowest hop gets the next lane, until it can have no more.

    Args:
        needs: fewest lanes of each hop.
        slots: of each node, one more than hops.
        times: mean time of an elementary pair on one lane of each hop.
        caps: lanes beyond which a hop gains nothing.

    Returns:
        Lanes of each hop, or None if the nodes cannot even hold ``needs``.

    Examples:
        >>> spread([1, 1], [4, 4, 4], [1.0, 1.0], [9, 9])
        (2, 2)
        >>> spread([1, 1], [4, 4, 4], [3.0, 1.0], [9, 9])
        (3, 1)
        >>> spread([1, 2], [1, 2, 2], [1.0, 1.0], [9, 9]) is None
        True
    """
    hops = range(len(needs))
    if min(_left(needs, slots)) < 0:
        return None
    lanes = _surely(needs, slots, times, caps)
    left = _left(lanes, slots)
    # the slowest first, of equals the one on the left
    queue = [(-times[hop] * needs[hop] / lanes[hop], hop) for hop in hops]
    heapq.heapify(queue)
    while True:
        slowest = queue[0][1]
        if lanes[slowest] >= caps[slowest] or left[slowest] < 1 or left[slowest + 1] < 1:
            return tuple(lanes)
        lanes[slowest] += 1
        left[slowest] -= 1
        left[slowest + 1] -= 1
        heapq.heapreplace(queue, (-times[slowest] * needs[slowest] / lanes[slowest], slowest))


def _left(lanes: Sequence[int], slots: Sequence[int]) -> list[int]:
    """Slots of each node that the lanes leave over."""
    left = list(slots)
    for hop, count in enumerate(lanes):
        left[hop] -= count
        left[hop + 1] -= count
    return left


def _surely(
    needs: Sequence[int], slots: Sequence[int], times: Sequence[float], caps: Sequence[int]
) -> list[int]:
    """Lanes that the hops get in any case: the fewest with which none takes longer than some time, if those fit.

    Whoever always gives the next lane to the slowest passes through these, so only what comes after is left to be given one by one.
    """
    work = [time * need for time, need in zip(times, needs, strict=True)]
    # what the slowest takes with all lanes that it can have
    level = max(value / max(cap, need) for value, cap, need in zip(work, caps, needs, strict=False))
    while 0.0 < level < math.inf:
        lanes = []
        for value, need in zip(work, needs, strict=True):
            count = max(need, math.ceil(value / level))
            # the quotient is rounded
            while count > need and value / (count - 1) <= level:
                count -= 1
            while value / count > level:
                count += 1
            lanes.append(count)
        if min(_left(lanes, slots)) >= 0:
            return lanes
        level *= 2.0
    return list(needs)


def strategies(
    path: Sequence[str], times: Sequence[float], fidelities: Sequence[float], most: int = MOST_ROUNDS
) -> tuple[Strategy, ...]:
    """Strategies worth trying on a path, the cheapest first.

    Args:
        path: node names.
        times: mean time of an elementary pair on each hop, for the optimal nested tree.
        fidelities: of fresh pairs on each hop; rounds on the worst hops alone are tried where they differ.
        most: rounds at one place.

    Returns:
        As soon as possible with 0..``most`` rounds on links and end to end; from three hops on also nested (balanced,
        and optimal for unequal times) with rounds on every level.

    Raises:
        QuantityError: a negative number of rounds.

    Examples:
        >>> [found.label for found in strategies("AB", [1.0], [0.9], most=1)]
        ['direct', 'direct, 1 round on links']
    """
    if most < 0:
        raise QuantityError(found=str(most), expected="0 or more rounds", where="purification")
    hops = len(path) - 1
    spreads = [((rounds,) * hops, rounds) for rounds in range(most + 1)]
    if hops == 1:
        return tuple(
            Strategy(Order.ASAP, each, (), 0, _label("direct", rounds, 0, 0)) for each, rounds in spreads
        )
    worst = min(fidelities)
    poor = [1.0 - value > 0.6 * (1.0 - worst) for value in fidelities]
    if not all(poor):
        spreads += [(tuple(rounds if bad else 0 for bad in poor), rounds) for rounds in range(1, most + 1)]
    found = [
        Strategy(Order.ASAP, each, asap(path), end, _label("swap-asap", rounds, 0, end))
        for (each, rounds), end in product(spreads, range(most + 1))
        if rounds + end <= most + 1
    ]
    if hops > 2:
        found += _nested(path, times, min(most, 2))
    found.sort(key=lambda strategy: strategy.total)
    return tuple(found)


def pumped(strategy: Strategy) -> Strategy | None:
    """The same rounds by pumping; None where no place has two rounds, since then there is no difference.

    Examples:
        >>> two = Strategy(Order.ASAP, (2,), (), 0, "direct, 2 rounds on links")
        >>> pumped(two).label, lanes_needed("AB", two), lanes_needed("AB", pumped(two))
        ('direct, 2 rounds on links, pumped', (3,), (2,))
    """
    if max(*strategy.rounds, strategy.end_rounds, *(join.rounds for join in strategy.joins), 0) < 2:
        return None
    return replace(strategy, pumped=True, label=f"{strategy.label}, pumped")


def _nested(path: Sequence[str], times: Sequence[float], most: int) -> list[Strategy]:
    hops = len(path) - 1
    trees = {"balanced": nested(path)}
    if max(times) > min(times) and hops <= MOST_OPTIMAL:
        optimal = optimal_nested(path, times)
        if optimal != trees["balanced"]:
            trees["optimal"] = optimal
    found = []
    for name, tree in trees.items():
        for rounds, middle, end in product(range(most + 1), range(min(most, 1) + 1), range(most + 1)):
            if middle == 0 and rounds + end > 0:
                continue  # as soon as possible does the same, sooner
            joins = leveled(tree, (middle,) * hops)
            joins = (*joins[:-1], replace(joins[-1], rounds=end))
            label = _label(f"nested ({name})", rounds, middle, end)
            found.append(Strategy(Order.NESTED, (rounds,) * hops, joins, end, label))
    return found


def _label(name: str, rounds: int, middle: int, end: int) -> str:
    parts = [name]
    for count, where in ((rounds, "on links"), (middle, "on each level"), (end, "end to end")):
        if count:
            parts.append(f"{count} round{'s' if count > 1 else ''} {where}")
    return ", ".join(parts)
