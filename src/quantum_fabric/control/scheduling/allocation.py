"""How much for whom: fair allocations of what cannot satisfy all, and how fair one is."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from quantum_fabric.errors import QuantityError, UnknownNameError


@dataclass(frozen=True, slots=True)
class Demand:
    """Somebody wants a rate, and each unit of it takes something of some resources.

    Attributes:
        name: unique.
        use: how much of each resource one unit takes, above 0.
        most: what it can use at most; infinite for any.
        weight: its share beside others, above 0.
    """

    name: str
    use: Mapping[str, float] = field(hash=False)
    most: float = math.inf
    weight: float = 1.0


def water_fill(demands: Sequence[Demand], capacities: Mapping[str, float]) -> dict[str, float]:
    """Max-min fair rates: no rate can grow without one that is no larger (for its weight) shrinking.

    Progressive filling: all rates grow in step with their weights; whoever reaches what it wants, or meets a resource
    that is used up, stops. O(n (n + r)) for n demands and r resources.

    Equation: Bertsekas and Gallager, Data Networks, 2nd ed., section 6.5.2.

    Args:
        demands: who wants what.
        capacities: how much there is of each resource.

    Returns:
        Rate of each demand.

    Raises:
        QuantityError: a weight, capacity or use outside its domain, or a demand that nothing limits.
        UnknownNameError: of a resource.

    Examples:
        >>> long, a, b = Demand("long", {"x": 1, "y": 1}), Demand("a", {"x": 1}), Demand("b", {"y": 1})
        >>> water_fill([long, a, b], {"x": 1.0, "y": 2.0})
        {'long': 0.5, 'a': 0.5, 'b': 1.5}
    """
    for demand in demands:
        _check(demand, capacities)
    left = dict(capacities)
    rates = {demand.name: 0.0 for demand in demands}
    growing = list(demands)
    level = 0.0
    while growing:
        pull: dict[str, float] = {}
        for demand in growing:
            for resource, use in demand.use.items():
                pull[resource] = pull.get(resource, 0.0) + use * demand.weight
        room = {resource: max(0.0, left[resource]) / need for resource, need in pull.items()}
        step = min([*room.values(), *(demand.most / demand.weight - level for demand in growing)])
        step = max(0.0, step)
        level += step
        for resource, need in pull.items():
            left[resource] -= step * need
        full = {resource for resource, space in room.items() if space <= step * (1.0 + 1e-12)}
        still = []
        for demand in growing:
            wants = demand.most / demand.weight
            sated = wants <= level * (1.0 + 1e-12)
            rates[demand.name] = demand.most if sated else level * demand.weight
            if not sated and not full.intersection(demand.use):
                still.append(demand)
        growing = still
    return rates


def proportional(
    wants: Mapping[str, float], capacity: float, weights: Mapping[str, float]
) -> dict[str, float]:
    """One resource, shared in proportion to weights; what somebody does not want goes to the others.

    Examples:
        >>> proportional({"a": 10.0, "b": 1.0, "c": 10.0}, 9.0, {"a": 3.0, "b": 1.0, "c": 1.0})
        {'a': 6.0, 'b': 1.0, 'c': 2.0}
    """
    demands = [Demand(name, {"all": 1.0}, want, weights.get(name, 1.0)) for name, want in wants.items()]
    return water_fill(demands, {"all": capacity})


def jain(shares: Sequence[float]) -> float:
    """Jain's index of fairness: 1 where all are equal, 1/n where one has everything.

    Equation: (Σ x)² / (n Σ x²), Jain, Chiu and Hawe, DEC-TR-301 (1984). Of nothing, or of zeros only, it is 1.

    Raises:
        QuantityError: a negative share.

    Examples:
        >>> jain([1.0, 1.0, 1.0]), jain([1.0, 0.0, 0.0, 0.0])
        (1.0, 0.25)
    """
    if any(share < 0.0 for share in shares):
        raise QuantityError(found=repr(min(shares)), expected="shares of 0 or more", where="shares")
    squares = math.fsum(share * share for share in shares)
    return math.fsum(shares) ** 2 / (len(shares) * squares) if squares > 0.0 else 1.0


def _check(demand: Demand, capacities: Mapping[str, float]) -> None:
    where = f"demand {demand.name}"
    if not 0.0 < demand.weight < math.inf:
        raise QuantityError(found=repr(demand.weight), expected="a weight above 0", where=where)
    if not demand.most >= 0.0:
        raise QuantityError(found=repr(demand.most), expected="0 or more", where=where)
    if not demand.use and math.isinf(demand.most):
        raise QuantityError(
            found="no resource and no bound", expected="something that limits it", where=where
        )
    for resource, use in demand.use.items():
        if resource not in capacities:
            raise UnknownNameError(found=repr(resource), expected="a resource with a capacity", where=where)
        if not 0.0 < use < math.inf or not 0.0 <= capacities[resource] < math.inf:
            found = f"{use!r} of {capacities[resource]!r}"
            raise QuantityError(found=found, expected="a use above 0 of a finite capacity", where=where)
