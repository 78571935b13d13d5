"""Who gets how much where supply is short: max-min fair shares.

Everybody's share rises at the same speed (times its weight) until a link is used up; those who need it stop there, the others rise
on (progressive filling: Bertsekas, Gallager, Data Networks, 2nd ed., section 6.5.2). Nobody can get more without somebody
who has no more getting less.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite

from quantum_fabric.errors import InputError
from quantum_fabric.keys.relay.bundle import SPENT_BACKWARD, spent_forward
from quantum_fabric.keys.relay.paths import Path
from quantum_fabric.keys.relay.supply import KeyNetwork, pairs


@dataclass(frozen=True, slots=True)
class Demand:
    """What somebody wants of the link keys.

    Attributes:
        name: who.
        uses: (spender, towards) -> bits of link key for each bit that is delivered.
        bits: as many as are wanted, at most.
        weight: twice the weight, twice the share.

    Raises:
        InputError: numbers that are not above 0.
    """

    name: str
    uses: Mapping[tuple[str, str], float]
    bits: int
    weight: float = 1.0

    def __post_init__(self) -> None:
        numbers = (self.bits, self.weight, *self.uses.values())
        if not all(isfinite(number) and number > 0 for number in numbers):
            raise InputError(str(self), "bits, a weight and uses above 0", "demand")


def uses_of(paths: Sequence[Path], octets: int) -> dict[tuple[str, str], float]:
    """What each delivered bit costs on a route, for keys of one size.

    Examples:
        >>> uses_of([("A", "B")], 32)
        {('A', 'B'): 6.5, ('B', 'A'): 3.0}
    """
    found: dict[tuple[str, str], float] = {}
    for path in paths:
        for here, there in pairs(path):
            found[here, there] = found.get((here, there), 0.0) + spent_forward(octets) / (8 * octets)
            found[there, here] = found.get((there, here), 0.0) + SPENT_BACKWARD / (8 * octets)
    return found


@dataclass(frozen=True, slots=True)
class Ration:
    """A share.

    Attributes:
        bits: delivered bits, rounded down.
        bound: the hop whose stock holds it back; None where it is all that was wanted.
    """

    bits: int
    bound: tuple[str, str] | None


def share_out(network: KeyNetwork, demands: Sequence[Demand]) -> dict[str, Ration]:
    """Give each demand its share of the stock.

    Args:
        network: the stock.
        demands: with names of their own.

    Raises:
        InputError: two demands of one name.
        UnknownNameError: a hop that is no link.

    Examples:
        >>> from quantum_fabric.keys.relay.supply import KeyLink
        >>> network = KeyNetwork((KeyLink("A", "R", 900), KeyLink("R", "B", 3000)), frozenset("R"))
        >>> near, far = Demand("near", {("R", "B"): 1.0}, 5000), Demand("far", {("A", "R"): 1.0, ("R", "B"): 1.0}, 5000)
        >>> share_out(network, [near, far])
        {'near': Ration(bits=2100, bound=('R', 'B')), 'far': Ration(bits=900, bound=('A', 'R'))}
    """
    if len({demand.name for demand in demands}) != len(demands):
        raise InputError("two demands of one name", "names of their own", "demands")
    left = {hop: float(network.stored(*hop)) for demand in demands for hop in demand.uses}
    level, found = 0.0, dict[str, Ration]()
    rising = list(demands)
    while rising:
        speed = {hop: sum(demand.weight * demand.uses.get(hop, 0.0) for demand in rising) for hop in left}
        until = {hop: left[hop] / speed[hop] for hop in left if speed[hop] > 0.0}
        enough = {demand.name: demand.bits / demand.weight - level for demand in rising}
        step = max(0.0, min([*until.values(), *enough.values()]))
        level += step
        left = {hop: bits - step * speed[hop] for hop, bits in left.items()}
        full = {hop for hop, time in until.items() if time <= step * (1 + 1e-12)}
        for demand in tuple(rising):
            bound = min((hop for hop in demand.uses if hop in full), default=None)
            satisfied = enough[demand.name] <= step * (1 + 1e-12)
            if satisfied or bound is not None:
                bits = demand.bits if satisfied else int(demand.weight * level + 1e-6)
                found[demand.name] = Ration(bits, None if satisfied else bound)
                rising.remove(demand)
    return {demand.name: found[demand.name] for demand in demands}
