"""Exact forecasts of chains: the one entry point.

    plain, or a single repeater     exact law of the first delivery, with the twin's grids, messages and restarts
    nested                          the same while nothing that fails leaves links running ahead of it
    as soon as possible             without failing swaps; with them where messages take no time and links are in step
    purification                    one round on links of two lanes; beyond that copies are taken as independent

What is taken otherwise than the twin does it is in `Solution.remarks`; `Solution.exact` is true if there is nothing.

Limits:
    Means of the state given the delivery time are exact where the times are, purification included: success and state are linear in
    each of two independent pairs. The spread of the fidelity among pairs that took equally long is not in the law; `ages` has it
    for equal memories without purification.

    With remarks, first deliveries differ from the executor's rules like this, in the mean time and in the fidelity (C: p = 0.15,
    4000 rehearsals each): links that run ahead 1 % and 0.006; lanes beside failing swaps 5 % and 0.004; purification of swapped
    pairs 3 % and 0.005, end to end over four links 19 % and 0.016; cutoffs over four links 4 % and 0.003, tight ones 20 % and
    0.007; two rounds with three lanes 10 % and 0.0003. A coarser tick costs up to 0.1 % of the mean and 1e-4; with links out of step
    and failures up to 3 % and 0.001.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from quantum_fabric.network.chain import Chain
from quantum_fabric.network.exact import asap
from quantum_fabric.network.exact.ages import FidelityLaw, fidelity_law
from quantum_fabric.network.exact.law import Law
from quantum_fabric.network.exact.nodes import Link, Node, Swap
from quantum_fabric.network.exact.timed import PICO, Timed, common_tick, simple, tree
from quantum_fabric.network.exact.tree import MOST_TICKS, Solver, UnsuitableError, restarts
from quantum_fabric.physics.bounds import plob

FINEST = 1 << 17
"""Ticks up to which every time is kept exactly; longer laws get a coarser tick."""

COARSE = 1 << 13
"""Ticks of a law on a coarser grid, about."""

LONG = 12.0
"""A law is about so many times its mean."""


@dataclass(frozen=True, eq=False)
class Bounds:
    """What no chain of these links can beat, beside the law.

    Attributes:
        slowest: mean time of the slowest elementary pair, s: no delivery is sooner on average.
        three_over_two: ``(3/2q)^levels`` times that, for balanced trees (Coopmans et al., PRA 105, 012608 (2022)): an upper
            bound on the mean where messages take no time and nothing is purified or cut off; infinite elsewhere.
        capacity: pairs per second that no protocol exceeds on the poorest segment (PLOB for each lane and attempt, pure loss);
            infinite where transmissions are not given.
    """

    slowest: float
    three_over_two: float
    capacity: float


@dataclass(frozen=True, eq=False)
class Solution:
    """What was solved.

    Attributes:
        first: law of the first delivery, in the time of the engines (`Chain.origin` comes before).
        between: law of the time between deliveries, where each delivery is a fresh start; None elsewhere.
        remarks: what is taken otherwise than the twin does it.
        bounds: beside the mean.
        node: the tree that was solved; None for swaps as soon as possible.
        starts: of its links, ticks.
    """

    first: Law
    between: Law | None
    remarks: tuple[str, ...]
    bounds: Bounds
    node: Node | None = None
    starts: tuple[int, ...] = ()

    @property
    def exact(self) -> bool:
        """Whether this is the law of the twin's first delivery."""
        return not self.remarks

    def fidelities(self) -> FidelityLaw | None:
        """Law of the fidelity of first deliveries whose whole history is known (see `ages`); None where there is none.

        Takes a fraction of a second in steps and some seconds on fine grids, unlike everything else here.
        """
        return None if self.node is None or self.first.spread else fidelity_law(self.node, self.starts)


def solve(chain: Chain, most: int = FINEST, transmissions: Sequence[float] | None = None) -> Solution | None:
    """The law of a chain's delivery time and state.

    Args:
        chain: a scheme in numbers.
        most: ticks up to which times are kept exactly.
        transmissions: of the light of each hop, for the bound that they set.

    Returns:
        None where there is no exact method for it: memories that do not decay exponentially or lose qubits, pumping for
        several rounds, as soon as possible with failing swaps and messages that take time, links that never succeed; see `why_not`.

    Examples:
        >>> from quantum_fabric.network.chain import Chain, Hop, Station
        >>> from quantum_fabric.physics.noise import MemoryNoise, OperationNoise
        >>> still = Station((0.0,) * 3, 0.0, 1.0, (1.0,) * 3, OperationNoise(), MemoryNoise(math.inf, math.inf), (0.0,) * 3)
        >>> hop = Hop(0.1, 1e-3, 0.0, (0.0, 0.0), (1e-3, 1e-3), (1.0, 1.0, 1.0), 1, 0)
        >>> two = Chain((hop, hop), (still,) * 3, ((0.0,) * 3,) * 3, ((1, 0, 2, 0),), False, 0, "dejmps", None, 0.0)
        >>> found = solve(two)
        >>> found.exact, round(found.first.mean * 1e3, 9), round(280 / 19, 9)
        (True, 14.736842105, 14.736842105)
    """
    if why_not(chain):
        return None
    if asap.suits(chain):
        found, remarks = asap.law(chain, common_tick(chain), most)
        return Solution(found, None, remarks, bounds(chain, transmissions))
    exact, fine = common_tick(chain), _tick(chain, most)
    for tick in (fine, 4 * fine, 16 * fine, exact):
        timed = tree(chain, tick)
        # where coarse ticks do not help, exact ones may take their time
        solver = Solver(most if tick == exact == fine else 2 * FINEST if timed.spread else MOST_TICKS)
        try:
            first = solver.law(timed.node, timed.starts)
            break
        except UnsuitableError:
            continue
    else:
        return None
    law = Law(first, timed.tick, timed.spread)
    between = _between(chain, timed, solver)
    return Solution(law, between, timed.remarks, bounds(chain, transmissions), timed.node, timed.starts)


