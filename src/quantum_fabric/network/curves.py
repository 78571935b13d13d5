"""Links as curves of rate and fidelity, and paths that no other path beats in everything.

A link with a knob is not a point but a curve: each setting, with each number of rounds of purification, gives a rate and a
fidelity, and only those matter that no other one beats in both (its Pareto front). A path, too, has several numbers that cannot be
traded for one another before the request is known: its slowest link (which bounds the rate), what its pairs lose (which bounds
the fidelity), and its hops (swaps, memories, news). `front_paths` finds every path that is not beaten in all three.

Equation: label setting with dominance; Martins, EJOR 16, 236 (1984). Each of (max time, Σ loss, hops) is monotone and isotonic by
    itself, so a label that is beaten at a node stays beaten on whatever way goes on from there, and the front is exact.

Limits:
    What a plan makes of a path depends on more than these numbers (where the slow link stands, how memories age beside it), so
    the best plan need not lie on the front: in the oracle `tests/oracles/test_pareto_paths.py` the gap is measured and bounded.
    Fronts can grow exponentially with the network; `MOST` ends the search.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Collection
from dataclasses import dataclass

from quantum_fabric.errors import QuantityError
from quantum_fabric.links.model import LinkModel
from quantum_fabric.network.atlas import SLOWEST, Atlas, atlas
from quantum_fabric.network.paths import Path
from quantum_fabric.network.settings import grid, operating_point
from quantum_fabric.network.topology import LinkView, Topology
from quantum_fabric.physics.correlators import fidelity, purified
from quantum_fabric.physics.noise import NOISELESS
from quantum_fabric.units import SECOND

MOST = 20_000
"""Labels that are looked at before a search is content with what it has."""


@dataclass(frozen=True, slots=True)
class Point:
    """One way to use a link.

    Attributes:
        setting: of its knob, None where it has none.
        rounds: of purification of equal pairs.
        rate: pairs per second of one lane, purified, if nothing waits.
        fidelity: of such a pair, fresh.
    """

    setting: float | None
    rounds: int
    rate: float
    fidelity: float


def curve(model: LinkModel, rounds: int = 2) -> tuple[Point, ...]:
    """The ways to use a link that no other one beats in rate and fidelity, the fastest first.

    Args:
        model: of the link.
        rounds: of purification at most; operations without noise and memories without decay are assumed, so that the curve is
            the link's own.

    Returns:
        Rates fall and fidelities rise from point to point.

    Raises:
        QuantityError: a negative number of rounds.

    Examples:
        >>> from quantum_fabric.links.ideal import FixedLink
        >>> for point in curve(FixedLink(0.1, (0.8, 0.2, 0.0, 0.0), 1_000_000_000), rounds=1):
        ...     print(f"{point.rounds} {point.rate:.1f} {point.fidelity:.3f}")
        0 100.0 0.800
        1 34.0 0.941
    """
    if rounds < 0:
        raise QuantityError(str(rounds), "0 or more rounds", "curve")
    link = LinkView("", "a", "b", model, 0, 0.0)
    found: list[Point] = []
    for setting in grid(model):
        point = operating_point(link, "a", setting, 1)
        rate, state = point.success * SECOND / point.period, point.fresh
        for done in range(rounds + 1):
            found.append(Point(setting, done, rate, fidelity(state)))
            chance, state = purified(state, state, "dejmps", NOISELESS, NOISELESS)
            rate *= chance / 2.0
    found.sort(key=lambda each: (-each.rate, -each.fidelity, each.rounds))
    front: list[Point] = []
    for each in found:
        if each.rate > 0.0 and (not front or each.fidelity > front[-1].fidelity):
            front.append(each)
    return tuple(front)


Label = tuple[float, float, int]
"""Time of the slowest link (s), loss (-log of the Werner parameter), hops."""


def front_paths(
    topology: Topology, source: str, destination: str, busy: Collection[str] = ()
) -> tuple[Path, ...]:
    """Paths that no other one beats in the time of the slowest link, the loss and the hops, the one with the least loss first.

    Args:
        topology: what is believed.
        source: one end.
        destination: the other.
        busy: nodes that have no slots left to relay with.

    Returns:
        Of paths with equal numbers one. Links count as in the middle of their knobs' range.

    Raises:
        UnknownNameError: an end is not in the topology.

    Examples:
        >>> import math
        >>> from quantum_fabric.links.ideal import FixedLink
        >>> from quantum_fabric.network.topology import NodeModel
        >>> from quantum_fabric.physics.noise import MemoryNoise, OperationNoise
        >>> nodes = {n: NodeModel(n, 2, MemoryNoise(math.inf, 1.0), OperationNoise(), 0) for n in "ABC"}
        >>> good, fast = FixedLink(0.1, (1.0, 0.0, 0.0, 0.0), 1_000), FixedLink(0.5, (0.9, 0.1, 0.0, 0.0), 1_000)
        >>> links = {n: LinkView(n, n[0], n[1], good if n == "AC" else fast, 0, 0.0) for n in ("AB", "BC", "AC")}
        >>> [path.nodes for path in front_paths(Topology(nodes, links, {}, "A"), "A", "C")]
        [('A', 'C'), ('A', 'B', 'C')]
    """
    for end in (source, destination):
        topology.node(end)
    chart = atlas(topology)
    closed, goal = chart.shut(busy, (source, destination)), chart.index[destination]
    start = chart.index[source]
    queue: list[tuple[float, float, int, tuple[int, ...], tuple[str, ...]]] = [(0.0, 0.0, 0, (start,), ())]
    fronts: dict[int, list[Label]] = {}
    found: list[Path] = []
    looked = 0
    while queue and looked < MOST:
        loss, time, hops, way, links = heapq.heappop(queue)
        here, looked = way[-1], looked + 1
        if _beaten((time, loss, hops), fronts.setdefault(here, [])):
            continue
        fronts[here].append((time, loss, hops))
        if here == goal:
            found.append(Path(tuple(chart.names[node] for node in way), links))
            continue
        for there, edge in chart.around[here]:
            if there in closed or there in way:
                continue
            for name, (slow, lost) in _choices(chart, edge).items():
                after = (max(time, slow), loss + lost, hops + 1)
                if not _beaten(after, fronts.get(there, [])):
                    heapq.heappush(queue, (after[1], after[0], after[2], (*way, there), (*links, name)))
    return tuple(found)


def _beaten(label: Label, front: list[Label]) -> bool:
    """Whether another label is at least as good in everything."""
    return any(all(a <= b for a, b in zip(other, label, strict=True)) for other in front)


def _choices(chart: Atlas, edge: int) -> dict[str, tuple[float, float]]:
    """Links between two nodes with their time and loss."""
    found = {}
    for name in chart.links[edge]:
        quality = chart.quality[name]
        found[name] = (
            min(quality.time, SLOWEST),
            max(quality.loss, 0.0) if quality.loss < math.inf else SLOWEST,
        )
    return found