def why_not(chain: Chain) -> str:
    """Why there is no exact law of a chain; empty if there is one."""
    if any(hop.success <= 0.0 for hop in chain.hops):
        return "a link never succeeds"
    if any(min(hop.heard) <= 0.0 for hop in chain.hops):
        return "heralds that take no time"
    if not all(simple(station) for station in chain.stations):
        return "a memory does not decay exponentially, or loses qubits"
    several = max(
        chain.end_rounds, *(hop.rounds for hop in chain.hops), *(join[3] for join in chain.joins), 0
    )
    if chain.pumped and several > 1:
        return "pumping for several rounds"
    if any(station.swap_success <= 0.0 for station in chain.stations[1:-1]):
        return "a swap never succeeds"
    if chain.nested or len(chain.hops) < 3:
        return ""
    return asap.why_not(chain)


def _tick(chain: Chain, most: int) -> int:
    """Ticks that are fine enough, ps: exact ones if a law of memoryless parts would not be too long with them."""
    hops, inner = chain.hops, chain.stations[1:-1]
    slowest = max(hop.mean_time / hop.lanes for hop in hops)
    depth = math.ceil(math.log2(len(hops)))
    tries = 1.5 / min((station.swap_success for station in inner), default=1.0)
    if chain.cutoff is not None:
        tries /= -math.expm1(-max(chain.cutoff, min(hop.period for hop in hops)) / slowest)
    rounds: float = sum(hop.rounds for hop in hops) / len(hops) + chain.end_rounds
    rounds += max((join[3] for join in chain.joins), default=0) * max(depth - 1, 0) if chain.nested else 0
    length = float(LONG * slowest * tries**depth * 2.0**rounds * PICO)
    exact = common_tick(chain)
    if length <= exact * most:
        return exact
    period = min(round(hop.period * PICO) for hop in hops)
    wanted = length / COARSE
    tick = period / math.ceil(period / wanted) if wanted < period else wanted
    return max(1, round(tick))


def _between(chain: Chain, timed: Timed, solver: Solver) -> Law | None:
    """Law from one delivery to the next, if all deliveries leave the links alike, none runs ahead, and it is not too long."""
    hops = len(chain.hops)
    if any(hop.lanes > (2 if hop.rounds else 1) for hop in chain.hops) or timed.spread:
        return None
    if isinstance(timed.node, Swap):
        middle = {(left, right): at for at, left, right, _ in chain.joins}.get((0, hops), 1)
        ends = (0, middle, hops)
        if any(hop.rounds for hop in chain.hops) or any(
            i not in ends and i + 1 not in ends for i in range(hops)
        ):
            return None
    starts = (0,) * len(timed.node.leaves)
    takes = 0 if isinstance(timed.node, Link) else int(timed.node.takes)
    for _ in range(3):
        try:
            found = solver.law(timed.node, starts).shifted(-takes)
        except UnsuitableError:
            return None
        then = restarts(timed.node, starts, [(found.values[0], timed.again)])
        if set(then) == {starts}:
            return Law(found, timed.tick)
        if len(then) != 1:
            return None
        (starts,) = then
    return None


def bounds(chain: Chain, transmissions: Sequence[float] | None = None) -> Bounds:
    """What no chain of these links can beat, and the nested bound.

    Args:
        chain: of links that may succeed.
        transmissions: of the light of each hop, for the bound that they set.
    """
    hops = len(chain.hops)
    slowest = max(
        hop.period * (1.0 / (1.0 - (1.0 - hop.success) ** hop.lanes) - 1.0) + min(hop.heard)
        for hop in chain.hops
    )
    capacity = math.inf
    if transmissions is not None:
        each = zip(chain.hops, plob(transmissions).tolist(), strict=True)
        capacity = min(hop.lanes / hop.period * bits for hop, bits in each)
    levels = math.log2(hops)
    plain = chain.cutoff is None and not any(hop.rounds for hop in chain.hops) and chain.end_rounds == 0
    plain = plain and all(join[3] == 0 for join in chain.joins) and not any(map(any, chain.delay))
    if not plain or not levels.is_integer() or (hops > 2 and not chain.nested):
        return Bounds(slowest, math.inf, capacity)
    chance = min((station.swap_success for station in chain.stations[1:-1]), default=1.0)
    tried = max(hop.mean_time for hop in chain.hops)
    rest = max(max(hop.heard) - hop.period for hop in chain.hops)
    return Bounds(slowest, (1.5 / chance) ** levels * (tried + max(0.0, rest)), capacity)
